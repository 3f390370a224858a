//! Small database files for tests.

use std::net::IpAddr;

/// `tests/fixtures/places.mmdb`: GeoLite2's layout, IPv4 and IPv6.
pub(super) const CITY: &[u8] = include_bytes!("../../../../tests/fixtures/places.mmdb");

/// `tests/fixtures/places-flat.mmdb`: the layout of ip-location-db, IPv4.
pub(super) const FLAT: &[u8] = include_bytes!("../../../../tests/fixtures/places-flat.mmdb");

/// An xdb file of segments, without the index of the index, which we do not read.
pub(super) fn xdb(version: u16, segments: &[(&str, &str, &str)]) -> Vec<u8> {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let octets = |text: &str| match address(text) {
        IpAddr::V4(address) => address.to_bits().to_le_bytes().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut texts = Vec::new();
    let mut index = Vec::new();
    for (first, last, row) in segments {
        index.extend([octets(first), octets(last)].concat());
        index.extend(u16::try_from(row.len()).unwrap().to_le_bytes());
        index.extend(u32::try_from(256 + texts.len()).unwrap().to_le_bytes());
        texts.extend(row.bytes());
    }
    let first = u32::try_from(256 + texts.len()).unwrap();
    let last = first + u32::try_from(index.len() - index.len() / segments.len()).unwrap();
    let kind: u16 = if address(segments[0].0).is_ipv4() { 4 } else { 6 };
    let mut file = [version.to_le_bytes(), 1u16.to_le_bytes()].concat();
    file.extend([1_709_087_558, first, last].map(u32::to_le_bytes).concat());
    file.extend([if version == 2 { 0 } else { kind }, 4].map(u16::to_le_bytes).concat());
    file.resize(256, 0);
    [file, texts, index].concat()
}

/// As files were until 2024.
pub(super) fn old() -> Vec<u8> {
    xdb(
        2,
        &[
            ("0.0.0.0", "0.255.255.255", "0|0|0|内网IP|内网IP"),
            ("1.0.0.0", "1.0.0.255", "中国|0|福建省|福州市|电信"),
            ("1.0.1.0", "1.0.1.255", "中国|0|0|0|电信"),
            ("1.0.2.0", "1.0.2.255", "中国|0|香港|0|BT"),
            ("1.0.3.0", "1.0.3.255", "英国|0|0|0|BT"),
            ("1.0.4.0", "1.0.4.255", "欧洲|0|0|0|BT"),
            ("1.0.5.0", "1.0.5.255", "阿联酋|0|0|0|0"),
            ("1.0.8.0", "1.0.8.255", "中国|0|内蒙古|呼和浩特市|联通"),
            ("255.255.255.0", "255.255.255.255", "0|0|0|内网IP|内网IP"),
        ],
    )
}

/// As files are since 2025.
pub(super) fn new_v6() -> Vec<u8> {
    xdb(
        3,
        &[
            ("2001::", "2001:ff:ffff:ffff:ffff:ffff:ffff:ffff", "0|0|Reserved|Reserved|Reserved"),
            ("2001:268::", "2001:268:ffff:ffff:ffff:ffff:ffff:ffff", "Japan|Aichi|Nagoya|KDDI CORPORATION|JP"),
            ("240e:3b7::", "240e:3b7:ffff:ffff:ffff:ffff:ffff:ffff", "中国|广东省|深圳市|电信|CN"),
            ("2a02:26f7::", "2a02:26f7:ffff:ffff:ffff:ffff:ffff:ffff", "中国|澳门特别行政区|0|0|CN"),
            ("2a02:26f8::", "2a02:26f8:ffff:ffff:ffff:ffff:ffff:ffff", "Reserved|Reserved|Reserved|0|0"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "United States|California|0|0|US"),
        ],
    )
}
