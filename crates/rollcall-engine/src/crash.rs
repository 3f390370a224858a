//! Points where a test may end the process, as `kill -9` would: each hand-over of facts from one place to another. Without the
//! feature `fail/failpoints`, which only tests turn on, a point is nothing.

/// Every point, in the order that a fact meets them.
pub const POINTS: &[&str] = &[
    "ledger-committed",
    "ids-flushed",
    "cells-caught-up-in-part",
    "lake-file-written",
    "lake-before-commit",
    "lake-committed",
    "lake-checkpointed",
    "ledger-before-trim",
    "ledger-trimmed",
    "compacted",
    "vacuum-deleted-one",
    "log-cleaned-one",
    "erasure-noted",
    "erasure-ids-removed",
    "erasure-committed",
    "erasure-cells-rebuilt",
    "erasure-names-removed",
    "erasure-log-checkpointed",
    "erasure-files-removed",
    "erasure-scrubbed",
    "backup-file-copied",
    "backup-before-manifest",
    "backup-manifest-written",
];

/// One of [`POINTS`]: the process ends here if `FAILPOINTS` says `point=return`.
pub(crate) fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    #[cfg(test)]
    tests::end_at(name);
    fail::fail_point!(name, |_| std::process::abort());
}

/// What tests inside the crate do in place of ending the process.
#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        static END_AT: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Does what this thread does until it meets a point, and there gives up all it was about to do. Says whether it met the point.
    pub(crate) fn until<T>(point: &'static str, work: impl FnOnce() -> T) -> bool {
        END_AT.set(Some(point));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        END_AT.set(None);
        outcome.is_err()
    }

    pub(super) fn end_at(name: &str) {
        if END_AT.get() == Some(name) {
            // Without the message of a panic: it is none.
            std::panic::resume_unwind(Box::new("met a crash point"));
        }
    }
}
