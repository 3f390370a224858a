use super::*;
use std::collections::HashSet;

#[test]
fn codes_are_read_and_written() {
    assert_eq!(Place::of_subdivision("CN-SH").unwrap().code(), "CN-SH");
    assert_eq!(Place::of_subdivision("CN-31"), Place::of_subdivision("CN-SH"));
    assert_eq!(Place::of_subdivision("US-CA").unwrap().country(), "US");
    assert_eq!(Place::country_only("HK").unwrap().code(), "HK");
    for place in ["CN-SH", "HK", "GB-ENG"] {
        let known = Place::from_code(place).unwrap();
        assert_eq!(known.code(), place);
        assert_eq!(Place::from_number(known.number()), Some(known));
    }
}

#[test]
fn hong_kong_macau_and_taiwan_are_one_place_each_however_written() {
    let code = |place: Place| place.code();
    for (written, country, subdivision) in [
        ("HK", "HK", Some("CN-HK")),
        ("CN-HK", "HK", Some("CN-HK")),
        ("CN-91", "HK", Some("CN-HK")),
        ("MO", "MO", Some("CN-MO")),
        ("TW-TPE", "TW", Some("CN-TW")),
        ("CN-71", "TW", Some("CN-TW")),
        ("CN-SH", "CN", Some("CN-SH")),
        ("CN", "CN", None),
        ("US-CA", "US", Some("US-CA")),
    ] {
        let place = Place::from_code(written).unwrap();
        assert_eq!((code(place.as_country()), place.as_subdivision().map(code).as_deref()), (country.into(), subdivision), "{written}");
    }
}

#[test]
fn unknown_codes_are_refused() {
    for code in ["ZZ", "cn", "C", "", "CHN", "AD AE"] {
        assert_eq!(Place::country_only(code), None, "{code}");
    }
    for code in ["ZZ-A", "CN-", "CN-99", "US-", "US-CALI", "US-ca", "US"] {
        assert_eq!(Place::of_subdivision(code), None, "{code}");
    }
}

#[test]
fn every_country_has_one_name_in_each_language() {
    let countries: Vec<_> = Place::countries().collect();
    assert_eq!(countries.len(), 249);
    assert!(countries.is_sorted_by(|a, b| a < b));
    for name in [Place::chinese_name, Place::english_name] {
        let names: HashSet<_> = countries.iter().map(|country| name(*country).unwrap()).collect();
        assert_eq!(names.len(), 249);
        assert!(!names.contains(""));
    }
    for (code, chinese, english) in [
        ("CN", "中国", "China"),
        ("HK", "中国香港", "Hong Kong SAR China"),
        ("MO", "中国澳门", "Macao SAR China"),
        ("TW", "中国台湾", "Taiwan"),
        ("CG", "刚果（布）", "Congo - Brazzaville"),
        ("ZW", "津巴布韦", "Zimbabwe"),
    ] {
        let place = Place::country_only(code).unwrap();
        assert_eq!((place.code().as_str(), place.chinese_name(), place.english_name()), (code, Some(chinese), Some(english)));
    }
}

#[test]
fn codes_of_two_characters_are_found_as_by_looking_at_each() {
    let characters = || ('0'..='9').chain('A'..='Z').chain(['a', '-', 'é', '\0']);
    for code in characters().flat_map(|first| characters().map(move |second| [first, second].iter().collect::<String>())) {
        let country = COUNTRIES.iter().find(|country| country.0 == code);
        assert_eq!(Place::country_only(&code).map(|place| place.code()), country.map(|country| country.0.to_owned()), "{code}");
        let division = DIVISIONS.iter().find(|division| division.letters == code || division.digits == code);
        let found = Place::of_subdivision(&format!("CN-{code}")).map(|place| (place.code(), place.chinese_name(), place.english_name()));
        let named = |division: &Division| (format!("CN-{}", division.letters), Some(division.chinese), Some(division.english));
        assert_eq!(found, division.map(named), "{code}");
    }
}

#[test]
fn every_subdivision_of_china_has_one_name_in_each_language() {
    let divisions: Vec<_> = Place::divisions_of_china().collect();
    assert_eq!(divisions.iter().collect::<HashSet<_>>().len(), 34);
    for name in [Place::chinese_name, Place::english_name] {
        assert_eq!(divisions.iter().map(|division| name(*division).unwrap()).collect::<HashSet<_>>().len(), 34);
    }
    for (code, chinese, english) in [
        ("CN-SX", "山西", "Shanxi"),
        ("CN-SN", "陕西", "Shaanxi"),
        ("CN-61", "陕西", "Shaanxi"),
        ("CN-NM", "内蒙古", "Inner Mongolia"),
        ("CN-HK", "香港", "Hong Kong"),
    ] {
        let place = Place::from_code(code).unwrap();
        assert_eq!((place.chinese_name(), place.english_name()), (Some(chinese), Some(english)), "{code}");
    }
}

#[test]
fn a_subdivision_elsewhere_has_no_name_and_never_its_countrys() {
    for code in ["US-CA", "TW-TPE", "GB-ENG", "US-BJ"] {
        let place = Place::from_code(code).unwrap();
        assert_eq!((place.chinese_name(), place.english_name()), (None, None), "{code}");
    }
}
