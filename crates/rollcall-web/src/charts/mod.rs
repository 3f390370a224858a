//! Charts: pure functions from a series to SVG. Nothing here knows of reports, zones or languages: labels come as text.
//!
//! A chart never stands alone: the panel around it has the same numbers as a table, so the picture is hidden from screen readers, and links
//! in it are beside those of the table. Colours, fonts and strokes are of `assets/charts.css`, which also travels inside an exported file.
//!
//! - [`mod@line`]: values over time, with those of before and the running period dashed
//! - [`columns`]: lengths over time
//! - [`bars`]: a ranking
//! - [`spark`]: a line without labels
//! - [`heat`]: hour × weekday
//! - [`tiles`]: the provinces of China as equal squares
//! - [`stays`]: one session, a bar for each stay

pub(crate) mod bars;
pub(crate) mod columns;
pub(crate) mod heat;
pub(crate) mod line;
mod scale;
pub(crate) mod spark;
pub(crate) mod stays;
#[cfg(test)]
mod tests;
pub(crate) mod tiles;

use maud::{Markup, html};

/// A value of a period.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// What the axis says of it.
    pub(crate) label: String,
    /// What is said of it in full: period and value.
    pub(crate) said: String,
    /// The value.
    pub(crate) value: u64,
    /// Whether the period has not ended.
    pub(crate) running: bool,
    /// Where it leads.
    pub(crate) href: Option<String>,
}

/// The width of charts over time, in units of their own.
const WIDTH: f64 = 640.0;
/// Their height.
const HEIGHT: f64 = 200.0;
/// What is left beside the first value for the labels of grid lines.
const SIDE: f64 = 34.0;
/// What is left below for the axis.
const FOOT: f64 = 22.0;
/// What is left above for the label of the highest grid line.
const HEAD: f64 = 16.0;

/// The picture, as wide as its place.
fn picture(width: f64, height: f64, class: &str, content: &Markup) -> Markup {
    let class = format!("chart {class}");
    let view_box = format!("0 0 {} {}", n(width), n(height));
    html! { svg xmlns="http://www.w3.org/2000/svg" viewBox=(view_box) class=(class) aria-hidden="true" { (content) } }
}

/// A coordinate, to a tenth.
fn n(number: f64) -> String {
    let tenths = (number * 10.0).round() / 10.0;
    if tenths == 0.0 { "0".into() } else { tenths.to_string() }
}

/// Something that may lead somewhere, and is said in full when pointed at.
fn linked(href: Option<&str>, said: &str, content: &Markup) -> Markup {
    html! {
        @if let Some(href) = href { a href=(href) tabindex="-1" { title { (said) } (content) } }
        @else { g { title { (said) } (content) } }
    }
}

/// Grid lines with their labels, and what the axis below says: at most seven labels, of which small screens show every other.
fn frame(scale: &scale::Scale, axis: fn(u64) -> String, labels: &[&str], place: impl Fn(usize) -> f64) -> Markup {
    let step = labels.len().div_ceil(7).max(1);
    html! {
        @for tick in scale.ticks() {
            @let y = n(scale.y(tick));
            line class=(if tick == 0 { "base" } else { "grid" }) x1="0" x2=(n(WIDTH)) y1=(y) y2=(y) {}
        }
        @for tick in scale.ticks().skip(1) { text class="tick" x="0" y=(n(scale.y(tick) - 4.0)) { (axis(tick)) } }
        @for (at, label) in labels.iter().enumerate().step_by(step) {
            @let anchor = if at + step >= labels.len() && place(at) > WIDTH - 40.0 { "end" } else { "middle" };
            @let x = if anchor == "end" { WIDTH } else { place(at) };
            text class=(if (at / step).is_multiple_of(2) { "tick" } else { "tick minor" })
                x=(n(x)) y=(n(HEIGHT - 5.0)) text-anchor=(anchor) { (label) }
        }
    }
}
