//! Work on threads that may block, whose lines of the log name the request.

use super::refusal::Refusal;

/// The work inside the span of the request that is handled here.
pub fn inside<T>(work: impl FnOnce() -> T + Send + 'static) -> impl FnOnce() -> T + Send + 'static {
    let request = tracing::Span::current();
    move || request.in_scope(work)
}

/// Does work on a thread that may block. It goes on when the client goes away.
///
/// # Errors
/// It panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    Ok(tokio::task::spawn_blocking(inside(work)).await?)
}
