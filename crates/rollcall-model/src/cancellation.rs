//! Cancellation: how whoever asked for long work says that nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says whether nobody waits for some work any more. Clones are one and the same; the work looks at it now and then and stops.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Cancels the work. It cannot be undone.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Cancels the work when what is returned is dropped, as a request's future is when its client goes away. Work that is done by then
    /// does not notice.
    #[must_use]
    pub fn when_dropped(&self) -> CancelWhenDropped {
        CancelWhenDropped(self.clone())
    }
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub struct CancelWhenDropped(Cancellation);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
