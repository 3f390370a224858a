//! A line of values over time.

use super::scale::Scale;
use super::{FOOT, HEIGHT, Point, SIDE, WIDTH, frame, linked, n, picture};
use maud::{Markup, html};

/// Values over time, left to right.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The values. The last may be of a running period: what leads to it is dashed, and its mark is hollow.
    pub(crate) points: Vec<Point>,
    /// The values of before, side by side with these.
    pub(crate) before: Vec<u64>,
    /// How grid lines are labelled.
    pub(crate) axis: fn(u64) -> String,
}

/// More points than these have no marks of their own.
const MOST_MARKS: usize = 62;

impl Line {
    /// Draws it.
    pub(crate) fn draw(&self) -> Markup {
        let highest = self.points.iter().map(|point| point.value).chain(self.before.iter().copied()).max().unwrap_or(0);
        let scale = Scale::to(highest, 1);
        let step = (WIDTH - SIDE) / self.points.len().max(self.before.len()).max(1) as f64;
        let x = |at: usize| SIDE + step * (at as f64 + 0.5);
        let labels: Vec<_> = self.points.iter().map(|point| point.label.as_str()).collect();
        let whole = self.points.iter().position(|point| point.running).unwrap_or(self.points.len());
        let path = |values: &mut dyn Iterator<Item = (usize, u64)>| {
            let pieces = values.enumerate().map(|(first, (at, value))| {
                let letter = if first == 0 { 'M' } else { 'L' };
                format!("{letter}{} {}", n(x(at)), n(scale.y(value)))
            });
            pieces.collect::<String>()
        };
        let values = || self.points.iter().map(|point| point.value).enumerate();
        let marks = self.points.len() <= MOST_MARKS;
        picture(
            WIDTH,
            HEIGHT,
            "line",
            &html! {
                (frame(&scale, self.axis, &labels, x))
                @if self.before.len() > 1 { path class="before" d=(path(&mut self.before.iter().copied().enumerate())) {} }
                @if whole > 1 { path class="now" d=(path(&mut values().take(whole))) {} }
                @if whole < self.points.len() && whole > 0 { path class="running" d=(path(&mut values().skip(whole - 1))) {} }
                @for (at, point) in self.points.iter().enumerate() {
                    (linked(point.href.as_deref(), &point.said, &html! {
                        rect class="hit" x=(n(x(at) - step / 2.0)) y="0" width=(n(step)) height=(n(HEIGHT - FOOT)) {}
                        @if marks || point.running {
                            circle class=(if point.running { "mark hollow" } else { "mark" })
                                cx=(n(x(at))) cy=(n(scale.y(point.value))) r="2.5" {}
                        }
                    }))
                }
            },
        )
    }
}
