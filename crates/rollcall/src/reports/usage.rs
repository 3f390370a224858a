//! What `department-days` and `developer-days` have in common: their parameters, and a use of the coding assistant as columns.

use super::{BadParameter, Cell, Given};
use rollcall_model::ReportError;
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{RowKeys, Usage, UsageSpan};

/// What rows hold: totals, or a part of them each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakdown {
    /// A row for each key.
    None,
    /// A row for each type of chat and IDE.
    Chatting,
    /// A row for each language that lines were written in.
    Coding,
    /// A row for each language and IDE of completions.
    Completion,
}

impl Breakdown {
    /// Reads `breakdown`.
    pub fn of(value: Option<&str>) -> Result<Self, BadParameter> {
        match value {
            None => Ok(Self::None),
            Some("chatting") => Ok(Self::Chatting),
            Some("coding") => Ok(Self::Coding),
            Some("completion") => Ok(Self::Completion),
            other => Err(BadParameter::new("breakdown", other, "chatting, coding or completion")),
        }
    }

    /// Reads `breakdown` among parameters that may be wrong.
    pub fn among(given: &[(String, String)]) -> Self {
        let value = given.iter().find(|(name, _)| name == "breakdown").map(|(_, value)| value.as_str());
        Self::of(value).unwrap_or(Self::None)
    }

    /// The rows of a use: of each the same cells before, then its own; `counted` says whether they count developers.
    pub fn rows(self, before: &[Cell], usage: &Usage, counted: bool) -> Vec<Vec<Cell>> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let row = |words: Vec<Cell>, developers: u64, numbers: Vec<u64>| {
            let developers = counted.then_some(developers).map(Cell::from);
            [before.to_vec(), words, developers.into_iter().chain(numbers.into_iter().map(Cell::from)).collect()].concat()
        };
        match self {
            Self::None => {
                let (active, last) = ([usage.chat_developers, usage.completion_developers], usage.last_use.map(rfc3339));
                let mut whole = row(vec![], usage.developers, active.to_vec());
                whole.extend([usage.turns, usage.turns_accepted, usage.suggested, usage.accepted].map(Cell::from));
                whole.extend([usage.lines_accepted, usage.lines_changed].map(Cell::from));
                whole.push(Cell::from(last));
                vec![whole]
            }
            Self::Chatting => {
                let rows = usage.chatting.iter();
                rows.map(|part| row(vec![text(&part.chat_type), text(&part.ide)], part.developers, vec![part.turns, part.accepted]))
                    .collect()
            }
            Self::Coding => {
                let rows = usage.coding.iter();
                rows.map(|part| row(vec![text(&part.language)], part.developers, vec![part.lines_accepted, part.lines_changed])).collect()
            }
            Self::Completion => {
                let numbers = |part: &rollcall_model::reports::Completion| {
                    vec![part.suggested, part.accepted, part.lines_accepted, part.lines_changed]
                };
                let rows = usage.completion.iter();
                rows.map(|part| row(vec![text(&part.language), text(&part.ide)], part.developers, numbers(part))).collect()
            }
        }
    }
}

/// Reads `by`.
pub fn span(own: &Given<'_>) -> Result<UsageSpan, BadParameter> {
    match own.get("by") {
        None | Some("day") => Ok(UsageSpan::Day),
        Some("whole") => Ok(UsageSpan::Whole),
        other => Err(BadParameter::new("by", other, "day or whole")),
    }
}

/// Reads `subtree`.
pub fn with_subtree(own: &Given<'_>) -> Result<bool, BadParameter> {
    match own.get("subtree") {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        other => Err(BadParameter::new("subtree", other, "true or false")),
    }
}

/// Whether an answer has no more rows than it may have; 0: any.
pub fn bound(most: u64, rows: impl FnOnce() -> Result<RowKeys, ReportError>) -> Result<(), ReportError> {
    if most == 0 {
        return Ok(());
    }
    let count = rows()?.len();
    if count as u64 <= most {
        return Ok(());
    }
    let expected = "no more than limits.report_rows; ask for fewer days, one department or user, or by=whole";
    Err(ReportError::Parameter { parameter: "rows", value: count.to_string(), expected })
}
