//! A sparkline: a line without labels, beside its number.

use super::n;
use maud::{Markup, html};

/// The values, oldest first; with `running`, the last is of a period that has not ended.
pub(crate) fn draw(values: &[u64], running: bool) -> Markup {
    let (wide, high) = (120.0, 28.0);
    let highest = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = (wide - 6.0) / (values.len().max(2) - 1) as f64;
    let place = |at: usize| {
        let value = values.get(at).copied().unwrap_or(0) as f64;
        (3.0 + step * at as f64, high - 3.0 - value / highest * (high - 6.0))
    };
    let path = |from: usize, to: usize| {
        let pieces = (from..to).map(|at| {
            let (x, y) = place(at);
            format!("{}{} {}", if at == from { 'M' } else { 'L' }, n(x), n(y))
        });
        pieces.collect::<String>()
    };
    let whole = values.len() - usize::from(running && !values.is_empty());
    html! {
        svg class="chart spark" viewBox="0 0 120 28" aria-hidden="true" {
            @if whole > 1 { path class="now" d=(path(0, whole)) {} }
            @if whole > 0 && whole < values.len() { path class="running" d=(path(whole - 1, values.len())) {} }
            @if let Some(last) = values.len().checked_sub(1) {
                @let (x, y) = place(last);
                circle class=(if running { "mark hollow" } else { "mark" }) cx=(n(x)) cy=(n(y)) r="2.5" {}
            }
        }
    }
}
