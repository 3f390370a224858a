//! Facts found, and taken out of data files.

use super::change::Change;
use super::files::Files;
use super::read::{self, FileReader};
use super::write::{Effort, FileWriter};
use super::{DataFile, Lake};
use crate::crash;
use crate::error::EngineError;
use crate::kinds::stored::Wanted;
use crate::kinds::words::{self, RECEIPT, Worded, millis, text_of};
use crate::selection::{Conditions, Selection};
use arrow_array::{Array, BooleanArray, RecordBatch};
use hashbrown::HashSet;
use rollcall_model::{FactId, FactKind, Millis, OrgId, Range};
use std::sync::Arc;

/// All facts of a file.
const ALL: Wanted = Wanted::times(Range::new(Millis::MIN, Millis::MAX));

/// A selection, ready to be held against facts in words.
pub(crate) struct Matcher<'s> {
    selection: &'s Selection,
    /// The ids that are named; none: any.
    ids: Option<HashSet<&'s str>>,
    /// Those of them that are written as default ids are.
    defaults: HashSet<FactId>,
}

impl<'s> Matcher<'s> {
    pub(crate) fn new(selection: &'s Selection) -> Self {
        let ids: &[String] = if let Selection::Where(conditions) = selection { &conditions.ids } else { &[] };
        Self {
            selection,
            ids: (!ids.is_empty()).then(|| ids.iter().map(String::as_str).collect()),
            defaults: ids.iter().filter_map(|id| FactId::written_default(id)).collect(),
        }
    }

    /// Whether facts of a file may be named, as far as the log tells.
    pub(crate) fn may_be_in(&self, kind: FactKind, file: &DataFile) -> bool {
        let is_of_user = match self.selection {
            Selection::User(user) => file.users.0 <= *user && *user <= file.users.1,
            _ => true,
        };
        is_of_user && self.selection.may_name(kind) && !file.times.intersect(&self.selection.times()).is_empty()
    }

    /// Whether the log tells that all facts of a file are named that may be.
    fn names_all(&self, file: &DataFile) -> bool {
        let times = self.selection.times();
        let are_in_time = times.from <= file.times.from && file.times.to <= times.to;
        match self.selection {
            Selection::User(user) => file.users.0 == *user && *user == file.users.1,
            Selection::Before(_) => are_in_time,
            Selection::Where(conditions) => are_in_time && conditions.are_of_time_alone(),
        }
    }

    /// The columns that tell which facts of a kind are named; none: all of them.
    fn columns<B: Worded>(&self) -> Option<Vec<&'static str>> {
        match self.selection {
            Selection::User(_) => Some(vec![B::TIME, "user_id"]),
            Selection::Before(_) => Some(vec![B::TIME]),
            // A default id is a hash of most of them.
            Selection::Where(_) if self.ids.is_some() => None,
            Selection::Where(conditions @ Conditions { session_id, app, .. }) => {
                let words = [(RECEIPT, conditions.ask_for_receipt()), ("session_id", session_id.is_some()), ("app", app.is_some())];
                Some([B::TIME].into_iter().chain(words.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name)).collect())
            }
        }
    }

    /// Which of some facts are named.
    pub(crate) fn names<B: Worded>(&self, facts: &RecordBatch) -> Result<BooleanArray, EngineError> {
        if !self.selection.may_name(B::KIND) {
            return Ok(vec![false; facts.num_rows()].into());
        }
        let mut named = vec![true; facts.num_rows()];
        let mut only_text = |column: &str, text: &str| {
            let texts = text_of(facts, column)?;
            named.iter_mut().enumerate().for_each(|(row, named)| *named &= texts.get(row) == text);
            Ok::<_, EngineError>(())
        };
        match self.selection {
            Selection::User(user) => only_text("user_id", user)?,
            Selection::Where(Conditions { session_id, app, .. }) => {
                session_id.iter().try_for_each(|session| only_text("session_id", session))?;
                app.iter().try_for_each(|app| only_text("app", app))?;
            }
            Selection::Before(_) => {}
        }
        let times = self.selection.times();
        if !matches!(self.selection, Selection::User(_)) {
            named.iter_mut().zip(millis(facts, B::TIME)?).for_each(|(named, at)| *named &= times.contains(at));
        }
        if let Selection::Where(conditions) = self.selection
            && conditions.ask_for_receipt()
        {
            named.iter_mut().zip(words::receipts_of(facts)?).for_each(|(named, receipt)| *named &= conditions.may_have(receipt));
        }
        if let Some(ids) = &self.ids {
            let (given, defaults) = (words::ids(facts)?, B::default_ids(facts)?);
            for (row, (named, default)) in named.iter_mut().zip(defaults).enumerate() {
                *named &= if given.is_null(row) { self.defaults.contains(&default) } else { ids.contains(given.value(row)) };
            }
        }
        Ok(named.into())
    }
}

/// A data file that holds facts that are named.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) file: Arc<DataFile>,
    /// How many of its facts are named.
    pub(crate) named: u64,
    /// Their times.
    pub(crate) times: Range,
}

impl Lake {
    /// The data files of a version that hold facts that are named.
    pub(crate) fn files_with<B: Worded>(&self, files: &Files, org: OrgId, matcher: &Matcher<'_>) -> Result<Vec<Found>, EngineError> {
        let mut found = Vec::new();
        for file in files.of(org).filter(|file| matcher.may_be_in(B::KIND, file)) {
            let all = matcher.names_all(file);
            let mut of_file = Found { file: file.clone(), named: if all { file.facts } else { 0 }, times: file.times };
            if !all {
                let (columns, mut ends) = (matcher.columns::<B>(), None);
                read::each_batch::<B>(&self.store, &self.footers, self.table(B::KIND).name(), file, columns.as_deref(), |facts| {
                    for (at, _) in
                        millis(facts, B::TIME)?.into_iter().zip(&matcher.names::<B>(facts)?).filter(|(_, named)| *named == Some(true))
                    {
                        of_file.named += 1;
                        // They are sorted by time.
                        ends = Some((ends.map_or(at, |(first, _)| first), at));
                    }
                    Ok(())
                })?;
                of_file.times = ends.map_or(Range::new(0, 0), |(first, last)| Range::new(first, last + 1));
            }
            if of_file.named > 0 {
                found.push(of_file);
            }
        }
        Ok(found)
    }

    /// Calls `with` with the facts of a file that are named, in words.
    pub(crate) fn each_named<B: Worded>(
        &self,
        file: &Arc<DataFile>,
        matcher: &Matcher<'_>,
        mut with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.each::<B>(file, Wanted::times(matcher.selection.times()), |words| {
            let named = arrow_select::filter::filter_record_batch(words, &matcher.names::<B>(words)?)?;
            if named.num_rows() > 0 { with(&named) } else { Ok(()) }
        })
    }

    /// Calls `with` with the facts of a file, in words, if some have a receipt after a number.
    pub(crate) fn each_since<B: Worded>(
        &self,
        file: &Arc<DataFile>,
        receipt: u64,
        with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let (mut has_some, table) = (false, self.table(B::KIND).name());
        read::each_batch::<B>(&self.store, &self.footers, table, file, Some(&[RECEIPT]), |facts| {
            has_some |= words::receipts_of(facts)?.iter().any(|of| *of > receipt);
            Ok(())
        })?;
        if has_some { self.each::<B>(file, ALL, with) } else { Ok(()) }
    }

    /// Takes the facts that are named out of these files, in one commit of the table: a file of which nothing stays goes, others are written
    /// anew. Whoever calls it is alone in changing the lake. Returns how many files were written.
    pub(crate) fn erase<B: Worded>(&self, files: &[Found], matcher: &Matcher<'_>) -> Result<u64, EngineError> {
        let table = self.table(B::KIND);
        let mut added = Vec::new();
        for Found { file, .. } in files.iter().filter(|found| found.named < found.file.facts) {
            let mut writer = FileWriter::new::<B>(Effort::Compaction)?;
            self.each::<B>(file, ALL, |words| {
                let stays = BooleanArray::new(!matcher.names::<B>(words)?.values(), None);
                let left = arrow_select::filter::filter_record_batch(words, &stays)?;
                writer.write(&plain::<B>(&left)?)
            })?;
            added.push(writer.finish(&self.store, table.name(), file.org, file.month.clone())?);
        }
        let written = added.len() as u64;
        let removed = files.iter().map(|found| found.file.clone()).collect();
        table.commit::<B>(&Change { added, removed, covers: None, facts_change: true })?;
        crash::point("erasure-committed");
        Ok(written)
    }

    fn each<B: Worded>(
        &self,
        file: &Arc<DataFile>,
        wanted: Wanted,
        mut with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut reader = FileReader::open::<B>(&self.store, &self.footers, self.table(B::KIND).name(), file, wanted)?;
        while let Some(words) = reader.next_batch()? {
            with(&words)?;
        }
        Ok(())
    }
}

/// Words as they are written: a dictionary would carry along words that no fact has any more.
fn plain<B: Worded>(words: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let columns = words.columns().iter().zip(B::columns().fields()).map(|(column, field)| arrow_cast::cast(column, field.data_type()));
    Ok(RecordBatch::try_new(B::columns().clone(), columns.collect::<Result<_, _>>()?)?)
}
