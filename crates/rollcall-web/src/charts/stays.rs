//! One session: a row for each user, a bar for each stay.

use super::bars::shortened;
use super::{n, picture};
use maud::{Markup, html};

/// One stay, as parts of the session's span: 0 is its first join, 1 its last leave.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    /// Which row.
    pub(crate) row: usize,
    /// When it began.
    pub(crate) from: f64,
    /// When it ended.
    pub(crate) to: f64,
    /// What is said of it in full.
    pub(crate) said: String,
}

/// How high a row is.
const ROW: f64 = 20.0;
/// How wide the picture is, and where bars begin.
const WIDTH: f64 = 640.0;
const START: f64 = 150.0;

/// The rows' names, the stays, and what the axis says at its beginning and end.
pub(crate) fn draw(names: &[String], stays: &[Stay], ends: (&str, &str)) -> Markup {
    let foot = ROW * names.len() as f64;
    let x = |part: f64| START + part.clamp(0.0, 1.0) * (WIDTH - START);
    picture(
        WIDTH,
        foot + 22.0,
        "stays",
        &html! {
            @for (row, name) in names.iter().enumerate() {
                @let y = ROW * row as f64;
                line class="grid" x1=(n(START)) x2=(n(WIDTH)) y1=(n(y + ROW / 2.0)) y2=(n(y + ROW / 2.0)) {}
                text class="label" x=(n(START - 8.0)) y=(n(y + 14.0)) text-anchor="end" { (shortened(name)) }
            }
            @for stay in stays {
                // The shortest stay is seen, too.
                @let width = (x(stay.to) - x(stay.from)).max(1.5);
                g {
                    title { (stay.said) }
                    rect class="bar stay" x=(n(x(stay.from)))
                        y=(n(ROW * stay.row as f64 + 4.0)) width=(n(width)) height=(n(ROW - 8.0)) rx="2" {}
                }
            }
            line class="base" x1=(n(START)) x2=(n(WIDTH)) y1=(n(foot)) y2=(n(foot)) {}
            text class="tick" x=(n(START)) y=(n(foot + 15.0)) { (ends.0) }
            text class="tick" x=(n(WIDTH)) y=(n(foot + 15.0)) text-anchor="end" { (ends.1) }
        },
    )
}
