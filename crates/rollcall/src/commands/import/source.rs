//! A file by its name: its format, its compression, and how it is read.

use super::copilot;
use super::cut::{Body, Cutter, Place};
use crate::args::{FactFormat, Import, UserField};
use crate::failure::{Failure, Result};
use indicatif::ProgressBar;
use rollcall_engine::ingest::{Charset, Compression, Format, utf8};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes read at a time where a decompressor does the reading.
const BUFFER: usize = 256 << 10;

/// What the end of a name says.
const FORMATS: &[(&str, FactFormat)] = &[
    ("ndjson", FactFormat::Ndjson),
    ("jsonl", FactFormat::Ndjson),
    ("json", FactFormat::Json),
    ("csv", FactFormat::Csv),
    ("parquet", FactFormat::Parquet),
    ("arrow", FactFormat::Arrow),
    ("arrows", FactFormat::Arrow),
    ("feather", FactFormat::Arrow),
];

/// What the names of spreadsheets end in.
const SPREADSHEETS: &[&str] = &["xlsx", "xls", "xlsm", "xlsb", "ods", "numbers"];

/// A file of facts.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    format: FactFormat,
    compression: Compression,
    /// What its text is in, where a flag says so.
    charset: Option<Charset>,
    /// What stands for the user in rows that are made into facts.
    user_field: UserField,
}

impl Source {
    /// The file of a path; `-` is standard input.
    pub fn of(path: &Path, flags: &Import) -> Result<Self> {
        let (format, user_field) = (flags.format, flags.user_field.unwrap_or(UserField::UserLogin));
        let charset = flags
            .encoding
            .as_deref()
            .map(|name| Charset::from_name(name).ok_or_else(|| Failure::Usage(format!("--encoding {name}: expected {}", Charset::NAMES))));
        let charset = charset.transpose()?;
        let source = Self { path: path.into(), format: FactFormat::Ndjson, compression: Compression::None, charset, user_field };
        if source.is_stdin() {
            if flags.resume {
                return Err(Failure::Usage("--resume: standard input cannot be read again from a place".into()));
            }
            return Ok(Self { format: format.unwrap_or(FactFormat::Ndjson), ..source });
        }
        // Not only regular files: `<(…)` of a shell is a pipe.
        if path.is_dir() {
            return Err(Failure::Message(format!("{0}: is a directory: name the files in it, such as {0}/*.csv", path.display())));
        }
        if !path.exists() {
            return Err(Failure::Message(format!("{}: no such file", path.display())));
        }
        let (name, compression) = match path.extension().and_then(|end| end.to_str()) {
            Some("gz") => (path.with_extension(""), Compression::Gzip),
            Some("zst") => (path.with_extension(""), Compression::Zstd),
            _ => (path.to_owned(), Compression::None),
        };
        let end = name.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
        let known = FORMATS.iter().find(|(known, _)| *known == end).map(|(_, format)| *format);
        let format = format.or(known).ok_or_else(|| {
            if SPREADSHEETS.contains(&&*end) {
                return Failure::Usage(format!("{} is a spreadsheet, which cannot be read: save it as CSV (UTF-8)", path.display()));
            }
            let known: Vec<_> = FORMATS.iter().map(|(end, _)| format!(".{end}")).collect();
            Failure::Usage(format!(
                "{}: the name does not say how facts are written: expected {}, with .gz or .zst after it where it is compressed; or give --format",
                path.display(),
                known.join(", ")
            ))
        })?;
        Ok(Self { format, compression, ..source })
    }

    /// Whether its facts stand below a header line.
    pub fn has_header(&self) -> bool {
        self.format == FactFormat::Csv
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// What to call it in messages.
    pub fn name(&self) -> String {
        if self.is_stdin() { "standard input".into() } else { self.path.display().to_string() }
    }

    /// Its size as stored; 0 where that is not known.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |about| about.len())
    }

    /// Whether an import of it can go on at a place: it is cut into bodies, and can be read again.
    pub fn has_places(&self) -> bool {
        self.is_cut() && self.path.is_file()
    }

    /// Where the place of an import that stopped is kept.
    pub fn place_file(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".rollcall-import");
        name.into()
    }

    /// Whether it is cut into bodies; otherwise it goes whole.
    fn is_cut(&self) -> bool {
        matches!(self.format, FactFormat::Ndjson | FactFormat::Csv | FactFormat::Copilot)
    }

    /// How its bodies are written, as the engine calls it.
    pub fn body_format(&self) -> Format {
        match self.format {
            FactFormat::Ndjson | FactFormat::Copilot => Format::Ndjson,
            FactFormat::Json => Format::Json,
            FactFormat::Csv => Format::Csv,
            FactFormat::Parquet => Format::Parquet,
            FactFormat::Arrow => Format::Arrow,
        }
    }

    /// How its bodies are compressed: what is cut was decompressed for that.
    pub fn body_compression(&self) -> Compression {
        if self.is_cut() { Compression::None } else { self.compression }
    }

    /// What the text of its bodies is in, where that is not UTF-8: what is cut was decoded for that.
    pub fn body_charset(&self) -> Option<Charset> {
        self.charset.filter(|_| !self.is_cut())
    }

    /// Its bodies, from a place on; the bar follows the bytes read.
    pub fn bodies(&self, size: usize, place: Place, bar: &ProgressBar) -> Result<Box<dyn Iterator<Item = io::Result<Body>>>> {
        let named = |error: io::Error| Failure::of(self.name(), error);
        let raw: Box<dyn Read> = if self.is_stdin() { Box::new(io::stdin()) } else { Box::new(File::open(&self.path).map_err(named)?) };
        let mut raw = bar.wrap_read(raw);
        if !self.is_cut() {
            let mut bytes = Vec::new();
            raw.read_to_end(&mut bytes).map_err(named)?;
            return Ok(Box::new(std::iter::once(Ok(Body::whole(bytes)))));
        }
        let plain: Box<dyn Read> = match self.compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(BUFFER, raw))),
            Compression::Zstd => Box::new(zstd::Decoder::new(raw).map_err(named)?),
        };
        let plain = utf8(Box::new(BufReader::with_capacity(BUFFER, plain)), self.charset).map_err(named)?;
        if self.format == FactFormat::Copilot {
            return copilot::bodies(plain, size, place, self.user_field).map_err(named);
        }
        Ok(Box::new(Cutter::new(plain, size, self.has_header(), place).map_err(named)?))
    }
}
