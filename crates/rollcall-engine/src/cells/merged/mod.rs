//! The merged cells: one file each. Each answers one question, and is made from base cells.

pub(super) mod meeting_people;
pub(super) mod meeting_totals;
pub(super) mod peaks;
pub(super) mod places;
pub(super) mod presence;
pub(super) mod usage_sets;
pub(super) mod use_sums;
pub(super) mod user_sets;
pub(super) mod user_totals;
