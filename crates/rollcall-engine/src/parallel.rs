//! Work on many items at once, by threads of which there are few: those of all questions together are no more than processors.

use crate::error::EngineError;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long work takes at least before others help: starting a thread costs a fraction of it. In tests they always do.
const WORTH_HELP: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_millis(1) };

/// How many pieces of what is left each thread takes, one after the other, so that none waits long for another.
const PIECES: usize = 4;

/// The threads that help questions, of all questions together.
static HELPERS: Helpers = Helpers(AtomicUsize::new(0));

/// How many processors there are.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many threads help now.
struct Helpers(AtomicUsize);

/// Helpers of one piece of work, who are free again when this is dropped.
struct Taken<'h>(&'h Helpers, usize);

impl Helpers {
    /// As many helpers as are free, if not more than wanted. Whoever asks has a processor already.
    fn take(&self, wanted: usize, processors: usize) -> Taken<'_> {
        let free = |helping: usize| wanted.min(processors.saturating_sub(1).saturating_sub(helping));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |helping| Some(helping + free(helping)));
        Taken(self, before.map_or(0, free))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// Does something to each item, on so many threads; ends early at the first error. What it gives is in the order of the items.
///
/// # Errors
/// One that the work ended with.
pub(crate) fn on_threads<I: Sync, O: Send>(
    threads: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<O, EngineError> + Sync,
) -> Result<Vec<O>, EngineError> {
    let (next, failure, done) = (AtomicUsize::new(0), Mutex::new(None), Mutex::new(Vec::with_capacity(items.len())));
    let carry = || {
        while failure.lock().is_none() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            match work(item) {
                Ok(out) => done.lock().push((at, out)),
                Err(error) => *failure.lock() = Some(error),
            }
        }
    };
    std::thread::scope(|scope| {
        (1..threads.min(items.len())).for_each(|_| _ = scope.spawn(carry));
        carry();
    });
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    let mut done = done.into_inner();
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, out)| out).collect())
}

/// Does something to each item for a question, and has processors help that are free, if it takes long. What it gives is in the order of
/// the items. Items that follow one another are mostly done by the same thread.
///
/// # Errors
/// One that the work ended with.
pub(crate) fn each<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> Result<O, EngineError> + Sync) -> Result<Vec<O>, EngineError> {
    let mut done = Vec::with_capacity(items.len());
    let mut begun = Instant::now();
    for (position, item) in (1..).zip(items) {
        done.push(work(item)?);
        let rest = items.get(position..).unwrap_or_default();
        if rest.is_empty() || begun.elapsed() < WORTH_HELP {
            continue;
        }
        let helpers = HELPERS.take(rest.len() - 1, processors());
        if helpers.1 > 0 {
            let threads = helpers.1 + 1;
            let pieces: Vec<&[I]> = rest.chunks(rest.len().div_ceil(threads * PIECES)).collect();
            let of_pieces = on_threads(threads, &pieces, |piece| piece.iter().map(&work).collect::<Result<Vec<O>, _>>())?;
            done.extend(of_pieces.into_iter().flatten());
            break;
        }
        begun = Instant::now();
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_is_in_the_order_of_what_goes_in() {
        let items: Vec<u64> = (0..1000).collect();
        let work = |item: &u64| {
            if item.is_multiple_of(100) {
                std::thread::yield_now();
            }
            Ok(item * 2)
        };
        let doubled: Vec<u64> = items.iter().map(|item| item * 2).collect();
        assert_eq!(each(&items, work).unwrap(), doubled);
        assert_eq!(on_threads(3, &items, work).unwrap(), doubled);
        assert!(each(&items[..0], work).unwrap().is_empty());
        assert!(on_threads(3, &items[..0], work).unwrap().is_empty());
    }

    #[test]
    fn an_error_ends_the_work() {
        let items: Vec<u64> = (0..1000).collect();
        for threads in [1, 2] {
            let begun = AtomicUsize::new(0);
            let fails = on_threads(threads, &items, |item| {
                begun.fetch_add(1, Ordering::Relaxed);
                if *item == 10 { Err(EngineError::Cancelled) } else { Ok(()) }
            });
            assert!(matches!(fails, Err(EngineError::Cancelled)));
            assert!(threads > 1 || begun.into_inner() == 11);
        }
        assert!(matches!(each(&items, |_| Err::<(), _>(EngineError::Cancelled)), Err(EngineError::Cancelled)));
    }

    #[test]
    fn questions_together_have_no_more_helpers_than_there_are_other_processors() {
        let helpers = Helpers(AtomicUsize::new(0));
        let first = helpers.take(2, 4);
        let second = helpers.take(5, 4);
        let third = helpers.take(5, 4);
        assert_eq!((first.1, second.1, third.1), (2, 1, 0));
        drop(first);
        assert_eq!(helpers.take(5, 4).1, 2);
        assert_eq!(Helpers(AtomicUsize::new(0)).take(5, 1).1, 0);
    }
}
