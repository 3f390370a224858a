//! `demo`: a small organization with a year of believable facts, served, with a ready `curl` line for each API.
//!
//! # Layout
//! - [`home`]: the demo's directory: its configuration, and `demo.env` with address and credentials
//! - [`lines`]: the `curl` lines

mod home;
mod lines;

use super::serve::{self, Source};
use crate::args;
use crate::believable::Believable;
use crate::config::{Config, Overrides};
use crate::failure::{Failure, Result};
use crate::output;
use crate::server::App;
use home::{Filled, Home, ZONE};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rollcall_engine::ingest::{Compression, Format, decode};
use rollcall_model::Organization;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

/// Facts in one chunk while the demo is filled.
const CHUNK: usize = 20_000;

/// The same for every demo, so that the same flags on the same day make the same facts.
const SEED: u64 = 7070;

pub fn run(flags: args::Demo) -> Result {
    let wanted = Filled { facts: flags.facts, users: flags.users, days: flags.days, last_day: today()? };
    if let Some(path) = &flags.write {
        return write(path, &wanted);
    }
    let directory = flags.data.unwrap_or_else(|| std::env::temp_dir().join("rollcall-demo"));
    let mut home = Home::open(&directory)?;
    let source = Source { file: home.config_file(), overrides: Overrides { listen: Some(flags.listen), data: None } };
    let config = source.load()?;
    super::wait(async {
        let opened = serve::open(&config).await?;
        let url = opened.server.url()?;
        match &home.filled {
            Some(filled) if filled.is_like(&wanted) => {}
            Some(filled) => {
                output::note(format_args!(
                    "the demo already has {} facts until {}; remove {} to make another",
                    filled.facts,
                    filled.last_day,
                    directory.display()
                ));
            }
            None => {
                let (app, config, wanted) = (opened.app.clone(), config.clone(), wanted.clone());
                let filling = tokio::task::spawn_blocking(move || fill(&app, &config, &wanted));
                filling.await.map_err(|error| Failure::of("the demo could not be filled", error))??;
            }
        }
        home.filled.get_or_insert(wanted);
        home.department = department(&opened.app, &config).unwrap_or_default();
        home.write_env(&url, &config.data)?;
        output::note(format_args!("the demo is at {url}, its credentials in {}; Ctrl-C ends it", directory.join("demo.env").display()));
        output::data(lines::lines(&home, &url).as_bytes())?;
        serve::serve(opened, config, source).await
    })
}

/// The day it is where the demo's organization is.
fn today() -> Result<Date> {
    let now = Timestamp::now().in_tz(ZONE).map_err(|error| Failure::of("the demo's time zone", error))?;
    Ok(now.date())
}

fn believable(wanted: &Filled) -> Believable {
    let first_day = wanted.last_day.saturating_sub((i64::from(wanted.days) - 1).days());
    Believable::new(wanted.facts, wanted.users, first_day, wanted.days, SEED)
}

/// Writes the facts, and nothing else.
fn write(path: &Path, wanted: &Filled) -> Result {
    let believable = believable(wanted);
    if path == Path::new("-") {
        let mut out = BufWriter::new(std::io::stdout().lock());
        return believable.write_ndjson(&mut out).map_err(|error| Failure::of_output(&error));
    }
    let named = |error| Failure::of(path.display(), error);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(named)?);
    believable.write_ndjson(&mut out).and_then(|()| std::io::Write::flush(&mut out)).map_err(named)
}

/// The root of the demo's departments.
fn department(app: &App, config: &Config) -> Option<String> {
    let organization = config.organizations.first()?.tenant.organization.id;
    let departments = app.engine.directory(organization).document().departments;
    departments.into_iter().find(|department| department.parent_id.is_none()).map(|root| root.id)
}

/// Fills the demo the way any facts come in: decoded, validated, made durable.
fn fill(app: &Arc<App>, config: &Config, wanted: &Filled) -> Result {
    let organization = config.organizations.first().map(|first| first.tenant.organization.clone());
    let organization: Organization = organization.ok_or_else(|| Failure::Message("the demo has no organization".into()))?;
    let believable = believable(wanted);
    app.engine.put_directory(organization.id, believable.directory())?;
    let directory = app.engine.directory(organization.id);
    output::note(format_args!("making {} facts of {} users over {} days", wanted.facts, wanted.users, wanted.days));
    let bar = output::progress(wanted.facts, "{wide_bar} {human_pos}/{human_len} facts {eta}");
    for chunk in believable.chunks(CHUNK) {
        let decoded = decode(&chunk, Format::Ndjson, Compression::None, &organization, &directory, &config.limits.ingest());
        let decoded = decoded.map_err(|error| Failure::of("the demo's facts cannot be read", error))?;
        if let Some(error) = decoded.errors.first() {
            return Err(Failure::of("the demo made a fact that is none", error));
        }
        bar.inc(decoded.facts.len() as u64);
        app.engine.ingest(&organization, decoded.facts)?;
    }
    bar.finish_and_clear();
    Ok(())
}
