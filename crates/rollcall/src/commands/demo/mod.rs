//! `demo`: a small organization with a year of believable facts, served, with a ready `curl` line for each API.
//!
//! # Layout
//! - [`home`]: the demo's directory: its configuration, and `demo.env` with address and credentials
//! - [`private`]: a directory and files that nobody else can have prepared
//! - [`lines`]: the `curl` lines

mod home;
mod lines;
mod private;

use super::serve::{self, Source};
use crate::args;
use crate::believable::Believable;
use crate::config::{Config, Overrides};
use crate::failure::{Failure, Result};
use crate::output;
use crate::server::{self, App};
use home::{Filled, Home, ZONE};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rollcall_engine::ingest::{Compression, Context, Format, Limits, decode};
use rollcall_engine::kinds::columns::{Assistances, Attendances, Columns};
use rollcall_model::Organization;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Facts in one chunk while the demo is filled.
const CHUNK: usize = 20_000;

/// The same for every demo, so that the same flags on the same day make the same facts.
const SEED: u64 = 7070;

pub fn run(flags: args::Demo) -> Result {
    let wanted = Filled { facts: flags.facts, assistance: flags.assistance, users: flags.users, days: flags.days, last_day: today()? };
    if flags.write.is_some() || flags.write_assistance.is_some() || flags.write_directory.is_some() {
        return write(&flags, &wanted);
    }
    let directory = flags.data.map_or_else(home::default_directory, Ok)?;
    let mut home = Home::open(&directory)?;
    let source = Source { file: home.config_file(), overrides: Overrides { listen: Some(flags.listen), data: None } };
    let config = source.load()?;
    super::wait(async {
        let mut opened = serve::open(&config).await?;
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
                let stop = Arc::new(AtomicBool::new(false));
                let stopped = stop.clone();
                let mut filling = tokio::task::spawn_blocking(move || fill(&app, &config, &wanted, &stopped));
                let filled = tokio::select! {
                    filled = &mut filling => filled,
                    () = opened.stopped() => {
                        stop.store(true, Ordering::Relaxed);
                        filling.await
                    }
                };
                filled.map_err(|error| Failure::of("the demo could not be filled", error))??;
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

fn believable(wanted: &Filled, facts: u64) -> Believable {
    let first_day = wanted.last_day.saturating_sub((i64::from(wanted.days) - 1).days());
    Believable::new(facts, wanted.users, first_day, wanted.days, SEED)
}

/// Writes what the flags ask for, and nothing else.
fn write(flags: &args::Demo, wanted: &Filled) -> Result {
    let attendance = believable(wanted, wanted.facts);
    if let Some(path) = &flags.write_directory {
        write_to(path, |out| Ok(serde_json::to_writer(out, &attendance.directory())?))?;
    }
    if let Some(path) = &flags.write {
        write_to(path, |mut out| attendance.write_ndjson(&mut out))?;
    }
    if let Some(path) = &flags.write_assistance {
        write_to(path, |out| believable(wanted, wanted.assistance).assistance(true).try_for_each(|lines| out.write_all(&lines)))?;
    }
    Ok(())
}

/// Writes to a file, or for `-` to standard output.
fn write_to(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result {
    if path == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        return write(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::of_output(&error));
    }
    let named = |error| Failure::of(path.display(), error);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(named)?);
    write(&mut out).and_then(|()| out.flush()).map_err(named)
}

/// The root of the demo's departments.
fn department(app: &App, config: &Config) -> Option<String> {
    let organization = config.organizations.first()?.tenant.organization.id;
    let departments = app.engine().ok()?.directory(organization).document().departments;
    departments.into_iter().find(|department| department.parent_id.is_none()).map(|root| root.id)
}

/// Fills the demo the way any facts come in: decoded, validated, made durable.
fn fill(app: &Arc<App>, config: &Config, wanted: &Filled, stop: &AtomicBool) -> Result {
    let organization = config.organizations.first().map(|first| first.tenant.organization.clone());
    let organization: Organization = organization.ok_or_else(|| Failure::Message("the demo has no organization".into()))?;
    let attendance = believable(wanted, wanted.facts);
    app.engine()?.put_directory(organization.id, attendance.directory())?;
    let Filled { facts, assistance, users, days, .. } = wanted;
    output::note(format_args!("making {facts} attendance and {assistance} assistance facts of {users} users over {days} days"));
    let bar = output::progress(facts + assistance, "{wide_bar} {human_pos}/{human_len} facts {eta}");
    let limits = config.limits.ingest();
    let go_on = || {
        if !stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let made = bar.position();
        bar.finish_and_clear();
        Err(Failure::Interrupted(format!("stopped after {made} of {} facts; the next start makes the demo anew", facts + assistance)))
    };
    for lines in attendance.chunks(CHUNK) {
        go_on()?;
        bar.inc(take::<Attendances>(app, &organization, &limits, &lines)?);
    }
    for lines in believable(wanted, *assistance).assistance(false) {
        go_on()?;
        bar.inc(take::<Assistances>(app, &organization, &limits, &lines)?);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Takes facts in, and says how many.
fn take<C: Columns>(app: &Arc<App>, organization: &Organization, limits: &Limits, lines: &[u8]) -> Result<u64> {
    let directory = app.engine()?.directory(organization.id);
    let context = Context { limits: *limits, ..Context::new(organization, &directory, server::now()) };
    let decoded = decode::<C>(lines, Format::Ndjson, Compression::None, &context);
    let decoded = decoded.map_err(|error| Failure::of("the demo's facts cannot be read", error))?;
    if let Some(error) = decoded.errors.first() {
        return Err(Failure::of("the demo made a fact that is none", error));
    }
    Ok(app.engine()?.ingest(organization, decoded.facts)?.accepted)
}
