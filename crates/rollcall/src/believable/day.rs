//! The sessions of one day, and who attends them.

use super::Fact;
use super::chance::{Chance, mixed};
use super::people::People;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::fact::Medium;
use rollcall_model::{Media, Millis, SessionKind, UserKind};

const MINUTE: Millis = 60_000;

/// How long before its hour a session may begin.
const EARLY: Millis = 90_000;

/// How many sessions begin in each hour of a day, in proportion: work from nine to seven with a dip at noon, and a late few.
pub(super) const HOURS: [(i64, u32); 24] = [
    (0, 2),
    (1, 1),
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (6, 3),
    (7, 10),
    (8, 40),
    (9, 120),
    (10, 150),
    (11, 110),
    (12, 30),
    (13, 60),
    (14, 140),
    (15, 140),
    (16, 130),
    (17, 90),
    (18, 50),
    (19, 45),
    (20, 45),
    (21, 30),
    (22, 12),
    (23, 5),
];

/// How many attend a meeting, in proportion; five on average.
const SIZES: [(usize, u32); 14] =
    [(2, 18), (3, 16), (4, 15), (5, 12), (6, 9), (7, 7), (8, 6), (9, 5), (10, 4), (11, 3), (12, 2), (13, 1), (14, 1), (15, 1)];

/// The kinds of session. A call has two facts and a room few, so that both together make a seventh of all facts.
const KINDS: [(SessionKind, u32); 3] = [(SessionKind::Meeting, 73), (SessionKind::Call, 22), (SessionKind::Room, 5)];

/// What members use besides audio, in proportion.
const MEDIA: [(&[Medium], u32); 5] =
    [(&[], 50), (&[Medium::Video], 25), (&[Medium::Video, Medium::Screen], 10), (&[Medium::Screen], 10), (&[Medium::Message], 5)];

/// A day being made.
pub(super) struct Day<'a> {
    people: &'a People,
    start: Millis,
    chance: Chance,
    number: u64,
}

/// A session being attended.
struct Session {
    number: u64,
    kind: SessionKind,
    started_at: Millis,
    length: Millis,
}

impl<'a> Day<'a> {
    /// The day that is `number` after the first, and begins at `start`.
    pub(super) fn new(people: &'a People, seed: u64, start: Millis, number: u32) -> Self {
        Self { people, start, chance: Chance::new(seed, u64::from(number)), number: u64::from(number) }
    }

    /// The earliest that a session of the next day may begin.
    pub(super) const fn end(&self) -> Millis {
        self.start + DAY_MILLIS - EARLY
    }

    /// Makes `count` facts, in no order.
    pub(super) fn fill(mut self, count: u64, facts: &mut Vec<Fact>) {
        let end = facts.len() + usize::try_from(count).unwrap_or(usize::MAX);
        for nth in 0.. {
            if facts.len() >= end {
                break;
            }
            match self.chance.weighted(&KINDS).unwrap_or(SessionKind::Meeting) {
                SessionKind::Meeting => self.meeting(nth, facts),
                SessionKind::Call => self.call(nth, facts),
                SessionKind::Room => self.room(nth, facts),
            }
        }
        facts.truncate(end);
    }

    /// Six of ten meetings recur, under one id and with much the same people.
    fn meeting(&mut self, nth: u64, facts: &mut Vec<Fact>) {
        let series = self.chance.percent(60).then(|| self.chance.below(self.people.series()));
        let number = series.unwrap_or_else(|| self.once(nth));
        let length = self.chance.weighted(&[(30, 40), (45, 15), (60, 30), (90, 10), (120, 5)]).unwrap_or(30) * MINUTE;
        let session = self.session(number, SessionKind::Meeting, 30, length);
        let size = self.chance.weighted(&SIZES).unwrap_or(2);
        self.attend(
            &session,
            size,
            |day, place| match series {
                Some(series) if day.chance.percent(70) => Chance::new(series, place).skewed(day.people.members),
                _ => day.chance.skewed(day.people.members),
            },
            facts,
        );
    }

    fn call(&mut self, nth: u64, facts: &mut Vec<Fact>) {
        let length = self.chance.between(MINUTE, 30 * MINUTE);
        let session = self.session(self.once(nth), SessionKind::Call, 1, length);
        self.attend(&session, 2, |day, _| day.chance.skewed(day.people.members), facts);
    }

    fn room(&mut self, nth: u64, facts: &mut Vec<Fact>) {
        let length = self.chance.between(60 * MINUTE, 240 * MINUTE);
        let session = self.session(self.once(nth), SessionKind::Room, 15, length);
        let size = self.chance.weighted(&SIZES).unwrap_or(2);
        self.attend(&session, size, |day, _| day.chance.skewed(day.people.members), facts);
    }

    /// The number of a session that never recurs.
    const fn once(&self, nth: u64) -> u64 {
        mixed(self.number << 32 | nth) | 1 << 63
    }

    fn session(&mut self, number: u64, kind: SessionKind, grid: i64, length: Millis) -> Session {
        let hour = self.chance.weighted(&HOURS).unwrap_or(9);
        let slot = self.chance.between(0, 60 / grid) * grid;
        let late = self.chance.between(-EARLY, 120_000);
        Session { number, kind, started_at: self.start + (hour * 60 + slot) * MINUTE + late, length }
    }

    fn attend(&mut self, session: &Session, size: usize, mut member: impl FnMut(&mut Self, u64) -> u32, facts: &mut Vec<Fact>) {
        let first = facts.len();
        for place in 0..size {
            let kind = self.user_kind(session.kind);
            let user = match kind {
                UserKind::Member => member(self, place as u64),
                other => self.chance.skewed(self.people.count(other)),
            };
            let known = |fact: &Fact| (fact.user, fact.user_kind) == (user, kind);
            if facts.get(first..).is_some_and(|others| others.iter().any(known)) {
                continue;
            }
            let fact = self.stay(session, user, kind, facts.len() == first);
            facts.push(fact);
            // Some lose the connection, or leave, and come back.
            if fact.left_at + 2 * MINUTE < session.started_at + session.length && self.chance.percent(40) {
                let joined_at = fact.left_at + self.chance.between(5_000, 90_000);
                let left_at = session.started_at + session.length - self.chance.between(0, 20_000);
                facts.push(Fact { joined_at, left_at: left_at.max(joined_at), ..fact });
            }
        }
    }

    fn user_kind(&mut self, session: SessionKind) -> UserKind {
        let kinds: &[_] = match session {
            SessionKind::Call => &[(UserKind::Member, 96), (UserKind::Guest, 2), (UserKind::Phone, 2)],
            _ => &[(UserKind::Member, 855), (UserKind::Guest, 90), (UserKind::Room, 45), (UserKind::Phone, 10)],
        };
        self.chance.weighted(kinds).unwrap_or(UserKind::Member)
    }

    /// The first to come begins the session. Most others come within minutes and stay to the end; who drops in on a room comes and goes.
    fn stay(&mut self, session: &Session, user: u32, user_kind: UserKind, is_first: bool) -> Fact {
        let drops_in = session.kind == SessionKind::Room || self.chance.percent(15);
        let after = match (is_first, session.kind) {
            (true, _) => 0,
            (_, SessionKind::Call) => self.chance.between(1_000, 20_000),
            _ if drops_in => self.chance.between(0, session.length * 3 / 4),
            _ => self.chance.between(0, 4 * MINUTE),
        };
        let joined_at = session.started_at + after;
        let end = session.started_at + session.length + self.chance.between(-2_000, 3_000);
        let left_at =
            if drops_in && session.kind != SessionKind::Call { joined_at + self.chance.between(MINUTE, session.length) } else { end };
        let media = match user_kind {
            UserKind::Phone => &[][..],
            UserKind::Room => &[Medium::Video],
            _ => self.chance.weighted(&MEDIA).unwrap_or_default(),
        };
        Fact {
            session: session.number,
            session_kind: session.kind,
            session_started_at: session.started_at,
            user,
            user_kind,
            device: self.people.device(user, user_kind, &mut self.chance),
            media: media.iter().fold(Media::AUDIO, |media, medium| media.with(*medium)),
            joined_at,
            left_at: left_at.min(end).max(joined_at),
            place: self.people.place(user, user_kind, &mut self.chance),
        }
    }
}
