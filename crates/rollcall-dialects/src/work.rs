//! The one way in which an answer is computed: on a thread that may block.
//!
//! An async thread serves many connections, so nothing that grows with a report or with what a client sends may run on it. A dialect, and the
//! native API, check the credential and read the parameters there; all the rest is a closure given to [`Site::work`]: the
//! report, filters, the order, the page, and writing the body.

use crate::Site;
use rollcall_model::{OrgId, Reports};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// It panicked. The cause is in the log.
    #[error("internal error; the cause is in the server's log")]
    Panicked,
}

impl Site {
    /// Does work on a thread that may block. What it logs names the task: API, organization and id of the request.
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
        let (reports, inside) = (self.reports.clone(), span.clone());
        let done = tokio::task::spawn_blocking(move || inside.in_scope(|| work(reports.as_ref()))).await;
        done.unwrap_or_else(|error| {
            span.in_scope(|| tracing::error!(%error, "an answer could not be computed"));
            Err(WorkError::Panicked.into())
        })
    }
}
