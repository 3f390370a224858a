//! Ranges of addresses, each with its place.

use rollcall_model::{Place, Places};
use std::net::IpAddr;

/// What one database file knows.
#[derive(Debug, Default)]
pub(super) struct Table {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// What several database files know: the first that knows an address says where it is.
#[derive(Debug, Default)]
pub(super) struct Tables(pub(super) Vec<Table>);

impl Table {
    /// Adds the range from `first` to `last`, which lies after all others of its kind.
    pub(super) fn push(&mut self, first: IpAddr, last: IpAddr, place: Option<Place>) -> Result<(), String> {
        let added = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => self.v4.push(first.to_bits(), last.to_bits(), place),
            (IpAddr::V6(first), IpAddr::V6(last)) => self.v6.push(first.to_bits(), last.to_bits(), place),
            _ => None,
        };
        added.ok_or_else(|| format!("is damaged: the range of addresses from {first} to {last} is out of order"))
    }

    pub(super) fn knows_nothing(&self) -> bool {
        self.v4.places.iter().chain(&self.v6.places).all(Option::is_none)
    }
}

impl Places for Table {
    fn place_of(&self, address: IpAddr) -> Option<Place> {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.get(address.to_bits()),
            IpAddr::V6(address) => self.v6.get(address.to_bits()),
        }
    }
}

impl Places for Tables {
    fn place_of(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        if is_of_one_network(address) { None } else { self.0.iter().find_map(|table| table.place_of(address)) }
    }
}

/// Whether an address means something within one network only, or nothing: such an address has no place, whatever a database says.
fn is_of_one_network(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && b & 0xc0 == 64;
            a == 0 || a >= 224 || is_shared || address.is_private() || address.is_loopback() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

/// An address as a number.
trait Address: Copy + Ord + Default {
    fn next(self) -> Option<Self>;
}

impl Address for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Address for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Ranges without gaps: each begins where the one before it ends. Neighbours in the same place are one.
#[derive(Debug)]
struct Ranges<A> {
    starts: Vec<A>,
    places: Vec<Option<Place>>,
    /// The first address after the last range; none after the last address of all.
    end: Option<A>,
}

impl<A: Default> Default for Ranges<A> {
    fn default() -> Self {
        Self { starts: Vec::new(), places: Vec::new(), end: Some(A::default()) }
    }
}

impl<A: Address> Ranges<A> {
    fn push(&mut self, first: A, last: A, place: Option<Place>) -> Option<()> {
        let end = self.end.filter(|end| *end <= first && first <= last)?;
        if end < first {
            self.begin(end, None);
        }
        self.begin(first, place);
        self.end = last.next();
        Some(())
    }

    fn begin(&mut self, start: A, place: Option<Place>) {
        if self.places.last() != Some(&place) {
            self.starts.push(start);
            self.places.push(place);
        }
    }

    fn get(&self, address: A) -> Option<Place> {
        if self.end.is_some_and(|end| end <= address) {
            return None;
        }
        let range = self.starts.partition_point(|start| *start <= address).checked_sub(1)?;
        *self.places.get(range)?
    }
}
