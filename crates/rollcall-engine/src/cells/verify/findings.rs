//! What a verification found.

use rollcall_model::{FactKind, OrgId, Range};

/// How many differences, and how many damaged files, are told one by one; the others are only counted.
const MOST_TOLD: usize = 100;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Organizations that have facts or cells.
    pub organizations: u64,
    /// Facts in base cells of the days verified.
    pub facts: u64,
    /// Stored base cells compared.
    pub base_cells: u64,
    /// Kept merged cells compared.
    pub kept_cells: u64,
    /// Kept merged cells that could not be made again: what they select is no longer known, or a base cell is not readable. With mending,
    /// they are dropped.
    pub unverified: u64,
    /// All differences.
    pub differences: u64,
    /// How many of them are mended.
    pub mended: u64,
    /// The first of them, by organization and time.
    pub told: Vec<Difference>,
    /// Damaged data files of the lake, of those with facts that the days verified need.
    pub damaged_files: u64,
    /// Days of one organization and kind of fact that were not compared, because such a file has facts of them.
    pub unread_days: u64,
    /// The first of these files, by organization and time.
    pub damaged: Vec<DamagedFile>,
}

/// A data file of the lake that is not what was written: its facts cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFile {
    /// Whose facts it has.
    pub org: OrgId,
    /// Of what kind.
    pub kind: FactKind,
    /// Its name in the lake.
    pub name: String,
    /// The times of its facts, as the table's log has them.
    pub times: Range,
    /// How it differs.
    pub damage: String,
}

impl Findings {
    /// Counts a difference, and tells it if few were told before.
    pub(super) fn differ(&mut self, difference: Difference, mended: bool) {
        self.differences += 1;
        self.mended += u64::from(mended);
        if self.told.len() < MOST_TOLD {
            self.told.push(difference);
        }
    }

    /// Adds what was found elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.organizations += other.organizations;
        self.facts += other.facts;
        self.base_cells += other.base_cells;
        self.kept_cells += other.kept_cells;
        self.unverified += other.unverified;
        self.differences += other.differences;
        self.mended += other.mended;
        self.told.extend(other.told);
        self.told.truncate(MOST_TOLD);
        self.damaged_files += other.damaged_files;
        self.unread_days += other.unread_days;
        self.damaged.extend(other.damaged);
    }

    /// Keeps the first damaged files only, once nobody needs the others.
    pub(crate) fn shorten(&mut self) {
        self.damaged.truncate(MOST_TOLD);
    }
}

/// Something stored that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Whose it is.
    pub org: OrgId,
    /// What kind of cell, in words; or which ids.
    pub cell: &'static str,
    /// The instants of its slice.
    pub range: Range,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with something stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be decoded.
    Unreadable,
    /// A base cell has other entries than the facts give.
    Entries {
        /// Entries of the facts that the cell lacks.
        missing: u64,
        /// Entries of the cell without facts.
        surplus: u64,
        /// Entries of both that say something else.
        changed: u64,
    },
    /// A base cell has the entries that the facts give, but its list does not say so.
    Listed,
    /// A kept merged cell is not what its base cells give.
    Stale,
    /// The ledger has more or fewer facts of a day than default ids. Ids cannot be made again from facts.
    Ids {
        /// Facts of the day without an id of their own.
        facts: u64,
        /// Default ids of the day.
        ids: u64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable => f.write_str("cannot be decoded"),
            Self::Entries { missing, surplus, changed } => write!(f, "{missing} missing, {surplus} too many, {changed} changed"),
            Self::Listed => f.write_str("is listed as another"),
            Self::Stale => f.write_str("is not what its base cells give"),
            Self::Ids { facts, ids } => write!(f, "{facts} facts but {ids} ids"),
        }
    }
}
