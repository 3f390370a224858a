//! Facts as columns: what decoding yields and the committer takes.

pub use super::assistance::columns::{Assistances, Use};
pub use super::attendance::columns::Attendances;
pub use super::cost::Cost;
pub(crate) use super::cost::entries_of_stay;
pub use crate::strings::{Dictionary, Strings};

use crate::kinds::block::Rows;
use crate::kinds::{BlockOf, Kind};
use rollcall_model::draft::DraftField;
use rollcall_model::identity::FactId;
use rollcall_model::{Directory, Draft, FactError, FactKind, Millis, Organization, Places, Range};

/// Valid facts of one kind and one organization, in the order they came, not yet known to the ledger.
pub trait Columns: Default + std::fmt::Debug + Send + Into<Facts> + 'static {
    /// The fields of a fact.
    type Field: DraftField;

    /// Their kind.
    type Kind: Kind<Columns = Self>;

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

    /// The time of a fact, by which blocks are sorted.
    fn time(&self, row: usize) -> Millis;

    /// A number that facts have in common of those at one time that are best beside each other.
    fn group(&self, row: usize) -> u32;

    /// A fact as a row of a block.
    fn row(&self, row: usize, numbered: &Numbered) -> RowOf<'_, Self::Kind>;

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

/// A row of a block of a kind.
pub type RowOf<'a, K> = <BlockOf<K> as Rows>::Row<'a>;

macro_rules! facts {
    ([$($field:ident::$Kind:ident),*]) => {
        /// Facts of one kind or another.
        #[derive(Debug)]
        pub enum Facts {
            $(#[doc = concat!("Of the kind `", stringify!($field), "`.")] $Kind(<super::$Kind as Kind>::Columns),)*
        }

        $(impl From<<super::$Kind as Kind>::Columns> for Facts {
            fn from(facts: <super::$Kind as Kind>::Columns) -> Self {
                Self::$Kind(facts)
            }
        })*

        impl Facts {
            /// Their kind.
            pub const fn kind(&self) -> FactKind {
                match self { $(Self::$Kind(_) => FactKind::$Kind,)* }
            }

            /// The identity of each fact.
            pub fn ids(&self) -> &[FactId] {
                match self { $(Self::$Kind(facts) => &facts.ids,)* }
            }

            /// The hash of the rest of each fact, as given.
            pub fn contents(&self) -> &[u32] {
                match self { $(Self::$Kind(facts) => &facts.contents,)* }
            }

            /// What they cost to commit and to fold.
            pub fn cost(&self) -> &Cost {
                match self { $(Self::$Kind(facts) => facts.cost(),)* }
            }

            /// The user of each fact.
            pub const fn user_ids(&self) -> &Dictionary {
                match self { $(Self::$Kind(facts) => &facts.user_ids,)* }
            }

            /// The time of a fact, by which blocks are sorted.
            fn time(&self, row: usize) -> Millis {
                match self { $(Self::$Kind(facts) => facts.time(row),)* }
            }
        }
    };
}

crate::kinds!([facts]);

impl Facts {
    /// From the first time of some of the facts until after the last; none of no facts.
    pub(crate) fn times_of(&self, rows: &[usize]) -> Option<Range> {
        let of_rows = || rows.iter().map(|row| self.time(*row));
        Some(Range::new(of_rows().min()?, of_rows().max()? + 1))
    }

    /// How many of some of the facts have times before an instant.
    pub(crate) fn before(&self, rows: &[usize], at: Millis) -> u64 {
        rows.iter().filter(|row| self.time(**row) < at).count() as u64
    }

    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.ids().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }
}
