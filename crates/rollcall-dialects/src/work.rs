//! The one way in which an answer is computed: on a thread that may block.
//!
//! An async thread serves many connections, so nothing that grows with a report or with what a client sends may run on it. A dialect, and the
//! native API, check the credential and read the parameters there; all the rest is a closure given to [`Site::work`]: the
//! report, filters, the order, the page, and writing the body.
//!
//! Each organization has its share of the threads ([`Turns`]), and work ends when its client is gone: the future of its request is dropped
//! then, which cancels the question.

use crate::Site;
use crate::turns::{Busy, Patience, Turns, Words};
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
        error => tracing::error!(%error, "a report failed"),
    }
}

/// Turns to compute, `total` of them; 0: any number.
pub fn turns(total: u64, alone: bool, patience: Patience) -> Arc<Turns> {
    Turns::new(Words { things: "reports", are: "are being computed", setting: "limits.reports" }, total, alone, patience)
}

impl Site {
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
        let cancellation = Cancellation::default();
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
