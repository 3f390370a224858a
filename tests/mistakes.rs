//! Everyday mistakes and mishaps at the command line: each is told with what to do next, and harms nothing.

use crate::harness::{KEY, ORG, Server, complaint, fact, rollcall, run, stdout};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

fn facts(count: u32) -> String {
    (0..count).map(|meeting| fact(meeting, "u")).collect()
}

fn file(home: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn import(url: &str, files: &[&Path]) -> Command {
    let mut command = rollcall();
    command.args(["import", "--receipt", "json", "--key", KEY, "--to", url]).args(files);
    command
}

fn interrupt(process: &Child) {
    assert!(Command::new("kill").arg("-INT").arg(process.id().to_string()).status().unwrap().success());
}

fn await_meetings(server: &Server, count: u64) {
    while server.meetings(KEY) < count {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// What a process still says on standard error, and how it ends.
fn end(mut process: Child) -> (ExitStatus, String) {
    let mut told = String::new();
    process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (process.wait().unwrap(), told)
}

#[test]
fn an_export_to_a_name_that_is_of_no_format_writes_nothing() {
    let server = Server::new();
    server.ingest(facts(3)).unwrap();
    let home = TempDir::new().unwrap();
    let export = |name: &str| {
        let mut command = rollcall();
        command.args(["export", "--to-url", server.url(), "--key", KEY, "-o"]).arg(home.path().join(name));
        command
    };
    for (name, told) in
        [("a.xlsx", "a spreadsheet opens .csv"), ("a.txt", "--format"), ("a.ndjson.gz", "compressed"), ("a.json", ".ndjson")]
    {
        let wrong = complaint(&mut export(name), 2);
        assert!(wrong.contains(name) && wrong.contains(".ndjson (or .jsonl), .csv or .parquet") && wrong.contains(told), "{wrong}");
    }
    assert!(complaint(&mut export("nowhere/a.csv"), 1).contains("nowhere/a.csv: the directory that it is to be in does not exist"));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    for (name, begins) in [("facts", "{"), ("a.jsonl", "{"), ("A.CSV", "id,"), ("a.parquet", "PAR1")] {
        stdout(&mut export(name));
        let written = fs::read(home.path().join(name)).unwrap();
        assert!(written.starts_with(begins.as_bytes()), "{name}: {}", String::from_utf8_lossy(&written[..20]));
    }
    stdout(export("a.txt").args(["--format", "csv"]));
    assert!(fs::read_to_string(home.path().join("a.txt")).unwrap().starts_with("id,"));
}

#[test]
fn what_cannot_be_right_is_told_before_anything_is_tried() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let path = file(&home, "facts.ndjson", &fact(1, "u"));
    let plain = server.url().trim_start_matches("http://");
    let expected = "expected a URL that begins with http:// or https://, such as http://127.0.0.1:7070";
    for wrong in [plain, "localhost", "ftp://localhost"] {
        let told = complaint(&mut import(wrong, &[&path]), 2);
        assert!(told.contains(&format!("--to {wrong}: {expected}")), "{told}");
        for command in ["export", "report"] {
            let range = if command == "report" { &["meeting-days", "--from", "2025-03-01", "--to", "2025-03-01"][..] } else { &[] };
            let told = complaint(rollcall().arg(command).args(range).args(["--key", KEY, "--to-url", wrong]), 2);
            assert!(told.contains(&format!("--to-url {wrong}: {expected}")), "{told}");
        }
    }
    assert!(complaint(&mut import("", &[&path]), 2).contains("--to is empty"));
    let with_key = |key: &str| {
        let mut command = rollcall();
        command.args(["import", "--receipt", "json", "--to", server.url(), "--key", key]).arg(&path);
        command
    };
    assert!(complaint(&mut with_key(&format!("{KEY} {KEY}")), 2).contains("one word of visible ASCII"));
    assert!(complaint(&mut with_key(""), 2).contains("--key or ROLLCALL_KEY is empty"));
    // As `$(cat key)` of a file with Windows line ends gives it.
    assert!(stdout(&mut with_key(&format!(" {KEY}\r\n"))).contains("\"accepted\":1"));
    let told = complaint(&mut import(server.url(), &[home.path()]), 1);
    assert!(told.contains("is a directory: name the files in it"), "{told}");
    let told = complaint(&mut import(&format!("{}/elsewhere", server.url()), &[&path]), 1);
    assert!(told.contains("/elsewhere/v1/attendance refused the import: no such path"), "{told}");
}

#[test]
fn what_to_do_about_a_file_that_is_refused_fits_the_file() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let again = "what was stored before counts as duplicate then";
    let unreadable = format!("cannot be read for the errors above; mend or replace it, and import it again; {again}");
    let skip = ["--on-error", "skip"];
    for (name, text) in [("a.parquet", "PAR1PAR1"), ("a.json", "[{}"), ("a.csv", "session,user\n1,2\n"), ("b.csv", "session,user")] {
        let path = file(&home, name, text);
        for flags in [&[][..], &skip] {
            let told = complaint(import(server.url(), &[&path]).args(flags), 1);
            assert!(told.contains(&unreadable) && !told.contains("--on-error"), "{name}: {told}");
        }
    }
    let told = complaint(&mut import(server.url(), &[&file(&home, "bad.ndjson", "{}\n")]), 1);
    assert!(told.contains("bad.ndjson has facts with errors; mend the facts above") && told.contains("or give --on-error skip"), "{told}");
    let other = file(&home, "other.ndjson", "{\"user_id\":\"u\",\"at\":1740967200000,\"kind\":\"chat\"}\n");
    let told = complaint(&mut import(server.url(), &[&other]), 1);
    assert!(told.contains("other.ndjson has the fields of assistance facts; import it with --fact assistance"), "{told}");
    let told = complaint(import(server.url(), &[&file(&home, "facts.ndjson", &facts(1))]).args(["--fact", "assistance"]), 1);
    assert!(told.contains("facts.ndjson has the fields of attendance facts; import it with --fact attendance"), "{told}");
    for name in ["none.json", "none.parquet", "none.ndjson"] {
        let told = complaint(&mut import(server.url(), &[&file(&home, name, "")]), 1);
        assert!(told.contains(&format!("{name} has no facts: it is empty\n")), "{told}");
    }
    let told = complaint(&mut import(server.url(), &[&file(&home, "a.XLSX", "PK")]), 2);
    assert!(told.contains("a.XLSX is a spreadsheet, which cannot be read: save it as CSV (UTF-8)"), "{told}");
    let told = complaint(&mut import(server.url(), &[&file(&home, "a.txt", "x")]), 2);
    assert!(told.contains("expected .ndjson, .jsonl, .json, .csv, .parquet, ") && told.contains("or give --format"), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_named_with_how_to_go_on() {
    let home = TempDir::new().unwrap();
    let path = file(&home, "facts.ndjson", &facts(10));
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let told = complaint(import(&url, &[&path]).args(["--patience", "0"]), 1);
    assert!(told.contains(&format!("{url}/v1/attendance")) && told.contains("does a rollcall server listen there?"), "{told}");
    assert!(told.contains("when the server is back, import ") && told.contains("facts.ndjson again"), "{told}");
    let told = complaint(import(&url, &[&path]).args(["--patience", "1", "--in-flight", "4", "--body-bytes", "1024"]), 1);
    assert_eq!(told.matches("trying again for 1 s (--patience)").count(), 1, "{told}");
    let told = complaint(rollcall().args(["export", "--key", KEY, "--to-url", &url]), 1);
    assert!(told.contains(&url) && told.contains("does a rollcall server listen there?"), "{told}");
}

/// An import of more requests than are answered before the first look, some of which were.
fn half_done(server: &Server, path: &Path) -> Child {
    fs::write(path, facts(60_000)).unwrap();
    let mut importing = import(server.url(), &[path]);
    importing.args(["--body-bytes", "1024", "--patience", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let importing = importing.spawn().unwrap();
    await_meetings(server, 100);
    importing
}

/// Goes on with the import of [`half_done`] that told how, and has every fact once.
fn gone_on_with(server: &Server, path: &Path, told: &str) {
    let (_, after) = told.split_once("facts.ndjson again with --resume to go on after line ").unwrap_or_else(|| panic!("{told}"));
    assert!(after.trim().parse::<u64>().unwrap() >= 50, "{told}");
    let receipt: rollcall_model::Receipt = serde_json::from_str(&stdout(import(server.url(), &[path]).arg("--resume"))).unwrap();
    // The total has what the first attempt stored; only bodies that were under way together are sent twice.
    assert!((60_000..60_200).contains(&(receipt.accepted + receipt.duplicate)) && receipt.duplicate < 200, "{receipt:?}");
    assert_eq!(server.meetings(KEY), 60_000);
}

#[test]
fn an_import_whose_server_went_away_goes_on_after_what_was_acknowledged() {
    let home = TempDir::new().unwrap();
    let mut server = Server::start(home.path());
    let path = home.path().join("facts.ndjson");
    let importing = half_done(&server, &path);
    server.kill();
    let (status, told) = end(importing);
    assert_eq!(status.code(), Some(1), "{told}");
    gone_on_with(&Server::start(home.path()), &path, &told);
}

#[test]
fn an_import_that_is_interrupted_says_how_to_go_on() {
    let home = TempDir::new().unwrap();
    let server = Server::new();
    let path = home.path().join("facts.ndjson");
    let importing = half_done(&server, &path);
    interrupt(&importing);
    let (status, told) = end(importing);
    assert!(status.code() == Some(130) && told.contains("interrupted; import "), "{told}");
    gone_on_with(&server, &path, &told);

    // Standard input cannot be read again from a place.
    let server = Server::new();
    let mut piped = import(server.url(), &[Path::new("-")]);
    let mut piped =
        piped.args(["--body-bytes", "1024"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = piped.stdin.take().unwrap();
    pipe.write_all(facts(100).as_bytes()).unwrap();
    await_meetings(&server, 50);
    interrupt(&piped);
    let (status, told) = end(piped);
    assert!(status.code() == Some(130) && told.contains("import standard input again: what is stored counts as duplicate"), "{told}");
    drop(pipe);
}

/// It accepts, and never answers: the import does not wait for it.
#[test]
fn an_import_is_interrupted_while_its_server_says_nothing() {
    let home = TempDir::new().unwrap();
    let path = file(&home, "facts.ndjson", &facts(10));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let importing = import(&url, &[&path]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut asked = silent.accept().unwrap().0;
    asked.read_exact(&mut [0; 4]).unwrap();
    interrupt(&importing);
    let (status, told) = end(importing);
    assert!(status.code() == Some(130) && told.contains("facts.ndjson again: what is stored counts as duplicate"), "{told}");
}

/// Both are told at once, and not after two minutes.
#[test]
fn a_server_without_tls_or_with_a_certificate_of_its_own_is_told_apart_from_none() {
    let home = TempDir::new().unwrap();
    let path = file(&home, "facts.ndjson", &facts(1));
    let plain = Server::new();
    let told = complaint(&mut import(&plain.url().replace("http://", "https://"), &[&path]), 1);
    assert!(told.contains("try http:// in place of https://"), "{told}");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let tls = Server::with(&format!("[tls]\ncertificate = \"{fixtures}/tls.certificate.pem\"\nkey = \"{fixtures}/tls.key.pem\"\n"));
    let told = complaint(&mut import(tls.url(), &[&path]), 1);
    assert!(told.contains("does not trust the server's certificate"), "{told}");
}

/// A small demo; `home` stands for the home of whoever starts it.
fn demo(home: &Path, data: Option<&Path>, facts: &str) -> Command {
    let mut command = rollcall();
    command.args(["demo", "--listen", "127.0.0.1:0", "--users", "30", "--days", "20", "--assistance", "100", "--facts", facts]);
    command.args(data.map(|data| ["--data".as_ref(), data.as_os_str()]).into_iter().flatten());
    command.env("HOME", home).env_remove("XDG_STATE_HOME").stdin(Stdio::null());
    command
}

/// Starts a demo, and waits until it says where it is.
fn started(command: &mut Command) -> Child {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(process.stdout.take().unwrap());
    printed.read_line(&mut line).unwrap();
    if line.is_empty() {
        panic!("{}", end(process).1);
    }
    // Whatever else it prints must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    process
}

#[test]
fn a_demo_follows_no_link_and_takes_no_directory_of_others() {
    let home = TempDir::new().unwrap();
    let victim = home.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("demo.env"), "precious").unwrap();
    let link = home.path().join("rollcall-demo");
    symlink(&victim, &link).unwrap();
    for path in [link.clone(), link.join("")] {
        let told = complaint(&mut demo(home.path(), Some(&path), "10"), 1);
        assert!(told.contains("is a symbolic link") && told.contains("--data"), "{told}");
    }
    let open = home.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    assert!(complaint(&mut demo(home.path(), Some(&open), "10"), 1).contains("may be written to by other users"));
    assert!(complaint(&mut demo(home.path(), Some(&victim), "10"), 1).contains("holds something else than a demo"));
    assert_eq!(fs::read_to_string(victim.join("demo.env")).unwrap(), "precious");
    assert_eq!((fs::read_dir(&victim).unwrap().count(), fs::read_dir(&open).unwrap().count()), (1, 0));
}

/// The line of a README that reads `demo.env`.
fn sourcing(readme: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(readme)).unwrap();
    let line = text.lines().find(|line| line.starts_with("$ ") && line.contains("demo.env")).unwrap();
    line.trim_start_matches("$ ").to_owned()
}

#[test]
fn a_demo_is_kept_where_nobody_else_writes_and_the_readme_reads_it_there() {
    let home = TempDir::new().unwrap();
    // What somebody else prepared in the folder for temporary files.
    let temporary = home.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    fs::write(home.path().join("planted"), "INGEST_KEY=planted").unwrap();
    fs::create_dir(temporary.join("rollcall-demo")).unwrap();
    symlink(home.path().join("planted"), temporary.join("rollcall-demo/demo.env")).unwrap();
    let mut running = started(demo(home.path(), None, "100").env("TMPDIR", &temporary));
    let kept = home.path().join(".local/state/rollcall/demo");
    assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o700);
    for name in ["demo.env", "rollcall.toml", "volcengine.secret"] {
        assert_eq!(fs::symlink_metadata(kept.join(name)).unwrap().mode() & 0o170_777, 0o100_600, "{name}");
    }
    for readme in ["README.md", "README.zh-CN.md"] {
        let script = format!("{}; echo \"$INGEST_KEY\"; ls -d \"$LAKE\"; echo \"$ORGANIZATION=$ORG_ID\"", sourcing(readme));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).env("HOME", home.path()).env_remove("XDG_STATE_HOME").env("TMPDIR", &temporary);
        let said = stdout(&mut shell);
        let lines: Vec<&str> = said.lines().collect();
        let (organization, id) = lines[2].split_once('=').unwrap();
        assert!(
            lines[0].starts_with("rck_") && lines[1].ends_with("/lake") && organization == id && id.len() == ORG.len(),
            "{readme}: {said}"
        );
    }
    assert_eq!(fs::read_to_string(home.path().join("planted")).unwrap(), "INGEST_KEY=planted");
    let told = complaint(&mut demo(home.path(), None, "100"), 1);
    assert!(told.contains("a demo runs in") && told.contains("already"), "{told}");
    interrupt(&running);
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_demo_that_is_interrupted_while_it_fills_ends_and_is_made_anew() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("demo");
    let mut filling = demo(home.path(), Some(&data), "2000000").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(filling.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("making 2000000 attendance") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it ended before it began");
    }
    interrupt(&filling);
    line.clear();
    told.read_to_string(&mut line).unwrap();
    let status = filling.wait().unwrap();
    assert!(status.code() == Some(130) && line.contains("the next start makes the demo anew"), "{status}: {line}");
    assert!(!data.join("demo.env").exists());

    let running = started(&mut demo(home.path(), Some(&data), "50"));
    let env = fs::read_to_string(data.join("demo.env")).unwrap();
    let value = |name: &str| env.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_matches('\'').to_owned())).unwrap();
    let range = ["--from", "2000-01-01", "--to", "2100-01-01", "--fact", "attendance"];
    let facts = stdout(rollcall().args(["export", "--to-url", &value("BASE_URL="), "--key", &value("INGEST_KEY=")]).args(range));
    assert_eq!(facts.lines().count(), 50);
    interrupt(&running);
    let (status, told) = end(running);
    assert!(status.success() && told.contains("it is made anew"), "{told}");
}

#[test]
fn a_skipped_fact_is_in_the_exit_code_and_the_help() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let path = file(&home, "facts.ndjson", &format!("{}nonsense\n", facts(2)));
    let output = run(import(server.url(), &[&path]).args(["--on-error", "skip"]));
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 3 facts had errors and were skipped"));
    assert_eq!(run(import(server.url(), &[&path]).args(["--on-error", "refuse"])).status.code(), Some(1));
    fs::write(&path, facts(2)).unwrap();
    assert_eq!(run(import(server.url(), &[&path]).args(["--on-error", "skip"])).status.code(), Some(0));
    for help in [&["--help"][..], &["import", "--help"]] {
        assert!(stdout(rollcall().args(help)).contains("3 "), "{help:?}");
    }
    assert!(stdout(rollcall().args(["import", "--help"])).contains("3 facts with errors were skipped"));
}
