//! Assistances as exports write them.
//!
//! A booking does not say whether its one department came with the fact or from the directory, and the default id depends on that. So
//! exports look up which of the two ids is known, and give `department_id` only where it came with the fact; what a fact is booked on is
//! in `department_ids` either way.

use super::{Exported, column, instants, lists, optional, optionals, strings};
use crate::error::EngineError;
use crate::facts::Use;
use crate::ledger::columns::{AssistanceBlock, AssistanceRow, Block};
use crate::ledger::{Ledger, broken, day_of};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, Schema, SchemaRef};
use hashbrown::HashMap;
use rollcall_model::{Assistance, AssistanceKind, FactId, OrgId};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        column("id", DataType::Utf8),
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
    ]))
});

/// The default ids of the UTC day that an export has come to, with the hashes of their contents; those are taken out that a fact with
/// a `department_id` was found to have, for there may be another that is equal but for it.
#[derive(Debug, Default)]
pub struct IdsOfDay {
    day: Option<u32>,
    ids: HashMap<u128, u32>,
}

impl IdsOfDay {
    fn of(&mut self, ledger: &Ledger, org: OrgId, day: u32) -> Result<&mut HashMap<u128, u32>, EngineError> {
        if self.day != Some(day) {
            self.ids = ledger.default_ids(org, AssistanceBlock::KIND, day)?;
            self.day = Some(day);
        }
        Ok(&mut self.ids)
    }
}

/// Whether the one department that a fact was booked on came with it: whether `with_it`, the default id that it has then, is its id or
/// tells its content. Only facts booked on this one department have that id; the id that it has otherwise may be that of a fact that the
/// directory booked elsewhere.
fn came_with(ledger: &Ledger, org: OrgId, ids: &mut IdsOfDay, row: &AssistanceRow<'_>, with_it: FactId) -> Result<bool, EngineError> {
    let id = if row.given_id.is_empty() { with_it } else { FactId::of_given(row.given_id) };
    let content = match id {
        FactId::Given(hash) => ledger.content_of_given(org, AssistanceBlock::KIND, hash)?,
        FactId::Default(id) => {
            let known = ids.of(ledger, org, day_of(row.at))?;
            if known.get(&id) == Some(&with_it.content()) { known.remove(&id) } else { None }
        }
    };
    Ok(content == Some(with_it.content()))
}

impl Exported for AssistanceBlock {
    type Memory = IdsOfDay;

    fn columns() -> &'static SchemaRef {
        &COLUMNS
    }

    fn exported(&self, ledger: &Ledger, org: OrgId, memory: &mut IdsOfDay) -> Result<RecordBatch, EngineError> {
        let rows: Vec<_> = self.rows().collect();
        let users: Option<Vec<_>> = ledger.users.with_names(org, |name| rows.iter().map(|row| name(row.user)).collect());
        let bookings: Option<Vec<_>> = ledger.bookings.with_names(org, |name| rows.iter().map(|row| name(row.booking)).collect());
        let uses: Option<Vec<_>> = ledger.uses.with_names(org, |name| rows.iter().map(|row| name(row.usage)).collect());
        let (Some(users), Some(bookings), Some(uses)) = (users, bookings, uses) else { return Err(broken("a fact")) };
        let uses: Option<Vec<_>> = uses.iter().map(|text| Use::read(text)).collect();
        let uses = uses.ok_or_else(|| broken("a fact"))?;

        let (mut ids, mut department_id) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut department_ids = ListBuilder::new(StringBuilder::new());
        for (((row, user), booking), usage) in rows.iter().zip(&users).zip(&bookings).zip(&uses) {
            let departments: Vec<&str> = booking.split('\n').filter(|id| !id.is_empty()).collect();
            department_ids.append_value(departments.iter().map(Some));
            let mut fact = fact(row, user, usage);
            let mut id = FactId::default_of_assistance(&fact);
            let mut given = "";
            if let [one] = departments.as_slice() {
                fact.departments.push((*one).into());
                let with_it = FactId::default_of_assistance(&fact);
                if came_with(ledger, org, memory, row, with_it)? {
                    (id, given) = (with_it, one);
                }
            }
            ids.push(if row.given_id.is_empty() { Cow::Owned(id.to_string()) } else { Cow::Borrowed(row.given_id) });
            department_id.push(given);
        }
        let count_of = |kind: AssistanceKind| -> ArrayRef {
            let counts = rows.iter().zip(&uses).map(|(row, usage)| if usage.kind == kind { i64::from(row.count) } else { 0 });
            Arc::new(Int64Array::from_iter_values(counts))
        };
        let counts = |of: fn(&AssistanceRow<'_>) -> u32| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(of(row)))))
        };
        let columns: Vec<ArrayRef> = vec![
            strings(ids),
            strings(&users),
            optionals(department_id),
            Arc::new(department_ids.finish()),
            Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.at)).with_timezone("UTC")),
            strings(uses.iter().map(|usage| usage.kind.name())),
            optionals(uses.iter().map(|usage| usage.chat_type)),
            optionals(uses.iter().map(|usage| usage.ide)),
            optionals(uses.iter().map(|usage| usage.language)),
            count_of(AssistanceKind::Chat),
            count_of(AssistanceKind::Completion),
            counts(|row| row.accepted),
            counts(|row| row.lines_accepted),
            counts(|row| row.lines_changed),
        ];
        Ok(RecordBatch::try_new(COLUMNS.clone(), columns)?)
    }
}

/// The fact of a row, as it is hashed; without departments.
fn fact<'r>(row: &AssistanceRow<'_>, user: &'r str, usage: &Use<'r>) -> Assistance<'r> {
    let word = |text: &'r str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
    let count_of = |kind: AssistanceKind| if usage.kind == kind { row.count } else { 0 };
    Assistance {
        id: FactId::Default(0),
        given_id: None,
        content: 0,
        user_id: user.into(),
        departments: vec![],
        at: row.at,
        kind: usage.kind,
        chat_type: word(usage.chat_type),
        ide: word(usage.ide),
        language: word(usage.language),
        turns: count_of(AssistanceKind::Chat),
        suggested: count_of(AssistanceKind::Completion),
        accepted: row.accepted,
        lines_accepted: row.lines_accepted,
        lines_changed: row.lines_changed,
    }
}
