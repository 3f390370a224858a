//! The line of passwords that wait to be compared with a hash. It is short: whoever finds it full is asked to come again.

use super::password::Hashing;
use crate::guesses::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many passwords are hashed at a time: each takes a core, and the megabytes that its hash asks for.
const AT_A_TIME: usize = 2;
/// Of all places, an address may hold one in so many, so that one stranger does not fill the line.
const SHARE: usize = 4;
/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The line, and what is hashed at its head.
#[derive(Debug)]
pub(super) struct Line {
    held: Arc<Mutex<Held>>,
    turns: Arc<Semaphore>,
    hashing: Arc<Hashing>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_network: HashMap<Option<IpAddr>, usize>,
}

/// A place in the line, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    held: Arc<Mutex<Held>>,
    network: Option<IpAddr>,
}

impl Default for Line {
    fn default() -> Self {
        Self { held: Arc::default(), turns: Arc::new(Semaphore::new(AT_A_TIME)), hashing: Arc::default() }
    }
}

impl Line {
    /// Takes a place, if not so many wait already that the line is full, or full of this client's.
    pub(super) fn join(&self, client: Option<IpAddr>, most_waiting: u32) -> Option<Place> {
        let places = (most_waiting as usize).saturating_add(AT_A_TIME);
        let network = network(client);
        let mut held = lock(&self.held);
        let of_network = held.by_network.get(&network).copied().unwrap_or_default();
        if held.all >= places || of_network >= (places / SHARE).max(1) {
            return None;
        }
        held.all += 1;
        held.by_network.insert(network, of_network + 1);
        Some(Place { held: self.held.clone(), network })
    }

    /// Whether the hash is of this password, when its turn has come; none if that did not come in time.
    pub(super) async fn compare(&self, place: Place, password: Vec<u8>, hash: String) -> Option<bool> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await.ok()?.ok()?;
        let hashing = self.hashing.clone();
        let compared = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            hashing.matches(&password, &hash)
        });
        compared.await.inspect_err(|error| tracing::error!(%error, "a password could not be verified")).ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.all -= 1;
        if let Some(count) = held.by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                held.by_network.remove(&self.network);
            }
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, number]))
    }

    #[test]
    fn the_line_is_full_for_everybody_or_for_whom_it_is_full_of() {
        let line = Line::default();
        let mut places: Vec<_> = (0..2).map(|_| line.join(address(1), 6).unwrap()).collect();
        assert!(line.join(address(1), 6).is_none());
        places.extend((2..8).map(|number| line.join(address(number), 6).unwrap()));
        assert!(line.join(address(9), 6).is_none() && line.join(address(9), 7).is_some());
        places.truncate(1);
        assert!(line.join(address(9), 6).is_some() && line.join(address(1), 6).is_some());
        drop(places);
        let held = lock(&line.held);
        assert_eq!((held.all, held.by_network.len()), (0, 0));
    }

    #[test]
    fn where_nobody_may_wait_those_are_served_that_have_a_turn() {
        let line = Line::default();
        let first = line.join(address(1), 0).unwrap();
        assert!(line.join(address(1), 0).is_none());
        let second = line.join(address(2), 0).unwrap();
        assert!(line.join(address(3), 0).is_none());
        drop((first, second));
        assert!(line.join(address(3), 0).is_some());
    }
}
