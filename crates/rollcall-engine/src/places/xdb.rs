//! xdb, the format of ip2region: version 2 (IPv4) and version 3 (IPv4 or IPv6).
//!
//! A header, an index of the index, texts, and the index: segments, each with its first and last address and where its text is. A text is a row
//! of fields, `国家|区域|省份|城市|ISP` in the files up to 2024 and `Country|Province|City|ISP|code` in later ones. Small own code, because the
//! crates that read xdb index into the file unchecked: a damaged one would end the process.

use super::names::Names;
use super::table::Table;
use hashbrown::HashMap;
use rollcall_model::Place;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The one kind of index of the index that files have.
const VECTOR_INDEX: u16 = 1;

pub(super) fn is_xdb(bytes: &[u8]) -> bool {
    matches!(u16_at(bytes, 0), Some(2 | 3)) && u16_at(bytes, 2) == Some(VECTOR_INDEX)
}

/// The table of a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let is_v6 = match (u16_at(bytes, 0), u16_at(bytes, 16)) {
        (Some(2), _) | (_, Some(4)) => false,
        (_, Some(6)) => true,
        _ => return Err("is an xdb file of neither IPv4 nor IPv6".into()),
    };
    if is_v6 { read_segments::<16>(bytes, |octets| Ipv6Addr::from(octets).into()) } else { read_segments::<4>(bytes, v4) }
}

/// IPv4 addresses are little endian, those of IPv6 are not.
fn v4(octets: [u8; 4]) -> IpAddr {
    Ipv4Addr::from_bits(u32::from_le_bytes(octets)).into()
}

fn read_segments<const WIDTH: usize>(bytes: &[u8], address: impl Fn([u8; WIDTH]) -> IpAddr) -> Result<Table, String> {
    let cut_off = || "is a damaged xdb file: its index lies beyond its end".to_owned();
    let size = 2 * WIDTH + 6;
    let index = (|| {
        let (first, last) = (u32_at(bytes, 8)? as usize, u32_at(bytes, 12)? as usize);
        bytes.get(first..last.checked_add(size)?).filter(|index| index.len() % size == 0)
    })();
    let names = Names::new();
    let mut known: HashMap<(u32, u16), Option<Place>> = HashMap::new();
    let mut table = Table::default();
    for (number, segment) in index.ok_or_else(cut_off)?.chunks_exact(size).enumerate() {
        let damaged = |what: &str| format!("is a damaged xdb file: the text of segment {number} {what}");
        let (first, last) = (array_at(segment, 0), array_at(segment, WIDTH));
        let (length, at) = (u16_at(segment, 2 * WIDTH), u32_at(segment, 2 * WIDTH + 2));
        let (Some(first), Some(last), Some(length), Some(at)) = (first, last, length, at) else { return Err(cut_off()) };
        let place = match known.get(&(at, length)) {
            Some(place) => *place,
            None => {
                let begin = at as usize;
                let row = bytes.get(begin..begin.saturating_add(length.into())).ok_or_else(|| damaged("lies beyond its end"))?;
                let place = place_of(std::str::from_utf8(row).map_err(|_| damaged("is not UTF-8"))?, &names);
                known.insert((at, length), place);
                place
            }
        };
        table.push(address(first), address(last), place)?;
    }
    Ok(table)
}

/// The place of a row: the country by its Chinese name or, where the row is not Chinese, by the code it ends with; in China the subdivision by
/// its name, in the first or second field after the country.
fn place_of(row: &str, names: &Names) -> Option<Place> {
    let mut fields = row.split('|');
    let name = fields.next()?;
    let country = names.country(name).or_else(|| fields.clone().next_back().and_then(Place::country_only).filter(|_| name.is_ascii()))?;
    let division = fields.take(2).find_map(|field| names.division(field)).filter(|_| country.country() == "CN");
    division.or(Some(country))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}
