//! `users_by_place` by a loop over facts: slow, and plainly what the report means.

use rollcall_model::place::Place;
use rollcall_model::reports::{PlaceLevel, PlaceUsers, UsersByPlace};
use rollcall_model::{Answer, Covers, Millis, OrgId, ReportError, Reports};
use std::collections::{BTreeMap, BTreeSet};

/// A stay.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) org: OrgId,
    pub(crate) app: String,
    pub(crate) user_id: String,
    pub(crate) joined_at: Millis,
    pub(crate) left_at: Millis,
    pub(crate) place: Option<Place>,
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

    fn place(&self, ask: &UsersByPlace) -> Option<Place> {
        let place = match ask.by {
            PlaceLevel::Country => Some(self.place?.as_country()),
            PlaceLevel::Subdivision => self.place?.as_subdivision(),
        };
        place.filter(|place| ask.country.is_none_or(|country| place.country() == country.country()))
    }
}

impl Reports for Naive {
    fn users_by_place(&self, org: OrgId, ask: &UsersByPlace) -> Result<Answer<PlaceUsers>, ReportError> {
        match self.fault {
            Fault::None => {}
            Fault::Storage => return Err(ReportError::Storage("the disk at /private is on fire".into())),
            Fault::Panic => panic!("on purpose"),
        }
        let app = ask.app.as_deref().expect("volcengine asks for one app");
        let mut users: BTreeMap<&str, BTreeSet<Option<Place>>> = BTreeMap::new();
        for fact in &self.facts {
            if fact.org == org && fact.app == app && fact.overlaps(ask.range.from, ask.range.to) {
                users.entry(&fact.user_id).or_default().insert(fact.place(ask));
            }
        }
        let mut rows: BTreeMap<Option<Place>, u64> = BTreeMap::new();
        for mut places in users.into_values() {
            if places.len() > 1 {
                places.remove(&None);
            }
            for place in places {
                *rows.entry(place).or_default() += 1;
            }
        }
        let mut rows: Vec<_> = rows.into_iter().map(|(place, users)| PlaceUsers { place, users }).collect();
        rows.sort_by_key(|row| (row.place.is_none(), std::cmp::Reverse(row.users), row.place.map(|place| place.code())));
        Ok(Answer { covers: Covers { range: ask.range, zone: ask.zone.clone(), seen: None }, rows })
    }
}
