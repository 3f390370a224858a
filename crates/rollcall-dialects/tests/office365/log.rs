//! What fails is found in the log by the id that its answer has.

use crate::naive::{Fault, Naive};
use crate::stage::{Stage, may, settings, tenant};
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INSTALLED: Once = Once::new();

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failure_is_logged_under_the_request_id_of_its_answer() {
    // Of the whole process, for the work is done on other threads; tests beside this one may write to it too.
    INSTALLED.call_once(|| tracing_subscriber::fmt().with_writer(|| Writer).with_ansi(false).init());
    for (fault, said) in [(Fault::Storage, "a report failed"), (Fault::Panic, "an answer could not be computed")] {
        let stage = Stage::of(Naive { facts: may(), fault }, vec![tenant(settings())]);
        let answer = stage.json("/CsActiveUserDaily").await;
        assert_eq!(answer.status, 500);
        let log = String::from_utf8(LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap();
        let line = log.lines().find(|line| line.contains(answer.header("request-id"))).unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains("ERROR") && line.contains(said) && line.contains("office365"), "{line}");
        assert!(!answer.body.contains(said));
    }
}
