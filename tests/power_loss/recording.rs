//! A server that runs under the recorder, and what it is sent.

use super::disk::{Entry, entries};
use super::state::{Request, STORAGE, path};
use crate::harness::{KEY, Server, configuration};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread::scope;
use tempfile::TempDir;

/// Where fjall ends a journal, when it next writes a table.
const JOURNAL: usize = 64_000_000;

/// How many bytes a user of a directory takes in the journal, about.
const USER: usize = 600;

/// The servers of one test, one after the other.
#[derive(Debug)]
pub struct Recording {
    home: TempDir,
    /// The requests whose receipts arrived.
    receipts: Mutex<BTreeSet<usize>>,
}

impl Recording {
    /// Compiles the recorder. A test without it would test nothing, so it fails where this is not possible.
    pub fn new() -> Self {
        let home = scratch();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/power_loss/recorder.c");
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(home.path().join("recorder.so"));
        assert!(compiler.arg(source).status().unwrap().success());
        fs::create_dir(home.path().join("disk")).unwrap();
        fs::write(home.path().join("rollcall.toml"), configuration(STORAGE)).unwrap();
        Self { home, receipts: Mutex::default() }
    }

    /// What is recorded.
    pub fn disk(&self) -> PathBuf {
        self.home.path().join("disk")
    }

    /// The log so far.
    pub fn log(&self) -> Vec<u8> {
        fs::read(self.home.path().join("disk.log")).unwrap()
    }

    /// The requests whose receipts arrived.
    pub fn receipts(&self) -> BTreeSet<usize> {
        self.receipts.lock().unwrap().clone()
    }

    /// Starts the server.
    pub fn start(&self) -> Server {
        let (recorder, disk, log) = (self.home.path().join("recorder.so"), self.disk(), self.home.path().join("disk.log"));
        Server::start_with(
            self.home.path(),
            &[("LD_PRELOAD", recorder.as_ref()), ("RECORDED_DIRECTORY", disk.as_ref()), ("RECORDED_LOG", log.as_ref())],
        )
    }

    /// Puts a directory of so many users.
    pub fn put_directory(&self, server: &Server, users: usize) {
        let user = |number| format!("{{\"id\":\"{number:0>250}\",\"name\":\"{number:x>250}\"}}");
        let users: Vec<String> = (0..users).map(user).collect();
        let put = server.request("PUT", "/v1/directory?force=true").bearer_auth(KEY).header("content-type", "application/json");
        let answer = server.send(put.body(format!("{{\"departments\":[],\"users\":[{}]}}", users.join(",")))).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Fills the first journal with directories, until a few requests are enough to end it.
    pub fn fill_journal(&self, server: &Server) {
        loop {
            let left = JOURNAL - self.written("/0.jnl");
            if left < 20_000 {
                break;
            }
            // Each is written twice: it is kept when the next takes its place.
            self.put_directory(server, (left * 9 / 20 / USER).clamp(2, 15_000));
            self.put_directory(server, 1);
        }
    }

    /// How far a file is written.
    fn written(&self, end: &str) -> usize {
        let log = self.log();
        let (mut made, mut written) = (0, 0);
        for entry in entries(&log) {
            match entry {
                Entry::Opened { file, path, .. } if path.ends_with(end) => made = file,
                Entry::Written { file, offset, bytes } if file == made => written = written.max(offset as usize + bytes.len()),
                _ => {}
            }
        }
        written
    }

    /// Sends requests, each on a connection of its own.
    pub fn send(&self, server: &Server, requests: &[Request]) {
        scope(|threads| {
            for request in requests {
                threads.spawn(|| assert!(self.try_send(server, request)));
            }
        });
    }

    /// Sends requests, does not wait for their receipts, and ends the server by a signal. USR2 is the recorder's way to kill it.
    pub fn send_and_end(&self, server: &mut Server, requests: &[Request], signal: &str) {
        scope(|threads| {
            for request in requests {
                let server = &*server;
                threads.spawn(|| self.try_send(server, request));
            }
            server.signal(signal);
        });
        server.wait();
    }

    fn try_send(&self, server: &Server, request: &Request) -> bool {
        let Ok(receipt) = server.ingest_to(path(request.attended), request.body.clone()) else { return false };
        assert_eq!(receipt.accepted, request.facts as u64, "{receipt:?}");
        self.receipts.lock().unwrap().insert(request.number)
    }
}

/// A directory in memory, where there is such a place: what is tested is what the server asks of storage, and not how long storage takes.
pub fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
