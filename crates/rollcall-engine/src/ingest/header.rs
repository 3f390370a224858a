//! Which fields columns are, by their names: everything that is wrong with a header is told at once.

use super::BodyError;
use rollcall_model::FactError;
use rollcall_model::draft::DraftField;
use rollcall_model::receipt::LISTED_ERRORS;

/// A header being read.
pub(super) struct Header<F> {
    fields: Vec<F>,
    errors: Vec<FactError>,
    /// What a name that is no field is answered with: the whole of it the first time.
    expected: Option<String>,
}

impl<F: DraftField> Header<F> {
    /// A header of which nothing was read; `expected` introduces the names of the fields.
    pub(super) fn new(expected: &str) -> Self {
        Self { fields: Vec::new(), errors: Vec::new(), expected: Some(format!("{expected} {}", F::NAMES.join(", "))) }
    }

    /// Adds the next column.
    pub(super) fn add(&mut self, name: &str) -> Option<F> {
        let field = F::from_name(name);
        match field {
            None => {
                let expected = self.expected.take().map_or_else(|| F::NO_SUCH_FIELD.into(), Into::into);
                self.refuse(FactError { expected, ..FactError::new("", Some(name), "") });
            }
            Some(field) if self.fields.contains(&field) => self.refuse(FactError::new("", Some(name), "each field once in the header")),
            Some(field) => self.fields.push(field),
        }
        field
    }

    /// Adds what is wrong with a column.
    pub(super) fn refuse(&mut self, error: FactError) {
        if self.errors.len() < LISTED_ERRORS {
            self.errors.push(error);
        }
    }

    /// The fields, in the order of the columns.
    ///
    /// # Errors
    /// Everything wrong with the columns, and what is missing.
    pub(super) fn finish(mut self, line: u64) -> Result<Vec<F>, BodyError> {
        for name in F::missing(&self.fields) {
            self.refuse(FactError::new(name, None, "a column of this name"));
        }
        if self.errors.is_empty() {
            return Ok(self.fields);
        }
        Err(BodyError(self.errors.into_iter().map(|error| error.at(line)).collect()))
    }
}
