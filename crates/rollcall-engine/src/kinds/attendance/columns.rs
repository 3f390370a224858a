//! Attendances as columns.

use crate::kinds;
use crate::kinds::block::AttendanceRow;
use crate::kinds::columns::{Columns, Cost, Dictionary, Numbered, entries_of_stay, number_of};
use rollcall_model::identity::FactId;
use rollcall_model::{
    Attendance, AttendanceDraft, Device, Directory, FactError, Media, Millis, Organization, Place, Places, SessionKind, UserKind,
    attendance,
};

/// Valid attendances of one organization, in the order they came, not yet known to the ledger.
#[derive(Debug, Clone, Default)]
pub struct Attendances {
    /// The identity of each fact.
    pub ids: Vec<FactId>,
    /// The hash of the rest of each fact, as given.
    pub contents: Vec<u32>,
    /// The id as given; empty where the default stands.
    pub given_ids: Dictionary,
    /// The app's position in the organization's apps.
    pub apps: Vec<u16>,
    /// See [`Attendance::session_id`].
    pub session_ids: Dictionary,
    /// See [`Attendance::session_kind`].
    pub session_kinds: Vec<SessionKind>,
    /// See [`Attendance::session_started_at`].
    pub session_started_at: Vec<Millis>,
    /// See [`Attendance::user_id`].
    pub user_ids: Dictionary,
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
    type Kind = kinds::Attendance;

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn size(&self) -> usize {
        self.given_ids.size() + self.session_ids.size() + self.user_ids.size() + self.ids.len() * 72
    }

    fn cost(&self) -> &Cost {
        &self.cost
    }

    fn time(&self, row: usize) -> Millis {
        self.session_started_at[row]
    }

    fn group(&self, row: usize) -> u32 {
        self.session_ids.keys()[row]
    }

    fn row(&self, row: usize, numbered: &Numbered) -> AttendanceRow<'_> {
        AttendanceRow {
            session_started_at: self.session_started_at[row],
            joined_at: self.joined_at[row],
            left_at: self.left_at[row],
            user: number_of(&numbered.users, &self.user_ids, row),
            app: numbered.apps[usize::from(self.apps[row])],
            session_id: self.session_ids.get(row),
            session_kind: self.session_kinds[row].number(),
            user_kind: self.user_kinds[row].number(),
            device: self.devices[row].number(),
            media: self.media[row].bits(),
            unit: self.units[row],
            place: self.places[row].as_ref().map_or(0, Place::number),
            given_id: self.given_ids.get(row),
            receipt: numbered.receipt,
        }
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
        let entries = entries_of_stay(fact.session_started_at, fact.joined_at, fact.left_at);
        self.cost.add(entries, [fact.session_started_at, fact.joined_at]);
    }
}
