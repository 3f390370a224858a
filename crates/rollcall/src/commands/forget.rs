//! `forget` and `retain`: facts of a person, or of long ago, erased from a data directory.

use super::operate::operate;
use crate::args::{Forget, ReceiptFormat, Retain};
use crate::config::{Config, Overrides};
use crate::failure::{Failure, Result};
use crate::operations::erase::{self, AskedOfForget, AskedOfRetain, Erased, Retained};
use crate::output;
use rollcall_model::OrgId;
use serde::Serialize;
use std::path::Path;

/// What erasing does not reach.
const ELSEWHERE: &str = "backups, exports and copies of the lake that were made before still hold them";

pub fn run(flags: &Forget) -> Result {
    if !flags.dry_run && !flags.yes {
        return Err(Failure::Usage("this erases a person for good: say --yes to do it, or --dry-run to see what would be erased".into()));
    }
    let config = flags.config.as_deref().map(|config| load(config, &flags.data)).transpose()?;
    let asked = AskedOfForget { organization: OrgId(flags.organization), user: flags.user.clone(), dry_run: flags.dry_run };
    let erased = operate::<erase::Forget>(&flags.data, config.as_ref(), asked)?;
    print(flags.format, &erased, || table([(None, &erased)]))?;
    done(flags.dry_run, [&erased])
}

pub fn retain(flags: &Retain) -> Result {
    let config = load(&flags.file.config, &flags.data)?;
    let asked = AskedOfRetain { retentions: config.retentions(), dry_run: flags.dry_run, yes_erase: flags.yes_erase };
    let retained = operate::<erase::Retain>(&flags.data, Some(&config), asked)?;
    if retained.is_empty() {
        output::note("no organization has retention_days: every fact is kept for ever");
    }
    print(flags.format, &retained, || table(retained.iter().map(|retained| (Some(retained), &retained.erased))))?;
    if retained.iter().any(|retained| retained.doubt.is_some()) {
        for Retained { organization, doubt, .. } in &retained {
            doubt.iter().for_each(|doubt| output::note(format_args!("organization {organization}: {doubt}")));
        }
        let facts: u64 = retained.iter().map(|retained| retained.erased.facts()).sum();
        output::note(format_args!("nothing of this is erased unless you say --yes-erase {facts}"));
    }
    done(flags.dry_run, retained.iter().map(|retained| &retained.erased))
}

pub(super) fn load(config: &Path, data: &Path) -> Result<Config> {
    Ok(Config::load(config, &Overrides { listen: None, data: Some(data.into()) })?)
}

pub(super) fn print(format: ReceiptFormat, found: &impl Serialize, table: impl FnOnce() -> String) -> Result {
    match format {
        ReceiptFormat::Json => {
            output::line(serde_json::to_value(found).map_err(|error| Failure::of("what was erased cannot be written", error))?)
        }
        ReceiptFormat::Table => output::data(table().as_bytes()),
    }
}

pub(super) fn table<'e>(rows: impl IntoIterator<Item = (Option<&'e Retained>, &'e Erased)>) -> String {
    let mut head = Vec::new();
    let rows: Vec<Vec<(String, bool)>> = rows
        .into_iter()
        .map(|(of, erased)| {
            let time = |time: &Option<String>| (time.clone().unwrap_or_default(), false);
            let mut cells: Vec<(&str, (String, bool))> = Vec::new();
            if let Some(Retained { organization, days, before, .. }) = of {
                cells.push(("organization", (organization.to_string(), false)));
                cells.push(("days", (days.to_string(), true)));
                cells.push(("before", (before.clone(), false)));
            }
            cells
                .extend([("attendances", (erased.attendances.to_string(), true)), ("assistances", (erased.assistances.to_string(), true))]);
            cells.extend([("first", time(&erased.first)), ("last", time(&erased.last))]);
            let counts = [
                ("ids", erased.ids),
                ("directory entries", erased.directory_entries),
                ("files rewritten", erased.files_rewritten),
                ("files removed", erased.files_removed),
            ];
            cells.extend(counts.map(|(name, count)| (name, (count.to_string(), true))));
            let proof = match &erased.proof {
                None => String::new(),
                Some(proof) if proof.holds => "nothing is left".into(),
                Some(proof) => format!(
                    "left: {} facts, {} names, {} directory entries, {} files; {} differences",
                    proof.facts, proof.names, proof.directory_entries, proof.files, proof.differences
                ),
            };
            cells.push(("proof", (proof, false)));
            head = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
            cells.into_iter().map(|(_, cell)| cell).collect()
        })
        .collect();
    if rows.is_empty() { String::new() } else { output::table(head, rows) }
}

/// Says what erasing does not reach; an error if something is left of what it does.
pub(super) fn done<'e>(dry_run: bool, erased: impl IntoIterator<Item = &'e Erased>) -> Result {
    let erased: Vec<&Erased> = erased.into_iter().collect();
    if !dry_run && erased.iter().any(|erased| erased.proof.is_some()) {
        output::note(ELSEWHERE);
    }
    if erased.iter().all(|erased| erased.is_proven()) {
        return Ok(());
    }
    Err(Failure::Message("something is left of what was erased: facts that came while it ran stay until it is done again".into()))
}
