//! A backup is one consistent state, and comes back as it was: `backup` and `restore` as people run them. What damage is refused is tested in
//! the engine.

use crate::harness::{KEY, Server, assistance, complaint, configuration, fact, rollcall, run, stdout};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn backup(data: &Path, target: &Path) -> Command {
    let mut command = rollcall();
    command.arg("backup").arg(target).arg("--data").arg(data).args(["--format", "json"]);
    command
}

fn restore(source: &Path, data: &Path) -> Command {
    let mut command = rollcall();
    command.arg("restore").arg(source).arg("--data").arg(data).args(["--verify", "--format", "json"]);
    command
}

fn json(command: &mut Command) -> serde_json::Value {
    serde_json::from_str(&stdout(command)).unwrap()
}

fn ingest(server: &Server, numbers: std::ops::Range<u32>) {
    server.ingest(numbers.clone().map(|meeting| fact(meeting, &format!("u{}", meeting % 9))).collect::<String>()).unwrap();
    server.ingest_to("/v1/assistance", numbers.map(|number| assistance(number, "u1")).collect::<String>()).unwrap();
}

/// How many facts a restored directory has, by `verify`; there is no difference.
fn restored(source: &Path, data: &Path) -> u64 {
    let found = json(&mut restore(source, data));
    assert_eq!((&found["differences"], &found["unverified"]), (&0.into(), &0.into()), "{found}");
    found["facts"].as_u64().unwrap()
}

#[test]
fn a_server_that_serves_is_backed_up_and_one_that_is_restored_serves_the_same() {
    let mut server = Server::with("[lake]\nflush_seconds = 1");
    ingest(&server, 0..200);
    let home = tempfile::tempdir().unwrap();
    let (data, target) = (server.home().join("data"), home.path().join("backup"));
    // By the server's socket, while it goes on.
    let made = json(&mut backup(&data, &target));
    assert!(made["files"].as_u64() > Some(1) && made["files"] == made["files_written"], "{made}");
    let (meetings, token) = (server.meetings(KEY), fs::read(data.join("signing.key")).unwrap());
    ingest(&server, 200..210);
    server.signal("TERM");
    server.wait();
    // Without the server, to the same place; and what is there already is not copied again.
    assert_eq!(json(&mut backup(&data, &target))["lake_facts"], 420);
    let again = json(&mut backup(&data, &target));
    assert_eq!((&again["files_written"], &again["files_removed"]), (&2.into(), &2.into()), "the ledger and the key: {again}");

    let new = home.path().join("new/data");
    assert_eq!(restored(&target, &new), 420);
    assert_eq!(fs::read(new.join("signing.key")).unwrap(), token);
    assert_eq!(fs::metadata(new.join("signing.key")).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(home.path().join("new/rollcall.toml"), configuration("")).unwrap();
    let restored = Server::start(&home.path().join("new"));
    assert_eq!(restored.meetings(KEY), meetings + 10);
    // Ids are known.
    let body: String = (0..210).map(|meeting| fact(meeting, &format!("u{}", meeting % 9))).collect();
    assert_eq!(restored.ingest(body).unwrap().duplicate, 210);
}

#[test]
fn a_backup_that_was_cut_off_leaves_the_one_before() {
    for (point, facts) in [("backup-file-copied", 40), ("backup-before-manifest", 40), ("backup-manifest-written", 60)] {
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::new();
        let (data, target) = (server.home().join("data"), home.path().join("backup"));
        ingest(&server, 0..20);
        stdout(&mut backup(&data, &target));
        ingest(&server, 20..30);
        // The backup puts the facts into the lake.
        server.signal("TERM");
        server.wait();
        let cut = run(backup(&data, &target).env("FAILPOINTS", format!("{point}=return")));
        assert!(!cut.status.success(), "{point} was not passed");
        assert_eq!(restored(&target, &home.path().join("restored")), facts, "{point}");
        let made = json(&mut backup(&data, &target));
        assert!(made["files_removed"].as_u64() > Some(0), "{point}: {made}");
        assert_eq!(restored(&target, &home.path().join("again")), 60, "{point}");
    }
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_told() {
    let server = Server::new();
    let home = tempfile::tempdir().unwrap();
    let data = server.home().join("data");
    let within = complaint(&mut backup(&data, &data.join("backup")), 1);
    assert!(within.contains("lie in one another: a backup lies elsewhere"), "{within}");
    let nowhere = complaint(&mut backup(&home.path().join("nowhere"), &home.path().join("backup")), 1);
    assert!(nowhere.contains("is no data directory"), "{nowhere}");
    let bad = complaint(&mut backup(&data, Path::new("ftp://host/x")), 2);
    assert!(bad.contains("ftp://host/x: expected s3://bucket/prefix, file:///directory, or a path"), "{bad}");
    fs::create_dir(home.path().join("empty")).unwrap();
    let none = complaint(&mut restore(&home.path().join("empty"), &home.path().join("new")), 1);
    assert!(none.contains("has no backup.json"), "{none}");
    assert!(!home.path().join("new").exists());
    // A command and a server alike say that credentials would be in the open.
    let mut plain = backup(&data, Path::new("s3://bucket/x"));
    plain.arg("--without-signing-key");
    plain.envs([("AWS_ENDPOINT", "http://192.0.2.1:9"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "hunter2")]);
    let plain = complaint(&mut plain, 1);
    assert!(plain.contains("in plain text beyond this machine") && !plain.contains("hunter2"), "{plain}");
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}

#[test]
fn a_data_directory_remembers_where_its_lake_lies() {
    let mut server = Server::with("[lake]\nurl = \"elsewhere\"\nflush_seconds = 1");
    ingest(&server, 0..20);
    server.signal("TERM");
    server.wait();
    let home = server.home().to_owned();
    stdout(rollcall().args(["flush", "--data"]).arg(home.join("data")));
    assert!(home.join("elsewhere/attendance/_delta_log").is_dir() && !home.join("data/lake").exists());
    // Commands that know only the directory find it.
    let mut verify = rollcall();
    verify.args(["verify", "--format", "json", "--data"]).arg(home.join("data"));
    assert_eq!(json(&mut verify)["facts"], 40);
    fs::write(home.join("other.toml"), configuration("[lake]\nurl = \"other\"")).unwrap();
    let moved = complaint(verify.arg("--config").arg(home.join("other.toml")), 1);
    assert!(moved.contains("/elsewhere, and the configuration says file:///"), "{moved}");
    assert!(!home.join("other").exists());
}

/// The modes of everything below a directory, and of itself.
fn modes(directory: &Path) -> Vec<(PathBuf, u32)> {
    let about = fs::symlink_metadata(directory).unwrap();
    let mut found = vec![(directory.to_owned(), about.permissions().mode() & 0o777)];
    if about.is_dir() {
        fs::read_dir(directory).unwrap().for_each(|entry| found.extend(modes(&entry.unwrap().path())));
    }
    found
}

#[test]
fn a_backup_and_an_export_are_their_owners_alone_whoever_made_the_target() {
    let server = Server::with("[lake]\nflush_seconds = 1");
    ingest(&server, 0..20);
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("backup");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o777)).unwrap();
    json(&mut backup(&server.home().join("data"), &target));
    let export = home.path().join("facts.csv");
    stdout(rollcall().args(["export", "--to-url", server.url(), "--key", KEY, "-o"]).arg(&export));
    for (path, mode) in modes(&target).into_iter().chain(modes(&export)) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

/// A key that seals signing keys, in a file.
fn key_file(home: &Path, name: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, format!("{name:x<40}\n")).unwrap();
    path
}

#[test]
fn a_sealed_signing_key_comes_back_with_its_key_and_a_missing_one_is_made_anew() {
    let mut server = Server::new();
    ingest(&server, 0..5);
    let home = tempfile::tempdir().unwrap();
    let (data, target, left_out) = (server.home().join("data"), home.path().join("backup"), home.path().join("left-out"));
    let (right, wrong) = (key_file(home.path(), "right"), key_file(home.path(), "wrong"));
    let key = fs::read(data.join("signing.key")).unwrap();
    json(backup(&data, &target).arg("--key-file").arg(&right));
    json(backup(&data, &left_out).arg("--without-signing-key"));
    server.signal("TERM");
    server.wait();
    for (path, _) in modes(home.path()).into_iter().filter(|(path, _)| path.is_file()) {
        assert!(fs::read(&path).unwrap().windows(32).all(|part| part != &key[..32]), "{}", path.display());
    }
    let new = |name: &str| home.path().join(name).join("data");
    let none = complaint(&mut restore(&target, &new("a")), 1);
    assert!(none.contains("the signing key in the backup is sealed: give the key that it was sealed with (--key-file)"), "{none}");
    let other = complaint(restore(&target, &new("a")).arg("--key-file").arg(&wrong), 1);
    assert!(other.contains("was sealed with another key") && !new("a").exists(), "{other}");
    stdout(restore(&target, &new("a")).arg("--key-file").arg(&right));
    assert_eq!(fs::read(new("a").join("signing.key")).unwrap(), key);
    // By the configuration, too.
    fs::write(home.path().join("rollcall.toml"), configuration("[backup]\nkey = \"file:right\"")).unwrap();
    stdout(restore(&target, &new("b")).arg("--config").arg(home.path().join("rollcall.toml")));
    assert_eq!(fs::read(new("b").join("signing.key")).unwrap(), key);
    for (source, name, leave_out) in [(&left_out, "c", false), (&target, "d", true)] {
        let mut command = restore(source, &new(name));
        if leave_out {
            command.arg("--without-signing-key");
        }
        let output = run(&mut command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.contains("tokens given so far are no longer valid"), "{told}");
        assert_ne!(fs::read(new(name).join("signing.key")).unwrap(), key);
    }
    let guessed = home.path().join("guessed");
    fs::write(&guessed, "hunter2").unwrap();
    let refused = complaint(backup(&data, &target).arg("--key-file").arg(&guessed), 1);
    assert!(refused.contains("at least 32 characters, not 7") && !refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_signing_key_goes_to_a_bucket_sealed_or_not_at_all() {
    let server = Server::new();
    let refused = complaint(&mut backup(&server.home().join("data"), Path::new("s3://bucket/x")), 1);
    for said in ["would lie in s3://bucket/x", "--key-file", "--without-signing-key"] {
        assert!(refused.contains(said), "{refused}");
    }
}
