//! The data files of a table: what one version of it holds.

use super::change::Change;
use crate::error::EngineError;
use crate::kinds::words::Worded;
use crate::lake::checksums::Checksum;
use crate::lake::failed;
use crate::ledger::Durable;
use jiff::Timestamp;
use rollcall_model::calendar::rfc3339;
use rollcall_model::{Millis, OrgId, Range};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// A month of UTC, as tables are partitioned by it: `2025-03`.
pub(crate) type Month = String;

/// A data file, as the table's log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its name in the table.
    pub name: String,
    /// Whose facts it holds.
    pub org: OrgId,
    /// The month that their times lie in.
    pub month: Month,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since 1970.
    pub written: Millis,
    /// How many facts it holds.
    pub facts: u64,
    /// The times of its facts.
    pub times: Range,
    /// When what its facts are about began: from the first to the last.
    pub began: Range,
    /// When it ended.
    pub ended: Range,
    /// The first and the last user of its facts, by bytes.
    pub users: (String, String),
    /// What its bytes are checked by; none: it was written before there were checksums.
    pub checksum: Option<Checksum>,
}

/// The newest commit that came of a flush.
#[derive(Debug, PartialEq, Eq)]
pub struct Flushed {
    /// Its version of the table.
    pub version: u64,
    /// The position of the ledger up to which it brought the facts of some organizations.
    pub position: u64,
    /// These organizations, which ascend.
    pub of: Vec<OrgId>,
}

/// The data files of an organization, by month and time: most have few months, so a tree would take more room than they do.
type Months = Vec<(Month, Vec<Arc<DataFile>>)>;

/// What one version of a table holds. While someone has it, none of its files is removed. Versions share what they have in common.
#[derive(Debug, Default)]
pub struct Files {
    /// The version of the table; none before there is a table.
    pub version: Option<u64>,
    /// The last position of the ledger of which the table has facts.
    pub position: u64,
    /// What came last from the ledger, which may still have it too. What came before, the ledger forgot before that.
    pub flushed: Option<Arc<Flushed>>,
    pub(super) by_org: BTreeMap<OrgId, Arc<Months>>,
    pub(super) facts: u64,
    pub(super) bytes: u64,
    /// The sum of the hashes of what the log says of each file.
    pub(in crate::lake) sum: u128,
}

impl Files {
    /// Every file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        self.by_org.values().flat_map(|months| months.iter().flat_map(|(_, files)| files))
    }

    /// The files of an organization.
    pub fn of(&self, org: OrgId) -> impl Iterator<Item = &Arc<DataFile>> {
        self.by_org.get(&org).into_iter().flat_map(|months| months.iter().flat_map(|(_, files)| files))
    }

    /// The files of an organization and month.
    pub fn of_month(&self, org: OrgId, month: &str) -> &[Arc<DataFile>] {
        let months = self.by_org.get(&org).map_or(&[][..], |months| months);
        place_of(months, month).ok().and_then(|at| months.get(at)).map_or(&[], |(_, files)| files)
    }

    /// Every organization that has files.
    pub fn organizations(&self) -> impl Iterator<Item = OrgId> {
        self.by_org.keys().copied()
    }

    /// Every organization and month that has files; they ascend.
    pub fn months(&self) -> impl Iterator<Item = (OrgId, &Month)> {
        self.by_org.iter().flat_map(|(org, months)| months.iter().map(|(month, _)| (*org, month)))
    }

    /// The position of the ledger up to which blocks of an organization that are still there are in the table.
    pub(crate) fn covers(&self, org: OrgId) -> u64 {
        self.flushed.as_ref().filter(|flushed| flushed.of.binary_search(&org).is_ok()).map_or(0, |flushed| flushed.position)
    }

    /// How many facts there are.
    pub const fn facts(&self) -> u64 {
        self.facts
    }

    /// What the ledger notes of the version, when it is durable.
    pub(crate) fn durable(&self) -> Option<Durable> {
        Some(Durable { version: self.version?, position: self.position, facts: self.facts() })
    }

    /// How many bytes the files have.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells this version from one of which the log has lost or changed something.
    pub(in crate::lake) fn fingerprint(&self) -> u128 {
        let numbers = [self.version.unwrap_or_default(), self.position, self.facts()].map(u64::to_le_bytes);
        xxh3_128(&[numbers.as_flattened(), &self.sum.to_le_bytes()].concat())
    }

    pub(in crate::lake) fn add(&mut self, file: DataFile) {
        self.sum = self.sum.wrapping_add(file.hash());
        (self.facts, self.bytes) = (self.facts + file.facts, self.bytes + file.size);
        let months = Arc::make_mut(self.by_org.entry(file.org).or_default());
        match place_of(months, &file.month) {
            Ok(at) => {
                if let Some((_, of_month)) = months.get_mut(at) {
                    let at = of_month.partition_point(|other| other.times.from <= file.times.from);
                    of_month.insert(at, Arc::new(file));
                }
            }
            Err(at) => {
                months.reserve_exact(1);
                months.insert(at, (file.month.clone(), vec![Arc::new(file)]));
            }
        }
    }

    fn remove(&mut self, file: &DataFile) {
        let Some(months) = self.by_org.get_mut(&file.org) else { return };
        let months = Arc::make_mut(months);
        let Ok(at) = place_of(months, &file.month) else { return };
        let Some((_, of_month)) = months.get_mut(at) else { return };
        for gone in of_month.extract_if(.., |other| other.name == file.name) {
            self.sum = self.sum.wrapping_sub(gone.hash());
            (self.facts, self.bytes) = (self.facts - gone.facts, self.bytes - gone.size);
        }
        if of_month.is_empty() {
            months.remove(at);
        }
        if months.is_empty() {
            self.by_org.remove(&file.org);
        }
    }

    /// The next version: without some files, with others.
    pub(in crate::lake) fn next(&self, version: u64, change: &Change) -> Self {
        let Self { position, flushed, by_org, facts, bytes, sum, .. } = self;
        let mut next = Self {
            version: Some(version),
            position: *position,
            flushed: flushed.clone(),
            by_org: by_org.clone(),
            facts: *facts,
            bytes: *bytes,
            sum: *sum,
        };
        change.removed.iter().for_each(|file| next.remove(file));
        change.added.iter().for_each(|file| next.add(file.clone()));
        if let Some((position, of)) = &change.covers {
            next.position = *position;
            next.flushed = Some(Arc::new(Flushed::new(version, *position, of.clone())));
        }
        next
    }
}

impl Flushed {
    pub(super) fn new(version: u64, position: u64, mut of: Vec<OrgId>) -> Self {
        of.sort_unstable();
        of.dedup();
        Self { version, position, of }
    }
}

/// Where a month is, or would be.
fn place_of(months: &[(Month, Vec<Arc<DataFile>>)], month: &str) -> Result<usize, usize> {
    months.binary_search_by(|(other, _)| other.as_str().cmp(month))
}

/// The month of a time.
pub(in crate::lake) fn month_of(at: Millis) -> Month {
    rfc3339(at).get(..7).unwrap_or_default().to_owned()
}

/// The statistics of a file in the log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    num_records: u64,
    min_values: Map<String, Value>,
    max_values: Map<String, Value>,
}

impl DataFile {
    /// A hash of what the log says of it.
    fn hash(&self) -> u128 {
        let Self { name, org, month, size, written, facts, times, began, ended, users, checksum } = self;
        let numbers = [*size, *facts].map(u64::to_le_bytes);
        let instants = [*written, times.from, times.to, began.from, began.to, ended.from, ended.to].map(i64::to_le_bytes);
        let checksum = checksum.map(|checksum| checksum.to_string()).unwrap_or_default();
        let texts = [name, month, &users.0, &users.1, &checksum].map(|text| [&text.len().to_le_bytes(), text.as_bytes()].concat());
        xxh3_128(&[numbers.as_flattened(), instants.as_flattened(), org.0.as_bytes(), &texts.concat()].concat())
    }

    /// The instants that its facts are about.
    pub const fn reach(&self) -> Range {
        Range::new(self.began.from, self.ended.to)
    }

    /// The columns that the log has statistics of, with the least and the greatest value of each, as the log writes them. They are exact:
    /// some engines answer `max(left_at)` from them.
    pub(in crate::lake) fn bounds<B: Worded>(&self) -> Vec<(&'static str, [String; 2])> {
        let times = |range: Range| [rfc3339(range.from), rfc3339(range.to - 1)];
        let mut bounds = vec![(B::TIME, times(self.times))];
        if B::REACH != [B::TIME; 2] {
            bounds.extend([(B::REACH[0], times(self.began)), (B::REACH[1], times(self.ended))]);
        }
        bounds.push(("user_id", [self.users.0.clone(), self.users.1.clone()]));
        bounds
    }

    /// A file as the log has it.
    pub(in crate::lake) fn read<B: Worded>(
        name: &str,
        org: OrgId,
        month: &str,
        (size, written): (u64, Millis),
        statistics: &str,
        checksum: Option<&str>,
    ) -> Result<Self, EngineError> {
        let Statistics { num_records, min_values, max_values } = serde_json::from_str(statistics).map_err(failed)?;
        let text = |values: &Map<String, Value>, column: &str| values.get(column).and_then(Value::as_str).map(str::to_owned);
        let at = |values: &Map<String, Value>, column: &str| text(values, column)?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
        let missing = || EngineError::Storage(format!("{name}: the log of the lake has no statistics of it"));
        let range = |column: &str| {
            let ends = at(&min_values, column).zip(at(&max_values, column)).ok_or_else(missing)?;
            Ok::<_, EngineError>(Range::new(ends.0, ends.1 + 1))
        };
        Ok(Self {
            name: name.to_owned(),
            org,
            month: month.to_owned(),
            size,
            written,
            facts: num_records,
            times: range(B::TIME)?,
            began: range(B::REACH[0])?,
            ended: range(B::REACH[1])?,
            users: text(&min_values, "user_id").zip(text(&max_values, "user_id")).ok_or_else(missing)?,
            checksum: checksum
                .map(str::parse)
                .transpose()
                .map_err(|error| EngineError::Storage(format!("{name}: {error}: {checksum:?}")))?,
        })
    }
}
