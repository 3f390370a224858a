//! `verify`: the cells of a data directory, held against its facts.

use crate::args::{Prove, ReceiptFormat};
use crate::failure::{Failure, Result};
use crate::output;
use jiff::tz::TimeZone;
use rollcall_engine::cells::{Difference, Fault, Findings, Progress, Scope};
use rollcall_engine::{Engine, EngineError, Settings};
use rollcall_model::calendar::rfc3339;
use rollcall_model::{Calendar, OrgId, Range};

pub fn run(flags: &Prove) -> Result {
    let found = prove(flags, "verifying", Engine::verify)?;
    match found.differences {
        0 => Ok(()),
        found => Err(Failure::Message(format!("{found} differences; `rollcall rebuild` makes cells anew from the facts"))),
    }
}

/// Does what `work` does to the data directory of the flags, and prints what it found.
pub(super) fn prove(
    flags: &Prove,
    doing: &'static str,
    work: impl Fn(&Engine, &Scope, &Progress<'_>) -> Result<Findings, EngineError>,
) -> Result<Findings> {
    let scope = scope(flags)?;
    // An engine would make the directory.
    if !flags.data.join("ledger").is_dir() {
        return Err(Failure::Message(format!("{} is no data directory", flags.data.display())));
    }
    let engine = Engine::open(&flags.data, Settings::default())?;
    let bar = output::progress(0, "{msg} {wide_bar} {percent}% {eta}");
    bar.set_message(doing);
    let found = work(&engine, &scope, &|done, of| {
        bar.set_length(of);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let found = found?;
    if let (Some(id), 0) = (flags.organization, found.organizations) {
        return Err(Failure::Message(format!("organization {id} has neither facts nor cells in {}", flags.data.display())));
    }
    match flags.format {
        ReceiptFormat::Json => output::line(json(&found))?,
        ReceiptFormat::Table => output::data(table(&found).as_bytes())?,
    }
    Ok(found)
}

fn scope(flags: &Prove) -> Result<Scope> {
    let utc = Calendar::new(TimeZone::UTC);
    let range = match (flags.from, flags.to) {
        (Some(from), Some(to)) if from >= to => return Err(Failure::Usage(format!("--to {to}: expected a day after --from"))),
        (Some(from), Some(to)) => Range::new(utc.start_of(from), utc.start_of(to)),
        _ => Scope::ALL.range,
    };
    Ok(Scope { org: flags.organization.map(OrgId), range: range.intersect(&Scope::ALL.range) })
}

fn table(found: &Findings) -> String {
    let row = |difference: &Difference| {
        let Difference { org, cell, range, fault } = difference;
        let words = [org.to_string(), (*cell).to_owned(), rfc3339(range.from), rfc3339(range.to), fault.to_string()];
        words.map(|word| (word, false)).into()
    };
    let mut text = String::new();
    if !found.told.is_empty() {
        let head = ["organization", "what", "from", "to", "difference"].map(Into::into);
        text = output::table(head, found.told.iter().map(row)) + "\n";
    }
    let head = counts(found).map(|(name, _)| name.replace('_', " "));
    text + &output::table(head, [counts(found).map(|(_, count)| (count.to_string(), true)).into()])
}

fn counts(found: &Findings) -> [(&'static str, u64); 7] {
    let Findings { organizations, facts, base_cells, kept_cells, unverified, differences, mended, told: _ } = *found;
    [
        ("organizations", organizations),
        ("facts", facts),
        ("base_cells", base_cells),
        ("kept_cells", kept_cells),
        ("unverified", unverified),
        ("differences", differences),
        ("mended", mended),
    ]
}

fn json(found: &Findings) -> serde_json::Value {
    let counts = counts(found).into_iter().map(|(name, count)| (name.to_owned(), count.into()));
    let first = found.told.iter().map(|difference| {
        let Difference { org, cell, range, fault } = difference;
        let mut told = serde_json::json!({
            "organization": org, "what": cell, "from": rfc3339(range.from), "to": rfc3339(range.to), "difference": fault.to_string(),
        });
        match *fault {
            Fault::Entries { missing, surplus, changed } => {
                (told["missing"], told["surplus"], told["changed"]) = (missing.into(), surplus.into(), changed.into());
            }
            Fault::Ids { facts, ids } => (told["facts"], told["ids"]) = (facts.into(), ids.into()),
            Fault::Unreadable | Fault::Stale => {}
        }
        told
    });
    let first: Vec<_> = first.collect();
    serde_json::Value::Object(counts.chain([("first".to_owned(), first.into())]).collect())
}
