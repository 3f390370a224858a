//! Columns: lengths or counts over time, where each stands for itself.

use super::scale::Scale;
use super::{FOOT, HEIGHT, Point, SIDE, WIDTH, frame, linked, n, picture};
use maud::{Markup, html};

/// A column for each value.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// The values; one of a running period is drawn with a dashed outline.
    pub(crate) points: Vec<Point>,
    /// How grid lines are labelled.
    pub(crate) axis: fn(u64) -> String,
    /// What grid lines are multiples of: 1 for counts, an hour for lengths in milliseconds.
    pub(crate) unit: u64,
}

impl Columns {
    /// Draws them.
    pub(crate) fn draw(&self) -> Markup {
        let scale = Scale::to(self.points.iter().map(|point| point.value).max().unwrap_or(0), self.unit);
        let step = (WIDTH - SIDE) / self.points.len().max(1) as f64;
        let x = |at: usize| SIDE + step * (at as f64 + 0.5);
        let labels: Vec<_> = self.points.iter().map(|point| point.label.as_str()).collect();
        let wide = (step * 0.7).min(48.0);
        picture(
            WIDTH,
            HEIGHT,
            "columns",
            &html! {
                (frame(&scale, self.axis, &labels, x))
                @for (at, point) in self.points.iter().enumerate() {
                    @let top = scale.y(point.value);
                    (linked(point.href.as_deref(), &point.said, &html! {
                        rect class="hit" x=(n(x(at) - step / 2.0)) y="0" width=(n(step)) height=(n(HEIGHT - FOOT)) {}
                        rect class=(if point.running { "bar running" } else { "bar" })
                            x=(n(x(at) - wide / 2.0)) y=(n(top)) width=(n(wide)) height=(n(HEIGHT - FOOT - top)) {}
                    }))
                }
            },
        )
    }
}
