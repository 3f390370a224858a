use super::samples::{CITY, FLAT, new_v6, old, xdb};
use super::table::Tables;
use super::*;
use proptest::prelude::*;
use rollcall_model::{Place, Places};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

fn code(places: &dyn Places, address: &str) -> Option<String> {
    places.place_of(address.parse().unwrap()).map(|place| place.code())
}

/// Where the tables say that addresses are, `-` for nowhere.
fn codes(tables: &Tables, addresses: &[&str]) -> String {
    addresses.iter().map(|address| code(tables, address).unwrap_or("-".into())).collect::<Vec<_>>().join(" ")
}

fn tables(files: Vec<Vec<u8>>) -> Tables {
    Tables(files.into_iter().map(|bytes| read(bytes).unwrap()).collect())
}

#[test]
fn an_mmdb_of_geolite2_is_read_by_its_codes() {
    let city = tables(vec![CITY.to_vec()]);
    let addresses = ["203.0.113.0", "203.0.113.63", "203.0.113.64", "203.0.113.191", "203.0.113.200", "203.0.113.255", "203.0.114.0"];
    assert_eq!(codes(&city, &addresses), "CN-SH CN-SH CN US-CA HK - -");
    assert_eq!(codes(&city, &["2001:db8::1", "2001:db8:ffff::", "2001:db9::", "::ffff:203.0.113.7", "1.1.1.1"]), "CN-GD GB-ENG - CN-SH -");
}

#[test]
fn a_flat_mmdb_is_read_by_country_code_and_in_china_by_name() {
    let flat = tables(vec![FLAT.to_vec()]);
    let addresses = ["203.0.113.0", "203.0.113.64", "203.0.113.128", "203.0.113.192", "203.0.113.224", "2001:db8::1"];
    assert_eq!(codes(&flat, &addresses), "CN-SH CN US HK - -");
}

#[test]
fn an_xdb_of_before_2025_is_read_by_chinese_names() {
    let old = tables(vec![old()]);
    let addresses = ["1.0.0.0", "1.0.0.255", "1.0.1.0", "1.0.2.9", "1.0.3.0", "1.0.4.0", "1.0.5.0", "1.0.7.0", "1.0.8.0", "1.0.9.0", "::1"];
    assert_eq!(codes(&old, &addresses), "CN-FJ CN-FJ CN CN-HK GB - AE - CN-NM - -");
}

#[test]
fn an_xdb_of_today_is_read_by_chinese_names_and_codes() {
    let both = tables(vec![
        new_v6(),
        xdb(3, &[("1.0.0.0", "1.0.0.255", "Australia|Queensland|0|0|AU"), ("1.0.1.0", "1.0.3.255", "中国|北京市|0|中国电信|CN")]),
    ]);
    let addresses = ["2001::1", "2001:268::1", "240e:3b7::1", "2a02:26f7::1", "2a02:26f8::1", "2a03::", "1.0.0.7", "::ffff:1.0.3.255"];
    assert_eq!(codes(&both, &addresses), "- JP CN-GD CN-MO - - AU CN-BJ");
}

#[test]
fn an_address_of_one_network_only_has_no_place_whatever_a_database_says() {
    let all = tables(vec![
        xdb(2, &[("0.0.0.0", "255.255.255.255", "法国|0|0|0|0")]),
        xdb(3, &[("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "法国|0|0|0|0")]),
    ]);
    for address in ["9.9.9.9", "100.63.0.1", "100.128.0.1", "172.32.0.1", "223.255.255.255", "2001:db8::", "::2", "fe00::"] {
        assert_eq!(code(&all, address).as_deref(), Some("FR"), "{address}");
    }
    for address in [
        "0.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.1.1",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:10.0.0.1",
        "::",
        "::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "ff02::1",
    ] {
        assert_eq!(code(&all, address), None, "{address}");
    }
}

#[test]
fn a_file_that_is_no_database_says_so() {
    for bytes in [&b""[..], b"PK\x03\x04", b"ip,country\n1.1.1.1,AU\n", &CITY[..CITY.len() - 300]] {
        assert_eq!(read(bytes.to_vec()).unwrap_err(), "is neither a whole MMDB nor an xdb file");
    }
    let mut cut = old();
    cut.truncate(cut.len() - 1);
    assert_eq!(read(cut).unwrap_err(), "is a damaged xdb file: its index lies beyond its end");
    let back = xdb(2, &[("2.0.0.0", "2.0.0.9", "法国"), ("2.0.0.9", "2.0.0.10", "法国")]);
    assert_eq!(read(back).unwrap_err(), "is damaged: the range of addresses from 2.0.0.9 to 2.0.0.10 is out of order");
    assert_eq!(read(xdb(2, &[("1.0.0.0", "1.0.0.1", "0|0|0|0|0")])).unwrap_err(), "knows the place of no address");
    let mut other = old();
    other[..2].copy_from_slice(&3u16.to_le_bytes());
    assert_eq!(read(other).unwrap_err(), "is an xdb file of neither IPv4 nor IPv6");
    // The root of the tree leads to itself.
    let mut looped = FLAT.to_vec();
    looped[..3].copy_from_slice(&[0; 3]);
    assert!(read(looped).unwrap_err().starts_with("is a damaged MMDB: "));
}

#[test]
fn a_file_exchanged_is_read_again_and_a_broken_one_keeps_the_old() {
    let home = tempfile::tempdir().unwrap();
    let (path, next) = (home.path().join("places"), home.path().join("next"));
    let replace = |bytes: &[u8]| {
        fs::write(&next, bytes).unwrap();
        fs::rename(&next, &path).unwrap();
    };
    replace(&xdb(2, &[("9.9.9.9", "9.9.9.9", "法国")]));
    let files = PlaceFiles::open(std::slice::from_ref(&path)).unwrap();
    let now = || code(&*files.current().unwrap(), "9.9.9.9").unwrap();
    assert_eq!((files.refresh().unwrap(), now()), (false, "FR".into()));
    let old = files.current().unwrap();
    // As long as the one before, and perhaps as old.
    replace(&xdb(2, &[("9.9.9.9", "9.9.9.9", "英国")]));
    assert_eq!((files.refresh().unwrap(), now()), (true, "GB".into()));
    assert_eq!(code(&*old, "9.9.9.9").as_deref(), Some("FR"), "a request keeps the tables that it began with");
    replace(b"a page that says: log in first");
    let told = files.refresh().unwrap_err().to_string();
    assert_eq!(told, format!("the place database {} is neither a whole MMDB nor an xdb file", path.display()));
    assert_eq!((files.refresh().unwrap(), now()), (false, "GB".into()), "said once");
    fs::remove_file(&path).unwrap();
    assert!(files.refresh().unwrap_err().to_string().contains("cannot be read: "));
    assert_eq!((files.refresh().unwrap(), now()), (false, "GB".into()));
    replace(CITY);
    assert!(files.refresh().unwrap());
    assert_eq!(code(&*files.current().unwrap(), "203.0.113.1").as_deref(), Some("CN-SH"));
    assert!(files.exchange(&[home.path().join("none")]).unwrap_err().to_string().contains("none cannot be read: "));
    assert!(files.current().is_some());
    files.exchange(&[]).unwrap();
    assert!(files.current().is_none());
}

#[test]
fn a_file_is_needed_only_where_one_is_named() {
    assert!(PlaceFiles::open(&[]).unwrap().current().is_none());
    assert!(PlaceFiles::open(&[PathBuf::from("none")]).is_err());
    let told = PlaceFiles::open(&[std::env::temp_dir()]).unwrap_err().to_string();
    assert!(told.contains("cannot be read: "), "{told}");
}

/// What is left of a file after a few bytes changed and its end was lost.
fn damaged(whole: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = whole.len();
    let changes = proptest::collection::vec((0..bytes, any::<u8>()), 0..8);
    (changes, prop_oneof![3 => Just(bytes), 1 => 0..bytes]).prop_map(move |(changes, left)| {
        let mut file = whole.clone();
        for (at, byte) in changes {
            file[at] = byte;
        }
        file.truncate(left);
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_ends_the_process(
        file in prop_oneof![damaged(CITY.to_vec()), damaged(FLAT.to_vec()), damaged(old()), damaged(new_v6())],
        address in any::<u32>(),
    ) {
        if let Ok(table) = read(file) {
            table.place_of(IpAddr::from(Ipv4Addr::from_bits(address)));
        }
    }

    #[test]
    fn no_tree_ends_the_process(tree in proptest::collection::vec(any::<u8>(), 0..2000), small in any::<bool>()) {
        // A tree of chance before the metadata of a real one: with small numbers most branches lead to nodes.
        let tree = if small { tree.into_iter().enumerate().map(|(at, byte)| if at % 3 == 2 { byte % 64 } else { 0 }).collect() } else { tree };
        for whole in [CITY, FLAT] {
            let mut file = whole.to_vec();
            let until = tree.len().min(file.len() - 300);
            file[..until].copy_from_slice(&tree[..until]);
            let _ = read(file);
        }
    }

    #[test]
    fn no_row_ends_the_process(bytes in proptest::collection::vec(any::<u8>(), 0..600), row in "\\PC*") {
        let _ = read([&[2, 0, 1, 0][..], &bytes].concat());
        let _ = read([&[3, 0, 1, 0][..], &bytes].concat());
        let _ = read(xdb(2, &[("1.1.1.1", "1.1.1.1", &row)]));
    }

    #[test]
    fn a_table_says_what_its_ranges_say(cuts in proptest::collection::btree_set(any::<u8>(), 2..20), known in any::<u32>()) {
        let cuts: Vec<_> = cuts.into_iter().collect();
        let address = |last: u8| IpAddr::from([9, 9, 9, last]);
        let codes = ["FR", "GB", "CN-SH"].map(|code| Place::from_code(code).unwrap());
        let place = |at: usize| (known >> at & 1 == 1).then(|| codes[at % 3]);
        let mut table = Table::default();
        for (at, pair) in cuts.windows(2).enumerate() {
            // Every fifth range is left out.
            if at % 5 < 4 {
                table.push(address(pair[0]), address(pair[1] - 1), place(at)).unwrap();
            }
        }
        for last in 0..=u8::MAX {
            let range = cuts.windows(2).position(|pair| (pair[0]..pair[1]).contains(&last));
            prop_assert_eq!(table.place_of(address(last)), range.filter(|at| at % 5 < 4).and_then(place));
        }
    }
}
