//! What to do about facts that were refused.

use super::source::Source;
use crate::failure::Failure;
use rollcall_engine::kinds::columns::Columns;
use rollcall_engine::kinds::{ColumnsOf, Kind};
use rollcall_engine::{for_each_kind, match_kind};
use rollcall_model::{FactError, FactField, FactKind};

/// The failure of a file for these errors, which are told before it: of single facts, or of a body as a whole.
pub fn of(source: &Source, fact: FactKind, errors: &[FactError], whole: bool) -> Failure {
    let again = "what was stored before counts as duplicate then";
    let name = source.name();
    let others =
        match_kind!(fact, Own => for_each_kind!(Other => are_of::<ColumnsOf<Other>, ColumnsOf<Own>>(errors).then_some(Other::KIND)));
    Failure::Message(match others.into_iter().flatten().next() {
        Some(other) => format!("{name} has the fields of {0} facts; import it with --fact {0}", other.name()),
        _ if whole => format!("{name} cannot be read for the errors above; mend or replace it, and import it again; {again}"),
        _ => format!("{name} has facts with errors; mend the facts above and import the file again, or give --on-error skip; {again}"),
    })
}

/// Whether errors are those of facts of another kind: fields are missing, and whatever is no field is one of that kind.
fn are_of<Other: Columns, Own: Columns>(errors: &[FactError]) -> bool {
    let is_missing = |error: &FactError| error.value.is_none() && !error.field.is_empty();
    let names = errors.iter().filter_map(|error| if error.field.is_empty() { error.value.as_deref() } else { Some(&*error.field) });
    let unknown: Vec<&str> = names.filter(|name| Own::Field::from_name(name).is_none()).collect();
    errors.iter().any(is_missing) && !unknown.is_empty() && unknown.iter().all(|name| Other::Field::from_name(name).is_some())
}
