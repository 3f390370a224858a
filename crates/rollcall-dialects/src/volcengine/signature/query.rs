//! The query string: decoded as received, written as the canonical request has it.

use super::RESERVED;
use percent_encoding::{percent_decode, percent_encode};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Parameters in order, as the bytes they stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    /// Decodes a query string. A `+` is a blank; a `%` that begins no code stands for itself; without `=` the value is empty.
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(key, value)| (decode(key), decode(value))).collect())
    }

    /// Parameters of text.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The first value of a parameter. What is not UTF-8 is replaced.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key.as_bytes())?;
        Some(String::from_utf8_lossy(value))
    }

    /// The parameters of these names alone, every value of each.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        // Both lists are the client's, and may be long.
        let names: HashSet<_> = names.iter().map(|name| name.as_bytes()).collect();
        Self(self.0.iter().filter(|(name, _)| names.contains(name.as_slice())).cloned().collect())
    }

    /// The orders in which clients sign: by name and value; and by name alone, where that is another.
    pub fn orders(&self) -> Vec<Self> {
        let mut by_value = self.0.clone();
        by_value.sort();
        let mut as_received = self.0.clone();
        as_received.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut orders = vec![Self(by_value), Self(as_received)];
        orders.dedup();
        orders
    }
}

fn decode(text: &str) -> Vec<u8> {
    percent_decode(text.replace('+', " ").as_bytes()).collect()
}

/// Writes it in the order it is in.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (key, value)) in self.0.iter().enumerate() {
            let and = if position > 0 { "&" } else { "" };
            write!(f, "{and}{}={}", percent_encode(key, RESERVED), percent_encode(value, RESERVED))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_is_read_as_clients_of_every_kind_write_it() {
        let query = Query::parse("b=2&a=1+1&&c&d=%zz&e=%E4%B8%AD&f=%ff&b=1=1");
        let canonical = |order: usize| query.orders().get(order).map(ToString::to_string);
        assert_eq!(canonical(0).as_deref(), Some("a=1%201&b=1%3D1&b=2&c=&d=%25zz&e=%E4%B8%AD&f=%FF"));
        assert_eq!(canonical(1).as_deref(), Some("a=1%201&b=2&b=1%3D1&c=&d=%25zz&e=%E4%B8%AD&f=%FF"));
        assert_eq!(Query::parse("b=1&a=1").orders().len(), 1);
        assert_eq!((query.get("e").as_deref(), query.get("c").as_deref(), query.get("x")), (Some("中"), Some(""), None));
        assert_eq!(query.only(&["b", "e"]).to_string(), "b=2&e=%E4%B8%AD&b=1%3D1");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(pairs in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..6), proptest::collection::vec(any::<u8>(), 0..6)), 0..6)) {
            let query = Query(pairs);
            prop_assert_eq!(&Query::parse(&query.to_string()), &query);
        }
    }
}
