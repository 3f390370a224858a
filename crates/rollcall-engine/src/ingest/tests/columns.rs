//! Parquet and Arrow.

use super::*;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::DataType;
use std::sync::Arc;

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
    let expected = shown(&decoded(&samples::arrow_stream(&batch), Format::Arrow).unwrap());
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
            assert_eq!(shown(&decoded(&body, format).unwrap()), expected, "{name} {format:?}");
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
fn timestamps_without_a_zone_are_refused_unless_it_is_said_where_the_clocks_were() {
    let batch = samples::batch(&(0..20).map(Sample::new).collect::<Vec<_>>());
    let expected = shown(&decoded(&samples::arrow_stream(&batch), Format::Arrow).unwrap());
    let times = batch.column_by_name("joined_at").unwrap().as_primitive::<arrow_array::types::TimestampMillisecondType>();
    let local = |ahead: i64| -> ArrayRef {
        Arc::new(TimestampNanosecondArray::from_iter_values(times.values().iter().map(|at| (at + ahead) * 1_000_000 + 7)))
    };
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let bodies = |batch: &RecordBatch| [(samples::arrow_stream(batch), Format::Arrow), (samples::parquet(batch), Format::Parquet)];
    for (body, format) in bodies(&with_column("joined_at", local(8 * 3_600_000))) {
        let told = refused(&body, format);
        assert!(told.starts_with("joined_at Timestamp(ns): expected timestamps with a time zone, or the parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai"), "{told}");
        let found = decoded_by(&body, format, Compression::None, |context| context.zone = Some(&shanghai)).unwrap();
        assert_eq!(shown(&found), expected, "{format:?}");
    }
    // 2025-03-30T02:15:00 is skipped in Berlin.
    let skipped = Arc::new(TimestampNanosecondArray::from_iter_values(std::iter::repeat_n(1_743_300_900_000_000_000, 20)));
    for (body, format) in bodies(&with_column("joined_at", skipped)) {
        let found: Decoded<Attendances> = decoded_by(&body, format, Compression::None, |context| context.zone = Some(&berlin)).unwrap();
        assert_eq!(found.rejected, 20);
        let expected = "line 1: joined_at 2025-03-30T02:15:00: expected a time that the clocks of Europe/Berlin showed: they were set forward past this one";
        assert_eq!(found.errors[0].to_string(), expected, "{format:?}");
    }
}

#[test]
fn everything_wrong_with_the_columns_is_told_at_once() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user", Arc::new(StringArray::from(vec!["u"]))),
        ("colour", Arc::new(StringArray::from(vec!["red"]))),
        ("unit", Arc::new(arrow_array::Float64Array::from(vec![1.0]))),
        ("joined_at", Arc::new(TimestampNanosecondArray::from(vec![1]))),
        ("session_id", Arc::new(StringArray::from(vec!["s"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    for (body, format) in [(samples::arrow_stream(&batch), Format::Arrow), (samples::parquet(&batch), Format::Parquet)] {
        let told = refused(&body, format);
        let errors: Vec<_> = told.split("; ").collect();
        let starts = [
            "user: expected columns that are the fields id, app",
            "colour: expected no such field",
            "see the fields of an attendance",
            "unit Float64: expected a column of strings",
            "joined_at Timestamp(ns): expected timestamps with a time zone",
            "session_started_at is missing: expected a column of this name",
            "user_id is missing: expected a column of this name",
            "left_at is missing: expected a column of this name",
        ];
        assert_eq!(errors.len(), starts.len(), "{told}");
        for (error, start) in errors.iter().zip(starts) {
            assert!(error.starts_with(start), "{start}\n{told}");
        }
    }
}

#[test]
fn errors_in_columns_name_the_fact() {
    let mut facts: Vec<Sample> = (1..20).map(Sample::new).collect();
    facts[11].left_at -= 4_000_000;
    facts[13].media = Some(vec!["audio"; 101]);
    for format in [Format::Parquet, Format::Arrow] {
        let errors = errors(written(&facts, format), format);
        assert_eq!(
            errors,
            [
                "line 12: left_at 1740819200012 is before joined_at",
                "line 14: media a list of 101 items: expected a list of audio, video, screen, message, file"
            ],
            "{format:?}"
        );
    }
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
