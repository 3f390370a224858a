//! Bars: a ranking, a bar for each row.

use super::{linked, n, picture};
use maud::{Markup, html};

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// Whose it is.
    pub(crate) label: String,
    /// What is written at its end.
    pub(crate) said: String,
    /// How long it is.
    pub(crate) value: u64,
    /// Where it leads.
    pub(crate) href: Option<String>,
}

/// How high a bar with its gap is.
const ROW: f64 = 22.0;
/// How wide the picture is.
const WIDTH: f64 = 480.0;
/// Where bars begin, and how long the longest is.
const START: f64 = 150.0;
const LONGEST: f64 = 230.0;

/// A picture of bars, as an exported file shows them.
pub(crate) fn draw(bars: &[Bar]) -> Markup {
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    picture(
        WIDTH,
        ROW * bars.len().max(1) as f64,
        "bars",
        &html! {
            @for (at, bar) in bars.iter().enumerate() {
                @let y = ROW * at as f64;
                @let length = bar.value as f64 / highest as f64 * LONGEST;
                (linked(bar.href.as_deref(), &format!("{}: {}", bar.label, bar.said), &html! {
                    text class="label" x=(n(START - 8.0)) y=(n(y + 15.0)) text-anchor="end" { (shortened(&bar.label)) }
                    rect class="bar" x=(n(START)) y=(n(y + 4.0)) width=(n(length)) height=(n(ROW - 8.0)) {}
                    text class="label" x=(n(START + length + 6.0)) y=(n(y + 15.0)) { (bar.said) }
                }))
            }
        },
    )
}

/// The bar of a row of a table: as wide as its share of the longest.
pub(crate) fn in_row(value: u64, highest: u64) -> Markup {
    let width = n(value as f64 / highest.max(1) as f64 * 100.0);
    html! {
        svg class="chart row" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect class="bar" x="0" y="0" width=(width) height="8" {}
        }
    }
}

/// A label that fits: letters of wide scripts take two places of twenty-two.
pub(super) fn shortened(label: &str) -> String {
    let mut places = 0;
    let mut text = String::new();
    for letter in label.chars() {
        places += if letter > '\u{2e80}' { 2 } else { 1 };
        if places > 22 {
            text.push('…');
            break;
        }
        text.push(letter);
    }
    text
}
