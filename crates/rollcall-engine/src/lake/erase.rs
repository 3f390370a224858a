//! Facts found, and taken out of data files.

use super::files::Files;
use super::read::{self, FileReader};
use super::table::Change;
use super::write::{Effort, FileWriter};
use super::{DataFile, Lake};
use crate::crash;
use crate::erase::Selection;
use crate::error::EngineError;
use crate::ledger::Wanted;
use crate::words::{Worded, millis, text_of};
use arrow_array::{BooleanArray, RecordBatch};
use rollcall_model::{Millis, OrgId, Range};
use std::sync::Arc;

/// All facts of a file.
const ALL: Wanted = Wanted::times(Range::new(Millis::MIN, Millis::MAX));

impl Selection {
    /// Whether facts of a file may be named, as far as the log tells.
    pub(crate) fn may_name(&self, file: &DataFile) -> bool {
        match self {
            Self::User(user) => file.users.0 <= *user && *user <= file.users.1,
            Self::Before(end) => file.times.from < *end,
        }
    }

    /// Whether all facts of a file are named.
    fn names_all(&self, file: &DataFile) -> bool {
        match self {
            Self::User(user) => file.users.0 == *user && *user == file.users.1,
            Self::Before(end) => file.times.to <= *end,
        }
    }

    /// Which of some facts are named.
    fn names<B: Worded>(&self, words: &RecordBatch) -> Result<Vec<bool>, EngineError> {
        Ok(match self {
            Self::User(user) => {
                let users = text_of(words, "user_id")?;
                (0..words.num_rows()).map(|row| users.get(row) == user).collect()
            }
            Self::Before(end) => millis(words, B::TIME)?.into_iter().map(|at| at < *end).collect(),
        })
    }
}

impl Lake {
    /// The data files of a version that hold facts that are named.
    pub(crate) fn files_with<B: Worded>(
        &self,
        files: &Files,
        org: OrgId,
        selection: &Selection,
    ) -> Result<Vec<Arc<DataFile>>, EngineError> {
        let mut found = Vec::new();
        for file in files.of(org).filter(|file| selection.may_name(file)) {
            let holds = match selection {
                Selection::User(user) => read::has_user::<B>(&self.store, &self.footers, self.table(B::KIND).name(), file, user)?,
                Selection::Before(_) => true,
            };
            if holds {
                found.push(file.clone());
            }
        }
        Ok(found)
    }

    /// Calls `with` with the facts of a file that are named, in words.
    pub(crate) fn each_named<B: Worded>(
        &self,
        file: &Arc<DataFile>,
        selection: &Selection,
        mut with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.each::<B>(file, |words| {
            let named = BooleanArray::from(selection.names::<B>(words)?);
            let named = arrow_select::filter::filter_record_batch(words, &named)?;
            if named.num_rows() > 0 { with(&named) } else { Ok(()) }
        })
    }

    /// Takes the facts that are named out of these files, in one commit of the table. Whoever calls it is alone in changing the lake. Returns
    /// how many files were written in place of them.
    pub(crate) fn erase<B: Worded>(&self, files: &[Arc<DataFile>], selection: &Selection) -> Result<u64, EngineError> {
        let table = self.table(B::KIND);
        let mut added = Vec::new();
        for file in files.iter().filter(|file| !selection.names_all(file)) {
            let mut writer = FileWriter::new::<B>(Effort::Compaction)?;
            let mut facts = 0;
            self.each::<B>(file, |words| {
                let stays: BooleanArray = selection.names::<B>(words)?.into_iter().map(|named| Some(!named)).collect();
                let left = arrow_select::filter::filter_record_batch(words, &stays)?;
                facts += left.num_rows();
                writer.write(&plain::<B>(&left)?)
            })?;
            if facts > 0 {
                added.push(writer.finish(&self.store, table.name(), file.org, file.month.clone())?);
            }
        }
        let written = added.len() as u64;
        table.commit::<B>(&Change { added, removed: files.to_vec(), covers: None, facts_change: true })?;
        crash::point("erasure-committed");
        Ok(written)
    }

    fn each<B: Worded>(
        &self,
        file: &Arc<DataFile>,
        mut with: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut reader = FileReader::open::<B>(&self.store, &self.footers, self.table(B::KIND).name(), file, ALL)?;
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
