//! Attendances in words.

use crate::error::EngineError;
use crate::kinds::arrow::{
    self, RECEIPT, column, if_asked, instants, lists, optional, optionals, strings, text, text_of, texts_if_asked, times,
};
use crate::kinds::block::{AttendanceBlock, AttendanceRow, Block};
use crate::kinds::words::Worded;
use crate::ledger::{Ledger, broken};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use hashbrown::HashMap;
use rollcall_model::fact::Medium;
use rollcall_model::{Device, FactId, Media, OrgId, Place, SessionKind, UserKind};
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        optional("id"),
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
        column(RECEIPT, DataType::Int64),
    ]))
});

impl Worded for AttendanceBlock {
    const TIME: &'static str = "session_started_at";
    const REACH: [&'static str; 2] = ["joined_at", "left_at"];
    const ORDER: &'static [&'static str] = &["session_started_at", "session_id", "joined_at", "left_at"];

    fn columns() -> &'static SchemaRef {
        &COLUMNS
    }

    fn order(a: &AttendanceRow<'_>, b: &AttendanceRow<'_>) -> Ordering {
        let rest = |row: &AttendanceRow<'_>| (row.joined_at, row.left_at, row.app, row.user);
        let session = |a: &AttendanceRow<'_>, b: &AttendanceRow<'_>| a.session_id.cmp(b.session_id);
        a.session_started_at.cmp(&b.session_started_at).then_with(|| session(a, b)).then_with(|| rest(a).cmp(&rest(b)))
    }

    fn user(row: &AttendanceRow<'_>) -> u32 {
        row.user
    }

    fn to_words(&self, ledger: &Ledger, org: OrgId) -> Result<RecordBatch, EngineError> {
        let rows: Vec<_> = self.rows().collect();
        let (users, apps) = (ledger.users.of(org)?, ledger.apps.of(org)?);
        let (users, apps) = (users.read(), apps.read());
        let users: Option<Vec<_>> = rows.iter().map(|row| users.name(row.user)).collect();
        let apps: Option<Vec<_>> = rows.iter().map(|row| apps.name(row.app.into())).collect();
        let (Some(users), Some(apps)) = (users, apps) else { return Err(broken("a fact")) };
        let words = |of: fn(u8) -> Option<&'static str>, number: fn(&_) -> u8| {
            let words: Option<Vec<_>> = rows.iter().map(|row| of(number(row))).collect();
            words.map(strings).ok_or_else(|| broken("a fact"))
        };
        let mut media = arrow::list_builder();
        for row in &rows {
            let used = Media::from_bits(row.media);
            media.append_value(Medium::ALL.iter().filter(|medium| used.has(**medium)).map(|medium| Some(medium.name())));
        }
        let places: Vec<_> = rows.iter().map(|row| Place::from_number(row.place)).collect();
        let columns: Vec<ArrayRef> = vec![
            optionals(rows.iter().map(|row| row.given_id)),
            strings(&apps),
            strings(rows.iter().map(|row| row.session_id)),
            words(|number| SessionKind::from_number(number).map(SessionKind::name), |row| row.session_kind)?,
            times(rows.iter().map(|row| row.session_started_at)),
            strings(&users),
            words(|number| UserKind::from_number(number).map(UserKind::name), |row| row.user_kind)?,
            words(|number| Device::from_number(number).map(Device::name), |row| row.device)?,
            Arc::new(media.finish()),
            times(rows.iter().map(|row| row.joined_at)),
            times(rows.iter().map(|row| row.left_at)),
            optionals(places.iter().map(|place| place.as_ref().map_or("", Place::country))),
            optionals(places.iter().map(|place| place.as_ref().and_then(Place::subdivision).unwrap_or_default())),
            arrow::numbers(rows.iter().map(|row| row.unit.into())),
            arrow::receipts(rows.iter().map(|row| row.receipt)),
        ];
        Ok(RecordBatch::try_new(COLUMNS.clone(), columns)?)
    }

    fn of_words(words: &RecordBatch, ledger: &Ledger, org: OrgId) -> Result<Self, EngineError> {
        let [started, joined, left] = ["session_started_at", "joined_at", "left_at"].map(|name| arrow::millis(words, name));
        let (started, joined, left) = (started?, joined?, left?);
        let (users, apps) = (ledger.users.of(org)?, ledger.apps.of(org)?);
        let (known, known_apps) = (users.read(), apps.read());
        let users = text_of(words, "user_id")?.each(|user| known.number(user))?;
        let apps = text_of(words, "app")?.each(|app| u16::try_from(known_apps.number(app)?).ok())?;
        drop((known, known_apps));
        let session_ids = texts_if_asked(words, "session_id")?;
        let kinds = |name: &str, of: fn(&str) -> Option<u8>| if_asked(words, name, |name| text_of(words, name)?.each(of));
        let session_kinds = kinds("session_kind", |name| SessionKind::from_name(name).map(SessionKind::number))?;
        let user_kinds = kinds("user_kind", |name| UserKind::from_name(name).map(UserKind::number))?;
        let devices = kinds("device", |name| Device::from_name(name).map(Device::number))?;
        let media = if_asked(words, "media", |_| media(words))?;
        let units = if_asked(words, "unit", |name| arrow::counts(words, name))?;
        let places = if_asked(words, "country", |_| places(words))?;
        let given_ids = texts_if_asked(words, "id")?;
        let receipts = if_asked(words, RECEIPT, |_| arrow::receipts_of(words))?;
        let row = |row: usize| AttendanceRow {
            session_started_at: started[row],
            joined_at: joined[row],
            left_at: left[row],
            user: users[row],
            app: apps[row],
            session_id: text(session_ids, row),
            session_kind: session_kinds[row],
            user_kind: user_kinds[row],
            device: devices[row],
            media: media[row],
            unit: u8::try_from(units[row]).unwrap_or_default(),
            place: places[row],
            given_id: text(given_ids, row),
            receipt: receipts[row],
        };
        Ok(Self::from_rows((0..words.num_rows()).map(row)))
    }

    fn default_ids(words: &RecordBatch) -> Result<Vec<FactId>, EngineError> {
        let (started, joined) = (arrow::millis(words, "session_started_at")?, arrow::millis(words, "joined_at")?);
        let [apps, sessions, users] = ["app", "session_id", "user_id"].map(|name| text_of(words, name));
        let (apps, sessions, users) = (apps?, sessions?, users?);
        let id = |row: usize| FactId::default_of(apps.get(row), sessions.get(row), started[row], users.get(row), joined[row]);
        Ok((0..words.num_rows()).map(id).collect())
    }
}

fn media(words: &RecordBatch) -> Result<Vec<u8>, EngineError> {
    let lists = arrow::lists_of(words, "media")?;
    let names = lists.values().as_string_opt::<i32>().ok_or_else(|| broken("a column of the lake"))?;
    let bits = |row: usize| {
        let [from, to] = [lists.value_offsets()[row], lists.value_offsets()[row + 1]].map(|at| usize::try_from(at).unwrap_or_default());
        let media = (from..to).try_fold(Media::from_bits(0), |media, at| Some(media.with(Medium::from_name(names.value(at))?)));
        media.map(Media::bits).ok_or_else(|| broken("a name of the lake"))
    };
    (0..lists.len()).map(bits).collect()
}

fn places(words: &RecordBatch) -> Result<Vec<u64>, EngineError> {
    let (countries, subdivisions) = (text_of(words, "country")?, text_of(words, "subdivision")?);
    let mut known: HashMap<(&str, &str), u64> = HashMap::new();
    let mut place = |row: usize| {
        let codes = (countries.get(row), subdivisions.get(row));
        if let Some(place) = known.get(&codes) {
            return Ok(*place);
        }
        let place = match codes {
            ("", _) => 0,
            (country, "") => Place::country_only(country).map(|place| place.number()).ok_or_else(|| broken("a place of the lake"))?,
            (_, subdivision) => {
                Place::of_subdivision(subdivision).map(|place| place.number()).ok_or_else(|| broken("a place of the lake"))?
            }
        };
        known.insert(codes, place);
        Ok(place)
    };
    (0..words.num_rows()).map(&mut place).collect()
}
