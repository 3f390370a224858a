//! The base cell of presence: who attended anything during a quarter hour. `active_users` asks it.

use super::store::{Cells, Live, LiveCells};
use super::user_sets::{Group, InGroup, UserSets};
use super::{Base, View};
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::ledger::columns::{AttendanceBlock, AttendanceRow};
use fjall::Keyspace;
use rollcall_model::attendance::{EARLY_JOIN, LONGEST_STAY};
use rollcall_model::{Device, Quarter, Range, SessionKind, UserKind};
use std::cmp::Ordering;

/// The base cell of presence.
#[derive(Debug)]
pub struct Presence;

/// The merged cell of presence.
pub type PresentUsers = UserSets<Attended>;

/// App, kind of session, kind of user and device, as one number: what presence can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attended(pub(super) u32);

impl Attended {
    pub(super) fn of(row: &AttendanceRow<'_>) -> Self {
        Self(u32::from(row.app) << 8 | u32::from(row.session_kind) << 6 | u32::from(row.user_kind) << 4 | u32::from(row.device))
    }

    const fn app(self) -> u16 {
        (self.0 >> 8) as u16
    }

    const fn session_kind(self) -> Option<SessionKind> {
        SessionKind::from_number((self.0 >> 6) as u8 & 3)
    }

    const fn user_kind(self) -> Option<UserKind> {
        UserKind::from_number((self.0 >> 4) as u8 & 3)
    }

    const fn device(self) -> Option<Device> {
        Device::from_number(self.0 as u8 & 15)
    }
}

impl Group for Attended {
    type Base = Presence;
    const KIND: u8 = 3;

    fn number(self) -> u64 {
        self.0.into()
    }

    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok().map(Self)
    }
}

/// Which groups a question counts; none: all.
#[derive(Debug, Clone, Default)]
pub struct PresentFilter {
    /// The app's number.
    pub app: Option<u16>,
    /// Kinds of session.
    pub session_kinds: Option<Vec<SessionKind>>,
    /// Kinds of user.
    pub user_kinds: Option<Vec<UserKind>>,
    /// Devices.
    pub devices: Option<Vec<Device>>,
}

impl PresentFilter {
    /// Whether users of this group count.
    pub fn takes(&self, group: Attended) -> bool {
        fn among<T: PartialEq>(wanted: Option<&Vec<T>>, found: Option<T>) -> bool {
            wanted.is_none_or(|wanted| found.is_some_and(|found| wanted.contains(&found)))
        }
        self.app.is_none_or(|app| app == group.app())
            && among(self.session_kinds.as_ref(), group.session_kind())
            && among(self.user_kinds.as_ref(), group.user_kind())
            && among(self.devices.as_ref(), group.device())
    }
}

/// The entries of the stays that overlap a range, in order, from the facts: base cells do not know when a user was there. `columns` are those
/// of the lake that `group` looks at, with the user and the stay.
pub(super) fn stays_in<B: Base<Block = AttendanceBlock, Entry = InGroup<G>>, G: Group>(
    view: &View<'_, B>,
    range: Range,
    columns: &'static [&'static str],
    group: impl Fn(&AttendanceRow<'_>) -> G,
) -> Result<Vec<InGroup<G>>, EngineError> {
    let mut entries = Vec::new();
    // A session begins at most this long before somebody leaves it, and this long after somebody joins.
    let sessions = Range::new(range.from - 2 * LONGEST_STAY, range.to + EARLY_JOIN + 1);
    for block in view.facts(Wanted::times(sessions).about(range).only(columns)) {
        let block = block?;
        let present = block.rows().filter(|row| !row.stay().intersect(&range).is_empty());
        entries.extend(present.map(|row| InGroup { group: group(&row), user: row.user }));
    }
    InGroup::order(&mut entries);
    Ok(entries)
}

/// The cells of so many quarter hours that a range, which is not empty, overlaps.
pub(super) fn met(range: Range, quarters: i32) -> impl Iterator<Item = Quarter> {
    let cell = move |at| Quarter::of(at).0.div_euclid(quarters);
    (cell(range.from)..=cell(range.to - 1)).map(move |cell| Quarter(cell * quarters))
}

impl Base for Presence {
    type Block = AttendanceBlock;
    type Entry = InGroup<Attended>;
    const NAME: &'static str = "presence";
    const QUARTERS: i32 = 1;
    const KINDS: &'static [u8] = &[Attended::KIND];

    fn fold(block: &AttendanceBlock, add: &mut dyn FnMut(Quarter, Self::Entry)) {
        for row in block.rows() {
            for quarter in met(row.stay(), Self::QUARTERS) {
                add(quarter, InGroup { group: Attended::of(&row), user: row.user });
            }
        }
    }

    fn order(entries: &mut Vec<Self::Entry>) {
        InGroup::order(entries);
    }

    fn compare(a: &Self::Entry, b: &Self::Entry) -> Ordering {
        a.cmp(b)
    }

    fn encode(_: Quarter, entries: &[Self::Entry]) -> Vec<u8> {
        InGroup::encode(entries)
    }

    fn decode(_: Quarter, bytes: &[u8]) -> Option<Vec<Self::Entry>> {
        InGroup::decode(bytes)
    }

    fn edge(view: &View<'_, Self>, range: Range) -> Result<Vec<Self::Entry>, EngineError> {
        const COLUMNS: &[&str] = &["app", "session_kind", "user_kind", "device", "user_id", "joined_at", "left_at"];
        stays_in(view, range, COLUMNS, Attended::of)
    }

    fn keyspace(cells: &Cells) -> &Keyspace {
        &cells.presence
    }

    fn live(live: &Live) -> &LiveCells<Self> {
        &live.presence
    }

    fn live_mut(live: &mut Live) -> &mut LiveCells<Self> {
        &mut live.presence
    }
}
