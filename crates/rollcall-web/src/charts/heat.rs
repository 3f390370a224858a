//! Hour × weekday: squares whose size is the value, so that colour says nothing that size does not.

use super::{n, picture};
use maud::{Markup, html};

/// One hour of one weekday.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// The row: 0 to 6.
    pub(crate) row: usize,
    /// The column: the hour, 0 to 23.
    pub(crate) hour: usize,
    /// How large.
    pub(crate) value: f64,
    /// What is said of it in full.
    pub(crate) said: String,
}

/// How wide and high a cell is.
const CELL: f64 = 24.0;
/// What is left for the names of the days.
const SIDE: f64 = 40.0;

/// The grid; `days` are the names of its rows.
pub(crate) fn draw(days: &[&str], cells: &[Cell]) -> Markup {
    let highest = cells.iter().map(|cell| cell.value).fold(0.0, f64::max);
    picture(
        SIDE + CELL * 24.0,
        CELL * days.len() as f64 + 20.0,
        "heat",
        &html! {
            @for (row, day) in days.iter().enumerate() {
                text class="label" x="0" y=(n(CELL * row as f64 + 16.0)) { (day) }
            }
            @for hour in (0..24).step_by(3) {
                text class=(if hour % 6 == 0 { "tick" } else { "tick minor" })
                    x=(n(SIDE + CELL * (f64::from(hour) + 0.5))) y=(n(CELL * days.len() as f64 + 14.0)) text-anchor="middle" { (hour) }
            }
            @for cell in cells {
                @let (x, y) = (SIDE + CELL * cell.hour as f64, CELL * cell.row as f64);
                @let share = if highest > 0.0 { (cell.value / highest).sqrt() } else { 0.0 };
                @let size = if cell.value > 0.0 { (share * (CELL - 2.0)).max(2.0) } else { 0.0 };
                g {
                    title { (cell.said) }
                    rect class="hit" x=(n(x)) y=(n(y)) width=(n(CELL)) height=(n(CELL)) {}
                    @if size > 0.0 {
                        rect class="bar" x=(n(x + (CELL - size) / 2.0)) y=(n(y + (CELL - size) / 2.0))
                            width=(n(size)) height=(n(size)) rx="2" {}
                    } @else {
                        circle class="none" cx=(n(x + CELL / 2.0)) cy=(n(y + CELL / 2.0)) r="1" {}
                    }
                }
            }
        },
    )
}
