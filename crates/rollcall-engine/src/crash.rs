//! Points where a test may end the process, as `kill -9` would: each hand-over of facts from one place to another. Without the
//! feature `fail/failpoints`, which only tests turn on, a point is nothing.

/// Every point, in the order that a fact meets them.
pub const POINTS: &[&str] = &[
    "ledger-committed",
    "lake-file-written",
    "lake-before-commit",
    "lake-committed",
    "lake-checkpointed",
    "ledger-before-trim",
    "ledger-trimmed",
    "compacted",
    "vacuum-deleted-one",
    "log-cleaned-one",
];

/// One of [`POINTS`]: the process ends here if `FAILPOINTS` says `point=return`.
pub(crate) fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    fail::fail_point!(name, |_| std::process::abort());
}
