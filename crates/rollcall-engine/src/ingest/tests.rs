use super::samples::{self, Sample};
use super::*;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_schema::DataType;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rollcall_model::OrgId;
use std::sync::Arc;

const FORMATS: [Format; 5] = [Format::Ndjson, Format::Json, Format::Csv, Format::Parquet, Format::Arrow];
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn decoded_within(body: &[u8], format: Format, compression: Compression, limits: &Limits) -> Result<Decoded, String> {
    let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC);
    decode(body, format, compression, &organization, &Directory::default(), limits).map_err(|error| error.to_string())
}

fn decoded(body: &[u8], format: Format) -> Result<Decoded, String> {
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

fn columns(decoded: &Decoded) -> String {
    assert_eq!(decoded.errors, []);
    format!("{:?}", decoded.facts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_format_and_compression_gives_the_same_columns(samples in prop::collection::vec(sample(), 1..40)) {
        let expected = columns(&decoded(&written(&samples, Format::Ndjson), Format::Ndjson).unwrap());
        for format in FORMATS {
            let body = written(&samples, format);
            for compression in COMPRESSIONS {
                let body = samples::compress(&body, compression);
                let found = decoded_within(&body, format, compression, &Limits::default()).unwrap();
                prop_assert_eq!(&columns(&found), &expected, "{:?} {:?}", format, compression);
            }
        }
        let file = samples::arrow_file(&samples::batch(&samples));
        prop_assert_eq!(&columns(&decoded(&file, Format::Arrow).unwrap()), &expected);
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
        let off = Limits { facts: 0, decoded_bytes: 0, line_bytes: 0 };
        assert_eq!(decoded_within(&body, format, compression, &off).unwrap().facts.len(), 30);
    }
}

#[test]
fn a_long_line_is_refused_before_it_is_read() {
    // Compressed, a line of 64 MiB is a few kilobytes; the limit on the whole body must not be what stops it.
    let line = [br#"[{"user_id":""#.as_slice(), &vec![b'x'; 64 << 20]].concat();
    for (format, skip) in [(Format::Ndjson, 1), (Format::Json, 0), (Format::Csv, 1)] {
        for compression in COMPRESSIONS {
            let header: &[u8] = if format == Format::Csv { b"user_id\n" } else { b"" };
            let body = samples::compress(&[header, &line[skip..]].concat(), compression);
            let message = decoded_within(&body, format, compression, &Limits::default()).unwrap_err();
            let line = if format == Format::Csv { 2 } else { 1 };
            assert_eq!(message, format!("line {line}: expected at most 65536 bytes a fact (limits.line_bytes)"), "{format:?}");
        }
    }
    let quoted = format!("user_id\n\"{}", "x\n".repeat(40_000));
    assert_eq!(refused(quoted, Format::Csv), "line 2: expected at most 65536 bytes a fact (limits.line_bytes)");
}

#[test]
fn errors_of_ndjson_name_their_lines() {
    let good = String::from_utf8(samples::ndjson(&[Sample::new(1)])).unwrap();
    let bad = good.replace("s1", "");
    let body =
        [good.as_bytes(), b"\n \r\n{\"user_id\" 3}\r\n[1,\"a\"]\n{\"session_id\":\"\xff\"}\n", bad.as_bytes(), b"{} x\nnull\n\"\\ud800\""];
    let found = decoded(&body.concat(), Format::Ndjson).unwrap();
    assert_eq!((found.facts.len(), found.rejected), (1, 7));
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    let starts = [
        "line 4: {\"user_id\" 3}\\r: expected a JSON object: expected `:` at column 12",
        "line 5: [1,…]: expected a JSON object",
        "line 6: {\"session_id\":\"\u{fffd}\"}: expected UTF-8 text: invalid byte at column 16",
        "line 7: session_id : expected a string of 1 to 256 bytes",
        "line 8: {} x: expected a JSON object: trailing characters at column 4",
        "line 9: null: expected a JSON object",
        "line 10: \"\\ud800\": expected a JSON object: unexpected end of hex escape at column 8",
    ];
    for start in starts {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start}\n{errors:#?}");
    }
}

#[test]
fn values_of_every_other_shape_are_shown_and_refused() {
    for (value, shown) in [
        ("1.5", "1.5"),
        ("true", "true"),
        ("{\"a\":{}}", "{\"a\":…}"),
        ("{}", "{}"),
        ("[\"audio\",3,4]", "[\"audio\",3,…]"),
        ("18446744073709551615", "18446744073709551615"),
        ("[[],1]", "[[],…]"),
        ("1e400", "line 1: {\"media\":1e400}: expected a JSON object: number out of range at column 14"),
    ] {
        let found = errors(format!("{{\"media\":{value}}}"), Format::Ndjson);
        let media = format!("line 1: media {shown}: expected a list of audio, video, screen, message, file");
        assert!(found.contains(&media) || found[0] == shown, "{found:?}");
    }
    let deep = format!("{{\"media\":{}", "[".repeat(10_000));
    assert!(errors(&deep, Format::Ndjson)[0].ends_with("recursion limit exceeded at column 136"), "{:?}", errors(&deep, Format::Ndjson));
}

#[test]
fn errors_of_a_json_array_name_the_fact_and_broken_arrays_are_refused() {
    let good = String::from_utf8(samples::ndjson(&[Sample::new(1)])).unwrap();
    let found = decoded(format!("[{good}, 3, {good}]").as_bytes(), Format::Json).unwrap();
    assert_eq!((found.facts.len(), found.rejected, found.errors[0].to_string().as_str()), (2, 1, "line 2: 3: expected a JSON object"));
    let broken = "line 2: expected a JSON array of objects";
    for (body, why) in [
        ("[{}, {\"a\" 3}]", "expected `:` at column 6 of the object"),
        ("[{},{\n\"a\" 3}]", "expected `:` at line 2 column 5 of the object"),
        ("[{}", "it ends too early"),
        ("[{},", "it ends too early"),
        ("[{},{\"a\":", "EOF while parsing a value at column 5 of the object"),
        ("[{},]", "expected value at column 1 of the object"),
        ("[{} {}]", "no comma or closing bracket follows the object before"),
        ("[{}] x", "something follows its end"),
    ] {
        assert_eq!(refused(body, Format::Json), format!("{broken}: {why}"), "{body}");
    }
    assert_eq!(refused(&good, Format::Json), "expected a JSON array of objects");
    let invalid = refused(b"[{\"user_id\":\"\xff\"}]", Format::Json);
    assert_eq!(invalid, "line 1: expected a JSON array of objects: invalid unicode code point at column 13 of the object");
}

#[test]
fn bodies_longer_than_the_buffer_are_read_the_same() {
    let samples: Vec<Sample> = (0..3_000).map(Sample::new).collect();
    let expected = columns(&decoded(&written(&samples, Format::Ndjson), Format::Ndjson).unwrap());
    for format in [Format::Ndjson, Format::Json, Format::Csv] {
        let body = written(&samples, format);
        assert!(body.len() > 256 << 10);
        for compression in COMPRESSIONS {
            let found = decoded_within(&samples::compress(&body, compression), format, compression, &Limits::default());
            assert_eq!(columns(&found.unwrap()), expected, "{format:?} {compression:?}");
        }
    }
}

#[test]
fn errors_of_csv_name_the_line_of_the_file() {
    let header = "\u{feff}session_id,session_started_at,user_id,joined_at,left_at\r\n";
    let good = "s,1740819600000,u,1740819600000,1740819600000";
    let body = format!(
        "{header}{good}\n\n\"a\nb\",1740819600000,u,1740819600000,1740819600000\r\nx,y\ns,1740819600000,u\",1740819600000,\"\"\"{good}\n\"s\"x,,,,\n{good}"
    );
    let found = decoded(body.as_bytes(), Format::Csv).unwrap();
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    assert_eq!(found.facts.len(), 2, "{errors:#?}");
    assert_eq!(found.facts.session_ids.get(1), "s");
    let starts = [
        "line 4: session_id a\\nb: expected a string",
        "line 6: x,y: expected 5 values, as many as the header has, not 2",
        "line 7: s,1740819600000,u\",",
        "line 8: \"s\"x,,,,: expected a comma after a closing quote",
    ];
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{start}\n{errors:#?}");
    }
    assert_eq!(found.rejected, 4);
    assert!(errors_of_bytes(&[header.as_bytes(), b"\xff,,,,"].concat()).starts_with("line 2: \u{fffd},,,,: expected UTF-8 text"));
}

fn errors_of_bytes(body: &[u8]) -> String {
    errors(body, Format::Csv).remove(0)
}

#[test]
fn csv_needs_a_header_of_known_fields() {
    assert!(refused("s,1740819600000,u\n", Format::Csv).starts_with("line 1: s: expected a header line of the fields id, app, session_id"));
    assert!(refused("user_id,colour\n1,2", Format::Csv).starts_with("line 1: colour: expected a header line"));
    assert_eq!(refused("user_id,user_id\n", Format::Csv), "line 1: user_id: expected each field once in the header");
    assert_eq!(refused("user_id\n\"a\nb", Format::Csv), "line 2: expected a closing quote");
}

fn with_column(name: &str, column: ArrayRef) -> RecordBatch {
    let batch = samples::batch(&(0..20).map(Sample::new).collect::<Vec<_>>());
    let columns = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .filter(|(field, _)| field.name() != name)
        .map(|(field, column)| (field.name().clone(), Arc::clone(column), true))
        .chain([(name.to_owned(), column, true)])
        .collect::<Vec<_>>();
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

#[test]
fn columns_of_every_fitting_type_are_read_the_same() {
    let batch = samples::batch(&(0..20).map(Sample::new).collect::<Vec<_>>());
    let expected = columns(&decoded(&samples::arrow_stream(&batch), Format::Arrow).unwrap());
    let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
    let nanos = batch.column_by_name("joined_at").unwrap().as_primitive::<arrow_array::types::TimestampMillisecondType>();
    let nanos: ArrayRef = Arc::new(
        TimestampNanosecondArray::from_iter_values(nanos.values().iter().map(|at| at * 1_000_000 + 999_999)).with_timezone("Asia/Shanghai"),
    );
    let recast = |name: &str, of: &DataType| (name.to_owned(), arrow_cast::cast(batch.column_by_name(name).unwrap(), of).unwrap());
    let item = Arc::new(arrow_schema::Field::new("item", DataType::Utf8View, true));
    for (name, column) in [
        recast("device", &dictionary),
        recast("user_id", &DataType::LargeUtf8),
        recast("user_id", &DataType::Utf8View),
        recast("unit", &DataType::UInt64),
        recast("unit", &DataType::Int8),
        ("id".into(), Arc::new(arrow_array::NullArray::new(20))),
        recast("media", &DataType::LargeList(item)),
        ("joined_at".into(), nanos),
    ] {
        let batch = with_column(&name, column);
        for (body, format) in [
            (samples::arrow_stream(&batch), Format::Arrow),
            (samples::arrow_file(&batch), Format::Arrow),
            (samples::parquet(&batch), Format::Parquet),
        ] {
            assert_eq!(columns(&decoded(&body, format).unwrap()), expected, "{name} {format:?}");
        }
    }
}

#[test]
fn columns_that_are_no_field_or_of_no_fitting_type_are_refused_once() {
    let numbers: ArrayRef = Arc::new((0..20).map(f64::from).collect::<Vec<_>>().into_iter().collect::<arrow_array::Float64Array>());
    for (name, expected) in [
        ("colour", "colour: expected columns that are the fields id, app"),
        ("unit", "unit Float64: expected a column of strings, integers, timestamps or lists of strings"),
    ] {
        let batch = with_column(name, Arc::clone(&numbers));
        for (body, format) in [(samples::arrow_stream(&batch), Format::Arrow), (samples::parquet(&batch), Format::Parquet)] {
            assert!(refused(&body, format).starts_with(expected), "{}", refused(&body, format));
        }
    }
}

#[test]
fn errors_in_columns_name_the_fact() {
    let mut facts: Vec<Sample> = (1..20).map(Sample::new).collect();
    facts[11].left_at -= 4_000_000;
    facts[13].media = Some(vec!["audio"; 17]);
    for format in [Format::Parquet, Format::Arrow] {
        let errors = errors(written(&facts, format), format);
        assert_eq!(
            errors,
            [
                "line 12: left_at 1740819200012 is before joined_at",
                "line 14: media a list of 17 items: expected a list of audio, video, screen, message, file"
            ],
            "{format:?}"
        );
    }
}

#[test]
fn the_first_hundred_errors_are_listed_and_all_are_counted() {
    let found = decoded("{}\n".repeat(150).as_bytes(), Format::Ndjson).unwrap();
    assert_eq!((found.errors.len(), found.rejected, found.errors[99].line), (100, 150, 20));
}

#[test]
fn what_is_no_file_of_columns_is_refused() {
    for format in [Format::Parquet, Format::Arrow] {
        let article = if format == Format::Parquet { "expected a Parquet file: " } else { "expected an Arrow IPC stream or file: " };
        for body in ["{}", "PAR1PAR1", "ARROW1\0\0ARROW1", "PAR1\u{1}\0\0\0PAR1", "\u{1}\0\0\0x"] {
            assert!(refused(body, format).starts_with(article), "{}", refused(body, format));
        }
    }
}
