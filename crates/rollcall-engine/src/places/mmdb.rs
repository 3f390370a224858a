//! MMDB, MaxMind's format, in the layouts that name countries by ISO 3166: GeoLite2 and GeoIP2 (City, Country, Enterprise), DB-IP, and the flat
//! records of ip-location-db and IPinfo.

use super::names::Names;
use super::table::Table;
use hashbrown::HashMap;
use maxminddb::{Reader, WithinOptions};
use rollcall_model::Place;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// What the metadata begins with, and where at the end of a file it may be.
const METADATA: &[u8] = b"\xab\xcd\xefMaxMind.com";
const METADATA_WITHIN: usize = 128 << 10;

/// As much of a record as says where it is.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    #[serde(borrow, default)]
    subdivisions: Vec<Subdivision<'a>>,
    country_code: Option<&'a str>,
    state1: Option<&'a str>,
}

/// The code of a country: a field of its record or, in some databases, the text itself.
struct Country<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Country<'a> {
    fn deserialize<D: Deserializer<'de>>(record: D) -> Result<Self, D::Error> {
        record.deserialize_any(CountryVisitor)
    }
}

/// Written out because an untagged enumeration would first take any value apart: in a damaged file values nest deeper than the stack does.
struct CountryVisitor;

impl<'de> Visitor<'de> for CountryVisitor {
    type Value = Country<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a country")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Country(Some(text)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut code = None;
        while let Some(name) = fields.next_key::<&str>()? {
            if name == "iso_code" {
                code = fields.next_value()?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Country(code))
    }
}

#[derive(Deserialize)]
struct Subdivision<'a> {
    iso_code: Option<&'a str>,
    #[serde(borrow)]
    names: Option<SubdivisionNames<'a>>,
}

#[derive(Deserialize)]
struct SubdivisionNames<'a> {
    en: Option<&'a str>,
}

pub(super) fn is_mmdb(bytes: &[u8]) -> bool {
    let end = bytes.get(bytes.len().saturating_sub(METADATA_WITHIN)..).unwrap_or_default();
    memchr::memmem::rfind(end, METADATA).is_some()
}

/// The table of a whole file.
pub(super) fn read(bytes: Vec<u8>) -> Result<Table, String> {
    let damaged = |error: maxminddb::MaxMindDbError| format!("is a damaged MMDB: {error}");
    let reader = Reader::from_source(bytes).map_err(damaged)?;
    // A tree has one leaf more than it has nodes. A damaged one may lead back into itself, and then seems to have many more.
    let most = reader.metadata().node_count as usize + 1;
    let names = Names::new();
    let mut known: HashMap<usize, Option<Place>> = HashMap::new();
    let mut table = Table::default();
    let options = WithinOptions::default().include_networks_without_data();
    for (count, network) in reader.networks(options).map_err(damaged)?.enumerate() {
        if count > most {
            return Err("is a damaged MMDB: its search tree leads back into itself".into());
        }
        let found = network.map_err(damaged)?;
        let place = match found.offset() {
            None => None,
            Some(at) => match known.get(&at) {
                Some(place) => *place,
                None => {
                    let place = found.decode::<Record<'_>>().map_err(damaged)?.and_then(|record| place_of(&record, &names));
                    known.insert(at, place);
                    place
                }
            },
        };
        let network = found.network().map_err(damaged)?;
        table.push(network.network(), network.broadcast(), place)?;
    }
    Ok(table)
}

fn place_of(record: &Record<'_>, names: &Names) -> Option<Place> {
    // Beside a code of its own, `country` may be a name.
    let code = record.country_code.or_else(|| record.country.as_ref()?.0);
    let country = Place::country_only(code?)?;
    let first = record.subdivisions.first();
    let by_code = first.and_then(|first| Place::of_subdivision(&format!("{}-{}", country.country(), first.iso_code?)));
    let by_name = || {
        let name = record.state1.or_else(|| first?.names.as_ref()?.en)?;
        names.division(name).filter(|_| country.country() == "CN")
    };
    by_code.or_else(by_name).or(Some(country))
}
