//! The base cell of attendance: who stayed in which session, from when to when, on what and from where. Every report on attendance is made
//! of it.
//!
//! A stay is an entry of the day on which its session began; of each other day on which it lasts it is an entry too, so that who was there
//! on a day is known from the entries of that day alone. Nothing is added up: two facts that say the same are two entries.

use crate::cells::base::{Base, Touches};
use crate::cells::codec::{Reader, put, put_column, unzigzag, zigzag};
use crate::cells::{Day, Keep, MediaUsers, MeetingPeople, MeetingTotals, Peaks, PlacedUsers, PresentUsers, RangeUsers, UserTotals, View};
use crate::error::EngineError;
use crate::kinds::block::{AttendanceBlock, AttendanceRow};
use crate::parallel;
use hashbrown::HashMap;
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, Quarter, Range, SessionKind};
use std::cmp::Ordering;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The base cell of attendance.
#[derive(Debug)]
pub struct Stays;

/// A stay, as an entry of one day. The fields are in the order that entries are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stay {
    /// The day that it is an entry of.
    pub day: Day,
    /// When the session began.
    pub started_at: Millis,
    /// A hash of the session's id. It tells sessions of one app that began in the same millisecond from one another.
    pub session: u64,
    /// The app's number.
    pub app: u16,
    /// [`rollcall_model::SessionKind::number`].
    pub session_kind: u8,
    /// The user's number.
    pub user: u32,
    /// The data residency.
    pub unit: u8,
    /// When they joined.
    pub joined_at: Millis,
    /// When they left.
    pub left_at: Millis,
    /// [`rollcall_model::UserKind::number`].
    pub user_kind: u8,
    /// [`rollcall_model::Device::number`].
    pub device: u8,
    /// [`rollcall_model::Place::number`], or 0.
    pub place: u64,
    /// [`rollcall_model::Media::bits`].
    pub media: u8,
}

impl Stay {
    fn of(row: &AttendanceRow<'_>, session: u64) -> Self {
        Self {
            day: Day::of(row.session_started_at),
            started_at: row.session_started_at,
            session,
            app: row.app,
            session_kind: row.session_kind,
            user: row.user,
            unit: row.unit,
            joined_at: row.joined_at,
            left_at: row.left_at,
            user_kind: row.user_kind,
            device: row.device,
            place: row.place,
            media: row.media,
        }
    }

    /// Which session it is a stay in.
    pub const fn session(&self) -> (Millis, u64, u16, u8) {
        (self.started_at, self.session, self.app, self.session_kind)
    }

    /// The instants of the stay; one of no length has its one instant.
    pub fn lasted(&self) -> Range {
        Range::new(self.joined_at, self.left_at.max(self.joined_at + 1))
    }

    /// Whether the entry is of the day on which the session began.
    pub fn is_of_session(&self) -> bool {
        self.day == Day::of(self.started_at)
    }

    /// What stays have in common with many others of a day, as one number.
    fn traits(&self) -> u64 {
        let unit_and_media = u64::from(self.unit) | u64::from(self.media) << UNIT_BITS;
        self.place << 24 | u64::from(self.device) << 16 | u64::from(self.user_kind) << 8 | unit_and_media
    }
}

/// How many days are read at a time.
const DAYS_AT_ONCE: usize = 4;

/// How many bits a data residency has.
const UNIT_BITS: u32 = 2;

/// The days that a stay is an entry of, without the day its session began.
fn other_days(started_at: Millis, lasted: Range) -> impl Iterator<Item = Day> {
    let (first, last) = (Day::of(lasted.from), Day::of(lasted.to - 1));
    (first.0..=last.0).map(Day).filter(move |day| *day != Day::of(started_at))
}

impl Base for Stays {
    type Block = AttendanceBlock;
    type Entry = Stay;
    const NAME: &'static str = "stays";
    const KEYSPACES: [&'static str; 2] = ["stay-runs", "stay-cells"];
    #[rustfmt::skip]
    const COLUMNS: Option<&'static [&'static str]> = Some(&[
        "id", "app", "session_id", "session_kind", "user_id", "user_kind", "device", "media", "joined_at", "left_at", "country", "subdivision", "unit",
    ]);
    const DAYS_BEFORE: i32 = (EARLY_JOIN / DAY_MILLIS) as i32;
    const DAYS_AFTER: i32 = (2 * LONGEST_STAY / DAY_MILLIS) as i32;
    const KINDS: &'static [u8] = &[
        MeetingTotals::KIND,
        MeetingPeople::KIND,
        UserTotals::KIND,
        PresentUsers::KIND,
        MediaUsers::KIND,
        PlacedUsers::KIND,
        RangeUsers::KIND,
        Peaks::KIND,
    ];

    fn fold(block: &AttendanceBlock, add: &mut dyn FnMut(Stay)) {
        let mut last: Option<(u16, &str, u64)> = None;
        for row in block.rows() {
            // Stays in one session often follow one another.
            let session = match last {
                Some((app, id, hash)) if (app, id) == (row.app, row.session_id) => hash,
                _ => session_hash(row.app, row.session_id),
            };
            last = Some((row.app, row.session_id, session));
            let stay = Stay::of(&row, session);
            add(stay);
            other_days(stay.started_at, stay.lasted()).for_each(|day| add(Stay { day, ..stay }));
        }
    }

    fn day(stay: &Stay) -> Day {
        stay.day
    }

    fn touches(stay: &Stay) -> Touches {
        let within = stay.lasted().intersect(&stay.day.range());
        Touches {
            filed: stay.is_of_session().then(|| Quarter::of(stay.started_at).0),
            about: (!within.is_empty()).then(|| (Quarter::of(within.from).0, Quarter::of(within.to - 1).0)),
        }
    }

    fn compare(a: &Stay, b: &Stay) -> Ordering {
        a.cmp(b)
    }

    fn join(_: &mut Stay, _: &Stay) -> bool {
        false
    }

    /// A table of sessions and one of stays, column by column; and of the traits, the most frequent first, which the stays name by their
    /// positions.
    fn encode(day: Day, stays: &[Stay]) -> Vec<u8> {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        stays.iter().for_each(|stay| *counts.entry(stay.traits()).or_default() += 1);
        let mut traits: Vec<(u64, usize)> = counts.into_iter().collect();
        traits.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
        let positions: HashMap<u64, u64> = (0..).zip(&traits).map(|(position, (traits, _))| (*traits, position)).collect();
        let (mut sessions, mut columns) = ([const { Vec::new() }; 4], [const { Vec::new() }; 4]);
        let mut hashes = Vec::new();
        let mut before = day.range().from;
        for session in stays.chunk_by(|a, b| a.session() == b.session()) {
            let Some(first) = session.first() else { continue };
            let end = session.iter().map(|stay| stay.left_at).max().unwrap_or_default();
            let kind = u64::from(first.app) << 8 | u64::from(first.session_kind);
            add(&mut sessions, [zigzag(first.started_at - before), kind, session.len() as u64, zigzag(end - first.started_at)]);
            hashes.extend_from_slice(&first.session.to_le_bytes());
            before = first.started_at;
            let mut user = 0;
            for stay in session {
                let traits = positions.get(&stay.traits()).copied().unwrap_or_default();
                let joined = zigzag(stay.joined_at - stay.started_at);
                add(&mut columns, [u64::from(stay.user - user), joined, (end - stay.left_at).unsigned_abs(), traits]);
                user = stay.user;
            }
        }
        let mut out = Vec::with_capacity(stays.len() * 10 + 64);
        put(&mut out, hashes.len() as u64 / 8);
        put(&mut out, stays.len() as u64);
        put(&mut out, traits.len() as u64);
        traits.iter().for_each(|(traits, _)| put(&mut out, *traits));
        sessions.iter().chain(&columns).for_each(|column| put_column(&mut out, column));
        out.extend_from_slice(&hashes);
        out
    }

    fn decode(day: Day, bytes: &[u8]) -> Option<Vec<Stay>> {
        let mut reader = Reader(bytes);
        let (sessions, stays) = (reader.take_rows()?, reader.take_rows()?);
        let traits: Vec<u64> = (0..reader.take_count()?).map(|_| reader.take()).collect::<Option<_>>()?;
        let [starts, kinds, counts, ends] = reader.take_columns(sessions)?;
        let [users, joined, left, of_stays] = reader.take_columns(stays)?;
        let (hashes, []) = reader.0.as_chunks::<8>() else { return None };
        let mut rows = users.iter().zip(&joined).zip(left.iter().zip(&of_stays));
        let mut decoded = Vec::with_capacity(stays);
        let mut started_at = day.range().from;
        let headers = starts.iter().zip(&kinds).zip(counts.iter().zip(&ends));
        for (((start, kind), (count, end)), hash) in headers.zip(hashes) {
            started_at = started_at.checked_add(unzigzag(*start))?;
            let end = started_at.checked_add(unzigzag(*end))?;
            let (app, session_kind) = (u16::try_from(kind >> 8).ok()?, *kind as u8);
            let mut user = 0u32;
            for ((after, joined), (before_end, position)) in rows.by_ref().take(usize::try_from(*count).ok()?) {
                user = user.checked_add(u32::try_from(*after).ok()?)?;
                let traits = traits.get(usize::try_from(*position).ok()?)?;
                decoded.push(Stay {
                    day,
                    started_at,
                    session: u64::from_le_bytes(*hash),
                    app,
                    session_kind,
                    user,
                    unit: *traits as u8 & 3,
                    joined_at: started_at.checked_add(unzigzag(*joined))?,
                    left_at: end.checked_sub_unsigned(*before_end)?,
                    user_kind: (traits >> 8) as u8,
                    device: (traits >> 16) as u8,
                    place: traits >> 24,
                    media: *traits as u8 >> UNIT_BITS,
                });
            }
        }
        (decoded.len() == stays && hashes.len() == sessions).then_some(decoded)
    }

    /// A stay knows when it began and ended: no facts are read.
    fn edge(view: &View<'_, Self>, range: Range) -> Result<Arc<Vec<Stay>>, EngineError> {
        view.entries(Day::of(range.from))
    }
}

impl View<'_, Stays> {
    /// Gives `add` each stay that overlaps a range, once.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], [`EngineError::TooMuch`].
    pub fn each_stay(&self, range: Range, mut add: impl FnMut(&Stay)) -> Result<(), EngineError> {
        self.each_session(range, |session| session.iter().filter(|stay| !stay.lasted().intersect(&range).is_empty()).for_each(&mut add))
    }

    /// Gives `add` the entries of each day that a range touches, in order.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], [`EngineError::TooMuch`].
    pub fn each_day(&self, range: Range, mut add: impl FnMut(&[Stay])) -> Result<(), EngineError> {
        self.each_day_of(range, |_, stays| add(stays))
    }

    /// The same, with the day. Some days are read at a time, by processors that are free.
    fn each_day_of(&self, range: Range, mut add: impl FnMut(Day, &[Stay])) -> Result<(), EngineError> {
        let days: Vec<Day> = Day::all(self.reach(range)).collect();
        for some in days.chunks(DAYS_AT_ONCE) {
            let read = parallel::each(some, |day| self.entries_counted(*day))?;
            some.iter().zip(read).for_each(|(day, stays)| add(*day, &stays));
        }
        Ok(())
    }

    /// Gives `add` the stays of each session in which some overlap a range, a session of a day at a time: each such stay is given once, and
    /// others with it.
    ///
    /// # Errors
    /// [`EngineError::Storage`], [`EngineError::Cancelled`], [`EngineError::TooMuch`].
    pub fn each_session(&self, range: Range, mut add: impl FnMut(&[Stay])) -> Result<(), EngineError> {
        let range = self.reach(range);
        let first = Day::of(range.from);
        let days = first..=Day::of(range.to - 1);
        self.each_day_of(range, |day, entries| {
            for session in entries.chunk_by(|a, b| a.session() == b.session()) {
                let Some(began) = session.first().map(|stay| Day::of(stay.started_at)) else { continue };
                if began == day {
                    add(session);
                } else if !days.contains(&began) {
                    // An entry of each day on which it lasts: the first of them here counts.
                    let is_first = |stay: &&Stay| Day::of(stay.lasted().from).max(first) == day;
                    let firsts: Vec<Stay> = session.iter().filter(is_first).copied().collect();
                    add(&firsts);
                }
            }
        })
    }
}

/// The meetings of a day that began in a range: the stays in each, by user and data residency.
pub(crate) fn meetings(stays: &[Stay], range: Range) -> impl Iterator<Item = &[Stay]> {
    let is_meeting = move |first: &Stay| {
        first.session_kind == SessionKind::Meeting.number() && first.is_of_session() && range.contains(first.started_at)
    };
    stays.chunk_by(|a, b| a.session() == b.session()).filter(move |session| session.first().is_some_and(is_meeting))
}

/// Adds a row to columns.
fn add<const N: usize>(columns: &mut [Vec<u64>; N], row: [u64; N]) {
    columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
}

/// What stands for a session's id in [`Stay::session`]: a hash of the app's number and the id, in one call, which costs a fraction of feeding them one by one.
pub(crate) fn session_hash(app: u16, session_id: &str) -> u64 {
    let mut bytes = [0; 2 + 256];
    let (number, id) = bytes.split_at_mut(2);
    number.copy_from_slice(&app.to_le_bytes());
    match id.get_mut(..session_id.len()) {
        Some(room) => room.copy_from_slice(session_id.as_bytes()),
        None => return xxh3_64(&[&app.to_le_bytes(), session_id.as_bytes()].concat()),
    }
    xxh3_64(bytes.get(..2 + session_id.len()).unwrap_or_default())
}

#[cfg(test)]
pub(in crate::cells) mod tests {
    use super::*;
    use crate::cells::base::Run;
    use proptest::prelude::*;

    const DAY: Day = Day(20_000);

    /// A stay of one of a few sessions and users about [`DAY`].
    pub(in crate::cells) fn stay() -> impl Strategy<Value = Stay> {
        let when = (-DAY_MILLIS..DAY_MILLIS, -1000i64..100_000_000, prop_oneof![Just(0), 0..5000i64, 0..600_000_000i64]);
        ((0u64..3, 0u16..2, 0u8..3), (0u32..4, 0u8..2, 0u8..4), when, any::<u8>(), 0u8..32, 0u64..1 << 40).prop_map(
            |((session, app, session_kind), (user, unit, user_kind), (started, joined, stayed), device, media, place)| {
                let started_at = DAY.range().from + started / 900_000 * 900_000;
                let joined_at = started_at + joined;
                let left_at = joined_at + stayed;
                Stay { day: DAY, started_at, session, app, session_kind, user, unit, joined_at, left_at, user_kind, device, place, media }
            },
        )
    }

    proptest! {
        #[test]
        fn merging_in_any_order_is_folding_all(stays in prop::collection::vec(stay(), 0..200), cut in any::<prop::sample::Index>()) {
            let (left, right) = stays.split_at(cut.index(stays.len() + 1));
            let whole = Run::<Stays>::new(stays.clone());
            let (left, right) = (Run::<Stays>::new(left.to_vec()), Run::<Stays>::new(right.to_vec()));
            for turned in [Run::merged([&left, &right]), Run::merged([&right, &left])] {
                prop_assert_eq!((&turned.entries, &turned.touched), (&whole.entries, &whole.touched));
            }
        }

        #[test]
        fn a_cell_reads_back_as_it_was_written(stays in prop::collection::vec(stay(), 0..300)) {
            let stays = Run::<Stays>::new(stays).entries;
            prop_assert_eq!(Stays::decode(DAY, &Stays::encode(DAY, &stays)), Some(stays));
        }

        #[test]
        fn bytes_that_are_no_cell_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), stays in prop::collection::vec(stay(), 0..40), at in any::<prop::sample::Index>(), with: u8) {
            let _ = Stays::decode(DAY, &bytes);
            let mut damaged = Stays::encode(DAY, &Run::<Stays>::new(stays).entries);
            let at = at.index(damaged.len());
            damaged[at] = with;
            let _ = Stays::decode(DAY, &damaged);
        }
    }
}
