//! Facts as columns: what decoding yields and the committer takes.

pub use super::assistance::columns::{Assistances, Use};
pub use super::cost::Cost;
pub(crate) use super::cost::entries_of_stay;

use rollcall_model::draft::DraftField;
use rollcall_model::identity::FactId;
use rollcall_model::{
    Attendance, AttendanceDraft, Device, Directory, Draft, FactError, FactKind, Media, Millis, Organization, Place, Places, Range,
    SessionKind, UserKind, attendance,
};

/// Valid facts of one kind and one organization, in the order they came, not yet known to the ledger.
pub trait Columns: Default + std::fmt::Debug + Send + Into<Facts> + 'static {
    /// The fields of a fact.
    type Field: DraftField;

    /// The kind.
    const KIND: FactKind;

    /// How many facts there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes the facts take in memory.
    fn size(&self) -> usize;

    /// What they cost to commit and to fold.
    fn cost(&self) -> &Cost;

    /// Adds the fact of a draft at the end.
    ///
    /// # Errors
    /// Everything wrong with the fact, without line numbers.
    fn take(
        &mut self,
        draft: Draft<'_, Self::Field>,
        organization: &Organization,
        directory: &Directory,
        places: Option<&dyn Places>,
    ) -> Result<(), Vec<FactError>>;
}

/// Facts of either kind.
#[derive(Debug)]
pub enum Facts {
    /// Attendances.
    Attendances(Attendances),
    /// Assistances.
    Assistances(Assistances),
}

impl From<Attendances> for Facts {
    fn from(facts: Attendances) -> Self {
        Self::Attendances(facts)
    }
}

impl From<Assistances> for Facts {
    fn from(facts: Assistances) -> Self {
        Self::Assistances(facts)
    }
}

impl Facts {
    /// From the first time of some of the facts until after the last; none of no facts.
    pub(crate) fn times_of(&self, rows: &[usize]) -> Option<Range> {
        let times = match self {
            Self::Attendances(facts) => &facts.session_started_at,
            Self::Assistances(facts) => &facts.at,
        };
        let of_rows = || rows.iter().map(|row| times[*row]);
        Some(Range::new(of_rows().min()?, of_rows().max()? + 1))
    }

    /// Their kind.
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Attendances(_) => FactKind::Attendance,
            Self::Assistances(_) => FactKind::Assistance,
        }
    }

    /// The identity of each fact.
    pub fn ids(&self) -> &[FactId] {
        match self {
            Self::Attendances(facts) => &facts.ids,
            Self::Assistances(facts) => &facts.ids,
        }
    }

    /// The hash of the rest of each fact, as given.
    pub fn contents(&self) -> &[u32] {
        match self {
            Self::Attendances(facts) => &facts.contents,
            Self::Assistances(facts) => &facts.contents,
        }
    }

    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.ids().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    /// What they cost to commit and to fold.
    pub fn cost(&self) -> &Cost {
        match self {
            Self::Attendances(facts) => facts.cost(),
            Self::Assistances(facts) => facts.cost(),
        }
    }

    /// The user of each fact.
    pub const fn user_ids(&self) -> &Strings {
        match self {
            Self::Attendances(facts) => &facts.user_ids,
            Self::Assistances(facts) => &facts.user_ids,
        }
    }
}

/// A column of strings: one buffer of bytes, and where each string ends. It may be of any length that memory has.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    bytes: String,
    ends: Vec<usize>,
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
        self.push_joined([text]);
    }

    /// Adds a string at the end: the parts joined by newlines.
    pub fn push_joined<'p>(&mut self, parts: impl IntoIterator<Item = &'p str>) {
        for (position, part) in parts.into_iter().enumerate() {
            if position > 0 {
                self.bytes.push('\n');
            }
            self.bytes.push_str(part);
        }
        self.ends.push(self.bytes.len());
    }

    /// The string at `row`; empty beyond the end.
    pub fn get(&self, row: usize) -> &str {
        let end = |row: usize| self.ends.get(row).copied().unwrap_or(self.bytes.len());
        let start = if row == 0 { 0 } else { end(row - 1) };
        self.bytes.get(start..end(row)).unwrap_or_default()
    }

    /// All strings, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// How many bytes the strings take.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<usize>()
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
    /// See [`Columns::cost`].
    cost: Cost,
}

impl Columns for Attendances {
    type Field = attendance::Field;
    const KIND: FactKind = FactKind::Attendance;

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn size(&self) -> usize {
        self.given_ids.size() + self.session_ids.size() + self.user_ids.size() + self.ids.len() * 72
    }

    fn cost(&self) -> &Cost {
        &self.cost
    }

    fn take(
        &mut self,
        draft: AttendanceDraft<'_>,
        organization: &Organization,
        directory: &Directory,
        places: Option<&dyn Places>,
    ) -> Result<(), Vec<FactError>> {
        self.push(&draft.finish(organization, directory, places)?);
        Ok(())
    }
}

impl Attendances {
    /// Adds a fact at the end.
    pub fn push(&mut self, fact: &Attendance<'_>) {
        self.ids.push(fact.id);
        self.contents.push(fact.content);
        self.given_ids.push(fact.given_id.as_deref().unwrap_or_default());
        self.apps.push(fact.app);
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
        let entries = entries_of_stay(fact.joined_at, fact.left_at, fact.session_kind);
        self.cost.add(entries, [fact.session_started_at, fact.joined_at]);
    }
}
