//! What was acknowledged so far: the bar, the receipt, and the place from which `--resume` goes on.

use super::cut::{Body, Place};
use super::source::Source;
use crate::failure::{Failure, Result};
use crate::output;
use indicatif::ProgressBar;
use rollcall_model::Receipt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the place is written.
const SAVE_EVERY: Duration = Duration::from_millis(500);

/// How the import of a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every body was acknowledged.
    Complete,
    /// Something is wrong with the file, or with the request.
    Failed,
    /// It can go on later as it is.
    Stopped,
}

/// The progress of one file.
#[derive(Debug)]
pub struct Progress {
    source: Arc<Source>,
    bar: ProgressBar,
    resume: bool,
    resumed_at: Place,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    receipt: Receipt,
    /// Everything before it was acknowledged.
    place: Place,
    /// The number of the body that begins at the place.
    next: u64,
    /// Where later bodies end that were acknowledged earlier.
    ahead: BTreeMap<u64, Place>,
    saved: Instant,
}

/// What the file beside the facts holds.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    #[serde(flatten)]
    place: Place,
    receipt: Receipt,
}

impl Progress {
    /// Begins, or goes on where the last import with `resume` stopped.
    pub fn begin(source: Arc<Source>, resume: bool) -> Result<Self> {
        let path = source.place_file();
        let saved: Option<Saved> = match std::fs::read(&path) {
            Ok(bytes) if resume => {
                let saved = serde_json::from_slice(&bytes);
                Some(saved.map_err(|error| Failure::of(format_args!("{} is damaged, remove it to begin anew", path.display()), error))?)
            }
            _ => None,
        };
        let (place, receipt) = saved.map_or_else(Default::default, |saved| (saved.place, saved.receipt));
        if place.lines > 0 {
            output::note(format_args!("{}: going on after line {}", source.name(), place.lines));
        }
        let size = source.size();
        let known = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let bar = output::progress(size, if size > 0 { known } else { "{msg} {bytes} {bytes_per_sec}" });
        bar.set_message(source.name());
        let state = State { receipt, place, next: 0, ahead: BTreeMap::new(), saved: Instant::now() };
        Ok(Self { source, bar, resume, resumed_at: place, state: Mutex::new(state) })
    }

    pub fn resumed_at(&self) -> Place {
        self.resumed_at
    }

    pub fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A body was acknowledged.
    pub fn stored(&self, number: u64, body: &Body, receipt: Receipt) -> Result {
        let mut state = self.state();
        state.receipt.add(receipt);
        state.ahead.insert(number, body.end);
        loop {
            let next = state.next;
            let Some(end) = state.ahead.remove(&next) else { break };
            state.place = end;
            state.next += 1;
        }
        if self.resume && state.saved.elapsed() > SAVE_EVERY {
            self.save(&mut state)?;
        }
        Ok(())
    }

    /// A body was refused: nothing of it was stored.
    pub fn refused(&self, receipt: Receipt) {
        self.state().receipt.add(receipt);
    }

    /// The end of the file, or of the attempt: what was acknowledged, and how to go on. The place of one that was stopped is kept, also
    /// without `resume`.
    pub fn end(&self, end: End) -> Result<(Receipt, String)> {
        self.bar.finish_and_clear();
        let mut state = self.state();
        let mut kept = false;
        match end {
            End::Complete if self.resume => _ = std::fs::remove_file(self.source.place_file()),
            End::Complete => {}
            _ if self.resume => {
                self.save(&mut state)?;
                kept = true;
            }
            End::Failed => {}
            // Where it cannot be kept, the file is sent again from its beginning.
            End::Stopped => kept = self.source.has_places() && self.save(&mut state).is_ok(),
        }
        let going_on = if kept && state.place.lines > 0 {
            format!("import {} again with --resume to go on after line {}", self.source.name(), state.place.lines)
        } else {
            format!("import {} again: what is stored counts as duplicate", self.source.name())
        };
        let mut receipt = std::mem::take(&mut state.receipt);
        receipt.errors.sort_by_key(|error| error.line);
        Ok((receipt, going_on))
    }

    /// Writes the place, whole or not at all. What is acknowledged beyond it is sent once more after a resume, and counted as
    /// duplicate.
    fn save(&self, state: &mut State) -> Result {
        let path = self.source.place_file();
        let aside = path.with_extension("rollcall-import.new");
        let saved = Saved { place: state.place, receipt: Receipt { rejected: 0, errors: Vec::new(), ..state.receipt.clone() } };
        let written = std::fs::write(&aside, serde_json::to_vec(&saved).unwrap_or_default()).and_then(|()| std::fs::rename(&aside, &path));
        state.saved = Instant::now();
        written.map_err(|error| Failure::of(format_args!("the place of the import could not be kept in {}", path.display()), error))
    }
}
