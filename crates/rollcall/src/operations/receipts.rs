//! `receipts`: which requests stored facts.

use super::{Context, Operation, Progress};
use rollcall_engine::erase::KeptReceipt;
use rollcall_model::calendar::rfc3339;
use rollcall_model::{FactKind, OrgId};
use serde::{Deserialize, Serialize};

/// The most receipts that are listed at a time.
const MOST: usize = 100_000;

/// Lists the last receipts of an organization.
pub enum Receipts {}

/// Which receipts are listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfReceipts {
    pub organization: OrgId,
    /// How many, from the newest on.
    pub limit: usize,
    /// Where the list before ended.
    pub cursor: Option<u64>,
}

/// The receipts that are listed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The newest first.
    pub receipts: Vec<Kept>,
    /// Where the next list begins; none: there are no more.
    pub next: Option<u64>,
}

/// A receipt, as it is printed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The number that its facts carry.
    pub receipt: u64,
    /// When it was given.
    pub at: String,
    pub fact: FactKind,
    pub accepted: u64,
    pub duplicate: u64,
    pub conflicting: u64,
    /// How many of those that were stored came more than a day after what they are about.
    #[serde(default)]
    pub late: u64,
    /// The first time of the facts that were stored.
    pub first: String,
    /// The last.
    pub last: String,
    /// When they were withdrawn by this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

impl From<KeptReceipt> for Kept {
    fn from(kept: KeptReceipt) -> Self {
        let KeptReceipt { receipt, at, fact, accepted, duplicate, conflicting, times, late, withdrawn } = kept;
        let (first, last) = (rfc3339(times.from), rfc3339(times.to - 1));
        Self { receipt, at: rfc3339(at), fact, accepted, duplicate, conflicting, late, first, last, withdrawn: withdrawn.map(rfc3339) }
    }
}

impl Operation for Receipts {
    const NAME: &'static str = "receipts";
    const DOING: &'static str = "listing receipts";
    type Asked = AskedOfReceipts;
    type Found = Listed;

    fn run(context: &Context<'_>, asked: AskedOfReceipts, _: &Progress<'_>) -> Result<Listed, String> {
        let AskedOfReceipts { organization, limit, cursor } = asked;
        let page = context.engine.receipts(organization, cursor, limit.min(MOST)).map_err(|error| error.to_string())?;
        Ok(Listed { receipts: page.receipts.into_iter().map(Kept::from).collect(), next: page.next })
    }
}
