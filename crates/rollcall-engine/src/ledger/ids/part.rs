//! Parts: what the ids of an organization and kind are divided into, so that what is looked at together lies together.

use rollcall_model::{FactId, FactKind, OrgId};

/// Bytes of the key of a part.
pub(super) const KEY: usize = 21;

/// What the number of the kind has added to it where ids were given.
const GIVEN: u8 = 0x80;

/// The default ids of a UTC day, or a 256th of the given ids, which have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PartKey {
    org: OrgId,
    kind: FactKind,
    given: bool,
    number: u32,
}

impl PartKey {
    /// The part of the default ids of a day.
    pub(super) const fn of_day(org: OrgId, kind: FactKind, day: u32) -> Self {
        Self { org, kind, given: false, number: day }
    }

    /// The part with this code: see [`code_of`].
    pub(super) const fn of_code(org: OrgId, kind: FactKind, (given, number): (bool, u32)) -> Self {
        Self { org, kind, given, number }
    }

    /// Whether the hash of a content stands beside an id.
    pub(super) const fn has_contents(&self) -> bool {
        self.given || !self.kind.is_all_in_default_id()
    }

    pub(super) fn bytes(&self) -> [u8; KEY] {
        let mut bytes = [0; KEY];
        bytes[..16].copy_from_slice(self.org.0.as_bytes());
        bytes[16] = self.kind.number() | if self.given { GIVEN } else { 0 };
        bytes[17..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (org, rest) = bytes.split_first_chunk()?;
        let (kind, number) = rest.split_first()?;
        let (org, kind_number) = (OrgId(uuid::Uuid::from_bytes(*org)), kind & !GIVEN);
        let number = u32::from_be_bytes(*number.first_chunk()?);
        Some(Self { org, kind: FactKind::from_number(kind_number)?, given: kind & GIVEN != 0, number })
    }
}

/// Which part of its organization and kind an id is in, and what of it tells it from the others there.
pub(super) const fn code_of(id: FactId) -> ((bool, u32), u64) {
    match id {
        FactId::Default(id) => ((false, FactId::day(id)), (id >> 32) as u64),
        FactId::Given(hash) => ((true, (hash >> 120) as u32), (hash >> 56) as u64),
    }
}
