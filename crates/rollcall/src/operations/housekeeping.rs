//! `flush`, `compact` and `vacuum`: facts put into the lake, and its files in order.

use super::{Context, Operation, Progress};
use rollcall_engine::lake::{Compacted, Vacuumed};
use serde::{Deserialize, Serialize};

/// Puts every fact acknowledged before into the lake.
pub enum Flush {}

/// Joins small files to large ones.
pub enum Compact {}

/// Deletes files that nobody needs any more.
pub enum Vacuum {}

/// Nothing can be asked of a flush.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfFlush {}

/// What a flush did.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Flushed {
    /// How many facts waited in the ledger, and are in the lake now.
    pub facts: u64,
}

/// Nothing can be asked of compaction.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfCompact {}

/// How to vacuum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfVacuum {
    /// Only say what would be deleted.
    pub dry_run: bool,
}

impl Operation for Flush {
    const NAME: &'static str = "flush";
    const DOING: &'static str = "flushing";
    type Asked = AskedOfFlush;
    type Found = Flushed;

    fn run(context: &Context<'_>, _: AskedOfFlush, _: &Progress<'_>) -> Result<Flushed, String> {
        context.engine.flush().map(|facts| Flushed { facts }).map_err(|error| error.to_string())
    }
}

impl Operation for Compact {
    const NAME: &'static str = "compact";
    const DOING: &'static str = "compacting";
    type Asked = AskedOfCompact;
    type Found = Compacted;

    fn run(context: &Context<'_>, _: AskedOfCompact, _: &Progress<'_>) -> Result<Compacted, String> {
        // What is flushed now is joined too.
        context.engine.flush().and_then(|_| context.engine.compact()).map_err(|error| error.to_string())
    }
}

impl Operation for Vacuum {
    const NAME: &'static str = "vacuum";
    const DOING: &'static str = "vacuuming";
    type Asked = AskedOfVacuum;
    type Found = Vacuumed;

    fn run(context: &Context<'_>, asked: AskedOfVacuum, _: &Progress<'_>) -> Result<Vacuumed, String> {
        context.engine.vacuum(jiff::Timestamp::now().as_millisecond(), asked.dry_run).map_err(|error| error.to_string())
    }
}
