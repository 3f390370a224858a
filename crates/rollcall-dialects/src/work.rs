//! The one way in which an answer is computed: on a thread that may block.
//!
//! An async thread serves many connections, so nothing that grows with a report or with what a client sends may run on it. A dialect, and the
//! native API, check the credential and read the parameters there; all the rest is a closure given to [`Site::work`]: the
//! report, filters, the order, the page, and writing the body.
//!
//! What is asked again while nothing changed is answered with what was rendered the first time ([`Site::answer`]).
//!
//! Each organization has its share of the threads ([`Turns`]), and work ends when its client is gone: the future of its request is dropped
//! then, which cancels the question.

use crate::Site;
use crate::kept::Question;
use crate::turns::{Busy, Patience, Turns, Words};
use axum::response::Response;
use rollcall_model::{Cancellation, OrgId, ReportError, Reports};
use std::sync::Arc;

/// Whom a piece of work is for.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The API that was asked: the name of the dialect, or `native`.
    pub api: &'static str,
    /// Whose data is read.
    pub organization: OrgId,
    /// The id that the answer gives the request; none where the API has no such id.
    pub request_id: Option<&'a str>,
}

/// Why work has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// Others are computed, and it was not begun. Trying again later is all its client can do.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It panicked. The cause is in the log.
    #[error("internal error; the cause is in the server's log")]
    Panicked,
}

/// Logs why a report has no answer, unless nobody waits for one.
pub(crate) fn log(error: &ReportError) {
    match error {
        ReportError::Cancelled => tracing::debug!("a report was cancelled: its client is gone"),
        ReportError::TooMuch(_) => tracing::warn!(%error, "a report takes more than limits.report_cells"),
        error => tracing::error!(%error, "a report failed"),
    }
}

/// Turns to compute, `total` of them; 0: any number.
pub fn turns(total: u64, alone: bool, patience: Patience) -> Arc<Turns> {
    Turns::new(Words { things: "reports", are: "are being computed", setting: "limits.reports" }, total, alone, patience)
}

impl Site {
    /// The answer to a question: one that was kept, or what work makes on a thread that may block, as [`Site::work`] says. `asked` says
    /// everything that the answer follows from, but the organization, the API, and what [`Reports::state`] stands for; with none, nothing is kept.
    ///
    /// # Errors
    /// Those of [`Site::work`].
    pub async fn answer<E>(
        &self,
        task: Task<'_>,
        asked: Option<String>,
        work: impl FnOnce(&dyn Reports) -> Result<Response, E> + Send + 'static,
    ) -> Result<Response, E>
    where
        E: From<WorkError> + Send + 'static,
    {
        let Task { api, organization, .. } = task;
        // Before anything is read: an answer that is made of more than this state is kept as if it were of less, and is never too old.
        let state = self.reports.state(organization);
        let Some((asked, state)) = asked.zip(state) else { return self.work(task, work).await };
        let question = Question { organization, api, asked };
        if let Some(kept) = self.answers.get(&question, state) {
            return Ok(kept);
        }
        let answer = self.work(task, work).await?;
        Ok(self.answers.keep(question, state, answer).await)
    }

    /// Does work on a thread that may block, once the organization has a turn. What it logs names the task: API, organization and id of the
    /// request. If this future is dropped, work is not begun, or its reports end with [`rollcall_model::ReportError::Cancelled`].
    ///
    /// The clock is not to be asked in there: tests set it for their own thread.
    ///
    /// # Errors
    /// That of the work, or a [`WorkError`].
    pub async fn work<T, E>(&self, task: Task<'_>, work: impl FnOnce(&dyn Reports) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkError> + Send + 'static,
    {
        let Task { api, organization, request_id } = task;
        let span = tracing::error_span!("work", api, %organization, request_id);
        let turn = self.turns().take(organization).await.map_err(WorkError::from)?;
        let cancellation = Cancellation::of_budget(self.cells_of_question());
        let _client = cancellation.when_dropped();
        let (reports, inside) = (self.reports.clone(), span.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let _inside = inside.enter();
            let until = reports.until(&cancellation);
            work(until.as_deref().unwrap_or(reports.as_ref()))
        });
        let done = done.await;
        done.unwrap_or_else(|error| {
            span.in_scope(|| tracing::error!(%error, "an answer could not be computed"));
            Err(WorkError::Panicked.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use jiff::tz::{TimeZone, offset};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Reports of organizations of which the first changes.
    #[derive(Default)]
    struct Changing(AtomicU64);

    fn organization(number: u128) -> OrgId {
        OrgId(uuid::Uuid::from_u128(number))
    }

    impl Reports for Changing {
        fn state(&self, org: OrgId) -> Option<u128> {
            Some(if org == organization(1) { self.0.load(Ordering::Relaxed).into() } else { 0 })
        }
    }

    #[tokio::test]
    async fn what_is_asked_again_is_rendered_again_only_once_something_changed() {
        let reports = Arc::new(Changing::default());
        let site = Site::new(reports.clone(), || 0, [0; 32], Vec::new());
        site.bound(0, 1 << 20);
        let rendered = Arc::new(AtomicU64::new(0));
        let ask = async |number: u128, asked: Option<&str>| {
            let rendered = rendered.clone();
            let work =
                move |_: &dyn Reports| Ok::<_, WorkError>((rendered.fetch_add(1, Ordering::Relaxed) + 1).to_string().into_response());
            let task = Task { api: "native", organization: organization(number), request_id: None };
            let answer = site.answer(task, asked.map(Into::into), work).await.unwrap();
            String::from_utf8(axum::body::to_bytes(answer.into_body(), 100).await.unwrap().to_vec()).unwrap()
        };
        assert_eq!([ask(1, Some("a")).await, ask(1, Some("a")).await, ask(1, Some("b")).await], ["1", "1", "2"]);
        assert_eq!([ask(2, Some("a")).await, ask(2, Some("a")).await, ask(1, Some("a")).await], ["3", "3", "1"]);
        reports.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!([ask(1, Some("a")).await, ask(1, Some("a")).await, ask(2, Some("a")).await], ["4", "4", "3"]);
        assert_eq!([ask(1, None).await, ask(1, None).await], ["5", "6"]);
    }

    #[test]
    fn zones_are_told_apart_by_what_is_printed_of_them() {
        let named = ["Asia/Shanghai", "Asia/Urumqi", "UTC"].map(|name| TimeZone::get(name).unwrap());
        let zones = named.into_iter().chain([offset(8), offset(-8)].map(TimeZone::fixed));
        let printed: std::collections::HashSet<_> = zones.map(|zone| format!("{zone:?}")).collect();
        assert_eq!(printed.len(), 5, "{printed:?}");
        assert!(printed.iter().all(|printed| printed.len() < 100), "{printed:?}");
    }
}
