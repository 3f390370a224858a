//! `compact` and `vacuum`: the files of the lake, put in order.

use super::{Context, Operation, Progress};
use rollcall_engine::lake;
use serde::{Deserialize, Serialize};

/// Joins small files to large ones.
pub enum Compact {}

/// Deletes files that nobody needs any more.
pub enum Vacuum {}

/// Nothing can be asked of compaction.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfCompact {}

/// What was joined, as it is printed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Compacted {
    pub facts: u64,
    pub files_before: u64,
    pub files_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

/// How to vacuum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfVacuum {
    /// Only say what would be deleted.
    pub dry_run: bool,
}

/// What was, or would be, deleted, as it is printed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Vacuumed {
    pub files: u64,
    pub bytes: u64,
    pub log_files: u64,
    pub log_bytes: u64,
}

impl Operation for Compact {
    const NAME: &'static str = "compact";
    const DOING: &'static str = "compacting";
    type Asked = AskedOfCompact;
    type Found = Compacted;

    fn run(context: &Context<'_>, _: AskedOfCompact, _: &Progress<'_>) -> Result<Compacted, String> {
        // What is flushed now is joined too.
        let done = context.engine.flush().and_then(|_| context.engine.compact());
        let lake::Compacted { facts, files_before, files_after, bytes_before, bytes_after } = done.map_err(|error| error.to_string())?;
        Ok(Compacted { facts, files_before, files_after, bytes_before, bytes_after })
    }
}

impl Operation for Vacuum {
    const NAME: &'static str = "vacuum";
    const DOING: &'static str = "vacuuming";
    type Asked = AskedOfVacuum;
    type Found = Vacuumed;

    fn run(context: &Context<'_>, asked: AskedOfVacuum, _: &Progress<'_>) -> Result<Vacuumed, String> {
        let done = context.engine.vacuum(jiff::Timestamp::now().as_millisecond(), asked.dry_run);
        let lake::Vacuumed { files, bytes, log_files, log_bytes } = done.map_err(|error| error.to_string())?;
        Ok(Vacuumed { files, bytes, log_files, log_bytes })
    }
}
