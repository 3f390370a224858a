//! `verify` and `rebuild`: the lake's data files, held against their checksums, and the cells of a data directory, against its facts.

use super::{Context, Operation, Progress};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_engine::cells::{DamagedFile, Difference, Fault, Findings, Scope};
use rollcall_model::calendar::rfc3339;
use rollcall_model::{Calendar, OrgId, Range};
use serde::{Deserialize, Serialize};

/// Names cells that are not what the facts say.
pub enum Verify {}

/// Makes such cells anew.
pub enum Rebuild {}

/// What is held against the facts: everything, unless something is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Only this organization.
    pub organization: Option<OrgId>,
    /// The first day, of UTC; given together with `to`.
    pub from: Option<Date>,
    /// The day after the last.
    pub to: Option<Date>,
}

/// What was found, as it is printed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    pub organizations: u64,
    pub facts: u64,
    pub base_cells: u64,
    pub kept_cells: u64,
    pub unverified: u64,
    pub differences: u64,
    pub mended: u64,
    /// The first differences.
    pub first: Vec<Told>,
    pub damaged_files: u64,
    /// Days that were not compared, as damaged files have facts of them.
    pub unread_days: u64,
    /// The first damaged files.
    pub damaged: Vec<ToldFile>,
}

/// A damaged data file of the lake.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToldFile {
    pub organization: OrgId,
    pub file: String,
    /// The times of its facts: from the first to after the last.
    pub from: String,
    pub to: String,
    pub damage: String,
}

/// A difference.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    pub organization: OrgId,
    pub what: String,
    pub from: String,
    pub to: String,
    pub difference: String,
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// The numbers in the words of a difference: of entries, or of facts and ids.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Numbers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surplus: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<u64>,
}

impl Operation for Verify {
    const NAME: &'static str = "verify";
    const DOING: &'static str = "verifying";
    type Asked = Asked;
    type Found = Found;

    fn run(context: &Context<'_>, asked: Asked, progress: &Progress<'_>) -> Result<Found, String> {
        let scope = asked.scope()?;
        store_live(context);
        let found = context.engine.verify(&scope, progress);
        found.map(Found::from).map_err(|error| error.to_string())
    }
}

impl Operation for Rebuild {
    const NAME: &'static str = "rebuild";
    const DOING: &'static str = "rebuilding";
    type Asked = Asked;
    type Found = Found;

    fn run(context: &Context<'_>, asked: Asked, progress: &Progress<'_>) -> Result<Found, String> {
        let scope = asked.scope()?;
        store_live(context);
        let found = context.engine.rebuild(&scope, progress);
        found.map(Found::from).map_err(|error| error.to_string())
    }
}

/// Stores what is live, so that it is held against the facts too. A stored cell that is broken may prevent that, and is what will be named.
fn store_live(context: &Context<'_>) {
    if let Err(error) = context.engine.checkpoint() {
        tracing::warn!(%error, "the newest facts are not verified: no checkpoint could be made");
    }
}

impl Asked {
    /// What that is to the engine, or what is wrong with it.
    pub fn scope(&self) -> Result<Scope, String> {
        let utc = Calendar::new(TimeZone::UTC);
        let range = match (self.from, self.to) {
            (None, None) => Scope::ALL.range,
            (Some(from), Some(to)) if from <= to => Range::new(utc.start_of(from), utc.day(to).to),
            (Some(_), Some(to)) => return Err(format!("--to {to}: expected a day not before --from")),
            (Some(_), None) | (None, Some(_)) => return Err("--from and --to: expected both or none".into()),
        };
        Ok(Scope { org: self.organization, range: range.intersect(&Scope::ALL.range) })
    }
}

impl From<Findings> for Found {
    fn from(found: Findings) -> Self {
        Self {
            organizations: found.organizations,
            facts: found.facts,
            base_cells: found.base_cells,
            kept_cells: found.kept_cells,
            unverified: found.unverified,
            differences: found.differences,
            mended: found.mended,
            first: found.told.into_iter().map(Told::from).collect(),
            damaged_files: found.damaged_files,
            unread_days: found.unread_days,
            damaged: found.damaged.into_iter().map(ToldFile::from).collect(),
        }
    }
}

impl From<DamagedFile> for ToldFile {
    fn from(DamagedFile { org, kind: _, name, times, damage }: DamagedFile) -> Self {
        Self { organization: org, file: name, from: rfc3339(times.from), to: rfc3339(times.to), damage }
    }
}

impl From<Difference> for Told {
    fn from(Difference { org, cell, range, fault }: Difference) -> Self {
        let numbers = match fault {
            Fault::Entries { missing, surplus, changed } => {
                Numbers { missing: Some(missing), surplus: Some(surplus), changed: Some(changed), ..Numbers::default() }
            }
            Fault::Ids { facts, ids } => Numbers { facts: Some(facts), ids: Some(ids), ..Numbers::default() },
            Fault::Unreadable | Fault::Listed | Fault::Stale => Numbers::default(),
        };
        let (from, to) = (rfc3339(range.from), rfc3339(range.to));
        Self { organization: org, what: cell.to_owned(), from, to, difference: fault.to_string(), numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_the_same_after_the_socket() {
        let difference = |fault| Difference { org: OrgId(uuid::Uuid::nil()), cell: "stays", range: Range::new(0, 900_000), fault };
        let faults = [Fault::Entries { missing: 1, surplus: 0, changed: 2 }, Fault::Ids { facts: 3, ids: 4 }, Fault::Stale];
        let told: Vec<Told> = faults.map(|fault| difference(fault).into()).into();
        let found = Found { differences: 3, first: told, ..Found::default() };
        let text = serde_json::to_value(&found).unwrap();
        let first = serde_json::json!({
            "organization": "00000000-0000-0000-0000-000000000000", "what": "stays", "from": "1970-01-01T00:00:00Z",
            "to": "1970-01-01T00:15:00Z", "difference": "1 missing, 0 too many, 2 changed", "missing": 1, "surplus": 0, "changed": 2,
        });
        assert_eq!(text["first"][0], first);
        assert_eq!(serde_json::to_value(serde_json::from_value::<Found>(text.clone()).unwrap()).unwrap(), text);
    }

    #[test]
    fn any_days_make_a_scope_or_an_error() {
        let asked = |text| serde_json::from_str::<Asked>(text).unwrap().scope();
        assert_eq!(asked("{}"), Ok(Scope::ALL));
        assert_eq!(asked(r#"{"from":"-009999-01-01","to":"9999-12-31"}"#), Ok(Scope::ALL));
        assert!(asked(r#"{"from":"2025-03-04","to":"2025-03-03"}"#).is_err());
        assert!(asked(r#"{"from":"2025-03-04"}"#).is_err());
        assert!(asked(r#"{"to":"2025-03-04"}"#).is_err());
    }
}
