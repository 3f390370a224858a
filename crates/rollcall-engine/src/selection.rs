//! Which facts of an organization are meant, for whoever erases them. Nothing of the engine is below this.

use rollcall_model::{FactKind, Millis, Range};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Which facts of an organization are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// All of a user, by the id that facts carry.
    User(String),
    /// Those whose time (`session_started_at`, `at`) is before an instant: the start of a day of UTC.
    Before(Millis),
    /// Those of which all of this holds: see [`Conditions::selection`].
    Where(Conditions),
}

/// What is said of facts that are withdrawn. A fact is named if all of it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// What they are; none: attendances and assistances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<FactKind>,
    /// The numbers of the receipts that they came with: each fact has one of these. None: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<u64>,
    /// The receipts that they came with are not before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_receipt: Option<u64>,
    /// Nor are they after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_receipt: Option<u64>,
    /// The session of attendances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The app of attendances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Their ids, as sources gave them or as exports write them: each fact has one of these. None: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Their times (`session_started_at`, `at`) are not before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// Their times are before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Millis>,
}

/// Why conditions are no selection: which is missing or wrong, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}")]
pub struct Unfit {
    /// The condition.
    pub field: &'static str,
    /// What was expected.
    pub expected: String,
}

impl Conditions {
    /// The most ids that are withdrawn at a time.
    pub const MOST_IDS: usize = 100_000;

    /// The most receipts whose facts are withdrawn at a time.
    pub const MOST_RECEIPTS: usize = 100_000;

    /// The facts of which all of this holds.
    ///
    /// # Errors
    /// [`Unfit`] if the conditions name nothing in particular, so that everything would go, or what no fact can be.
    pub fn selection(mut self) -> Result<Selection, Unfit> {
        let unfit = |field, expected: &str| Err(Unfit { field, expected: expected.to_owned() });
        let of_attendances = [("session_id", self.session_id.is_some()), ("app", self.app.is_some())];
        let are_listed = !self.receipts.is_empty() || !self.ids.is_empty();
        let are_between = self.from.is_some() && self.to.is_some() || self.from_receipt.is_some() && self.to_receipt.is_some();
        if self.session_id.is_none() && !are_listed && !are_between {
            return unfit("withdraw", "receipts, from_receipt and to_receipt, session_id, ids, or from and to");
        }
        if self.receipts_between().is_empty() {
            return unfit("to_receipt", "a receipt that is not before from_receipt");
        }
        if self.receipts.len() > Self::MOST_RECEIPTS {
            return unfit("receipts", &format!("at most {} at a time", Self::MOST_RECEIPTS));
        }
        if self.ids.len() > Self::MOST_IDS {
            return unfit("ids", &format!("at most {} at a time", Self::MOST_IDS));
        }
        if !self.ids.is_empty() && self.fact.is_none() {
            return unfit("fact", "attendance or assistance, of which these are ids");
        }
        if let (Some(FactKind::Assistance), Some((field, _))) = (self.fact, of_attendances.iter().find(|(_, given)| *given)) {
            return unfit(field, "none, as assistances have none");
        }
        if self.times().is_empty() {
            return unfit("to", "an instant after from");
        }
        if of_attendances.iter().any(|(_, given)| *given) {
            self.fact = Some(FactKind::Attendance);
        }
        // The same conditions are the same selection, in whatever order they were said.
        self.ids.sort_unstable();
        self.ids.dedup();
        self.receipts.sort_unstable();
        self.receipts.dedup();
        Ok(Selection::Where(self))
    }

    /// The times that facts may have.
    pub(crate) fn times(&self) -> Range {
        Range::new(self.from.unwrap_or(Millis::MIN), self.to.unwrap_or(Millis::MAX))
    }

    /// The receipts that facts may have.
    fn receipts_between(&self) -> RangeInclusive<u64> {
        self.from_receipt.unwrap_or(0)..=self.to_receipt.unwrap_or(u64::MAX)
    }

    /// Whether anything is asked of the receipt of a fact.
    pub(crate) const fn ask_for_receipt(&self) -> bool {
        !self.receipts.is_empty() || self.from_receipt.is_some() || self.to_receipt.is_some()
    }

    /// Whether facts with a receipt may be named.
    pub(crate) fn may_have(&self, receipt: u64) -> bool {
        self.receipts_between().contains(&receipt) && (self.receipts.is_empty() || self.receipts.binary_search(&receipt).is_ok())
    }

    /// Whether nothing is asked of a fact but its receipt.
    pub(crate) fn are_of_receipts_alone(&self) -> bool {
        let Self { receipts, from_receipt, to_receipt, .. } = self.clone();
        self.ask_for_receipt() && *self == Self { receipts, from_receipt, to_receipt, ..Self::default() }
    }

    /// Whether nothing is asked of a fact but its kind and its time.
    pub(crate) const fn are_of_time_alone(&self) -> bool {
        !self.ask_for_receipt() && self.session_id.is_none() && self.app.is_none() && self.ids.is_empty()
    }
}

impl Selection {
    /// Whether facts of a kind may be named.
    pub(crate) fn may_name(&self, kind: FactKind) -> bool {
        let Self::Where(Conditions { fact, .. }) = self else { return true };
        fact.is_none_or(|fact| fact == kind)
    }

    /// The times that facts that are named may have.
    pub(crate) fn times(&self) -> Range {
        match self {
            Self::User(_) => Range::new(Millis::MIN, Millis::MAX),
            Self::Before(end) => Range::new(Millis::MIN, *end),
            Self::Where(conditions) => conditions.times(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit(conditions: Conditions) -> String {
        conditions.selection().unwrap_err().to_string()
    }

    #[test]
    fn conditions_that_name_nothing_in_particular_are_no_selection() {
        let nothing = "withdraw: expected receipts, from_receipt and to_receipt, session_id, ids, or from and to";
        assert_eq!(unfit(Conditions::default()), nothing);
        assert_eq!(unfit(Conditions { app: Some("default".into()), ..Conditions::default() }), nothing);
        assert_eq!(unfit(Conditions { fact: Some(FactKind::Attendance), from: Some(1), ..Conditions::default() }), nothing);
        assert_eq!(unfit(Conditions { from: Some(2), to: Some(2), ..Conditions::default() }), "to: expected an instant after from");
        let ids = |count: usize| vec![String::new(); count];
        let told = unfit(Conditions { ids: ids(1), ..Conditions::default() });
        assert_eq!(told, "fact: expected attendance or assistance, of which these are ids");
        assert!(unfit(Conditions { ids: ids(Conditions::MOST_IDS + 1), ..Conditions::default() }).starts_with("ids: expected at most"));
        assert_eq!(unfit(Conditions { from_receipt: Some(5), ..Conditions::default() }), nothing);
        let backwards = Conditions { from_receipt: Some(5), to_receipt: Some(4), ..Conditions::default() };
        assert_eq!(unfit(backwards), "to_receipt: expected a receipt that is not before from_receipt");
        let session = Conditions { fact: Some(FactKind::Assistance), session_id: Some("s".into()), ..Conditions::default() };
        assert_eq!(unfit(session), "session_id: expected none, as assistances have none");
    }

    #[test]
    fn the_same_conditions_in_another_order_are_the_same_selection() {
        let ids = |ids: [&str; 3]| {
            let ids = ids.map(str::to_owned).to_vec();
            Conditions { fact: Some(FactKind::Attendance), ids, ..Conditions::default() }.selection().unwrap()
        };
        assert_eq!(ids(["a", "b", "a"]), ids(["b", "b", "a"]));
    }
}
