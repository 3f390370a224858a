//! `$metadata` (wire section 1.4) and the service document (1.3), with the sets that the caller may read.

use super::wire::{ENTITY_NAME, ENTITY_TYPE, NAMESPACE, Property, Set, xmlns};
use super::xml::{DECLARATION, escaped};

const EDMX: &str = "http://schemas.microsoft.com/ado/2007/06/edmx";
/// The last that every V2 client knows.
const EDM: &str = "http://schemas.microsoft.com/ado/2008/09/edm";

/// `$metadata`. Without sets there is nothing in it but an empty container.
pub(super) fn document(sets: &[Set]) -> String {
    let metadata = xmlns::METADATA;
    // Simple.OData.Client looks for `m:` literally.
    let mut out = format!(
        "{DECLARATION}<edmx:Edmx Version=\"1.0\" xmlns:edmx=\"{EDMX}\"><edmx:DataServices m:DataServiceVersion=\"2.0\" \
         m:MaxDataServiceVersion=\"2.0\" xmlns:m=\"{metadata}\"><Schema Namespace=\"{NAMESPACE}\" xmlns=\"{EDM}\">"
    );
    if !sets.is_empty() {
        out.push_str(&format!("<EntityType Name=\"{ENTITY_NAME}\"><Key><PropertyRef Name=\"{}\" /></Key>", Property::Date.name()));
        for property in Property::ALL {
            let nullable = if property.nullable() { "" } else { " Nullable=\"false\"" };
            out.push_str(&format!("<Property Name=\"{}\" Type=\"{}\"{nullable} />", property.name(), property.edm()));
        }
        out.push_str("</EntityType>");
    }
    out.push_str("<EntityContainer Name=\"Reports\" m:IsDefaultEntityContainer=\"true\">");
    for set in sets {
        out.push_str(&format!("<EntitySet Name=\"{}\" EntityType=\"{ENTITY_TYPE}\" />", set.name()));
    }
    out + "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
}

/// The service document.
pub(super) fn service(root: &str, sets: &[Set]) -> String {
    let (base, app, atom) = (escaped(root), xmlns::APP, xmlns::ATOM);
    let mut out = format!(
        "{DECLARATION}<service xml:base=\"{base}\" xmlns=\"{app}\" xmlns:atom=\"{atom}\"><workspace><atom:title>Default</atom:title>"
    );
    for set in sets {
        out.push_str(&format!("<collection href=\"{0}\"><atom:title>{0}</atom:title></collection>", set.name()));
    }
    out + "</workspace></service>"
}
