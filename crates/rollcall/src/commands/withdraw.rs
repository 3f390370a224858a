//! `receipts` and `withdraw`: which requests stored facts, and facts that are taken back.

use super::forget;
use super::operate::operate;
use crate::args::{At, Receipts, Withdraw};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::operations::erase::{self, AskedOfWithdraw};
use crate::operations::receipts::{self, AskedOfReceipts, Kept};
use crate::output;
use crate::reports;
use jiff::tz::TimeZone;
use rollcall_engine::erase::Conditions;
use rollcall_model::OrgId;
use std::path::Path;

impl At {
    /// The configuration, where it is given.
    pub(super) fn config(&self) -> Result<Option<Config>> {
        self.config.as_deref().map(|config| forget::load(config, &self.data)).transpose()
    }
}

/// Lists the last receipts of an organization.
pub fn receipts(flags: &Receipts) -> Result {
    let config = flags.at.config()?;
    let asked = AskedOfReceipts { organization: OrgId(flags.at.organization), limit: flags.limit, cursor: flags.cursor };
    let listed = operate::<receipts::Receipts>(&flags.at.data, config.as_ref(), asked)?;
    forget::print(flags.format, &listed, || table(&listed.receipts))?;
    if let Some(next) = listed.next {
        output::note(format_args!("older ones: --cursor {next}"));
    }
    Ok(())
}

fn table(receipts: &[Kept]) -> String {
    let head = ["receipt", "at", "fact", "accepted", "duplicate", "conflicting", "first", "last", "withdrawn"];
    let row = |kept: &Kept| {
        let number = |number: u64| (number.to_string(), true);
        let text = |text: &str| (text.to_owned(), false);
        let counts = [kept.accepted, kept.duplicate, kept.conflicting].map(number);
        let mut row = vec![number(kept.receipt), text(&kept.at), text(kept.fact.name())];
        row.extend(counts);
        row.extend([&kept.first, &kept.last, kept.withdrawn.as_deref().unwrap_or_default()].map(text));
        row
    };
    if receipts.is_empty() { String::new() } else { output::table(head.map(str::to_owned), receipts.iter().map(row)) }
}

/// Takes facts back.
pub fn run(flags: &Withdraw) -> Result {
    if !flags.dry_run && !flags.yes {
        return Err(Failure::Usage("this takes facts back: say --dry-run to see how many, and --yes to do it".into()));
    }
    let config = flags.at.config()?;
    let organization = OrgId(flags.at.organization);
    // Days are those of the organization's zone.
    let zone = config.as_ref().and_then(|config| Some(config.organization(organization)?.tenant.organization.zone.clone()));
    let at = |name: &str, given: &Option<String>| {
        let Some(text) = given else { return Ok(None) };
        if reports::is_days(text) && zone.is_none() {
            let missing = "a day is one of the organization's time zone: say --config, or an instant such as 2025-03-01T08:00:00Z";
            return Err(Failure::Usage(format!("--{name} {text}: {missing}")));
        }
        let read = if name == "to" { reports::end_time } else { reports::time };
        let parsed = read(name, Some(text), zone.as_ref().unwrap_or(&TimeZone::UTC));
        parsed.map(Some).map_err(|bad| Failure::Usage(bad.to_string()))
    };
    let conditions = Conditions {
        fact: flags.fact.map(|fact| fact.0),
        receipts: flags.receipt.clone(),
        from_receipt: flags.from_receipt,
        to_receipt: flags.to_receipt,
        session_id: flags.session.clone(),
        app: flags.app.clone(),
        ids: flags.ids.as_deref().map(ids).transpose()?.unwrap_or_default(),
        from: at("from", &flags.from)?,
        to: at("to", &flags.to)?,
    };
    if let Err(unfit) = conditions.clone().selection() {
        return Err(Failure::Usage(unfit.to_string()));
    }
    let asked = AskedOfWithdraw { organization, conditions, dry_run: flags.dry_run };
    let erased = operate::<erase::Withdraw>(&flags.at.data, config.as_ref(), asked)?;
    forget::print(flags.format, &erased, || forget::table([(None, &erased)]))?;
    forget::done(flags.dry_run, [&erased])
}

/// The ids in a file, one a line.
fn ids(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::of(file.display(), error))?;
    let ids: Vec<String> = text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    // Without any it would be whatever else is said.
    if ids.is_empty() { Err(Failure::Usage(format!("--ids {}: the file has no id", file.display()))) } else { Ok(ids) }
}
