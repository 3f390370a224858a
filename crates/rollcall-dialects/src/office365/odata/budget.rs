//! What the expressions of one request may cost.
//!
//! An expression is evaluated for each row, and text may grow with each call of a function. Lengths of expressions do not bound that well
//! enough: a hundred nested calls of `replace` fit 2.5 KB. So steps and bytes of text are counted, over all rows and all options together.

use super::{Limits, ODataError, Value, errors};

/// What is left to spend.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    steps: u64,
    bytes: u64,
}

impl Budget {
    /// All of [`Limits::steps`] and [`Limits::bytes`].
    pub const fn new(limits: &Limits) -> Self {
        Self { limits: *limits, steps: limits.steps, bytes: limits.bytes }
    }

    /// Pays for steps.
    ///
    /// # Errors
    /// There are not so many left. Nothing is left then.
    pub(super) fn spend_steps(&mut self, steps: u64) -> Result<(), ODataError> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| errors::too_costly(&self.limits))
    }

    /// Whether text of so many bytes could be paid for. Pays nothing.
    ///
    /// # Errors
    /// As [`Budget::spend_steps`].
    pub(super) fn afford(&self, bytes: usize) -> Result<(), ODataError> {
        let affordable = u64::try_from(bytes).is_ok_and(|bytes| bytes <= self.bytes);
        if affordable { Ok(()) } else { Err(errors::too_costly(&self.limits)) }
    }

    /// Pays for one step that gave a value, and for the bytes of that.
    ///
    /// # Errors
    /// As [`Budget::spend_steps`].
    pub(super) fn spend_on(&mut self, value: &Value) -> Result<(), ODataError> {
        let bytes = match value {
            Value::String(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        let left = u64::try_from(bytes).ok().and_then(|bytes| self.bytes.checked_sub(bytes));
        self.bytes = left.unwrap_or(0);
        left.ok_or_else(|| errors::too_costly(&self.limits))?;
        self.spend_steps(1)
    }
}
