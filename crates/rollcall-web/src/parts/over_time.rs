//! Panels with a row for each period.

use super::{number, number_to};
use crate::charts::Point;
use crate::lang::{percent, signed};
use crate::view::View;
use crate::when;
use crate::words::Word;
use jiff::civil::Date;
use maud::{Markup, html};
use rollcall_model::{Period, Range};

/// A value of a period.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The first date of the period.
    pub(crate) date: Date,
    /// Its instants.
    pub(crate) period: Range,
    /// The value.
    pub(crate) value: u64,
    /// Where the people behind it are.
    pub(crate) href: Option<String>,
}

impl View<'_> {
    /// The rows of periods that have begun: what lies ahead has no value.
    pub(crate) fn begun<R>(&self, rows: impl IntoIterator<Item = R>, row: impl Fn(R) -> Row) -> Vec<Row> {
        rows.into_iter().map(row).filter(|row| row.period.from <= self.now).collect()
    }

    /// The points of a chart.
    pub(crate) fn points(&self, by: Period, rows: &[Row], shown: impl Fn(u64) -> String) -> Vec<Point> {
        let years = rows.first().map(|row| row.date.year()) != rows.last().map(|row| row.date.year());
        let point = |row: &Row| {
            let running = row.period.contains(self.now);
            let label = when::period(self.lang, by, row.date, years && by == Period::Month);
            let so_far = if running { format!(" ({})", self.say(Word::RunningShort)) } else { String::new() };
            let said = format!("{}: {}{so_far}", when::period(self.lang, by, row.date, true), shown(row.value));
            Point { label, said, value: row.value, running, href: row.href.clone() }
        };
        rows.iter().map(point).collect()
    }

    /// The cell that names a period.
    pub(crate) fn period_cell(&self, by: Period, row: &Row) -> Markup {
        let weekday = (by == Period::Day).then(|| when::weekday(self.lang, row.date.weekday()));
        html! {
            time datetime=(row.date) { (when::period(self.lang, by, row.date, true)) }
            @if let Some(weekday) = weekday { " " span class="weak" { (weekday) } }
            @if row.period.contains(self.now) { " " span class="weak" { "(" (self.say(Word::RunningShort)) ")" } }
        }
    }

    /// The cells of a value, of that before, and of the change.
    pub(crate) fn value_cells(&self, row: &Row, before: Option<u64>) -> Vec<Markup> {
        let value = match &row.href {
            Some(href) => number_to(row.value, href),
            None => number(row.value),
        };
        let mut cells = vec![value];
        if let Some(before) = before {
            cells.push(number(before));
            cells.push(self.change(row.value, before));
        }
        cells
    }

    /// A change: absolute and in percent.
    pub(crate) fn change(&self, now: u64, before: u64) -> Markup {
        let difference = i128::from(now) - i128::from(before);
        html! { span class="change" { (signed(difference)) @if before > 0 { " (" (self.change_percent(now, before)) ")" } } }
    }

    /// A change in percent, with its sign.
    pub(crate) fn change_percent(&self, now: u64, before: u64) -> String {
        let sign = match now.cmp(&before) {
            std::cmp::Ordering::Less => "−",
            std::cmp::Ordering::Equal => "±",
            std::cmp::Ordering::Greater => "+",
        };
        format!("{sign}{}", percent(now.abs_diff(before), before))
    }
}
