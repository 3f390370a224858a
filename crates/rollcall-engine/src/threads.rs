//! The engine's threads, and what a panic of one of them ends.

use crate::error::EngineError;
use std::thread::JoinHandle;

/// The threads that change what is stored. One that panics leaves a state that nobody may go on from.
const THREADS: [&str; 7] = ["committer", "encoder", "publisher", "checkpointer", "keeper", "supervisor", "fjall:worker"];

/// Starts a thread of this name.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, EngineError> {
    let thread = std::thread::Builder::new().name(name.into());
    thread.spawn(work).map_err(|error| EngineError::Storage(format!("the {name} thread cannot be started: {error}")))
}

/// From now on a panic of a thread that changes what is stored ends the process at once, before the thread gives its locks back: nobody
/// reads or stores what it left half done, and what it had not acknowledged is found, or not, at the next start. For the start of a program.
pub fn end_process_when_storage_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if std::thread::current().name().is_some_and(|name| THREADS.contains(&name)) {
            std::process::abort();
        }
    }));
}
