//! `import`: files of facts go to a server, or into a data directory.
//!
//! NDJSON and CSV are cut at line ends into bodies of a few megabytes, without being parsed, so memory stays bounded whatever the
//! file; several bodies are on their way at a time. Other formats go whole. Everything may be repeated: a fact that is known
//! is counted as a duplicate. Rows of another service's report are made into facts on the way.
//!
//! # Layout
//! - [`source`]: a file by its name: format, compression, reading
//! - [`cut`]: lines into bodies
//! - [`copilot`]: rows of GitHub Copilot's reports into facts
//! - [`refusal`]: what to do about facts that were refused
//! - [`target`]: where bodies go, and the retries on the way
//! - [`progress`]: what was acknowledged so far: the bar, the total receipt, the place for `--resume`

mod copilot;
mod cut;
mod progress;
mod refusal;
mod source;
mod target;

use crate::args::{FactFormat, Import, OnError, ReceiptFormat};
use crate::failure::{Failure, Result};
use crate::output;
use bytes::Bytes;
use cut::{Body, Place};
use progress::{End, Progress};
use rollcall_engine::ingest;
use rollcall_engine::kinds::ColumnsOf;
use rollcall_engine::match_kind;
use rollcall_model::{FactKind, Receipt};
use source::Source;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use target::{Delivery, Target};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// How many bodies wait between the file and the network: enough that neither waits for the other.
const AHEAD: usize = 2;

/// Why the import of a file ended early.
enum Trouble {
    /// The same import would fail again.
    Failed(Failure),
    /// The server stays out of reach: what was tried, and what came of it.
    Away(String),
    /// Ctrl-C.
    Interrupted,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

pub fn run(flags: Import) -> Result {
    let sources: Vec<_> = flags.files.iter().map(|path| Source::of(path, &flags)).collect::<Result<_>>()?;
    let fact = fact(&flags)?;
    let target = Arc::new(Target::of(&flags, fact)?);
    let mut total = Receipt::default();
    let outcome = super::wait(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| Failure::of("signals cannot be received", error))?;
        for source in sources {
            import(Arc::new(source), &target, fact, &flags, &mut total, &mut interrupt).await?;
        }
        Ok(())
    });
    // What was stored is said also when something failed later.
    print(&total, flags.receipt)?;
    if flags.format == Some(FactFormat::Copilot) && total.conflicting > 0 {
        output::note(format_args!(
            "conflicting: {}. GitHub changed these days after they were imported, and what was imported first stays; days are final after three full UTC days",
            total.conflicting
        ));
    }
    outcome?;
    if total.rejected > 0 {
        let Receipt { accepted, duplicate, conflicting, rejected, .. } = total;
        return Err(Failure::Partly(format!(
            "{rejected} of {} facts had errors and were skipped; mend them and import the files again: what is stored counts as duplicate",
            accepted + duplicate + conflicting + rejected
        )));
    }
    Ok(())
}

/// What the facts are; a format of rows decides it.
fn fact(flags: &Import) -> Result<FactKind> {
    let of_rows = flags.format == Some(FactFormat::Copilot);
    match flags.fact.map(|fact| fact.0) {
        Some(FactKind::Attendance) if of_rows => Err(Failure::Usage("--fact attendance: --format copilot has assistance facts".into())),
        _ if flags.user_field.is_some() && !of_rows => Err(Failure::Usage("--user-field: only with --format copilot".into())),
        None if of_rows => Ok(FactKind::Assistance),
        fact => Ok(fact.unwrap_or(FactKind::Attendance)),
    }
}

/// Imports one file, and adds its receipt to the total.
async fn import(
    source: Arc<Source>,
    target: &Arc<Target>,
    fact: FactKind,
    flags: &Import,
    total: &mut Receipt,
    interrupt: &mut Signal,
) -> Result {
    let progress = Arc::new(Progress::begin(source.clone(), flags.resume)?);
    let (give, take) = mpsc::channel(AHEAD);
    let take = Arc::new(Mutex::new(take));
    let stopped = Arc::new(AtomicBool::new(false));
    let reading = {
        let (source, progress, size) = (source.clone(), progress.clone(), flags.body_bytes as usize);
        tokio::task::spawn_blocking(move || read(&source, fact, &progress, size, &give))
    };
    let mut carriers = JoinSet::new();
    for _ in 0..flags.in_flight {
        carriers.spawn(carry(take.clone(), target.clone(), source.clone(), fact, progress.clone(), stopped.clone(), flags.on_error));
    }
    // Nobody but the carriers takes now: when all of them stop, the reader finds out.
    drop(take);
    let carrying = async {
        let mut outcome = Ok(());
        while let Some(carried) = carriers.join_next().await {
            outcome = outcome.and(carried.unwrap_or_else(|error| Err(Failure::of("an import task failed", error).into())));
        }
        let read = reading.await.unwrap_or_else(|error| Err(Failure::of("an import task failed", error)));
        outcome.and(read.map_err(Trouble::from))
    };
    let outcome = tokio::select! {
        outcome = carrying => outcome,
        _ = interrupt.recv() => Err(Trouble::Interrupted),
    };
    // What is still on its way counts as duplicate when it is sent again.
    carriers.shutdown().await;
    let end = match &outcome {
        Ok(()) => End::Complete,
        Err(Trouble::Failed(_)) => End::Failed,
        Err(Trouble::Away(_) | Trouble::Interrupted) => End::Stopped,
    };
    let (receipt, going_on) = progress.end(end)?;
    for error in &receipt.errors {
        output::note(format_args!("{}: {error}", source.name()));
    }
    total.add(receipt);
    outcome.map_err(|trouble| match trouble {
        Trouble::Failed(failure) => failure,
        Trouble::Away(why) => Failure::Message(format!("{why}; when the server is back, {going_on}")),
        Trouble::Interrupted => Failure::Interrupted(format!("interrupted; {going_on}")),
    })
}

/// Reads the file to its end, body by body. One in which there is nothing is told, as it is hardly what was meant.
fn read(source: &Source, fact: FactKind, progress: &Progress, size: usize, give: &mpsc::Sender<(u64, Body)>) -> Result {
    let bodies = source.bodies(size, progress.resumed_at(), progress.bar())?;
    let mut has_facts = progress.resumed_at() != Place::default();
    let mut blank = Bytes::new();
    for (number, body) in (0..).zip(bodies) {
        let body = body.map_err(|error| Failure::of(source.name(), error))?;
        if body.is_blank() {
            blank = body.bytes.clone();
        } else {
            has_facts = true;
        }
        if give.blocking_send((number, body)).is_err() {
            // The carriers stopped, and say why themselves.
            return Ok(());
        }
    }
    if has_facts {
        return Ok(());
    }
    let has_header = if source.has_header() { match_kind!(fact, K => ingest::has_header::<ColumnsOf<K>>(&blank)) } else { Ok(false) };
    let why = match has_header {
        Ok(true) => "it has a header line only",
        Ok(false) => "it is empty",
        Err(wrong) => {
            let failure = refusal::of(source, fact, &wrong.0, true);
            progress.refused(Receipt { rejected: 1, errors: wrong.0, ..Receipt::default() });
            return Err(failure);
        }
    };
    Err(Failure::Message(format!("{} has no facts: {why}", source.name())))
}

/// Carries bodies to the target, one at a time, until there are no more or one is refused.
async fn carry(
    take: Arc<Mutex<mpsc::Receiver<(u64, Body)>>>,
    target: Arc<Target>,
    source: Arc<Source>,
    fact: FactKind,
    progress: Arc<Progress>,
    stopped: Arc<AtomicBool>,
    on_error: OnError,
) -> Result<(), Trouble> {
    while !stopped.load(Ordering::Acquire) {
        let Some((number, body)) = take.lock().await.recv().await else { break };
        let delivered = if body.unmade.rejected > 0 && on_error == OnError::Refuse {
            Ok(Delivery::Refused(Receipt::default()))
        } else if body.has_nothing() {
            Ok(Delivery::Stored(Receipt::default()))
        } else {
            target.deliver(&body, &source).await
        };
        if !matches!(delivered, Ok(Delivery::Stored(_))) {
            stopped.store(true, Ordering::Release);
        }
        match delivered? {
            Delivery::Stored(receipt) => progress.stored(number, &body, body.told(receipt))?,
            Delivery::Refused(receipt) => {
                // Where facts with errors are skipped, there is nothing else to refuse.
                let whole = on_error == OnError::Skip || body.is_refused_as_a_whole(&receipt);
                let failure = refusal::of(&source, fact, &receipt.errors, whole);
                progress.refused(body.told(receipt));
                return Err(failure.into());
            }
            Delivery::Away(why) => return Err(Trouble::Away(why)),
        }
    }
    Ok(())
}

fn print(total: &Receipt, format: ReceiptFormat) -> Result {
    match format {
        ReceiptFormat::Json => output::line(serde_json::to_string(total).unwrap_or_default()),
        ReceiptFormat::Table => {
            let Receipt { accepted, duplicate, conflicting, rejected, .. } = total;
            let counts = [accepted, duplicate, conflicting, rejected].map(|count| (count.to_string(), true));
            let head = ["accepted", "duplicate", "conflicting", "rejected"].map(Into::into);
            output::data(output::table(head, [counts.into()]).as_bytes())
        }
    }
}
