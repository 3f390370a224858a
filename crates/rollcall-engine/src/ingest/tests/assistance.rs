//! Assistances: the readers are those of attendances, so it is enough that every format reads every field.

use super::*;
use crate::kinds::columns::Assistances;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array};
use rollcall_model::FactField;
use rollcall_model::assistance::Field;
use std::sync::Arc;

/// A fact as a source has it: what is absent is empty, or 0 in the counts.
#[derive(Debug, Clone)]
struct Assisted {
    texts: [String; 7],
    departments: Option<Vec<String>>,
    at: i64,
    counts: [u32; 5],
}

const TEXTS: [&str; 7] = ["id", "user_id", "department_id", "kind", "chat_type", "ide", "language"];
const COUNTS: [&str; 5] = ["turns", "suggested", "accepted", "lines_accepted", "lines_changed"];

fn assisted() -> impl Strategy<Value = Assisted> {
    let word = || prop_oneof![Just(String::new()), "[a-zA-Z+# ]{1,8}".prop_map(String::from), "\\PC{1,20}".prop_map(String::from)];
    let kind = prop::sample::select(vec!["chat", "completion", "edit"]);
    let texts = (word(), "\\PC{1,20}", word(), kind, word(), word(), word());
    let departments = prop::option::of(prop::collection::vec("[a-z]{1,5}", 0..5));
    (texts, departments, 1_740_819_600_000i64..1_740_919_600_000, prop::array::uniform5(0u32..9)).prop_map(
        |(
            (id, user, department, kind, chat_type, ide, language),
            departments,
            at,
            [turns, suggested, accepted, lines_accepted, lines_changed],
        )| {
            let chat_type = if kind == "chat" { chat_type + "X" } else { String::new() };
            let counts = [
                if kind == "chat" { turns } else { 0 },
                if kind == "completion" { suggested } else { 0 },
                if kind == "edit" { 0 } else { accepted },
                lines_accepted,
                lines_changed,
            ];
            let departments = departments.filter(|_| department.is_empty());
            Assisted { texts: [id, user, department, kind.into(), chat_type, ide, language], departments, at, counts }
        },
    )
}

fn to_json(fact: &Assisted) -> String {
    let mut object = serde_json::json!({ "at": rollcall_model::calendar::rfc3339(fact.at) });
    for (name, text) in TEXTS.iter().zip(&fact.texts).filter(|(_, text)| !text.is_empty()) {
        object[name] = text.as_str().into();
    }
    if let Some(departments) = &fact.departments {
        object["department_ids"] = departments.clone().into();
    }
    for (name, count) in COUNTS.iter().zip(&fact.counts) {
        object[name] = (*count).into();
    }
    object.to_string()
}

fn batch(facts: &[Assisted]) -> RecordBatch {
    let at: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter_values(facts.iter().map(|fact| fact.at)).with_timezone("UTC"));
    let texts = (0..).zip(TEXTS).map(|(column, name)| {
        let values = facts.iter().map(|fact| Some(fact.texts[column].as_str()).filter(|text| !text.is_empty()));
        (name, Arc::new(values.collect::<StringArray>()) as ArrayRef)
    });
    let counts = (0..).zip(COUNTS).map(|(column, name)| {
        let values = facts.iter().map(|fact| fact.counts[column]);
        (name, Arc::new(UInt32Array::from_iter_values(values)) as ArrayRef)
    });
    let mut departments = ListBuilder::new(StringBuilder::new());
    for fact in facts {
        departments.append_option(fact.departments.as_ref().map(|ids| ids.iter().map(Some)));
    }
    let departments: ArrayRef = Arc::new(departments.finish());
    RecordBatch::try_from_iter([("at", at), ("department_ids", departments)].into_iter().chain(texts).chain(counts)).unwrap()
}

fn written(facts: &[Assisted], format: Format) -> Vec<u8> {
    match format {
        Format::Ndjson => facts.iter().map(|fact| to_json(fact) + "\n").collect::<String>().into_bytes(),
        Format::Json => format!("[{}]", facts.iter().map(to_json).collect::<Vec<_>>().join(",")).into_bytes(),
        Format::Csv => {
            let mut text = [TEXTS.join(","), COUNTS.join(","), "at,department_ids\n".into()].join(",");
            for fact in facts {
                // A lone bar is the list of none; nothing is no list.
                let departments =
                    fact.departments.as_ref().map_or(String::new(), |ids| if ids.is_empty() { "|".into() } else { ids.join("|") });
                let quoted = fact.texts.iter().map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
                let values: Vec<_> =
                    quoted.chain(fact.counts.map(|count| count.to_string())).chain([fact.at.to_string(), departments]).collect();
                text += &(values.join(",") + "\n");
            }
            text.into_bytes()
        }
        Format::Parquet => samples::parquet(&batch(facts)),
        Format::Arrow => samples::arrow_stream(&batch(facts)),
    }
}

fn decoded(body: &[u8], format: Format, compression: Compression) -> Result<Decoded<Assistances>, String> {
    decoded_by(body, format, compression, |_| {})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_format_and_compression_gives_the_same_columns(facts in prop::collection::vec(assisted(), 1..30)) {
        let expected = decoded(&written(&facts, Format::Ndjson), Format::Ndjson, Compression::None).unwrap();
        prop_assert_eq!(&expected.errors, &[]);
        prop_assert_eq!(expected.facts.at.len(), facts.len());
        for (format, compression) in FORMATS.into_iter().flat_map(|format| COMPRESSIONS.map(|compression| (format, compression))) {
            let found = decoded(&samples::compress(&written(&facts, format), compression), format, compression).unwrap();
            prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{:?} {:?}", format, compression);
        }
    }
}

#[test]
fn every_field_is_in_the_samples() {
    let mut names = [TEXTS.as_slice(), &COUNTS, &["at", "department_ids"]].concat();
    let mut fields = Field::NAMES.to_vec();
    names.sort_unstable();
    fields.sort_unstable();
    assert_eq!(names, fields);
}

#[test]
fn errors_are_those_of_an_assistance() {
    let line = |fields: &str| format!("{{\"user_id\":\"u\",\"at\":1740819600000,\"kind\":\"edit\"{fields}}}\n");
    let body = line("") + &line(",\"turns\":1") + &line(",\"accepted\":\"1\"") + &line(",\"app\":\"default\"");
    let found = decoded(body.as_bytes(), Format::Ndjson, Compression::None).unwrap();
    assert_eq!(
        found.errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "line 2: turns 1: expected 0 or none: only a chat has turns",
            "line 3: accepted 1: expected an integer from 0 to 4294967295",
            "line 4: app default: expected no such field; see the fields of an assistance",
        ]
    );
    let header = decoded(b"user_id,session_id\n", Format::Csv, Compression::None).unwrap_err();
    assert!(
        header
            .starts_with("line 1: session_id: expected a header line, separated by commas, semicolons or tabs, of the fields id, user_id"),
        "{header}"
    );
    let missing = "line 1: at is missing: expected a column of this name; line 1: kind is missing: expected a column of this name";
    assert!(header.ends_with(missing), "{header}");
    let attendances = samples::parquet(&samples::batch(&[Sample::new(1)]));
    let columns = decoded(&attendances, Format::Parquet, Compression::None).unwrap_err();
    assert!(columns.starts_with("session_id: expected columns that are the fields id, user_id"), "{columns}");
}
