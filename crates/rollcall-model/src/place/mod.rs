//! Places: ISO 3166-1 countries and ISO 3166-2 first-level subdivisions.

mod names;

use names::{COUNTRIES, DIVISIONS, Division};
use std::net::IpAddr;

/// A country, with its first-level subdivision where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    country: [u8; 2],
    /// The part after the hyphen, padded with zeros; all zeros when unknown.
    subdivision: [u8; 3],
}

/// Where addresses are: what resolves the `ip` of a fact, at ingest, before the address is dropped.
pub trait Places: Send + Sync {
    /// The place of an address; none where it is unknown. An IPv4 address may come written as IPv6.
    fn place_of(&self, address: IpAddr) -> Option<Place>;
}

/// Which pair of digits and capital letters a code of two is, counted from 0.
const fn pair(code: &[u8]) -> Option<usize> {
    const fn character(byte: u8) -> Option<usize> {
        match byte {
            b'0'..=b'9' => Some((byte - b'0') as usize),
            b'A'..=b'Z' => Some((byte - b'A') as usize + 10),
            _ => None,
        }
    }
    let [first, second] = code else { return None };
    match (character(*first), character(*second)) {
        (Some(first), Some(second)) => Some(first * 36 + second),
        _ => None,
    }
}

/// Where each pair of digits and capital letters stands in a list, from 1; 0 if it does not.
type Positions = [u8; 36 * 36];

static COUNTRY_POSITIONS: Positions = {
    let (mut positions, mut at) = ([0; 36 * 36], 0);
    while at < COUNTRIES.len() {
        put(&mut positions, COUNTRIES[at].0, at);
        at += 1;
    }
    positions
};

static DIVISION_POSITIONS: Positions = {
    let (mut positions, mut at) = ([0; 36 * 36], 0);
    while at < DIVISIONS.len() {
        put(&mut positions, DIVISIONS[at].letters, at);
        put(&mut positions, DIVISIONS[at].digits, at);
        at += 1;
    }
    positions
};

const fn put(positions: &mut Positions, code: &str, at: usize) {
    if let Some(pair) = pair(code.as_bytes()) {
        #[expect(clippy::cast_possible_truncation, reason = "fewer countries than 256")]
        let position = at as u8 + 1;
        positions[pair] = position;
    }
}

/// What stands in a list for a code of two.
fn find<T>(code: &[u8], positions: &Positions, list: &'static [T]) -> Option<&'static T> {
    list.get(usize::from(*positions.get(pair(code)?)?).checked_sub(1)?)
}

/// The code, the Chinese and the English name of a country.
fn country_of(code: [u8; 2]) -> Option<&'static (&'static str, &'static str, &'static str)> {
    find(&code, &COUNTRY_POSITIONS, &COUNTRIES)
}

/// What a country code must be, for error messages.
pub const EXPECTED_COUNTRY: &str = "an ISO 3166-1 alpha-2 code such as CN";

/// What a subdivision code must be, for error messages.
pub const EXPECTED_SUBDIVISION: &str = "an ISO 3166-2 code such as CN-SH";

impl Place {
    /// The place of a country code such as `CN`; none if ISO 3166-1 has no such code.
    pub fn country_only(code: &str) -> Option<Self> {
        let country = code.as_bytes().try_into().ok()?;
        country_of(country).map(|_| Self { country, subdivision: [0; 3] })
    }

    /// The place of a subdivision code such as `CN-SH`, or `CN-31` as it was written before 2017; none if the country is unknown, or
    /// what follows is not one to three capital letters or digits. Whether such a subdivision exists is checked for China alone.
    pub fn of_subdivision(code: &str) -> Option<Self> {
        let [first, second, b'-', part @ ..] = code.as_bytes() else { return None };
        let country = [*first, *second];
        country_of(country)?;
        let part = if country == *b"CN" { find(part, &DIVISION_POSITIONS, &DIVISIONS)?.letters.as_bytes() } else { part };
        let well_formed = !part.is_empty() && part.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let mut subdivision = [0; 3];
        subdivision.get_mut(..part.len()).filter(|_| well_formed)?.copy_from_slice(part);
        Some(Self { country, subdivision })
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

    /// The name in Chinese: that of the subdivision, which is known for China alone, else that of the country.
    pub fn chinese_name(self) -> Option<&'static str> {
        if self.subdivision == [0; 3] { country_of(self.country).map(|names| names.1) } else { Some(self.division()?.chinese) }
    }

    /// The name in English: that of the subdivision, which is known for China alone, else that of the country.
    pub fn english_name(self) -> Option<&'static str> {
        if self.subdivision == [0; 3] { country_of(self.country).map(|names| names.2) } else { Some(self.division()?.english) }
    }

    /// The subdivision of China that the place is.
    fn division(self) -> Option<&'static Division> {
        let letters = self.subdivision.strip_suffix(b"\0").filter(|_| &self.country == b"CN")?;
        find(letters, &DIVISION_POSITIONS, &DIVISIONS)
    }

    /// Every country of ISO 3166-1, in the order of their codes.
    pub fn countries() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().filter_map(|(code, ..)| Self::country_only(code))
    }

    /// The 34 first-level subdivisions of China.
    pub fn divisions_of_china() -> impl Iterator<Item = Self> {
        DIVISIONS.iter().filter_map(|division| Self::of_subdivision(&format!("CN-{}", division.letters)))
    }

    /// The place of a code of either kind.
    pub fn from_code(code: &str) -> Option<Self> {
        if code.contains('-') { Self::of_subdivision(code) } else { Self::country_only(code) }
    }
}

#[cfg(test)]
mod tests;
