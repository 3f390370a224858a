//! Those who read when something is erased.

use super::*;

/// A reader who began before keeps its facts and their names, and what comes of the user while it reads is erased too.
#[test]
fn readers_finish_and_what_comes_meanwhile_goes_too() {
    let home = tempfile::tempdir().unwrap();
    let (engine, organization) = (filled(home.path()), organization(1));
    let org = organization.id;
    let version = engine.lake().attendance.version;
    let mut reading = engine.scan::<AttendanceBlock>(org, EVER);
    let mut read = reading.next().unwrap().unwrap().facts();
    let erased = std::thread::scope(|threads| {
        let erasing = threads.spawn(|| forget(&engine, org, GONE));
        // Not before the first round is over: then it waits for the reader.
        while engine.lake().attendance.version.unwrap() < version.unwrap() + 2 {
            std::thread::yield_now();
        }
        engine.ingest(&organization, attendances(&organization, &[GONE], 100..103)).unwrap();
        read += reading.by_ref().map(|block| block.unwrap().facts()).sum::<usize>();
        drop(reading);
        erasing.join().unwrap()
    });
    assert_eq!(read, 140);
    assert_eq!((erased.attendances, erased.ids, erased.proof), (73, 133, Some(Proof::default())));
    assert_eq!(files_with(home.path(), GONE), [""; 0]);
    verified(&engine);
}

/// Takes what it is given, and then nothing more until it is told that it has to end.
struct Stuck(rollcall_model::Cancellation);

impl std::io::Write for Stuck {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        while !self.0.is_cancelled() {
            std::thread::yield_now();
        }
        Err(std::io::ErrorKind::TimedOut.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An export that nobody takes keeps an erasure waiting for a while, and not for ever.
#[test]
fn an_export_that_is_stuck_is_ended() {
    let home = tempfile::tempdir().unwrap();
    let (engine, org) = (filled(home.path()), organization(1).id);
    let engine = &engine;
    std::thread::scope(|threads| {
        let (begun, begins) = std::sync::mpsc::channel();
        let stuck = threads.spawn(move || {
            let out = |revoked| {
                begun.send(()).unwrap();
                Stuck(revoked)
            };
            engine.export_until::<AttendanceBlock, _>(org, EVER, crate::export::Format::Ndjson, out)
        });
        begins.recv().unwrap();
        assert_eq!(forget(engine, org, GONE).proof, Some(Proof::default()));
        assert!(matches!(stuck.join().unwrap(), Err(crate::export::ExportError::Output(_))));
    });
    assert_eq!(files_with(home.path(), GONE), [""; 0]);
}
