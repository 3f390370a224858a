//! `verify`: the lake's data files, held against their checksums, and the cells of a data directory, against its facts.

use super::local;
use super::operate::operate;
use crate::args::{Prove, ReceiptFormat};
use crate::failure::{Failure, Result};
use crate::operations::Operation;
use crate::operations::prove::{Asked, Found, Told, ToldFile, Verify};
use crate::output;
use rollcall_model::OrgId;

pub fn run(flags: &Prove) -> Result {
    judge(&prove::<Verify>(flags)?)
}

/// Fails if there are damaged files or differences. The former come first: cells are made anew from facts, so not before these are whole.
pub(super) fn judge(found: &Found) -> Result {
    match (found.damaged_files, found.differences) {
        (0, 0) => Ok(()),
        (0, found) => Err(Failure::Message(format!("{found} differences; `rollcall rebuild` makes cells anew from the facts"))),
        (files, differences) => {
            let cells = match differences {
                0 => String::new(),
                found => format!("; elsewhere {found} differences, for `rollcall rebuild` afterwards"),
            };
            Err(Failure::Damaged(format!("{}, and {} days were not compared{cells}. {REPAIR}", damaged(files), found.unread_days)))
        }
    }
}

/// What to do about damaged files.
pub(super) const REPAIR: &str =
    "Stop the server, and put back what a backup has: `rollcall restore BACKUP --data DIR --only-damaged`; then verify again";

/// How many files are damaged, in words.
pub(super) fn damaged(files: u64) -> String {
    if files == 1 { "1 data file of the lake is damaged".into() } else { format!("{files} data files of the lake are damaged") }
}

/// Does the operation to the data directory of the flags, and prints what it found.
pub(super) fn prove<O: Operation<Asked = Asked, Found = Found>>(flags: &Prove) -> Result<Found> {
    let asked = Asked { organization: flags.organization.map(OrgId), from: flags.from, to: flags.to };
    asked.scope().map_err(Failure::Usage)?;
    let found = operate::<O>(&flags.data, local::configuration(&flags.store)?.as_ref(), asked)?;
    if let (Some(id), 0, 0) = (flags.organization, found.organizations, found.damaged_files) {
        return Err(Failure::Message(format!("organization {id} has neither facts nor cells in {}", flags.data.display())));
    }
    print(&found, flags.format)?;
    Ok(found)
}

/// Prints what was found.
pub(super) fn print(found: &Found, format: ReceiptFormat) -> Result {
    match format {
        ReceiptFormat::Json => output::line(json(found)?),
        ReceiptFormat::Table => output::data(table(found).as_bytes()),
    }
}

fn table(found: &Found) -> String {
    let row = |told: &Told| {
        let Told { organization, what, from, to, difference, numbers: _ } = told;
        [&organization.to_string(), what, from, to, difference].map(|word| (word.clone(), false)).into()
    };
    let mut text = String::new();
    if !found.first.is_empty() {
        let head = ["organization", "what", "from", "to", "difference"].map(Into::into);
        text = output::table(head, found.first.iter().map(row)) + "\n";
    }
    if !found.damaged.is_empty() {
        let row = |told: &ToldFile| {
            let ToldFile { organization, file, from, to, damage } = told;
            [&organization.to_string(), file, from, to, damage].map(|word| (word.clone(), false)).into()
        };
        let head = ["organization", "damaged file", "from", "to", "damage"].map(Into::into);
        text = text + &output::table(head, found.damaged.iter().map(row)) + "\n";
    }
    let Found { organizations, facts, base_cells, kept_cells, unverified, differences, mended, damaged_files, unread_days, .. } = found;
    let head =
        ["organizations", "facts", "base cells", "kept cells", "unverified", "differences", "mended", "damaged files", "unread days"];
    let head = head.map(Into::into);
    let counts = [organizations, facts, base_cells, kept_cells, unverified, differences, mended, damaged_files, unread_days];
    text + &output::table(head, [counts.map(|count| (count.to_string(), true)).into()])
}

fn json(found: &Found) -> Result<serde_json::Value> {
    serde_json::to_value(found).map_err(|error| Failure::of("what was found cannot be written", error))
}
