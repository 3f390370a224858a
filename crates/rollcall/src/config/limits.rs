//! What one request, and all requests together, may take.

use serde::Deserialize;
use std::time::Duration;

/// The section `limits`. A limit set to 0 is off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Facts in one request.
    pub facts: u64,
    /// Bytes of one request after decompression.
    pub decoded_bytes: u64,
    /// Bytes of one line of NDJSON or CSV, or of one object of a JSON array.
    pub line_bytes: u64,
    /// Bytes of one request as sent.
    pub body_bytes: u64,
    /// Bytes of all bodies held at a time; further requests wait for room.
    pub inflight_bytes: u64,
    /// Requests that may wait for room; further ones are refused with 503.
    pub waiting_requests: u64,
    /// Open connections; further ones wait to be accepted.
    pub connections: u64,
    /// Seconds to send the head of a request, or nothing on a kept connection.
    pub header_seconds: u64,
    /// Seconds to send the body of a request.
    pub body_seconds: u64,
    /// Seconds that requests have to finish at shutdown.
    pub shutdown_seconds: u64,
    /// Exports under way at a time; further ones are refused with 503.
    pub exports: u64,
    /// Seconds that an export waits for a client that takes nothing; then it is broken off.
    pub export_seconds: u64,
    /// The longest range, in days, of a report with a row for each day.
    pub report_days: u64,
    /// Rows of a report with a row for each day and department or developer.
    pub report_rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let rollcall_engine::ingest::Limits { facts, decoded_bytes, line_bytes } = rollcall_engine::ingest::Limits::default();
        Self {
            facts,
            decoded_bytes,
            line_bytes,
            body_bytes: 64 << 20,
            inflight_bytes: 256 << 20,
            waiting_requests: 1024,
            connections: 4096,
            header_seconds: 30,
            body_seconds: 120,
            shutdown_seconds: 30,
            exports: 4,
            export_seconds: 120,
            report_days: 3660,
            report_rows: 100_000,
        }
    }
}

impl Limits {
    /// What decoding must know of them.
    pub const fn ingest(&self) -> rollcall_engine::ingest::Limits {
        rollcall_engine::ingest::Limits { facts: self.facts, decoded_bytes: self.decoded_bytes, line_bytes: self.line_bytes }
    }

    /// A limit in seconds as a duration; none when it is off.
    pub fn seconds(limit: u64) -> Option<Duration> {
        (limit > 0).then(|| Duration::from_secs(limit))
    }

    /// Whether `amount` passes `limit`.
    pub const fn passed(limit: u64, amount: u64) -> bool {
        limit > 0 && amount > limit
    }
}
