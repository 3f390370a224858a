//! Commits with what the kernel leaves out of them: tags of the files that are added.

use super::files::DataFile;
use crate::lake::checksums::TAG;
use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Field, Schema};
use delta_kernel::committer::{CommitMetadata, CommitResponse, Committer, FileSystemCommitter, PublishMetadata};
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::{Engine, KernelError, KernelResult, KernelResultIterator};
use hashbrown::HashMap;
use std::sync::Arc;

/// The column of `add` actions.
const ADD: &str = "add";

/// Commits as [`FileSystemCommitter`] does, with the checksums of added files as tags.
#[derive(Debug)]
pub(in crate::lake) struct Tagging {
    checksums: HashMap<String, String>,
}

impl Tagging {
    pub(in crate::lake) fn new(added: &[DataFile]) -> Self {
        let checksum = |file: &DataFile| Some((file.name.clone(), file.checksum?.to_string()));
        Self { checksums: added.iter().filter_map(checksum).collect() }
    }

    fn with_tags(&self, actions: FilteredEngineData) -> KernelResult<FilteredEngineData> {
        let (data, selected) = actions.into_parts();
        let data = ArrowEngineData::try_from_engine_data(data)?;
        let batch = data.record_batch();
        let Ok(position) = batch.schema_ref().index_of(ADD) else { return FilteredEngineData::try_new(data, selected) };
        let tagged = self.tagged(batch, position).map_err(|error| KernelError::generic(format!("tags of files: {error}")))?;
        FilteredEngineData::try_new(Box::new(ArrowEngineData::new(tagged)), selected)
    }

    /// Actions whose column at `position` has a field more.
    fn tagged(&self, batch: &RecordBatch, position: usize) -> Result<RecordBatch, ArrowError> {
        let mut columns = batch.columns().to_vec();
        let mut fields: Vec<_> = batch.schema_ref().fields().iter().cloned().collect();
        let (Some(column), Some(field)) = (columns.get_mut(position), fields.get_mut(position)) else { return Ok(batch.clone()) };
        let add = column.as_struct();
        let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
        let mut tags = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        let paths = add.column_by_name("path").and_then(|paths| paths.as_string_opt::<i32>());
        for row in 0..add.len() {
            let checksum = paths.and_then(|paths| self.checksums.get(paths.value(row)));
            if let Some(checksum) = checksum {
                tags.keys().append_value(TAG);
                tags.values().append_value(checksum);
            }
            tags.append(checksum.is_some())?;
        }
        let tags: ArrayRef = Arc::new(tags.finish());
        let mut of_add: Vec<_> = add.fields().iter().cloned().collect();
        of_add.push(Arc::new(Field::new("tags", tags.data_type().clone(), true)));
        let values = add.columns().iter().cloned().chain([tags]).collect();
        let add = StructArray::try_new(of_add.into(), values, add.nulls().cloned())?;
        *field = Arc::new(Field::new(ADD, add.data_type().clone(), true));
        *column = Arc::new(add);
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

impl Committer for Tagging {
    fn commit(
        &self,
        engine: &dyn Engine,
        actions: KernelResultIterator<'_, FilteredEngineData>,
        commit_metadata: CommitMetadata,
    ) -> KernelResult<CommitResponse> {
        let tagged = actions.map(|actions| self.with_tags(actions?));
        FileSystemCommitter::new().commit(engine, Box::new(tagged), commit_metadata)
    }

    fn is_catalog_committer(&self) -> bool {
        false
    }

    fn publish(&self, engine: &dyn Engine, publish_metadata: PublishMetadata) -> KernelResult<()> {
        FileSystemCommitter::new().publish(engine, publish_metadata)
    }
}
