//! `export`: every fact of a range, from a running server or out of a data directory, into a file or to standard output.

use super::local;
use super::remote::{Remote, unreachable};
use crate::args::{self, ExportFormat};
use crate::failure::{Failure, Result};
use crate::output;
use crate::problem::detail_in;
use crate::reports;
use indicatif::ProgressBar;
use reqwest::Method;
use rollcall_engine::export::{ExportError, Format};
use rollcall_engine::kinds::BlockOf;
use rollcall_engine::match_kind;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(300);

pub fn run(flags: args::Export) -> Result {
    let format = format(&flags)?;
    let mut target = Target::of(&flags)?;
    let written = match (&flags.to_url, &flags.local.data) {
        (Some(url), _) => super::wait(fetch(url, format, &flags, &mut target)),
        (None, Some(data)) => read(data, format, &flags, &mut target),
        (None, None) => Err(Failure::Usage("give --to-url or --data".into())),
    };
    target.end(written)
}

/// The range given on the command line, by name.
fn given(flags: &args::Export) -> Vec<(String, String)> {
    let given = [("from", &flags.from), ("to", &flags.to)];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

/// The format given, or that of the file's name; NDJSON where that has no ending.
fn format(flags: &args::Export) -> Result<ExportFormat> {
    let ending = flags.output.as_deref().and_then(Path::extension);
    let (format, ending) = match (flags.format, ending) {
        (Some(format), _) => return Ok(format),
        (None, None) => return Ok(ExportFormat::Ndjson),
        (None, Some(ending)) => {
            let ending = ending.to_string_lossy().to_ascii_lowercase();
            let known = match ending.as_str() {
                "ndjson" | "jsonl" => Some(ExportFormat::Ndjson),
                "csv" => Some(ExportFormat::Csv),
                "parquet" => Some(ExportFormat::Parquet),
                _ => None,
            };
            (known, ending)
        }
    };
    format.ok_or_else(|| {
        let hint = match ending.as_str() {
            "xlsx" | "xls" | "ods" => "; a spreadsheet opens .csv",
            "gz" | "zst" | "zip" => "; Parquet is compressed, other formats are compressed afterwards",
            _ => "",
        };
        Failure::Usage(format!(
            "-o {}: exports are written as .ndjson (or .jsonl), .csv or .parquet: choose one of these endings, or say --format{hint}",
            flags.output.as_deref().unwrap_or(Path::new("")).display()
        ))
    })
}

const fn engine_format(format: ExportFormat) -> Format {
    match format {
        ExportFormat::Ndjson => Format::Ndjson,
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Parquet => Format::Parquet,
    }
}

fn read(data: &Path, format: ExportFormat, flags: &args::Export, target: &mut Target) -> Result {
    let opened = local::open(data, &flags.local)?;
    let range = reports::export_range(&given(flags), &opened.organization).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let (engine, org, format) = (&opened.engine, opened.organization.id, engine_format(format));
    let exported = match_kind!(flags.fact.0, K => engine.export::<BlockOf<K>>(org, range, format, &mut *target));
    exported.map(|_| ()).map_err(|error| match error {
        ExportError::Engine(error) => error.into(),
        ExportError::Output(error) => target.failure(&error),
    })
}

async fn fetch(url: &str, format: ExportFormat, flags: &args::Export, target: &mut Target) -> Result {
    let remote = Remote::of("--to-url", url, flags.key.as_deref())?;
    let path = &format!("/v1/{}", flags.fact.0.name());
    let format = match format {
        ExportFormat::Ndjson => "ndjson",
        ExportFormat::Csv => "csv",
        ExportFormat::Parquet => "parquet",
    };
    let address = remote.address(path);
    let client = super::streaming_client(SILENCE)?;
    let request = remote.request(&client, Method::GET, path).query(&given(flags)).query(&[("format", format)]);
    let unreachable = |error| unreachable(&address, error);
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if !status.is_success() {
        let body = response.bytes().await.map_err(unreachable)?;
        return Err(Failure::of(&address, detail_in(&body).unwrap_or_else(|| status.to_string())));
    }
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        // Nobody else waits for this thread.
        target.write_all(&chunk).map_err(|error| target.failure(&error))?;
    }
    Ok(())
}

/// Where the facts go, and how many bytes have gone there.
struct Target {
    out: Box<dyn Write + Send>,
    /// The file, and where it is written until it is whole.
    file: Option<(PathBuf, PathBuf)>,
    bar: ProgressBar,
}

impl Target {
    fn of(flags: &args::Export) -> Result<Self> {
        let bar = output::progress(0, "{msg} {bytes} {bytes_per_sec}");
        let Some(path) = &flags.output else { return Ok(Self { out: Box::new(io::stdout()), file: None, bar }) };
        bar.set_message(path.display().to_string());
        // What is no file, such as a pipe, cannot be put in place as a whole.
        let is_file = fs::metadata(path).map_or(true, |found| found.is_file());
        let aside = if is_file { path.with_added_extension("part") } else { path.clone() };
        let out = File::create(&aside).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::Message(format!("{}: the directory that it is to be in does not exist", path.display())),
            _ => Failure::of(aside.display(), error),
        })?;
        Ok(Self { out: Box::new(BufWriter::new(out)), file: is_file.then(|| (path.clone(), aside)), bar })
    }

    /// What it means that it cannot be written.
    fn failure(&self, error: &io::Error) -> Failure {
        match &self.file {
            None => Failure::of_output(error),
            Some((_, aside)) => Failure::of(aside.display(), error),
        }
    }

    /// Puts the file in place if it is whole, and removes it if not.
    fn end(mut self, written: Result) -> Result {
        self.bar.finish_and_clear();
        let written = written.and_then(|()| self.out.flush().map_err(|error| self.failure(&error)));
        let Some((path, aside)) = &self.file else { return written };
        match written {
            Ok(()) => fs::rename(aside, path).map_err(|error| Failure::of(path.display(), error)),
            Err(failure) => {
                let _ = fs::remove_file(aside);
                Err(failure)
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.bar.inc(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
