//! Facts written in every format, for tests.

use super::Compression;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, TimestampMillisecondArray};
use std::io::Write;
use std::sync::Arc;

/// A fact as a source has it, before it is written in some format. The times are milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) id: Option<String>,
    pub(super) session_id: String,
    pub(super) session_started_at: i64,
    pub(super) user_id: String,
    pub(super) device: Option<&'static str>,
    pub(super) media: Option<Vec<&'static str>>,
    pub(super) joined_at: i64,
    pub(super) left_at: i64,
    pub(super) subdivision: Option<&'static str>,
    pub(super) unit: Option<i64>,
}

impl Sample {
    /// A valid fact; facts of different numbers differ.
    pub(super) fn new(number: i64) -> Self {
        Self {
            id: None,
            session_id: format!("s{number}"),
            session_started_at: 1_740_819_600_000,
            user_id: format!("会, \"{number}\""),
            device: (number % 2 == 0).then_some("mobile"),
            media: (number % 3 == 0).then(|| vec!["audio", "screen"]),
            joined_at: 1_740_819_600_000 + number,
            left_at: 1_740_823_200_000 + number,
            subdivision: (number % 5 == 0).then_some("CN-SH"),
            unit: (number % 7 == 0).then_some(0),
        }
    }

    fn to_json(&self) -> String {
        let mut fact = serde_json::json!({
            "session_id": self.session_id, "session_started_at": time(self.session_started_at), "user_id": self.user_id,
            "joined_at": self.joined_at, "left_at": time(self.left_at),
        });
        for (field, value) in [
            ("id", self.id.clone().map(Into::into)),
            ("device", self.device.map(Into::into)),
            ("media", self.media.clone().map(Into::into)),
            ("subdivision", self.subdivision.map(Into::into)),
            ("unit", self.unit.map(Into::into)),
        ] {
            if let Some(value) = value {
                fact[field] = value;
            }
        }
        fact.to_string()
    }
}

fn time(at: i64) -> String {
    rollcall_model::calendar::rfc3339(at)
}

pub(super) fn ndjson(samples: &[Sample]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_json().into_bytes().into_iter().chain([b'\n'])).collect()
}

pub(super) fn json(samples: &[Sample]) -> Vec<u8> {
    format!("[{}]", samples.iter().map(Sample::to_json).collect::<Vec<_>>().join(" ,\n")).into_bytes()
}

pub(super) fn csv(samples: &[Sample]) -> Vec<u8> {
    let mut text = String::from("id,session_id,session_started_at,user_id,device,media,joined_at,left_at,subdivision,unit\r\n");
    let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    for sample in samples {
        let values = [
            quoted(sample.id.as_deref().unwrap_or_default()),
            quoted(&sample.session_id),
            time(sample.session_started_at),
            quoted(&sample.user_id),
            sample.device.unwrap_or_default().into(),
            sample.media.clone().unwrap_or_default().join("|"),
            sample.joined_at.to_string(),
            time(sample.left_at),
            sample.subdivision.unwrap_or_default().into(),
            sample.unit.map(|unit| unit.to_string()).unwrap_or_default(),
        ];
        text += &values.join(",");
        text += "\r\n";
    }
    text.into_bytes()
}

/// The facts as a batch, each column of the most usual type.
pub(super) fn batch(samples: &[Sample]) -> RecordBatch {
    let texts = |of: fn(&Sample) -> Option<&str>| -> ArrayRef { Arc::new(samples.iter().map(of).collect::<StringArray>()) };
    let times = |of: fn(&Sample) -> i64| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from_iter_values(samples.iter().map(of)).with_timezone("UTC"))
    };
    RecordBatch::try_from_iter([
        ("id", texts(|sample| sample.id.as_deref())),
        ("session_id", texts(|sample| Some(&sample.session_id))),
        ("session_started_at", times(|sample| sample.session_started_at)),
        ("user_id", texts(|sample| Some(&sample.user_id))),
        ("device", texts(|sample| sample.device)),
        ("media", Arc::new(media(samples)) as ArrayRef),
        ("joined_at", times(|sample| sample.joined_at)),
        ("left_at", Arc::new(samples.iter().map(|sample| sample.left_at).collect::<Int64Array>())),
        ("subdivision", texts(|sample| sample.subdivision)),
        ("unit", Arc::new(samples.iter().map(|sample| sample.unit).collect::<Int64Array>())),
    ])
    .unwrap()
}

fn media(samples: &[Sample]) -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for sample in samples {
        match &sample.media {
            Some(media) => lists.append_value(media.iter().map(Some)),
            None => lists.append_null(),
        }
    }
    lists.finish()
}

pub(super) fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_max_row_group_row_count(Some(7))
        .build();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

pub(super) fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

pub(super) fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let options = arrow_ipc::writer::IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::ZSTD)).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// The body compressed in two members or frames, cut anywhere.
pub(super) fn compress(body: &[u8], compression: Compression) -> Vec<u8> {
    let halves = body.split_at(body.len() / 2);
    let gzip = |part: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |part: &[u8]| zstd::stream::encode_all(part, 1).unwrap();
    match compression {
        Compression::None => body.to_vec(),
        Compression::Gzip => [gzip(halves.0), gzip(halves.1)].concat(),
        Compression::Zstd => [zstd(halves.0), zstd(halves.1)].concat(),
    }
}
