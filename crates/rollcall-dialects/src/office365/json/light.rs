//! JSON light (wire section 2.7).

use super::{list, name, string};
use crate::office365::entity::{Cell, Frame, Page};
use crate::office365::negotiate::Metadata;
use crate::office365::periods::Row;
use crate::office365::wire::{ENTITY_TYPE, Property, Set};

/// Writes JSON light, with so much metadata.
#[derive(Debug)]
pub(in crate::office365) struct Light(pub(in crate::office365) Metadata);

impl Light {
    pub(in crate::office365) fn feed(&self, frame: &Frame<'_>, page: &Page<'_>) -> String {
        let mut out = self.open(frame.root, &format!("#{}{}", frame.set.name(), select(frame)));
        if let Some(count) = page.count {
            out.push_str(&format!("\"odata.count\":\"{count}\","));
        }
        out.push_str("\"value\":[");
        list(&mut out, page.rows, |out, row| {
            out.push('{');
            self.entry_members(out, frame, row);
            out.push('}');
        });
        out.push(']');
        if let Some(next) = page.next {
            out.push_str(",\"odata.nextLink\":");
            string(&mut out, next);
        }
        out + "}"
    }

    pub(in crate::office365) fn entry(&self, frame: &Frame<'_>, row: &Row) -> String {
        let mut out = self.open(frame.root, &format!("#{}/@Element{}", frame.set.name(), select(frame)));
        self.entry_members(&mut out, frame, row);
        out + "}"
    }

    pub(in crate::office365) fn property(&self, root: &str, property: Property, cell: &Cell<'_>) -> String {
        let mut out = self.open(root, &format!("#{}", property.edm()));
        out.push_str("\"value\":");
        string(&mut out, &cell.text());
        out + "}"
    }

    pub(in crate::office365) fn service(&self, root: &str, sets: &[Set]) -> String {
        let mut out = self.open(root, "");
        out.push_str("\"value\":[");
        list(&mut out, sets, |out, set| out.push_str(&format!("{{\"name\":\"{0}\",\"url\":\"{0}\"}}", set.name())));
        out + "]}"
    }

    /// The beginning of a body; another member follows.
    fn open(&self, root: &str, fragment: &str) -> String {
        let mut out = String::from("{");
        if self.0 != Metadata::None {
            out.push_str("\"odata.metadata\":");
            string(&mut out, &format!("{root}$metadata{fragment}"));
            out.push(',');
        }
        out
    }

    fn entry_members(&self, out: &mut String, frame: &Frame<'_>, row: &Row) {
        let full = self.0 == Metadata::Full;
        if full {
            for (key, value) in [("odata.type", ENTITY_TYPE), ("odata.id", &frame.url(row)), ("odata.editLink", &frame.relative_url(row))] {
                name(out, key);
                string(out, value);
                out.push(',');
            }
        }
        list(out, frame.properties(), |out, property| {
            if full && *property != Property::TenantName {
                out.push_str(&format!("\"{}@odata.type\":\"{}\",", property.name(), property.edm()));
            }
            name(out, property.name());
            string(out, &frame.cell(row, *property).text());
        });
    }
}

/// `&$select=Date,ActiveUsers`, where something was selected.
fn select(frame: &Frame<'_>) -> String {
    let names = |properties: &[Property]| properties.iter().map(|property| property.name()).collect::<Vec<_>>().join(",");
    frame.select.map_or_else(String::new, |properties| format!("&$select={}", names(properties)))
}
