//! `verify`: the cells of a data directory, held against its facts.

use super::local;
use super::operate::operate;
use crate::args::{Prove, ReceiptFormat};
use crate::failure::{Failure, Result};
use crate::operations::Operation;
use crate::operations::prove::{Asked, Found, Told, Verify};
use crate::output;
use rollcall_model::OrgId;

pub fn run(flags: &Prove) -> Result {
    judge(&prove::<Verify>(flags)?)
}

/// Fails if there are differences.
pub(super) fn judge(found: &Found) -> Result {
    match found.differences {
        0 => Ok(()),
        found => Err(Failure::Message(format!("{found} differences; `rollcall rebuild` makes cells anew from the facts"))),
    }
}

/// Does the operation to the data directory of the flags, and prints what it found.
pub(super) fn prove<O: Operation<Asked = Asked, Found = Found>>(flags: &Prove) -> Result<Found> {
    let asked = Asked { organization: flags.organization.map(OrgId), from: flags.from, to: flags.to };
    asked.scope().map_err(Failure::Usage)?;
    let found = operate::<O>(&flags.data, local::configuration(&flags.store)?.as_ref(), asked)?;
    if let (Some(id), 0) = (flags.organization, found.organizations) {
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
    let Found { organizations, facts, base_cells, kept_cells, unverified, differences, mended, first: _ } = found;
    let head = ["organizations", "facts", "base cells", "kept cells", "unverified", "differences", "mended"].map(Into::into);
    let counts = [organizations, facts, base_cells, kept_cells, unverified, differences, mended];
    text + &output::table(head, [counts.map(|count| (count.to_string(), true)).into()])
}

fn json(found: &Found) -> Result<serde_json::Value> {
    serde_json::to_value(found).map_err(|error| Failure::of("what was found cannot be written", error))
}
