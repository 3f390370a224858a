//! Assistances in words.

use crate::error::EngineError;
use crate::kinds::arrow::ids;
use crate::kinds::arrow::{self, RECEIPT, column, instants, lists, optional, optional_text, optionals, strings, text_of, times};
use crate::kinds::block::{AssistanceBlock, AssistanceRow, Block};
use crate::kinds::columns::Use;
use crate::kinds::words::Worded;
use crate::ledger::{Ledger, broken};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use hashbrown::HashMap;
use rollcall_model::{Assistance, AssistanceKind, FactId, OrgId};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        optional("id"),
        column("user_id", DataType::Utf8),
        optional("department_id"),
        column("department_ids", lists()),
        column("at", instants()),
        column("kind", DataType::Utf8),
        optional("chat_type"),
        optional("ide"),
        optional("language"),
        column("turns", DataType::Int64),
        column("suggested", DataType::Int64),
        column("accepted", DataType::Int64),
        column("lines_accepted", DataType::Int64),
        column("lines_changed", DataType::Int64),
        column(RECEIPT, DataType::Int64),
    ]))
});

impl Worded for AssistanceBlock {
    const TIME: &'static str = "at";
    const REACH: [&'static str; 2] = ["at", "at"];
    const ORDER: &'static [&'static str] = &["at"];

    fn columns() -> &'static SchemaRef {
        &COLUMNS
    }

    fn order(a: &AssistanceRow<'_>, b: &AssistanceRow<'_>) -> Ordering {
        let key = |row: &AssistanceRow<'_>| (row.at, row.user, row.usage, row.booking);
        key(a).cmp(&key(b))
    }

    fn user(row: &AssistanceRow<'_>) -> u32 {
        row.user
    }

    fn to_words(&self, ledger: &Ledger, org: OrgId) -> Result<RecordBatch, EngineError> {
        let rows: Vec<_> = self.rows().collect();
        let (users, bookings, uses) = (ledger.users.of(org)?, ledger.bookings.of(org)?, ledger.uses.of(org)?);
        let (users, bookings, uses) = (users.read(), bookings.read(), uses.read());
        let users: Option<Vec<_>> = rows.iter().map(|row| users.name(row.user)).collect();
        let bookings: Option<Vec<_>> = rows.iter().map(|row| bookings.name(row.booking)).collect();
        let uses: Option<Vec<_>> = rows.iter().map(|row| uses.name(row.usage)).collect();
        let (Some(users), Some(bookings), Some(uses)) = (users, bookings, uses) else { return Err(broken("a fact")) };
        let uses: Option<Vec<_>> = uses.iter().map(|text| Use::read(text)).collect();
        let uses = uses.ok_or_else(|| broken("a fact"))?;

        let mut department_ids = arrow::list_builder();
        for booking in &bookings {
            department_ids.append_value(booking.split('\n').filter(|id| !id.is_empty()).map(Some));
        }
        // The one department that a fact is booked on, where it came with it.
        let department_id = rows.iter().zip(&bookings).map(|(row, booking)| if row.department_given { *booking } else { "" });
        let count_of = |kind: AssistanceKind| {
            arrow::numbers(rows.iter().zip(&uses).map(|(row, usage)| if usage.kind == kind { row.count } else { 0 }))
        };
        let counts = |of: fn(&AssistanceRow<'_>) -> u32| arrow::numbers(rows.iter().map(of));
        let columns: Vec<ArrayRef> = vec![
            optionals(rows.iter().map(|row| row.given_id)),
            strings(&users),
            optionals(department_id),
            Arc::new(department_ids.finish()),
            times(rows.iter().map(|row| row.at)),
            strings(uses.iter().map(|usage| usage.kind.name())),
            optionals(uses.iter().map(|usage| usage.chat_type)),
            optionals(uses.iter().map(|usage| usage.ide)),
            optionals(uses.iter().map(|usage| usage.language)),
            count_of(AssistanceKind::Chat),
            count_of(AssistanceKind::Completion),
            counts(|row| row.accepted),
            counts(|row| row.lines_accepted),
            counts(|row| row.lines_changed),
            arrow::receipts(rows.iter().map(|row| row.receipt)),
        ];
        Ok(RecordBatch::try_new(COLUMNS.clone(), columns)?)
    }

    fn of_words(words: &RecordBatch, ledger: &Ledger, org: OrgId) -> Result<Self, EngineError> {
        let at = arrow::millis(words, "at")?;
        let (users, bookings) = (ledger.users.of(org)?, ledger.bookings.of(org)?);
        let (known, known_bookings) = (users.read(), bookings.read());
        let users = text_of(words, "user_id")?.each(|user| known.number(user))?;
        let departments = arrow::lists_of(words, "department_ids")?;
        let booking = |row: usize| arrow::joined(&departments.value(row));
        let bookings: Option<Vec<u32>> = (0..words.num_rows()).map(|row| known_bookings.number(&booking(row))).collect();
        drop((known, known_bookings));
        let bookings = bookings.ok_or_else(|| broken("a booking of the lake"))?;
        let department_id = text_of(words, "department_id")?;
        let uses = uses(words, ledger, org)?;
        let [turns, suggested, accepted, lines_accepted, lines_changed] =
            ["turns", "suggested", "accepted", "lines_accepted", "lines_changed"].map(|name| arrow::counts(words, name));
        let (turns, suggested, accepted, lines_accepted, lines_changed) = (turns?, suggested?, accepted?, lines_accepted?, lines_changed?);
        let given_ids = ids(words)?;
        let receipts = arrow::receipts_of(words)?;
        let row = |row: usize| AssistanceRow {
            at: at[row],
            user: users[row],
            booking: bookings[row],
            department_given: !department_id.get(row).is_empty(),
            usage: uses[row],
            count: turns[row].max(suggested[row]),
            accepted: accepted[row],
            lines_accepted: lines_accepted[row],
            lines_changed: lines_changed[row],
            given_id: if given_ids.is_null(row) { "" } else { given_ids.value(row) },
            receipt: receipts[row],
        };
        Ok(Self::from_rows((0..words.num_rows()).map(row)))
    }

    fn default_ids(words: &RecordBatch) -> Result<Vec<FactId>, EngineError> {
        let at = arrow::millis(words, "at")?;
        let [users, departments, kinds] = ["user_id", "department_id", "kind"].map(|name| text_of(words, name));
        let [chat_types, ides, languages] = ["chat_type", "ide", "language"].map(|name| text_of(words, name));
        let (users, departments, kinds) = (users?, departments?, kinds?.each(AssistanceKind::from_name)?);
        let (chat_types, ides, languages) = (chat_types?, ides?, languages?);
        let [turns, suggested, accepted, lines_accepted, lines_changed] =
            ["turns", "suggested", "accepted", "lines_accepted", "lines_changed"].map(|name| arrow::counts(words, name));
        let (turns, suggested, accepted, lines_accepted, lines_changed) = (turns?, suggested?, accepted?, lines_accepted?, lines_changed?);
        let id = |row: usize| {
            let department = optional_text(&departments, row).map(Cow::Borrowed);
            FactId::default_of_assistance(&Assistance {
                id: FactId::Default(0),
                given_id: None,
                content: 0,
                user_id: users.get(row).into(),
                department_given: department.is_some(),
                departments: department.into_iter().collect(),
                at: at[row],
                kind: kinds[row],
                chat_type: optional_text(&chat_types, row).map(Cow::Borrowed),
                ide: optional_text(&ides, row).map(Cow::Borrowed),
                language: optional_text(&languages, row).map(Cow::Borrowed),
                turns: turns[row],
                suggested: suggested[row],
                accepted: accepted[row],
                lines_accepted: lines_accepted[row],
                lines_changed: lines_changed[row],
            })
        };
        Ok((0..words.num_rows()).map(id).collect())
    }
}

/// The number of the use of each row; few rows have one of their own.
fn uses(words: &RecordBatch, ledger: &Ledger, org: OrgId) -> Result<Vec<u32>, EngineError> {
    let [kinds, chat_types, ides, languages] = ["kind", "chat_type", "ide", "language"].map(|name| text_of(words, name));
    let (kinds, chat_types, ides, languages) = (kinds?, chat_types?, ides?, languages?);
    let numbers = ledger.uses.of(org)?;
    let numbers = numbers.read();
    let mut known: HashMap<[&str; 4], u32> = HashMap::new();
    let mut found = Vec::with_capacity(words.num_rows());
    for row in 0..words.num_rows() {
        let use_words = [kinds.get(row), chat_types.get(row), ides.get(row), languages.get(row)];
        let usage = match known.get(&use_words) {
            Some(usage) => *usage,
            None => numbers.number(&use_words.join("\n")).ok_or_else(|| broken("a use of the lake"))?,
        };
        known.insert(use_words, usage);
        found.push(usage);
    }
    Ok(found)
}
