//! What to do about facts that were refused.

use super::source::Source;
use crate::args::Fact;
use crate::failure::Failure;
use rollcall_engine::kinds::columns::{Assistances, Attendances, Columns};
use rollcall_model::{FactError, FactField};

/// The failure of a file for these errors, which are told before it: of single facts, or of a body as a whole.
pub fn of(source: &Source, fact: Fact, errors: &[FactError], whole: bool) -> Failure {
    let again = "what was stored before counts as duplicate then";
    let name = source.name();
    Failure::Message(match fact {
        Fact::Attendance if are_of::<Assistances, Attendances>(errors) => {
            format!("{name} has the fields of assistance facts; import it with --fact assistance")
        }
        Fact::Assistance if are_of::<Attendances, Assistances>(errors) => {
            format!("{name} has the fields of attendance facts; import it with --fact attendance")
        }
        _ if whole => format!("{name} cannot be read for the errors above; mend or replace it, and import it again; {again}"),
        _ => format!("{name} has facts with errors; mend the facts above and import the file again, or give --on-error skip; {again}"),
    })
}

/// Whether errors are those of facts of the other kind: fields are missing, and whatever is no field is one of the other kind.
fn are_of<Other: Columns, Own: Columns>(errors: &[FactError]) -> bool {
    let is_missing = |error: &FactError| error.value.is_none() && !error.field.is_empty();
    let names = errors.iter().filter_map(|error| if error.field.is_empty() { error.value.as_deref() } else { Some(&*error.field) });
    let unknown: Vec<&str> = names.filter(|name| Own::Field::from_name(name).is_none()).collect();
    errors.iter().any(is_missing) && !unknown.is_empty() && unknown.iter().all(|name| Other::Field::from_name(name).is_some())
}
