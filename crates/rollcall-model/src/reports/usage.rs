//! `department_days` and `developer_days`: what the coding assistant did, per day.

use crate::calendar::{Millis, Range};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The question: the use of the coding assistant by department and day.
///
/// Use is booked on the departments that its fact carries, whatever its user belongs to today. A fact that is booked on two departments
/// of one subtree counts there once, and so does every user: no count of developers may be summed.
#[derive(Debug, Clone, PartialEq)]
pub struct DepartmentDays {
    /// Uses in this range count.
    pub range: Range,
    /// The zone that cuts the days.
    pub zone: TimeZone,
    /// A row for each day, or one for the range as a whole, with developers distinct over all of it.
    pub by: UsageSpan,
    /// Only this department; none: every department.
    pub department: Option<String>,
    /// Whether a department covers those below it too, by the tree of the day.
    pub with_subtree: bool,
    /// Only these rows of [`crate::Reports::department_rows`], in their order; none: all.
    pub only: Option<Vec<RowKey>>,
}

/// The question: the use of the coding assistant by developer and day.
#[derive(Debug, Clone, PartialEq)]
pub struct DeveloperDays {
    /// Uses in this range count.
    pub range: Range,
    /// The zone that cuts the days.
    pub zone: TimeZone,
    /// A row for each day, or one for the range as a whole.
    pub by: UsageSpan,
    /// Whom to count.
    pub developers: Developers,
    /// Only these rows of [`crate::Reports::developer_rows`], in their order; none: all.
    pub only: Option<Vec<RowKey>>,
}

/// What a row of the two reports covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageSpan {
    /// A day of the zone: each that the range touches.
    Day,
    /// The range as one.
    Whole,
}

/// Whom `developer_days` counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Developers {
    /// Every member and guest whom the directory holds on the day, and everyone with uses that day.
    All,
    /// One user, by the id that facts carry: as far as everyone would count them.
    One(String),
    /// The members and guests whom the directory holds in a department on the day, and those with uses booked on it that day. All their uses count.
    Of {
        /// The department.
        department: String,
        /// Whether those below it belong too, by the tree of the day.
        with_subtree: bool,
    },
}

/// Which row: the day (for a whole range the day of its first instant), and the id of the department or of the user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// The day.
    pub date: Date,
    /// The id.
    pub id: Arc<str>,
}

/// The rows that an answer has, in order (by day, then by id, by bytes), without what is in them: for pages.
///
/// A row is there for whatever the directory holds on the day, with zeros where nothing was used, and for whatever has uses that day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowKeys {
    /// Each day with its ids. Days with the same ids share them.
    pub days: Vec<(Date, Arc<[Arc<str>]>)>,
}

impl RowKeys {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.days.iter().map(|(_, ids)| ids.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows after `skip`, at most `take`.
    pub fn page(&self, skip: usize, take: usize) -> Vec<RowKey> {
        let mut left = skip;
        let mut page = Vec::new();
        for (date, ids) in &self.days {
            if page.len() == take {
                break;
            }
            let here = ids.iter().skip(left).take(take - page.len());
            page.extend(here.map(|id| RowKey { date: *date, id: id.clone() }));
            left = left.saturating_sub(ids.len());
        }
        page
    }
}

/// A row of `department_days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentDay {
    /// The day and the department.
    pub key: RowKey,
    /// The instants of the whole day, or of the range.
    pub span: Range,
    /// What was used.
    pub usage: Usage,
}

/// A row of `developer_days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeveloperDay {
    /// The day and the user.
    pub key: RowKey,
    /// The instants of the whole day, or of the range.
    pub span: Range,
    /// What was used. Its counts of developers are 0 or 1.
    pub usage: Usage,
}

/// What was used of the coding assistant.
///
/// A chat fact is a use when it has a turn or an accepted one, a completion when it was suggested or accepted; edits are no use, but
/// their lines count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Distinct users with a chat or completion use.
    pub developers: u64,
    /// Distinct users with a chat use.
    pub chat_developers: u64,
    /// Distinct users with a completion use.
    pub completion_developers: u64,
    /// When the last chat or completion use was.
    pub last_use: Option<Millis>,
    /// Chat turns.
    pub turns: u64,
    /// Chat turns accepted.
    pub turns_accepted: u64,
    /// Completions suggested.
    pub suggested: u64,
    /// Completions accepted.
    pub accepted: u64,
    /// Accepted lines, of chat and completion.
    pub lines_accepted: u64,
    /// Changed lines, of every kind.
    pub lines_changed: u64,
    /// Chat by type and IDE, ascending by these.
    pub chatting: Vec<Chatting>,
    /// Lines by language, ascending, of the facts with accepted or changed lines.
    pub coding: Vec<Coding>,
    /// Completion by language and IDE, ascending by these.
    pub completion: Vec<Completion>,
}

/// Chat facts of one type in one IDE. A name that the facts do not carry is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chatting {
    /// The type of chat.
    pub chat_type: Arc<str>,
    /// The IDE.
    pub ide: Arc<str>,
    /// Distinct users with a use among these facts.
    pub developers: u64,
    /// Turns.
    pub turns: u64,
    /// Turns accepted.
    pub accepted: u64,
}

/// Facts with accepted or changed lines in one language, of every kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    /// The language; empty where the facts carry none.
    pub language: Arc<str>,
    /// Distinct users of these facts.
    pub developers: u64,
    /// Accepted lines, of chat and completion.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
}

/// Completion facts in one language and IDE. A name that the facts do not carry is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The language.
    pub language: Arc<str>,
    /// The IDE.
    pub ide: Arc<str>,
    /// Distinct users with a use among these facts.
    pub developers: u64,
    /// Completions suggested.
    pub suggested: u64,
    /// Completions accepted.
    pub accepted: u64,
    /// Accepted lines.
    pub lines_accepted: u64,
    /// Changed lines.
    pub lines_changed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn pages_of_any_length_join_to_the_whole() {
        let ids = |ids: &[&str]| ids.iter().map(|id| Arc::from(*id)).collect::<Arc<[Arc<str>]>>();
        let keys = RowKeys {
            days: vec![(date(2025, 1, 1), ids(&["a", "b", "c"])), (date(2025, 1, 2), ids(&[])), (date(2025, 1, 3), ids(&["b"]))],
        };
        let whole = keys.page(0, usize::MAX);
        assert_eq!((keys.len(), whole.len()), (4, 4));
        for length in 1..6 {
            let pages: Vec<_> = (0..6).flat_map(|page| keys.page(page * length, length)).collect();
            assert_eq!(pages.get(..whole.len().min(pages.len())), Some(&whole[..pages.len().min(4)]));
            assert_eq!(pages.len(), 4);
        }
    }
}
