//! An answer as a workbook: a sheet of rows, and one that says what they cover.

use super::document::{Cell, Document};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// The largest whole number that a workbook, whose numbers are floating, holds exactly.
const EXACT: u64 = 1 << 53;

impl Document {
    /// How many cells its sheet of rows has.
    pub fn cells(&self) -> u64 {
        (self.rows.len() as u64 + 1) * self.columns.len() as u64
    }

    /// The answer as a workbook in XLSX.
    ///
    /// # Errors
    /// It has more rows than a sheet may have, or a longer text than a cell.
    pub fn xlsx(&self) -> Result<Vec<u8>, XlsxError> {
        let (bold, percent) = (Format::new().set_bold(), Format::new().set_num_format("0.00"));
        let mut workbook = Workbook::new();
        let rows = workbook.add_worksheet().set_name("rows")?;
        for (column, name) in (0..).zip(&self.columns) {
            rows.write_string_with_format(0, column, &**name, &bold)?;
        }
        for (row, cells) in (1..).zip(&self.rows) {
            for (column, cell) in (0..).zip(cells) {
                match cell {
                    Cell::Number(number) if number.unsigned_abs() <= EXACT => rows.write_number(row, column, *number as f64)?,
                    Cell::Number(number) => rows.write_string(row, column, number.to_string())?,
                    Cell::Decimal(number) => rows.write_number_with_format(row, column, *number, &percent)?,
                    Cell::Text(text) => rows.write_string(row, column, text)?,
                    Cell::Absent => rows,
                };
            }
        }
        rows.set_freeze_panes(1, 0)?;
        let covers = workbook.add_worksheet().set_name("covers")?;
        let about = serde_json::to_value(&self.covers).unwrap_or_default();
        for (row, (name, value)) in (0..).zip(about.as_object().into_iter().flatten()) {
            let text = value.as_str().map_or_else(|| value.to_string(), Into::into);
            covers.write_string_with_format(row, 0, name, &bold)?.write_string(
                row,
                1,
                if value.is_null() { String::new() } else { text },
            )?;
        }
        workbook.save_to_buffer()
    }
}
