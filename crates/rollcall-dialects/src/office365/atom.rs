//! Atom (wire section 2.2), and the XML of a property.

use super::entity::{Cell, Frame, Page};
use super::periods::Row;
use super::wire::{ENTITY_TYPE, Property, xmlns};
use super::xml::{DECLARATION, escape, escaped};

/// A feed. `id` is the URL of the request, without its query, as typed; `updated` the time of the answer.
pub(super) fn feed(frame: &Frame<'_>, page: &Page<'_>, id: &str, updated: &str) -> String {
    let set = frame.set.name();
    let mut out = String::from(DECLARATION);
    open(&mut out, "feed", frame);
    if let Some(count) = page.count {
        out.push_str(&format!("<m:count>{count}</m:count>"));
    }
    out.push_str(&format!(
        "<id>{}</id><title type=\"text\">{set}</title><updated>{updated}</updated><link rel=\"self\" title=\"{set}\" href=\"{set}\" />",
        escaped(id)
    ));
    if page.rows.is_empty() {
        out.push_str("<author><name /></author>");
    }
    for row in page.rows {
        out.push_str("<entry>");
        entry_children(&mut out, frame, row, updated);
    }
    if let Some(next) = page.next {
        out.push_str(&format!("<link rel=\"next\" href=\"{}\" />", escaped(next)));
    }
    out + "</feed>"
}

/// A single entry.
pub(super) fn entry(frame: &Frame<'_>, row: &Row, updated: &str) -> String {
    let mut out = String::from(DECLARATION);
    open(&mut out, "entry", frame);
    entry_children(&mut out, frame, row, updated);
    out
}

/// A property alone.
pub(super) fn property(property: Property, cell: &Cell<'_>) -> String {
    let (data, metadata) = (xmlns::DATA, xmlns::METADATA);
    let mut out = String::from(DECLARATION);
    element(&mut out, property, cell, &format!(" xmlns:d=\"{data}\" xmlns:m=\"{metadata}\""));
    out
}

fn open(out: &mut String, element: &str, frame: &Frame<'_>) {
    let (base, atom, data, metadata) = (escaped(frame.root), xmlns::ATOM, xmlns::DATA, xmlns::METADATA);
    out.push_str(&format!("<{element} xml:base=\"{base}\" xmlns=\"{atom}\" xmlns:d=\"{data}\" xmlns:m=\"{metadata}\">"));
}

/// What is in an entry, and its end.
fn entry_children(out: &mut String, frame: &Frame<'_>, row: &Row, updated: &str) {
    out.push_str("<id>");
    escape(out, &frame.url(row));
    out.push_str(&format!("</id><category term=\"{ENTITY_TYPE}\" scheme=\"{}\" />", xmlns::SCHEME));
    out.push_str(&format!("<title /><updated>{updated}</updated><author><name /></author>"));
    out.push_str("<content type=\"application/xml\"><m:properties>");
    for property in frame.properties() {
        element(out, *property, &frame.cell(row, *property), "");
    }
    out.push_str("</m:properties></content></entry>");
}

/// A property's element; strings do not say their type.
fn element(out: &mut String, property: Property, cell: &Cell<'_>, namespaces: &str) {
    let (name, edm) = (property.name(), property.edm());
    out.push_str(&format!("<d:{name}{namespaces}"));
    if property != Property::TenantName {
        out.push_str(&format!(" m:type=\"{edm}\""));
    }
    out.push('>');
    escape(out, &cell.text());
    out.push_str(&format!("</d:{name}>"));
}
