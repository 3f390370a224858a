//! What one request, and all requests together, may take.

use rollcall_dialects::turns::Patience;
use serde::Deserialize;
use std::time::Duration;

/// The section `limits`. A limit set to 0 is off, except that of the future.
///
/// What all organizations share, they share by [`rollcall_dialects::turns::Shares`]: one of several may have half of what the others leave.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Facts in one request.
    pub facts: u64,
    /// Bytes of one request after decompression, and bytes of its facts in memory.
    pub decoded_bytes: u64,
    /// Bytes of one line of NDJSON or CSV, or of one object of a JSON array.
    pub line_bytes: u64,
    /// Entries of cells that the facts of one request make: one for each quarter hour and each hour of a stay, and one for its meeting.
    pub request_entries: u64,
    /// UTC days that the facts of one request lie on.
    pub request_days: u64,
    /// How many seconds ahead of the clock the time of a fact may be; 0: none.
    pub future_seconds: u64,
    /// Bytes of one request as sent.
    pub body_bytes: u64,
    /// Bytes of memory that all bodies take at a time, as they arrive and as they are decoded; further ones wait for room.
    pub inflight_bytes: u64,
    /// Bodies decoded at a time; others wait.
    pub decoders: u64,
    /// Reports computed at a time, those of dialects included; others wait.
    pub reports: u64,
    /// Requests that may wait for room, to be decoded or for a report, each; further ones are refused with 503.
    pub waiting_requests: u64,
    /// Seconds that each of them waits; then it is refused with 503.
    pub wait_seconds: u64,
    /// Open connections, as far as the process may open files; where there are no more, those that wait for their client make way.
    pub connections: u64,
    /// Bytes of the head of a request: its first line and its headers. When off, 400 KiB.
    pub head_bytes: u64,
    /// Seconds to send the head of a request, a TLS handshake included.
    pub header_seconds: u64,
    /// Seconds that a connection is kept after an answer, until the next request begins.
    pub idle_seconds: u64,
    /// Seconds to send the body of a request.
    pub body_seconds: u64,
    /// Seconds in which a client must take something of an answer, 64 KiB at the most; else its connection ends.
    pub write_seconds: u64,
    /// Seconds that requests have to finish at shutdown.
    pub shutdown_seconds: u64,
    /// Exports under way at a time; further ones are refused with 503.
    pub exports: u64,
    /// Seconds that an export may take, from its first byte to its last; then its connection breaks off.
    pub export_seconds: u64,
    /// The longest range, in days, of a report with a row for each day.
    pub report_days: u64,
    /// Rows of a report with a row for each day and department or developer.
    pub report_rows: u64,
    /// Cells that one question takes: about one for each day, or for each day and department.
    pub report_cells: u64,
    /// Cells of a report that is written as XLSX, which is made in memory.
    pub xlsx_cells: u64,
    /// Requests a minute of one key of the native API, but for those that send facts.
    pub requests_per_minute: u32,
    /// Requests a minute of one key that send facts; usually off, since room, turns and the disk bound them.
    pub fact_requests_per_minute: u32,
    /// Bytes of answers that are kept, and given again to the same question while nothing changed; 0: none is kept.
    pub answer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let rollcall_engine::ingest::Limits { facts, decoded_bytes, line_bytes, request_entries, request_days, future_seconds } =
            rollcall_engine::ingest::Limits::default();
        let processors = std::thread::available_parallelism().map_or(1, |processors| processors.get() as u64);
        Self {
            facts,
            decoded_bytes,
            line_bytes,
            request_entries,
            request_days,
            future_seconds,
            body_bytes: 64 << 20,
            inflight_bytes: 512 << 20,
            decoders: 2 * processors,
            reports: 4 * processors,
            waiting_requests: 1024,
            wait_seconds: 30,
            connections: 4096,
            head_bytes: 64 << 10,
            header_seconds: 10,
            idle_seconds: 75,
            body_seconds: 120,
            write_seconds: 60,
            shutdown_seconds: 30,
            exports: 8,
            export_seconds: 6 * 3600,
            report_days: 3660,
            report_rows: 100_000,
            report_cells: 1_000_000,
            xlsx_cells: 500_000,
            requests_per_minute: 60_000,
            fact_requests_per_minute: 0,
            answer_bytes: 64 << 20,
        }
    }
}

impl Limits {
    /// What decoding must know of them.
    pub const fn ingest(&self) -> rollcall_engine::ingest::Limits {
        let Self { facts, decoded_bytes, line_bytes, request_entries, request_days, future_seconds, .. } = *self;
        rollcall_engine::ingest::Limits { facts, decoded_bytes, line_bytes, request_entries, request_days, future_seconds }
    }

    /// How many requests may wait for something, and for how long.
    pub const fn patience(&self) -> Patience {
        Patience { requests: self.waiting_requests, time: Self::seconds(self.wait_seconds) }
    }

    /// A limit in seconds as a duration; none when it is off.
    pub const fn seconds(limit: u64) -> Option<Duration> {
        if limit > 0 { Some(Duration::from_secs(limit)) } else { None }
    }

    /// Whether `amount` passes `limit`.
    pub const fn passed(limit: u64, amount: u64) -> bool {
        limit > 0 && amount > limit
    }
}
