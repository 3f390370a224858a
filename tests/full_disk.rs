//! The promise *no fact lost and none counted twice* on a disk that is full or fails: reports go on, `/readyz` says what is wrong, and once
//! the disk takes writes again so does the server, without a restart.

use crate::harness::{KEY, Server, configuration, fact, rollcall, run, without_settings};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the server may take to notice.
const PATIENCE: Duration = Duration::from_secs(60);

/// A disk of a few megabytes: a tmpfs at `home/disk`, in a mount namespace that lives as long as a process does.
struct SmallDisk {
    home: TempDir,
    keeper: Child,
}

impl SmallDisk {
    fn new(megabytes: u32, keys: &str) -> Self {
        let home = TempDir::new().unwrap();
        let disk = home.path().join("disk");
        fs::create_dir(&disk).unwrap();
        fs::write(home.path().join("rollcall.toml"), configuration(keys)).unwrap();
        let script = format!("mount -t tmpfs -o size={megabytes}m none \"$1\" && echo mounted && exec cat");
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"])
            .arg(&disk)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (of util-linux) makes a disk that can be filled up");
        let mut line = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "a full disk is a tmpfs in a user namespace, which this system does not allow");
        Self { home, keeper }
    }

    /// A path on the disk, as seen from outside of the namespace.
    fn path(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.home.path().strip_prefix("/").unwrap()).join("disk").join(name)
    }

    /// A server that sees the disk; `probe` answers once it may be used.
    fn start(&self, probe: &str) -> Server {
        Server::launch(self.home.path(), self.rollcall(), probe)
    }

    fn rollcall(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--mount", "--preserve-credentials", "--target"]).arg(self.keeper.id().to_string());
        command.arg(env!("CARGO_BIN_EXE_rollcall"));
        without_settings(command)
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut filler = File::options().append(true).create(true).open(self.path("filler")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// Gives the room back.
    fn empty(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }

    /// Stored cells are what facts say.
    fn verify(&self) {
        let found = run(self.rollcall().arg("verify").arg("--data").arg(self.home.path().join("disk/data")));
        assert!(found.status.success(), "{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Waits until `/readyz` answers so, and gives everything that it calls a problem.
fn await_readiness(server: &Server, status: u16, told: &str) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let answer = server.get("/readyz", "").unwrap();
        let problems: Vec<String> = serde_json::from_value(answer.json()["problems"].clone()).unwrap_or_default();
        if answer.status == status && (told.is_empty() || problems.iter().any(|problem| problem.contains(told))) {
            return problems;
        }
        assert!(begun.elapsed() < PATIENCE, "never {status} with {told}: {} {}\n{}", answer.status, answer.text(), server.log());
        sleep(Duration::from_millis(20));
    }
}

/// Every way to read answers with so many facts.
fn assert_facts(server: &Server, facts: u32) {
    assert_eq!(server.meetings(KEY), u64::from(facts));
    let users = server.get("/v1/reports/active-users?from=2025-01-01&to=2025-12-31&by=month", KEY).unwrap();
    assert_eq!(users.status, 200, "{}", users.text());
    let exported = server.get("/v1/attendance?format=ndjson", KEY).unwrap();
    assert_eq!((exported.status, exported.text().lines().count()), (200, facts as usize));
}

fn facts(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| fact(number, "a")).collect()
}

#[test]
fn a_full_disk_stops_ingest_alone_and_room_is_enough_to_go_on() {
    let disk = SmallDisk::new(16, "data = \"disk/data\"\n[storage]\nreserve_bytes = 1_048_576\n");
    let mut server = disk.start("/readyz");
    assert_eq!(server.ingest(facts(0..10)).unwrap().accepted, 10);
    assert_eq!(fs::metadata(disk.path("data/reserve")).unwrap().len(), 1 << 20);
    disk.fill();
    let refused = server.post("", "application/x-ndjson", facts(10..20)).unwrap();
    let told = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(refused.status == 503 && told.contains("the disk of the data directory is full: ") && told.contains("reserve_bytes"), "{told}");
    assert!(refused.headers.contains_key("retry-after"));
    await_readiness(&server, 503, "the disk of the data directory is full");
    assert_eq!(server.get("/livez", "").unwrap().status, 200);
    let directory = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    let directory = server.send(directory.body("{\"departments\":[],\"users\":[{\"id\":\"a\",\"name\":\"A\"}]}")).unwrap();
    assert_eq!(directory.status, 503, "{}", directory.text());
    assert_facts(&server, 10);
    // The reserve is room for the end: the last checkpoint.
    server.await_log("the reserve was given up");
    assert!(!disk.path("data/reserve").exists());
    server.signal("TERM");
    assert!(server.wait().success());
    for failed in ["failed", "could not"] {
        assert!(!server.log().contains(failed), "{}", server.log());
    }
    // Now nothing at all is left.
    disk.fill();
    let server = disk.start("/livez");
    await_readiness(&server, 503, "the disk of the data directory is full");
    assert_facts(&server, 10);
    disk.empty();
    await_readiness(&server, 200, "");
    assert_eq!(fs::metadata(disk.path("data/reserve")).unwrap().len(), 1 << 20, "it is made again");
    let receipt = server.ingest(facts(0..20)).unwrap();
    assert_eq!((receipt.accepted, receipt.duplicate), (10, 10));
    assert_facts(&server, 20);
    disk.verify();
}

/// A directory of some megabytes.
fn put_directory(server: &Server, round: u32) -> u16 {
    let user = |number: u32| format!("{{\"id\":\"{number:0>250}\",\"name\":\"{round:x>250}\"}}");
    let users: Vec<String> = (0..12_000).map(user).collect();
    let put = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    server.send(put.body(format!("{{\"departments\":[],\"users\":[{}]}}", users.join(",")))).unwrap().status
}

#[test]
fn a_write_that_finds_no_room_is_recovered_from_with_a_restart_and_without_one() {
    for restart in [false, true] {
        // Without a reserve, and without looking after it: what is full is found out by writing.
        let disk = SmallDisk::new(160, "data = \"disk/data\"\n[storage]\nreserve_bytes = 0\n");
        let mut server = disk.start("/readyz");
        assert_eq!(server.ingest(facts(0..10)).unwrap().accepted, 10);
        fs::write(disk.path("filler"), vec![1; 60 << 20]).unwrap();
        // The journal grows until it is sealed, and then what it holds is written once more.
        let failed = (0..60).any(|round| put_directory(&server, round) == 503);
        assert!(failed, "the disk is never full");
        disk.fill();
        let refused = server.post("", "application/x-ndjson", facts(10..20)).unwrap();
        assert_eq!(refused.status, 503, "{}", refused.text());
        await_readiness(&server, 503, "the storage failed");
        assert_facts(&server, 10);
        if restart {
            server.kill();
            server = disk.start("/livez");
            assert_facts(&server, 10);
        }
        disk.empty();
        await_readiness(&server, 200, "");
        let receipt = server.ingest(facts(0..20)).unwrap();
        assert_eq!((receipt.accepted, receipt.duplicate), (10, 10), "what was refused was not stored");
        assert_facts(&server, 20);
        server.signal("TERM");
        assert!(server.wait().success());
        disk.verify();
    }
}

#[test]
fn a_lake_that_cannot_be_written_is_named_while_ingest_goes_on() {
    let disk = SmallDisk::new(2, "[storage]\nreserve_bytes = 0\n[lake]\nurl = \"disk/lake\"\nflush_seconds = 1\n");
    let server = disk.start("/readyz");
    server.ingest(facts(0..10)).unwrap();
    disk.fill();
    for number in 1.. {
        assert_eq!(server.ingest(facts(number * 10..number * 10 + 10)).unwrap().accepted, 10);
        let readiness = server.get("/readyz", "").unwrap();
        assert_eq!(readiness.status, 200, "{}", readiness.text());
        if readiness.text().contains("the lake could not be written") {
            assert_facts(&server, number * 10 + 10);
            break;
        }
        assert!(number < 3000, "{}", server.log());
        sleep(Duration::from_millis(20));
    }
    disk.empty();
    let begun = Instant::now();
    while server.get("/readyz", "").unwrap().text().contains("lake") {
        assert!(begun.elapsed() < PATIENCE, "{}", server.log());
        sleep(Duration::from_millis(20));
    }
}

/// A server whose syncs fail while a file is there, and that file.
fn on_a_failing_disk(home: &Path, keys: &str) -> (Server, PathBuf) {
    let (library, failing) = (home.join("failing_sync.so"), home.join("failing"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/full_disk/failing_sync.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    assert!(compiler.status().unwrap().success());
    fs::write(home.join("rollcall.toml"), configuration(keys)).unwrap();
    let server = Server::start_with(home, &[("LD_PRELOAD", library.as_os_str()), ("FAILING_SYNC", failing.as_os_str())]);
    (server, failing)
}

#[test]
fn after_a_sync_that_failed_nothing_is_acknowledged_until_the_journal_is_durable() {
    let home = TempDir::new().unwrap();
    let (mut server, failing) = on_a_failing_disk(home.path(), "[lake]\nflush_seconds = 0");
    assert_eq!(server.ingest(facts(0..10)).unwrap().accepted, 10);
    fs::write(&failing, "").unwrap();
    let refused = server.post("", "application/x-ndjson", facts(10..20)).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    await_readiness(&server, 503, "the storage failed");
    let refused = server.post("", "application/x-ndjson", facts(10..20)).unwrap();
    assert!(refused.status == 503 && refused.text().contains("the storage failed"), "{}", refused.text());
    assert_facts(&server, 10);
    fs::remove_file(&failing).unwrap();
    await_readiness(&server, 200, "");
    // Whether the request without a receipt was stored, nobody knew: now it is known to be on the disk or to be gone.
    assert!(server.log().contains("the journal was written again"), "{}", server.log());
    let receipt = server.ingest(facts(0..20)).unwrap();
    assert_eq!(receipt.accepted + receipt.duplicate, 20);
    assert_facts(&server, 20);
    server.kill();
    let mut server = Server::start(home.path());
    assert_facts(&server, 20);
    server.signal("TERM");
    server.wait();
    let verified = run(rollcall().arg("verify").arg("--data").arg(home.path().join("data")));
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_sync_that_fails_while_nobody_asks_is_told_to_who_watches() {
    let home = TempDir::new().unwrap();
    let (server, failing) = on_a_failing_disk(home.path(), "[lake]\nflush_seconds = 1");
    server.ingest(facts(0..10)).unwrap();
    fs::write(&failing, "").unwrap();
    await_readiness(&server, 503, "the storage failed");
    assert_facts(&server, 10);
    fs::remove_file(&failing).unwrap();
    await_readiness(&server, 200, "");
    assert_facts(&server, 10);
}
