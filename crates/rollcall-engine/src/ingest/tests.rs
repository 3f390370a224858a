//! What holds in every format; what one alone promises is in the modules.

mod assistance;
mod columns;
mod text;

use super::samples::{self, Sample};
use super::*;
use crate::kinds::columns::Attendances;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::OrgId;
use rollcall_model::calendar::DAY_MILLIS;
use std::sync::LazyLock;

const FORMATS: [Format; 5] = [Format::Ndjson, Format::Json, Format::Csv, Format::Parquet, Format::Arrow];
static ORGANIZATION: LazyLock<Organization> = LazyLock::new(|| Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC));
static DIRECTORY: LazyLock<Directory> = LazyLock::new(Directory::default);

/// What a CSV has at least.
const CSV_HEADER: &[u8] = b"session_id,session_started_at,user_id,joined_at,left_at\n";

/// A day after the times of the samples.
const NOW: Millis = 1_740_819_600_000 + 15 * DAY_MILLIS;

const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn decoded_within(body: &[u8], format: Format, compression: Compression, limits: &Limits) -> Result<Decoded<Attendances>, String> {
    decoded_by(body, format, compression, |context| context.limits = *limits)
}

fn decoded_by<'c, C: Columns>(
    body: &[u8],
    format: Format,
    compression: Compression,
    set: impl FnOnce(&mut Context<'c>),
) -> Result<Decoded<C>, String> {
    let mut context = Context::new(&ORGANIZATION, &DIRECTORY, NOW);
    set(&mut context);
    decode(body, format, compression, &context).map_err(|error| error.to_string())
}

fn decoded(body: &[u8], format: Format) -> Result<Decoded<Attendances>, String> {
    decoded_within(body, format, Compression::None, &Limits::default())
}

fn refused(body: impl AsRef<[u8]>, format: Format) -> String {
    decoded(body.as_ref(), format).unwrap_err()
}

fn errors(body: impl AsRef<[u8]>, format: Format) -> Vec<String> {
    decoded(body.as_ref(), format).unwrap().errors.iter().map(ToString::to_string).collect()
}

fn written(samples: &[Sample], format: Format) -> Vec<u8> {
    match format {
        Format::Ndjson => samples::ndjson(samples),
        Format::Json => samples::json(samples),
        Format::Csv => samples::csv(samples),
        Format::Parquet => samples::parquet(&samples::batch(samples)),
        Format::Arrow => samples::arrow_stream(&samples::batch(samples)),
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let id = prop::option::of("[a-z\"\\\\,é ]{1,20}");
    let session = "\\PC{1,30}";
    let place = prop::option::of(prop::sample::select(vec!["CN-SH", "CN-31", "US-CA", "GB-ENG"]));
    let device = prop::option::of(prop::sample::select(vec!["desktop", "web", "mobile"]));
    let media = prop::option::of(prop::sample::subsequence(vec!["audio", "video", "screen", "message", "file"], 1..5));
    let times = (-86_400_000i64..600_000_000, 0i64..600_000_000);
    (id, session, "\\PC{1,30}", place, device, media, prop::option::of(0..1i64), times).prop_map(
        |(id, session_id, user_id, subdivision, device, media, unit, (after, stay))| {
            let joined_at = 1_740_819_600_000;
            Sample {
                id,
                session_id,
                session_started_at: joined_at - after,
                user_id,
                device,
                media,
                joined_at,
                left_at: joined_at + stay,
                subdivision,
                unit,
            }
        },
    )
}

fn shown(decoded: &Decoded<Attendances>) -> String {
    assert_eq!(decoded.errors, []);
    format!("{:?}", decoded.facts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_format_and_compression_gives_the_same_columns(samples in prop::collection::vec(sample(), 1..40)) {
        let expected = shown(&decoded(&written(&samples, Format::Ndjson), Format::Ndjson).unwrap());
        for format in FORMATS {
            let body = written(&samples, format);
            for compression in COMPRESSIONS {
                let body = samples::compress(&body, compression);
                let found = decoded_within(&body, format, compression, &Limits::default()).unwrap();
                prop_assert_eq!(&shown(&found), &expected, "{:?} {:?}", format, compression);
            }
        }
        let file = samples::arrow_file(&samples::batch(&samples));
        prop_assert_eq!(&shown(&decoded(&file, Format::Arrow).unwrap()), &expected);
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), magic in prop::sample::select(vec!["", "[", "{", "ARROW1\0\0", "PAR1"])) {
        let bytes = [magic.as_bytes(), &bytes, magic.as_bytes()].concat();
        for (format, compression) in FORMATS.into_iter().flat_map(|format| COMPRESSIONS.map(|compression| (format, compression))) {
            let _ = decoded_within(&bytes, format, compression, &Limits::default());
        }
    }

    #[test]
    fn damaged_bodies_are_refused_without_panic(
        format in prop::sample::select(FORMATS.to_vec()),
        compression in prop::sample::select(COMPRESSIONS.to_vec()),
        file in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let facts: Vec<Sample> = (0..20).map(Sample::new).collect();
        let body = if format == Format::Arrow && file { samples::arrow_file(&samples::batch(&facts)) } else { written(&facts, format) };
        let mut body = samples::compress(&body, compression);
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        let _ = decoded_within(&body, format, compression, &Limits::default());
    }
}

#[test]
fn an_empty_body_is_refused_in_every_format() {
    for format in FORMATS {
        assert_eq!(refused("", format), "expected at least one fact");
        assert_eq!(decoded(&written(&[], format), format).unwrap_err(), "expected at least one fact", "{format:?}");
    }
    assert_eq!(refused("\n \r\n", Format::Ndjson), "expected at least one fact");
}

#[test]
fn truncated_bodies_are_refused_whole() {
    let samples: Vec<Sample> = (0..50).map(Sample::new).collect();
    for (format, compression) in FORMATS.into_iter().flat_map(|format| COMPRESSIONS.map(|compression| (format, compression))) {
        let body = samples::compress(&written(&samples, format), compression);
        let found = decoded_within(&body[..body.len() - 9], format, compression, &Limits::default());
        match (format, compression) {
            (Format::Ndjson | Format::Csv, Compression::None) => assert_eq!(found.unwrap().rejected, 1),
            // Nine bytes are all of a stream's end, which may be missing.
            (Format::Arrow, Compression::None) => assert!(decoded(&body[..body.len() - 100], format).unwrap_err().contains("Arrow IPC")),
            (_, Compression::None) => assert!(found.is_err(), "{format:?}"),
            _ => assert!(found.unwrap_err().contains("whole and undamaged compressed data"), "{format:?} {compression:?}"),
        }
    }
}

#[test]
fn limits_are_named_with_their_numbers() {
    let samples: Vec<Sample> = (0..30).map(Sample::new).collect();
    for (format, compression) in FORMATS.into_iter().flat_map(|format| COMPRESSIONS.map(|compression| (format, compression))) {
        let body = samples::compress(&written(&samples, format), compression);
        let facts = Limits { facts: 29, ..Limits::default() };
        let message = decoded_within(&body, format, compression, &facts).unwrap_err();
        assert!(message.ends_with("expected at most 29 facts in one request (limits.facts)"), "{message}");
        let bytes = Limits { decoded_bytes: 900, ..Limits::default() };
        let message = decoded_within(&body, format, compression, &bytes).unwrap_err();
        assert!(message.ends_with("expected at most 900 bytes after decompression (limits.decoded_bytes)"), "{message}");
        let off = Limits { facts: 0, decoded_bytes: 0, line_bytes: 0, request_entries: 0, request_days: 0, future_seconds: 0 };
        assert_eq!(decoded_within(&body, format, compression, &off).unwrap().facts.len(), 30);
    }
}

#[test]
fn facts_that_make_too_many_entries_are_refused_with_their_number() {
    let mut samples: Vec<Sample> = (0..30).map(Sample::new).collect();
    assert_eq!(decoded(&samples::ndjson(&samples), Format::Ndjson).unwrap().facts.cost().entries(), 30);
    // With the first, which lasts until the next day, the 30 make 31.
    samples[0].left_at = samples[0].joined_at + DAY_MILLIS;
    let limits = Limits { request_entries: 30, ..Limits::default() };
    for format in FORMATS {
        assert_eq!(
            decoded_within(&written(&samples, format), format, Compression::None, &limits).unwrap_err(),
            "expected at most 30 entries of cells in one request (limits.request_entries): its facts make 31, one for each UTC day of a \
             stay; send about 15 of them at a time",
            "{format:?}"
        );
        assert_eq!(decoded_within(&written(&samples[..29], format), format, Compression::None, &limits).unwrap().facts.len(), 29);
    }
    samples[0].left_at = samples[0].joined_at + 7 * DAY_MILLIS;
    let facts = decoded(&samples::ndjson(&samples[..1]), Format::Ndjson).unwrap().facts;
    assert_eq!(facts.cost().entries(), 8);
}

#[test]
fn facts_on_too_many_days_are_refused() {
    let samples: Vec<Sample> = (0..30)
        .map(|day| {
            let sample = Sample::new(day);
            let later = |at| at - 20 * DAY_MILLIS + day * DAY_MILLIS;
            Sample {
                session_started_at: later(sample.session_started_at),
                joined_at: later(sample.joined_at),
                left_at: later(sample.left_at),
                ..sample
            }
        })
        .collect();
    let limits = Limits { request_days: 29, ..Limits::default() };
    for format in FORMATS {
        let message = decoded_within(&written(&samples, format), format, Compression::None, &limits).unwrap_err();
        assert_eq!(
            message,
            "expected facts on at most 29 days in one request (limits.request_days), not on 30: send them in the order of their times, or fewer at a time"
        );
        assert!(decoded_within(&written(&samples[1..], format), format, Compression::None, &limits).is_ok());
    }
}

#[test]
fn facts_that_take_too_much_memory_are_refused_as_they_grow() {
    // Each is booked on another 99 of a hundred departments, which a dictionary or compression writes in a few bytes.
    let departments: Vec<_> = (0..100).map(|number| format!("{}{number:03}", "d".repeat(200))).collect();
    let without = |one: usize| departments.iter().enumerate().filter(move |(number, _)| *number != one).map(|(_, id)| id);
    let fact = |at: usize, one: usize| {
        let department_ids: Vec<_> = without(one).collect();
        serde_json::json!({ "user_id": "u", "at": 1_740_819_600_000_usize + at, "kind": "edit", "department_ids": department_ids })
    };
    let body: String = (0..100).map(|at| fact(at, at).to_string() + "\n").collect();
    let zstd = samples::compress(body.as_bytes(), Compression::Zstd);
    let decoded = |limit: u64| {
        let limited = |context: &mut Context<'_>| context.limits.decoded_bytes = limit;
        decoded_by::<crate::kinds::columns::Assistances>(&zstd, Format::Ndjson, Compression::Zstd, limited)
    };
    let size = decoded(0).unwrap().facts.size();
    assert!(size > 100 * 99 * 204, "{size}");
    // The text is longer than the facts, but not by much.
    assert!(size < body.len(), "{size}");
    // A booking that repeats is there once.
    let body: String = (0..100).map(|at| fact(at, 0).to_string() + "\n").collect();
    let repeated = decoded_by::<crate::kinds::columns::Assistances>(body.as_bytes(), Format::Ndjson, Compression::None, |_| {});
    let repeated = repeated.unwrap().facts.size();
    assert!(repeated < 99 * 204 + 100 * 100, "{repeated}");
    let parquet = {
        let strings = |text: &str, count| std::iter::repeat_n(Some(text), count).collect::<arrow_array::StringArray>();
        let mut lists = arrow_array::builder::ListBuilder::new(arrow_array::builder::StringBuilder::new());
        (0..100).for_each(|at| lists.append_value(without(at).map(Some)));
        let at = arrow_array::Int64Array::from_iter_values((0..100).map(|at| 1_740_819_600_000 + at));
        let columns: Vec<(&str, arrow_array::ArrayRef)> = vec![
            ("user_id", std::sync::Arc::new(strings("u", 100))),
            ("at", std::sync::Arc::new(at)),
            ("kind", std::sync::Arc::new(strings("edit", 100))),
            ("department_ids", std::sync::Arc::new(lists.finish())),
        ];
        samples::parquet(&arrow_array::RecordBatch::try_from_iter(columns).unwrap())
    };
    assert!(parquet.len() < 700_000, "{}", parquet.len());
    let limited = |context: &mut Context<'_>| context.limits.decoded_bytes = 1_000_000;
    let message = decoded_by::<crate::kinds::columns::Assistances>(&parquet, Format::Parquet, Compression::None, limited).unwrap_err();
    assert_eq!(message, "line 50: expected at most 1000000 bytes of facts in memory (limits.decoded_bytes): send fewer facts at a time");
}

#[test]
fn times_beyond_what_the_clock_allows_are_refused_in_every_format() {
    let samples: Vec<Sample> = (0..3).map(Sample::new).collect();
    for format in FORMATS {
        let body = written(&samples, format);
        let at = |now: Millis, ahead: u64| {
            let set = |context: &mut Context<'_>| (context.now, context.limits.future_seconds) = (now, ahead);
            let found: Decoded<Attendances> = decoded_by(&body, format, Compression::None, set).unwrap();
            (found.rejected, found.errors.first().map(ToString::to_string))
        };
        let left = samples[2].left_at;
        assert_eq!(at(left, 0), (0, None));
        assert_eq!(at(left - 5_000, 5), (0, None));
        let (rejected, error) = at(left - 1, 0);
        let error = error.unwrap();
        assert_eq!(rejected, 1);
        assert!(
            error.contains(": left_at ")
                && error.ends_with(" is later than 2025-03-01T10:00:00.001Z, the latest that limits.future_seconds allows"),
            "{error}"
        );
        assert_eq!(at(left - DAY_MILLIS, 0).0, 3);
        assert_eq!(at(left - DAY_MILLIS, u64::MAX), (0, None));
    }
}

#[test]
fn a_long_line_is_refused_before_it_is_read() {
    // Compressed, a line of 64 MiB is a few kilobytes; the limit on the whole body must not be what stops it.
    let line = [br#"[{"user_id":""#.as_slice(), &vec![b'x'; 64 << 20]].concat();
    for (format, skip) in [(Format::Ndjson, 1), (Format::Json, 0), (Format::Csv, 1)] {
        for compression in COMPRESSIONS {
            let header: &[u8] = if format == Format::Csv { CSV_HEADER } else { b"" };
            let body = samples::compress(&[header, &line[skip..]].concat(), compression);
            let message = decoded_within(&body, format, compression, &Limits::default()).unwrap_err();
            let line = if format == Format::Csv { 2 } else { 1 };
            assert_eq!(message, format!("line {line}: expected at most 65536 bytes a fact (limits.line_bytes)"), "{format:?}");
        }
    }
    let quoted = [CSV_HEADER, format!("\"{}", "x\n".repeat(40_000)).as_bytes()].concat();
    assert_eq!(refused(quoted, Format::Csv), "line 2: expected at most 65536 bytes a fact (limits.line_bytes)");
}

#[test]
fn bodies_longer_than_the_buffer_are_read_the_same() {
    let samples: Vec<Sample> = (0..3_000).map(Sample::new).collect();
    let expected = shown(&decoded(&written(&samples, Format::Ndjson), Format::Ndjson).unwrap());
    for format in [Format::Ndjson, Format::Json, Format::Csv] {
        let body = written(&samples, format);
        assert!(body.len() > 256 << 10);
        for compression in COMPRESSIONS {
            let found = decoded_within(&samples::compress(&body, compression), format, compression, &Limits::default());
            assert_eq!(shown(&found.unwrap()), expected, "{format:?} {compression:?}");
        }
    }
}

#[test]
fn the_first_hundred_errors_are_listed_and_all_are_counted() {
    let found = decoded("{}\n".repeat(150).as_bytes(), Format::Ndjson).unwrap();
    assert_eq!((found.errors.len(), found.rejected, found.errors[99].line), (100, 150, 20));
}

/// A watch that ends the decoding once it holds more than so many bytes, and remembers the most that it was told.
struct Most(u64, std::cell::Cell<u64>);

impl Watch for Most {
    fn goes_on(&self, held: u64) -> bool {
        self.1.set(self.1.get().max(held));
        held <= self.0
    }
}

#[test]
fn whoever_watches_is_told_what_is_held_and_ends_it() {
    let line = r#"{"session_id":"s","session_started_at":0,"user_id":"USER","joined_at":0,"left_at":0}"#.replace('0', "1740967200000");
    let facts: Vec<String> = (0..5_000).map(|number| line.replace("USER", &format!("u{number}"))).collect();
    let samples = [
        (facts.join("\n").into_bytes(), Format::Ndjson),
        (format!("[{}]", facts.join(",")).into_bytes(), Format::Json),
        ([&b"\n".repeat(2_000)[..], facts.join("\n\n").as_bytes()].concat(), Format::Ndjson),
    ];
    for ((body, format), compression) in samples.iter().flat_map(|sample| COMPRESSIONS.map(|compression| (sample, compression))) {
        let body = samples::compress(body, compression);
        let decode_within = |watch: &Most| {
            let context = Context { watch, ..Context::new(&ORGANIZATION, &DIRECTORY, NOW) };
            decode::<Attendances>(&body, *format, compression, &context)
        };
        let all = Most(u64::MAX, 0.into());
        let size = decode_within(&all).unwrap().facts.size() as u64;
        assert_eq!(all.1.get(), size);
        let half = Most(size / 2, 0.into());
        assert!(decode_within(&half).is_err());
        assert!(half.1.get() < size, "{} of {size} {format:?} {compression:?}", half.1.get());
    }
}

#[test]
fn a_body_that_is_decompressed_as_a_whole_is_watched_while_it_grows() {
    for format in [Format::Parquet, Format::Arrow] {
        let body = samples::compress(&vec![0; 64 << 20], Compression::Gzip);
        let watch = Most(1 << 20, 0.into());
        let context = Context { watch: &watch, ..Context::new(&ORGANIZATION, &DIRECTORY, NOW) };
        assert!(decode::<Attendances>(&body, format, Compression::Gzip, &context).is_err());
        assert!(watch.1.get() <= (1 << 20) + STEP_BYTES as u64, "{}", watch.1.get());
    }
}

#[test]
fn blank_lines_are_counted_as_facts_are() {
    let limits = Limits { facts: 3, ..Limits::default() };
    let line = r#"{"session_id":"s","session_started_at":0,"user_id":"u","joined_at":0,"left_at":0}"#.replace('0', "1740967200000");
    for (format, head, fact) in [
        (Format::Ndjson, "", line.as_str()),
        (Format::Csv, "session_id,session_started_at,user_id,joined_at,left_at\n", "s,1740967200000,u,1740967200000,1740967200000"),
    ] {
        for compression in COMPRESSIONS {
            let decode = |blank: usize| {
                let body = format!("{head}{}{fact}\n", "\r\n".repeat(blank));
                decoded_within(&samples::compress(body.as_bytes(), compression), format, compression, &limits)
            };
            assert_eq!(decode(3).unwrap().facts.len(), 1);
            let refused = decode(4).unwrap_err();
            assert!(refused.ends_with("expected at most 3 blank lines in one request (limits.facts)"), "{refused}");
        }
    }
}
