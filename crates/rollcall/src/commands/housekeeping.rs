//! `flush`, `compact` and `vacuum`: a data directory's facts put into its lake, and the files there in order.

use super::local;
use super::operate::operate;
use crate::args::{Compact, Flush, ReceiptFormat, Vacuum};
use crate::failure::{Failure, Result};
use crate::operations::housekeeping::{self, AskedOfCompact, AskedOfFlush, AskedOfVacuum, Flushed};
use crate::output;
use rollcall_engine::lake::{Compacted, Vacuumed};
use serde::Serialize;

pub fn flush(flags: &Flush) -> Result {
    let done = operate::<housekeeping::Flush>(&flags.data, local::configuration(&flags.store)?.as_ref(), AskedOfFlush {})?;
    let Flushed { facts } = done;
    print(flags.format, &done, ["facts"], [facts])
}

pub fn compact(flags: &Compact) -> Result {
    let done = operate::<housekeeping::Compact>(&flags.data, local::configuration(&flags.store)?.as_ref(), AskedOfCompact {})?;
    let Compacted { facts, files_before, files_after, bytes_before, bytes_after } = done;
    let head = ["facts", "files before", "files after", "bytes before", "bytes after"];
    print(flags.format, &done, head, [facts, files_before, files_after, bytes_before, bytes_after])
}

pub fn vacuum(flags: &Vacuum) -> Result {
    let done = operate::<housekeeping::Vacuum>(
        &flags.data,
        local::configuration(&flags.store)?.as_ref(),
        AskedOfVacuum { dry_run: flags.dry_run },
    )?;
    let Vacuumed { files, bytes, log_files, log_bytes } = done;
    print(flags.format, &done, ["files", "bytes", "log files", "log bytes"], [files, bytes, log_files, log_bytes])
}

fn print<const N: usize>(format: ReceiptFormat, done: &impl Serialize, head: [&str; N], counts: [u64; N]) -> Result {
    match format {
        ReceiptFormat::Json => {
            output::line(serde_json::to_value(done).map_err(|error| Failure::of("what was done cannot be written", error))?)
        }
        ReceiptFormat::Table => {
            let table = output::table(head.map(Into::into), [counts.map(|count| (count.to_string(), true)).into()]);
            output::data(table.as_bytes())
        }
    }
}
