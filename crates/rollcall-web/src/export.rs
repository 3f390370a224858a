//! A panel's picture as a file of its own: with title, range, zone and filters in it, in the light colours, whatever the reader's.

use crate::assets::CHART_STYLE;
use crate::parts::panel::Panel;
use crate::view::View;
use maud::{Markup, PreEscaped, html};

/// The file.
pub(crate) fn picture(view: &View<'_>, panel: &Panel<'_>, drawn: &Markup) -> String {
    let drawn = &drawn.0;
    let (width, height) = size(drawn).unwrap_or((640.0, 200.0));
    let scale = 640.0_f64.max(width) / width;
    let (wide, high) = (width * scale + 32.0, height * scale + 64.0);
    let placed = drawn.replacen("<svg ", &format!("<svg x=\"0\" y=\"56\" width=\"{}\" height=\"{}\" ", width * scale, height * scale), 1);
    let organization = &view.host.organization().name;
    let file = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("-16 0 {wide} {high}")) width=(wide) height=(high) class="chart file" {
            style { (PreEscaped(CHART_STYLE)) }
            rect class="paper" x="-16" y="0" width="100%" height="100%" {}
            text class="title" x="0" y="24" { (panel.title) " · " (organization) }
            text class="label" x="0" y="42" { (view.about()) }
            (PreEscaped(placed))
        }
    };
    file.into_string()
}

/// The width and height that a picture is drawn in.
fn size(svg: &str) -> Option<(f64, f64)> {
    let view_box = svg.split_once("viewBox=\"0 0 ")?.1.split_once('"')?.0;
    let (width, height) = view_box.split_once(' ')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}
