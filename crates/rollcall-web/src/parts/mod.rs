//! What pages are put together from.
//!
//! - [`frame`]: the document around a page
//! - [`controls`]: range, comparison and filters
//! - [`panel`]: a number, chart or table, with what it covers, its exports and its call
//! - [`over_time`]: panels with a row for each period
//! - [`ranking`]: panels with a bar for each row

pub(crate) mod controls;
pub(crate) mod frame;
pub(crate) mod over_time;
pub(crate) mod panel;
pub(crate) mod ranking;

use crate::lang::Lang;
use crate::lang::{count, length};
use maud::{Markup, html};
use rollcall_model::Millis;

/// A count that a report gave.
pub(crate) fn number(value: u64) -> Markup {
    html! { data value=(value) { (count(value)) } }
}

/// A count as a link to who is behind it. Nobody is behind nothing.
pub(crate) fn number_to(value: u64, href: &str) -> Markup {
    html! { @if value == 0 { (number(value)) } @else { a href=(href) { (number(value)) } } }
}

/// A length of time that a report gave, in milliseconds.
pub(crate) fn time(lang: Lang, millis: Millis) -> Markup {
    html! { data value=(millis) { (length(lang, millis)) } }
}

/// Bytes, in powers of 1,000.
pub(crate) fn bytes(bytes: u64) -> Markup {
    let (divisor, unit) =
        [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")].into_iter().find(|(size, _)| bytes >= *size).unwrap_or((1, "B"));
    let shown = if divisor == 1 { count(bytes) } else { crate::lang::decimal(bytes as f64 / divisor as f64) };
    html! { data value=(bytes) { (shown) " " (unit) } }
}
