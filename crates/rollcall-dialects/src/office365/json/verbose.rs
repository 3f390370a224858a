//! Verbose JSON: everything is in `d` (wire section 2.1).

use super::{list, name, string};
use crate::office365::entity::{Cell, Frame, Page};
use crate::office365::periods::Row;
use crate::office365::wire::{ENTITY_TYPE, Property, Set};
use jiff::tz::TimeZone;

/// Writes verbose JSON.
#[derive(Debug)]
pub(in crate::office365) struct Verbose;

impl Verbose {
    pub(in crate::office365) fn feed(frame: &Frame<'_>, page: &Page<'_>) -> String {
        let mut out = String::from("{\"d\":{");
        if let Some(count) = page.count {
            out.push_str(&format!("\"__count\":\"{count}\","));
        }
        out.push_str("\"results\":[");
        list(&mut out, page.rows, |out, row| entry(out, frame, row));
        out.push(']');
        if let Some(next) = page.next {
            out.push_str(",\"__next\":");
            string(&mut out, next);
        }
        out + "}}"
    }

    pub(in crate::office365) fn entry(frame: &Frame<'_>, row: &Row) -> String {
        let mut out = String::from("{\"d\":");
        entry(&mut out, frame, row);
        out + "}"
    }

    pub(in crate::office365) fn property(property: Property, cell: &Cell<'_>) -> String {
        let mut out = String::from("{\"d\":{");
        name(&mut out, property.name());
        value(&mut out, cell);
        out + "}}"
    }

    pub(in crate::office365) fn service(sets: &[Set]) -> String {
        let mut out = String::from("{\"d\":{\"EntitySets\":[");
        list(&mut out, sets, |out, set| string(out, set.name()));
        out + "]}}"
    }
}

fn entry(out: &mut String, frame: &Frame<'_>, row: &Row) {
    let url = frame.url(row);
    out.push_str("{\"__metadata\":{\"id\":");
    string(out, &url);
    out.push_str(",\"uri\":");
    string(out, &url);
    out.push_str(",\"type\":");
    string(out, ENTITY_TYPE);
    out.push('}');
    for property in frame.properties() {
        out.push(',');
        name(out, property.name());
        value(out, &frame.cell(row, *property));
    }
    out.push('}');
}

fn value(out: &mut String, cell: &Cell<'_>) {
    match cell {
        // The wall clock, as if it were of UTC.
        Cell::Date(date) => {
            let millis = TimeZone::UTC.to_timestamp(*date).map_or(0, |instant| instant.as_millisecond());
            out.push_str(&format!("\"\\/Date({millis})\\/\""));
        }
        Cell::Number(_) | Cell::Guid(_) | Cell::Text(_) => string(out, &cell.text()),
    }
}
