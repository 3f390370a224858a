//! What commands print: data on standard output, everything else on standard error.

use crate::failure::{Failure, Result};
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Writes data to standard output.
pub fn data(bytes: &[u8]) -> Result {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error))
}

/// Writes one line of data to standard output.
pub fn line(text: impl Display) -> Result {
    data(format!("{text}\n").as_bytes())
}

/// Tells people something on standard error. That nobody may be listening is no reason to fail.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A progress bar on standard error; hidden where that is no terminal.
pub fn progress(length: u64, template: &str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(length);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A table for people; plain text, so there is nothing to colour.
pub fn table(head: impl IntoIterator<Item = String>, rows: impl IntoIterator<Item = Vec<(String, bool)>>) -> String {
    use comfy_table::{Cell, CellAlignment, Table, presets};
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head);
    for row in rows {
        table
            .add_row(row.into_iter().map(|(text, is_number)| {
                Cell::new(text).set_alignment(if is_number { CellAlignment::Right } else { CellAlignment::Left })
            }));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
