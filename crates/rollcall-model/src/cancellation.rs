//! Cancellation: how whoever asked for long work says that nobody waits for it any more, and how much of it is done at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Says whether nobody waits for some work any more. Clones are one and the same; the work looks at it now and then and stops.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    /// How many cells a question may take; 0: any number.
    most: u64,
    taken: AtomicU64,
}

/// Why work is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody waits for it any more.
    Cancelled,
    /// It takes more than so many cells.
    TooMany(u64),
}

impl Cancellation {
    /// Ends a question that takes more than so many cells; 0: none does.
    pub fn of_budget(most: u64) -> Self {
        Self(Arc::new(Shared { most, ..Shared::default() }))
    }

    /// Cancels the work. It cannot be undone.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Takes a cell of the budget.
    ///
    /// # Errors
    /// Why the work is to end.
    pub fn take_cell(&self) -> Result<(), Ended> {
        if self.is_cancelled() {
            return Err(Ended::Cancelled);
        }
        let taken = self.0.taken.fetch_add(1, Ordering::Relaxed);
        if self.0.most > 0 && taken >= self.0.most { Err(Ended::TooMany(self.0.most)) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_work_and_none_does_not() {
        let budget = Cancellation::of_budget(2);
        let taken: Vec<_> = (0..3).map(|_| budget.clone().take_cell()).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Err(Ended::TooMany(2))]);
        let any = Cancellation::default();
        assert!((0..1000).all(|_| any.take_cell().is_ok()));
        any.cancel();
        assert_eq!(any.take_cell(), Err(Ended::Cancelled));
    }
}
