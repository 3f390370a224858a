//! 格子地图: the first-level subdivisions of China as equal squares, about where they lie. No border is drawn, so none is disputed.

use super::{linked, n, picture};
use maud::{Markup, html};

/// Where each stands: what follows `CN-`, column, row.
#[rustfmt::skip]
pub(crate) const PLACES: [(&str, u8, u8); 34] = [
    ("HL", 8, 0),
    ("NM", 6, 1), ("JL", 8, 1),
    ("XJ", 1, 2), ("GS", 3, 2), ("NX", 4, 2), ("SX", 5, 2), ("BJ", 6, 2), ("TJ", 7, 2), ("LN", 8, 2),
    ("QH", 2, 3), ("SN", 4, 3), ("HA", 5, 3), ("HE", 6, 3), ("SD", 7, 3),
    ("XZ", 1, 4), ("SC", 3, 4), ("CQ", 4, 4), ("HB", 5, 4), ("AH", 6, 4), ("JS", 7, 4), ("SH", 8, 4),
    ("GZ", 4, 5), ("HN", 5, 5), ("JX", 6, 5), ("ZJ", 7, 5),
    ("YN", 3, 6), ("GX", 4, 6), ("GD", 5, 6), ("FJ", 6, 6), ("TW", 7, 6),
    ("HI", 4, 7), ("MO", 5, 7), ("HK", 6, 7),
];

/// One square.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    /// What follows `CN-` in its code.
    pub(crate) code: &'static str,
    /// What it is called in the square.
    pub(crate) name: String,
    /// How many.
    pub(crate) value: u64,
    /// The value as it is written in the square.
    pub(crate) shown: String,
    /// What is said of it in full.
    pub(crate) said: String,
    /// Where it leads.
    pub(crate) href: Option<String>,
}

/// The side of a square with its gap.
const SIDE: f64 = 52.0;

/// The squares. The more, the darker: in five steps of the root of the share, and the number is written in each.
pub(crate) fn draw(tiles: &[Tile]) -> Markup {
    let highest = tiles.iter().map(|tile| tile.value).max().unwrap_or(0).max(1);
    picture(
        SIDE * 8.0,
        SIDE * 8.0,
        "tiles",
        &html! {
            @for tile in tiles {
                @if let Some((_, column, row)) = PLACES.iter().find(|(code, ..)| *code == tile.code) {
                    @let (x, y) = (SIDE * (f64::from(*column) - 1.0), SIDE * f64::from(*row));
                    @let shade = n(((tile.value as f64 / highest as f64).sqrt() * 5.0).ceil());
                    @let middle = n(x + SIDE / 2.0);
                    (linked(tile.href.as_deref(), &tile.said, &html! {
                        rect class={ "tile shade" (shade) } x=(n(x + 1.0)) y=(n(y + 1.0))
                            width=(n(SIDE - 2.0)) height=(n(SIDE - 2.0)) rx="3" {}
                        text class={ "name on" (shade) } x=(middle) y=(n(y + 22.0)) text-anchor="middle" { (tile.name) }
                        text class={ "number on" (shade) } x=(middle) y=(n(y + 38.0)) text-anchor="middle" { (tile.shown) }
                    }))
                }
            }
        },
    )
}
