//! Places: ISO 3166-1 countries and ISO 3166-2 first-level subdivisions.

/// A country, with its first-level subdivision where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    country: [u8; 2],
    /// The part after the hyphen, padded with zeros; all zeros when unknown.
    subdivision: [u8; 3],
}

/// The countries of ISO 3166-1, alpha-2, as of 2024.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW \
BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ \
LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU \
NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD \
TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether each pair of capital letters is in [`COUNTRIES`], by the pair's position in AA, AB … ZZ.
const KNOWN: [bool; 26 * 26] = {
    let mut known = [false; 26 * 26];
    let codes = COUNTRIES.as_bytes();
    let mut at = 0;
    while at < codes.len() {
        known[(codes[at] - b'A') as usize * 26 + (codes[at + 1] - b'A') as usize] = true;
        at += 3;
    }
    known
};

/// China's subdivisions by the numeric codes used before 2017, which are still read.
#[rustfmt::skip]
const CHINA_NUMERIC: [(&str, &str); 34] = [
    ("11", "BJ"), ("12", "TJ"), ("13", "HE"), ("14", "SX"), ("15", "NM"), ("21", "LN"), ("22", "JL"), ("23", "HL"), ("31", "SH"),
    ("32", "JS"), ("33", "ZJ"), ("34", "AH"), ("35", "FJ"), ("36", "JX"), ("37", "SD"), ("41", "HA"), ("42", "HB"), ("43", "HN"),
    ("44", "GD"), ("45", "GX"), ("46", "HI"), ("50", "CQ"), ("51", "SC"), ("52", "GZ"), ("53", "YN"), ("54", "XZ"), ("61", "SN"),
    ("62", "GS"), ("63", "QH"), ("64", "NX"), ("65", "XJ"), ("71", "TW"), ("91", "HK"), ("92", "MO"),
];

/// What a country code must be, for error messages.
pub const EXPECTED_COUNTRY: &str = "an ISO 3166-1 alpha-2 code such as CN";

/// What a subdivision code must be, for error messages.
pub const EXPECTED_SUBDIVISION: &str = "an ISO 3166-2 code such as CN-SH";

impl Place {
    /// The place of a country code such as `CN`; none if ISO 3166-1 has no such code.
    pub fn country_only(code: &str) -> Option<Self> {
        let country @ [first, second] = code.as_bytes().try_into().ok()?;
        let (first, second) = (first.wrapping_sub(b'A'), second.wrapping_sub(b'A'));
        let known = first < 26 && second < 26 && *KNOWN.get(usize::from(first) * 26 + usize::from(second))?;
        known.then_some(Self { country, subdivision: [0; 3] })
    }

    /// The place of a subdivision code such as `CN-SH`, or `CN-31` as it was written before 2017; none if the country is unknown, or
    /// what follows is not one to three capital letters or digits. Whether such a subdivision exists is checked for China alone.
    pub fn of_subdivision(code: &str) -> Option<Self> {
        let (country, part) = code.split_once('-')?;
        let mut place = Self::country_only(country)?;
        let mut part = part;
        if country == "CN" {
            let (_, letters) = CHINA_NUMERIC.iter().find(|(number, letters)| *number == part || *letters == part)?;
            part = letters;
        }
        let well_formed = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        place.subdivision.get_mut(..part.len()).filter(|_| well_formed)?.copy_from_slice(part.as_bytes());
        Some(place)
    }

    /// The ISO 3166-1 code.
    pub fn country(&self) -> &str {
        std::str::from_utf8(&self.country).unwrap_or_default()
    }

    /// The ISO 3166-2 code, where the subdivision is known.
    pub fn subdivision(&self) -> Option<String> {
        let part = std::str::from_utf8(&self.subdivision).unwrap_or_default().trim_end_matches('\0');
        (!part.is_empty()).then(|| format!("{}-{part}", self.country()))
    }

    /// The place as one number, for storage; never 0.
    pub fn number(&self) -> u64 {
        let [a, b] = self.country;
        let [c, d, e] = self.subdivision;
        u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
    }

    /// The place of a number in storage; 0 is none.
    pub const fn from_number(number: u64) -> Option<Self> {
        let [_, _, _, a, b, c, d, e] = number.to_be_bytes();
        if number == 0 { None } else { Some(Self { country: [a, b], subdivision: [c, d, e] }) }
    }

    /// The country that users here count in. Hong Kong, Macau and Taiwan are written as countries and as subdivisions of China; either
    /// way they are one place, which counts by itself.
    #[must_use]
    pub fn as_country(self) -> Self {
        match (&self.country, &self.subdivision) {
            (b"CN", b"HK\0") => Self { country: *b"HK", subdivision: [0; 3] },
            (b"CN", b"MO\0") => Self { country: *b"MO", subdivision: [0; 3] },
            (b"CN", b"TW\0") => Self { country: *b"TW", subdivision: [0; 3] },
            _ => Self { subdivision: [0; 3], ..self },
        }
    }

    /// The subdivision that users here count in, where it is known. Hong Kong, Macau and Taiwan, however written, are subdivisions
    /// of China.
    pub fn as_subdivision(self) -> Option<Self> {
        match &self.country {
            country @ (b"HK" | b"MO" | b"TW") => Some(Self { country: *b"CN", subdivision: [country[0], country[1], 0] }),
            _ if self.subdivision == [0; 3] => None,
            _ => Some(self),
        }
    }

    /// The most precise code: that of the subdivision where known, else that of the country.
    pub fn code(&self) -> String {
        self.subdivision().unwrap_or_else(|| self.country().to_owned())
    }

    /// The place of a code of either kind.
    pub fn from_code(code: &str) -> Option<Self> {
        if code.contains('-') { Self::of_subdivision(code) } else { Self::country_only(code) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
