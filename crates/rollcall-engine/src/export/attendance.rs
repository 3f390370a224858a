//! Attendances as exports write them.

use super::{Exported, column, instants, lists, optional, optionals, strings};
use crate::error::EngineError;
use crate::ledger::columns::AttendanceBlock;
use crate::ledger::{Ledger, broken};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, Schema, SchemaRef};
use rollcall_model::fact::Medium;
use rollcall_model::{Device, FactId, Media, OrgId, Place, SessionKind, UserKind};
use std::sync::{Arc, LazyLock};

static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        column("id", DataType::Utf8),
        column("app", DataType::Utf8),
        column("session_id", DataType::Utf8),
        column("session_kind", DataType::Utf8),
        column("session_started_at", instants()),
        column("user_id", DataType::Utf8),
        column("user_kind", DataType::Utf8),
        column("device", DataType::Utf8),
        column("media", lists()),
        column("joined_at", instants()),
        column("left_at", instants()),
        optional("country"),
        optional("subdivision"),
        column("unit", DataType::Int64),
    ]))
});

impl Exported for AttendanceBlock {
    type Memory = ();

    fn columns() -> &'static SchemaRef {
        &COLUMNS
    }

    fn exported(&self, ledger: &Ledger, org: OrgId, (): &mut ()) -> Result<RecordBatch, EngineError> {
        let rows: Vec<_> = self.rows().collect();
        let users: Option<Vec<_>> = ledger.users.with_names(org, |name| rows.iter().map(|row| name(row.user)).collect());
        let apps: Option<Vec<_>> = ledger.apps.with_names(org, |name| rows.iter().map(|row| name(row.app.into())).collect());
        let (Some(users), Some(apps)) = (users, apps) else { return Err(broken("a fact")) };
        let ids = rows.iter().zip(&users).zip(&apps).map(|((row, user), app)| match row.given_id {
            "" => FactId::default_of(app, row.session_id, row.session_started_at, user, row.joined_at).to_string(),
            given => given.to_owned(),
        });
        let words = |of: fn(u8) -> Option<&'static str>, number: fn(&_) -> u8| {
            let words: Option<Vec<_>> = rows.iter().map(|row| of(number(row))).collect();
            words.map(strings).ok_or_else(|| broken("a fact"))
        };
        let times = |of: fn(&_) -> i64| Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(of)).with_timezone("UTC"));
        let mut media = ListBuilder::new(StringBuilder::new());
        for row in &rows {
            let used = Media::from_bits(row.media);
            media.append_value(Medium::ALL.iter().filter(|medium| used.has(**medium)).map(|medium| Some(medium.name())));
        }
        let places: Vec<_> = rows.iter().map(|row| Place::from_number(row.place)).collect();
        let columns: Vec<ArrayRef> = vec![
            strings(ids),
            strings(&apps),
            strings(rows.iter().map(|row| row.session_id)),
            words(|number| SessionKind::from_number(number).map(SessionKind::name), |row| row.session_kind)?,
            times(|row| row.session_started_at),
            strings(&users),
            words(|number| UserKind::from_number(number).map(UserKind::name), |row| row.user_kind)?,
            words(|number| Device::from_number(number).map(Device::name), |row| row.device)?,
            Arc::new(media.finish()),
            times(|row| row.joined_at),
            times(|row| row.left_at),
            optionals(places.iter().map(|place| place.as_ref().map_or("", Place::country))),
            optionals(places.iter().map(|place| place.as_ref().and_then(Place::subdivision).unwrap_or_default())),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.unit)))),
        ];
        Ok(RecordBatch::try_new(COLUMNS.clone(), columns)?)
    }
}
