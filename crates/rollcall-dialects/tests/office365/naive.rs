//! `active_users` by a loop over facts: slow, and plainly what the report means.

use rollcall_model::reports::{ActiveUsers, ActiveUsersRow, Grouping};
use rollcall_model::{Answer, Calendar, Covers, Device, Millis, OrgId, ReportError, Reports, SessionKind, UserKind};
use std::collections::BTreeSet;

/// A stay.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) org: OrgId,
    pub(crate) user_id: String,
    pub(crate) user_kind: UserKind,
    pub(crate) device: Device,
    pub(crate) session_kind: SessionKind,
    pub(crate) joined_at: Millis,
    pub(crate) left_at: Millis,
}

/// How the report misbehaves, for tests of what then happens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    Storage,
    Panic,
}

#[derive(Debug, Default)]
pub(crate) struct Naive {
    pub(crate) facts: Vec<Fact>,
    pub(crate) fault: Fault,
}

impl Fact {
    fn overlaps(&self, from: Millis, to: Millis) -> bool {
        if self.joined_at == self.left_at {
            from <= self.joined_at && self.joined_at < to
        } else {
            self.joined_at < to && self.left_at > from
        }
    }

    fn is_asked(&self, ask: &ActiveUsers) -> bool {
        ask.of.user_kinds.as_ref().is_none_or(|kinds| kinds.contains(&self.user_kind))
            && ask.of.devices.as_ref().is_none_or(|devices| devices.contains(&self.device))
            && ask.of.session_kinds.as_ref().is_none_or(|kinds| kinds.contains(&self.session_kind))
    }
}

impl Reports for Naive {
    fn active_users(&self, org: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>, ReportError> {
        match self.fault {
            Fault::None => {}
            Fault::Storage => return Err(ReportError::Storage("the disk at /private is on fire".into())),
            Fault::Panic => panic!("on purpose"),
        }
        let Grouping::Period(period) = ask.by else { panic!("office365 asks for periods") };
        let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
        let rows = calendar.periods(period, ask.range).map(|slice| {
            let part = ask.range.intersect(&slice.range);
            let users = self.facts.iter().filter(|fact| fact.org == org && fact.is_asked(ask) && fact.overlaps(part.from, part.to));
            let users: BTreeSet<_> = users.map(|fact| &fact.user_id).collect();
            ActiveUsersRow { date: slice.date, period: slice.range, users: users.len() as u64 }
        });
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows: rows.collect() })
    }
}
