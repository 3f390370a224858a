//! The merged cell of `meeting_days`: meetings, duration and participants, by app and data residency.

use crate::cells::codec::{Reader, put, put_signed};
use crate::cells::{Keep, Merged, Stay, Stays, meetings};
use rollcall_model::{Millis, Range};

/// Counts over meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Meetings.
    pub meetings: u64,
    /// Sum of their spans, last leave minus first join.
    pub duration: Millis,
    /// Distinct participants of each, summed.
    pub participants: u64,
    /// The first join of them all.
    pub first: Millis,
    /// The last leave of them all.
    pub last: Millis,
}

impl Totals {
    /// The totals of no meeting.
    pub const NONE: Self = Self { meetings: 0, duration: 0, participants: 0, first: Millis::MAX, last: Millis::MIN };

    /// Adds other meetings.
    pub fn add(&mut self, other: &Self) {
        self.meetings += other.meetings;
        self.duration += other.duration;
        self.participants += other.participants;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// One meeting, of the stays in it.
    fn of<'s>(stays: impl Iterator<Item = &'s Stay>) -> Self {
        let mut totals = Self { meetings: 1, ..Self::NONE };
        let mut last_user = None;
        for stay in stays {
            totals.first = totals.first.min(stay.joined_at);
            totals.last = totals.last.max(stay.left_at);
            // Those of one user stand together.
            totals.participants += u64::from(last_user.replace(stay.user) != Some(stay.user));
        }
        totals.duration = totals.last - totals.first;
        totals
    }
}

/// [`Totals`] by app and data residency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingTotals {
    /// Ascending by app and residency; no residency is all of them, which is not their sum: a meeting may have several.
    parts: Vec<((u16, Option<u8>), Totals)>,
}

impl MeetingTotals {
    fn add(&mut self, key: (u16, Option<u8>), totals: &Totals) {
        match self.parts.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(position) => self.parts.get_mut(position).into_iter().for_each(|(_, sum)| sum.add(totals)),
            Err(position) => self.parts.insert(position, (key, *totals)),
        }
    }

    /// The totals of an app, or of all, in a data residency, or in any.
    pub fn get(&self, app: Option<u16>, unit: Option<u8>) -> Totals {
        let mut sum = Totals::NONE;
        for ((of_app, of_unit), totals) in &self.parts {
            if *of_unit == unit && app.is_none_or(|app| app == *of_app) {
                sum.add(totals);
            }
        }
        sum
    }
}

impl Merged for MeetingTotals {
    type Base = Stays;

    fn of(stays: &[Stay], range: Range) -> Self {
        let mut cell = Self::default();
        for meeting in meetings(stays, range) {
            let Some(first) = meeting.first() else { continue };
            cell.add((first.app, None), &Totals::of(meeting.iter()));
            for unit in 0..=3 {
                if meeting.iter().any(|stay| stay.unit == unit) {
                    cell.add((first.app, Some(unit)), &Totals::of(meeting.iter().filter(|stay| stay.unit == unit)));
                }
            }
        }
        cell
    }

    fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|(key, totals)| self.add(*key, totals));
    }
}

impl Keep for MeetingTotals {
    const KIND: u8 = 1;

    fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.parts.len() * 24);
        for ((app, unit), totals) in &self.parts {
            put(&mut out, u64::from(*app));
            put(&mut out, unit.map_or(0, |unit| u64::from(unit) + 1));
            put(&mut out, totals.meetings);
            put_signed(&mut out, totals.duration);
            put(&mut out, totals.participants);
            put_signed(&mut out, totals.first);
            put_signed(&mut out, totals.last);
        }
        Some(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut cell = Self::default();
        while !reader.0.is_empty() {
            let app = reader.take_as()?;
            let unit = reader.take_as::<u8>()?.checked_sub(1);
            let totals = Totals {
                meetings: reader.take()?,
                duration: reader.take_signed()?,
                participants: reader.take()?,
                first: reader.take_signed()?,
                last: reader.take_signed()?,
            };
            cell.parts.push(((app, unit), totals));
        }
        Some(cell)
    }

    fn size(&self) -> usize {
        64 + self.parts.len() * size_of::<((u16, Option<u8>), Totals)>()
    }
}
