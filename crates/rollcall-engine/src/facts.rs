//! Facts as columns: what decoding yields, the ledger stores and `fold` reads.

use rollcall_model::identity::FactId;
use rollcall_model::{Attendance, Device, Media, Millis, Place, SessionKind, UserKind};

/// A column of strings: one buffer of bytes, and where each string ends.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    bytes: String,
    ends: Vec<u32>,
}

impl Strings {
    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a string at the end.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    /// The string at `row`; empty beyond the end.
    pub fn get(&self, row: usize) -> &str {
        let end = |row: usize| self.ends.get(row).map_or(self.bytes.len(), |end| *end as usize);
        let start = if row == 0 { 0 } else { end(row - 1) };
        self.bytes.get(start..end(row)).unwrap_or_default()
    }

    /// All strings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// How many bytes the strings take.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<u32>()
    }
}

/// Valid attendances of one organization, in the order they came, not yet known to the ledger.
#[derive(Debug, Clone, Default)]
pub struct Attendances {
    /// The identity of each fact.
    pub ids: Vec<FactId>,
    /// The hash of the rest of each fact, as given.
    pub contents: Vec<u32>,
    /// The id as given; empty where the default stands.
    pub given_ids: Strings,
    /// The app's position in the organization's apps.
    pub apps: Vec<u16>,
    /// See [`Attendance::session_id`].
    pub session_ids: Strings,
    /// See [`Attendance::session_kind`].
    pub session_kinds: Vec<SessionKind>,
    /// See [`Attendance::session_started_at`].
    pub session_started_at: Vec<Millis>,
    /// See [`Attendance::user_id`].
    pub user_ids: Strings,
    /// See [`Attendance::user_kind`].
    pub user_kinds: Vec<UserKind>,
    /// See [`Attendance::device`].
    pub devices: Vec<Device>,
    /// See [`Attendance::media`].
    pub media: Vec<Media>,
    /// See [`Attendance::joined_at`].
    pub joined_at: Vec<Millis>,
    /// See [`Attendance::left_at`].
    pub left_at: Vec<Millis>,
    /// See [`Attendance::place`].
    pub places: Vec<Option<Place>>,
    /// See [`Attendance::unit`].
    pub units: Vec<u8>,
}

impl Attendances {
    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a fact at the end.
    pub fn push(&mut self, fact: &Attendance<'_>) {
        self.ids.push(fact.id);
        self.contents.push(fact.content);
        self.given_ids.push(fact.given_id.as_deref().unwrap_or_default());
        self.apps.push(u16::try_from(fact.app).unwrap_or(u16::MAX));
        self.session_ids.push(&fact.session_id);
        self.session_kinds.push(fact.session_kind);
        self.session_started_at.push(fact.session_started_at);
        self.user_ids.push(&fact.user_id);
        self.user_kinds.push(fact.user_kind);
        self.devices.push(fact.device);
        self.media.push(fact.media);
        self.joined_at.push(fact.joined_at);
        self.left_at.push(fact.left_at);
        self.places.push(fact.place);
        self.units.push(fact.unit);
    }

    /// About how many bytes the facts take in memory.
    pub fn size(&self) -> usize {
        self.given_ids.size() + self.session_ids.size() + self.user_ids.size() + self.len() * 72
    }
}
