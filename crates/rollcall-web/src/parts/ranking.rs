//! Panels with a bar for each row.

use super::panel::{Panel, Table};
use super::{number, number_to};
use crate::charts::bars::{self, Bar};
use crate::lang::{count, percent};
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    /// Its name.
    pub(crate) name: Markup,
    /// The same in plain text, for an exported picture.
    pub(crate) text: String,
    /// How many.
    pub(crate) value: u64,
    /// Of how many, where a share is said.
    pub(crate) of: Option<u64>,
    /// Where the people behind it are.
    pub(crate) href: Option<String>,
}

impl View<'_> {
    /// A panel of rows with bars in them: the table is the picture.
    pub(crate) fn ranking<'p>(&self, id: &'static str, title: Word, columns: (Word, Word), rows: &[Ranked]) -> Panel<'p> {
        let highest = rows.iter().map(|row| row.value).max().unwrap_or(0);
        let shares = rows.iter().any(|row| row.of.is_some());
        let head = if shares { vec![columns.1, Word::Share] } else { vec![columns.1] };
        let mut table = Table::new(self, columns.0, &head);
        table.head.push((String::new(), false));
        let cells = |row: &Ranked| {
            let value = row.href.as_ref().map_or_else(|| number(row.value), |href| number_to(row.value, href));
            let mut cells = vec![row.name.clone(), value];
            if shares {
                cells.push(html! { (row.of.map_or_else(|| "–".into(), |of| percent(row.value, of))) });
            }
            cells.push(bars::in_row(row.value, highest));
            cells
        };
        let table = table.of(rows.iter().map(cells));
        let bar = |row: &Ranked| Bar { label: row.text.clone(), said: count(row.value), value: row.value, href: None };
        let picture = bars::draw(&rows.iter().map(bar).collect::<Vec<_>>());
        Panel { picture: Some(picture), size: "half", ..Panel::new(id, self.say(title), table) }
    }
}
