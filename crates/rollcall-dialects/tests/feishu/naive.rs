//! Reports by a loop over facts: slow, and plainly what the reports mean.

use rollcall_model::directory::{DirectoryDocument, User};
use rollcall_model::reports::{MeetingDay, MeetingDays, TopUser, TopUsers, UserOrder};
use rollcall_model::{Answer, Calendar, Covers, Directory, Millis, OrgId, Period, Range, ReportError, Reports, SessionKind, UserKind};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The organization that every fact is of.
pub(crate) const ORG: OrgId = OrgId(uuid::Uuid::from_u128(1));

#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) session_id: String,
    pub(crate) session_kind: SessionKind,
    pub(crate) session_started_at: Millis,
    pub(crate) user_id: String,
    pub(crate) joined_at: Millis,
    pub(crate) left_at: Millis,
    pub(crate) unit: u8,
}

/// How the reports misbehave, for tests of what then happens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    Storage,
    Panic,
}

#[derive(Debug, Default)]
pub(crate) struct Naive {
    pub(crate) facts: Vec<Fact>,
    pub(crate) directory: Directory,
    pub(crate) fault: Fault,
}

impl Naive {
    pub(crate) fn new(facts: Vec<Fact>, users: Vec<User>) -> Self {
        let directory = Directory::new(DirectoryDocument { departments: Vec::new(), users }).unwrap();
        Self { facts, directory, fault: Fault::None }
    }

    /// The facts of the meetings that started in a range.
    fn meetings(&self, org: OrgId, range: Range, unit: Option<u8>) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |fact| {
            org == ORG
                && fact.session_kind == SessionKind::Meeting
                && range.contains(fact.session_started_at)
                && unit.is_none_or(|unit| unit == fact.unit)
        })
    }

    fn misbehave(&self) -> Result<(), ReportError> {
        match self.fault {
            Fault::None => Ok(()),
            Fault::Storage => Err(ReportError::Storage("the disk at /private is on fire".into())),
            Fault::Panic => panic!("on purpose"),
        }
    }
}

fn key(fact: &Fact) -> (&str, Millis) {
    (&fact.session_id, fact.session_started_at)
}

impl Reports for Naive {
    fn meeting_days(&self, org: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>, ReportError> {
        self.misbehave()?;
        let calendar = Calendar::new(ask.zone.clone());
        let rows = calendar.periods(Period::Day, ask.range).map(|slice| {
            let mut meetings: BTreeMap<_, (Millis, Millis, BTreeSet<&str>)> = BTreeMap::new();
            for fact in self.meetings(org, ask.range.intersect(&slice.range), ask.unit) {
                let meeting = meetings.entry(key(fact)).or_insert((Millis::MAX, Millis::MIN, BTreeSet::new()));
                meeting.0 = meeting.0.min(fact.joined_at);
                meeting.1 = meeting.1.max(fact.left_at);
                meeting.2.insert(&fact.user_id);
            }
            MeetingDay {
                date: slice.date,
                period: slice.range,
                meetings: meetings.len() as u64,
                duration: meetings.values().map(|(join, leave, _)| leave - join).sum(),
                participants: meetings.values().map(|(.., users)| users.len() as u64).sum(),
                people: None,
            }
        });
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows: rows.collect() })
    }

    fn top_users(&self, org: OrgId, ask: &TopUsers) -> Result<Answer<TopUser>, ReportError> {
        self.misbehave()?;
        let mut users: BTreeMap<&str, (BTreeSet<_>, Millis)> = BTreeMap::new();
        for fact in self.meetings(org, ask.range, ask.unit) {
            let user = users.entry(&fact.user_id).or_default();
            user.0.insert(key(fact));
            user.1 += fact.left_at - fact.joined_at;
        }
        let mut rows: Vec<TopUser> = users
            .into_iter()
            .map(|(id, (meetings, duration))| {
                let known = self.directory.user(id);
                TopUser {
                    id: id.into(),
                    open_id: known.and_then(|user| user.open_id.clone()),
                    union_id: known.and_then(|user| user.union_id.clone()),
                    user_id: known.and_then(|user| user.user_id.clone()),
                    name: known.map_or(id, |user| &user.name).into(),
                    kind: known.map_or(UserKind::Member, |user| user.kind),
                    meetings: meetings.len() as u64,
                    duration,
                }
            })
            .collect();
        // The sort is stable, and the rows ascend by id.
        match ask.order {
            UserOrder::Meetings => rows.sort_by_key(|row| Reverse((row.meetings, row.duration))),
            UserOrder::Duration => rows.sort_by_key(|row| (Reverse(row.duration), Reverse(row.meetings))),
        }
        rows.truncate(ask.limit);
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows })
    }
}
