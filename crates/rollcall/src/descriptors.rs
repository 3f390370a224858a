//! How many files and sockets the process may open, and how storage and connections share them.
//!
//! What cannot be opened any more fails: a new connection waits then, but a ledger that cannot open its files stands still. So
//! connections get only what storage leaves.

use crate::config::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most that is kept for storage: the database's files, those of the lake, of place databases, and sockets to a store.
const MOST_FOR_STORAGE: u64 = 1024;

/// Fewer connections than this are worth a warning, even where none were asked for by number.
const FEW: u64 = 512;

/// What systems allow at the least that name no number, or take no greater one than this.
const MODEST: u64 = 10_240;

/// Raises the process's limit of open files as far as it may be raised. Where that fails, the limit stays.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // Not every system takes what it says itself.
    if raised.is_err() && current.is_some_and(|current| current < MODEST) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(MODEST), maximum });
    }
}

/// How many files the process may have open.
pub fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Who may have how many descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many there are.
    pub limit: u64,
    /// How many are kept for storage.
    pub storage: usize,
    /// How many connections may be open.
    pub connections: usize,
}

impl Share {
    /// Storage keeps half of the limit, at most [`MOST_FOR_STORAGE`]; connections get the rest, or what was asked for (0: any) if that
    /// is less.
    pub fn of(limit: u64, connections: u64) -> Self {
        let storage = (limit / 2).min(MOST_FOR_STORAGE);
        let left = (limit - storage).max(1);
        let connections = if connections == 0 { left } else { connections.min(left) };
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self { limit, storage: number(storage), connections: number(connections) }
    }

    /// Says in the log what connections get where that is less than was asked for, or little.
    pub fn tell(&self, limits: &Limits) {
        let Self { limit, storage, connections } = *self;
        let wanted = if limits.connections == 0 { FEW } else { limits.connections };
        if (connections as u64) < wanted {
            tracing::warn!(
                "at most {connections} connections are open at a time, not limits.connections = {}: the process may open {limit} files, and \
                 {storage} are kept for storage; raise the hard limit (`ulimit -Hn`, LimitNOFILE= of systemd)",
                limits.connections
            );
        } else {
            tracing::debug!(connections, storage, limit, "connections and storage share the files that may be open");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_has_descriptors_that_connections_never_get() {
        for (limit, asked, storage, connections) in [
            (20_000, 4096, 1024, 4096),
            (20_000, 0, 1024, 18_976),
            (1024, 4096, 512, 512),
            (256, 4096, 128, 128),
            (256, 16, 128, 16),
            (u64::MAX, 0, 1024, usize::try_from(u64::MAX - 1024).unwrap_or(usize::MAX)),
            (0, 0, 0, 1),
        ] {
            assert_eq!(Share::of(limit, asked), Share { limit, storage, connections }, "{limit} {asked}");
        }
    }
}
