//! Facts as columns: what decoding yields and the committer takes.

pub use super::assistance::columns::{Assistances, Use};
pub use super::attendance::columns::Attendances;
pub use super::cost::Cost;
pub(crate) use super::cost::entries_of_stay;
pub use crate::strings::{Dictionary, Strings};

use crate::kinds::block::Block;
use rollcall_model::draft::DraftField;
use rollcall_model::identity::FactId;
use rollcall_model::{Directory, Draft, FactError, FactKind, Millis, Organization, Places, Range};

/// Valid facts of one kind and one organization, in the order they came, not yet known to the ledger.
pub trait Columns: Default + std::fmt::Debug + Send + Into<Facts> + 'static {
    /// The fields of a fact.
    type Field: DraftField;

    /// What the ledger stores them as.
    type Block: Block;

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

    /// The facts, if they are of this kind.
    fn of(facts: &Facts) -> Option<&Self>;

    /// The time of a fact, by which blocks are sorted.
    fn time(&self, row: usize) -> Millis;

    /// A number that facts have in common of those at one time that are best beside each other.
    fn group(&self, row: usize) -> u32;

    /// A fact as a row of a block.
    fn row(&self, row: usize, numbered: &Numbered) -> <Self::Block as Block>::Row<'_>;

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

/// The numbers of the names of a request's facts, by the keys of their columns.
#[derive(Debug, Default)]
pub struct Numbered {
    /// The number of the receipt.
    pub receipt: u64,
    /// Of users.
    pub users: Vec<u32>,
    /// Of apps.
    pub apps: Vec<u16>,
    /// Of bookings.
    pub bookings: Vec<u32>,
    /// Of uses.
    pub uses: Vec<u32>,
}

/// The number of the name that a row has.
pub(super) fn number_of(numbers: &[u32], names: &Dictionary, row: usize) -> u32 {
    numbers[names.keys()[row] as usize]
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
    pub const fn user_ids(&self) -> &Dictionary {
        match self {
            Self::Attendances(facts) => &facts.user_ids,
            Self::Assistances(facts) => &facts.user_ids,
        }
    }
}
