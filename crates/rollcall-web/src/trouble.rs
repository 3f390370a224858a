//! Why there is no page, or no panel.

use crate::lang::Lang;
use crate::state::BadState;
use crate::words::Word;
use rollcall_model::ReportError;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The query has a parameter that is wrong.
    Bad(BadState),
    /// There is nothing at this path.
    NotFound(Word),
    /// The viewer may not see it.
    Forbidden,
    /// A report that the page is about has no answer.
    Failed(ReportError),
}

impl From<BadState> for Trouble {
    fn from(bad: BadState) -> Self {
        Self::Bad(bad)
    }
}

impl From<ReportError> for Trouble {
    fn from(error: ReportError) -> Self {
        Self::Failed(error)
    }
}

impl Trouble {
    /// The status, the title and what is said.
    pub(crate) fn said(&self, lang: Lang) -> (u16, Word, String) {
        match self {
            Self::Bad(bad) => {
                let parts = [("parameter", bad.parameter.as_str()), ("value", bad.value.as_str())];
                (400, Word::BadTitle, lang.fill(Word::BadParameter, &parts))
            }
            Self::NotFound(word) => (404, Word::NotFoundTitle, lang.say(*word).to_owned()),
            Self::Forbidden => (403, Word::ForbiddenTitle, lang.say(Word::Forbidden).to_owned()),
            Self::Failed(error @ ReportError::UnknownDepartment(_)) => (404, Word::NotFoundTitle, failed(lang, error)),
            Self::Failed(error @ (ReportError::TooMuch(_) | ReportError::Parameter { .. })) => {
                (400, Word::FailedTitle, failed(lang, error))
            }
            Self::Failed(error) => (503, Word::FailedTitle, failed(lang, error)),
        }
    }
}

/// Why a report has no answer, as a panel says it. The cause of a failure of the storage is in the log and not here.
pub(crate) fn failed(lang: Lang, error: &ReportError) -> String {
    match error {
        ReportError::UnknownDepartment(_) => lang.say(Word::FailedDepartment).to_owned(),
        ReportError::TooMuch(_) => lang.say(Word::FailedTooMuch).to_owned(),
        _ => lang.fill(Word::FailedReport, &[("reason", &error.to_string())]),
    }
}
