//! Numbers in either encoding.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A count, a duration or a date: a decimal string in the live API, a JSON number in the seed. Read from either.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// The number.
    pub value: i64,
    /// Whether it is a decimal string on the wire.
    pub quoted: bool,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Number {}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.quoted { serializer.collect_str(&self.value) } else { serializer.serialize_i64(self.value) }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an integer, or a string of one")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number { value, quoted: false })
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                i64::try_from(value)
                    .map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
                    .and_then(|value| self.visit_i64(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                let value = text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
                Ok(Number { value, quoted: true })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
