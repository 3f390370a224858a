//! Damage is told as damage: exports that meet it fail and name the file in the log, reports need no facts, `verify` tells it from stale cells, `rebuild`
//! makes nothing of it, and a backup gives the files back. Which bytes are noticed is tested in the engine.

use crate::harness::{KEY, Server, assistance, complaint, fact, rollcall, run, stdout};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const EXPORTS: [&str; 3] =
    ["/v1/attendance?format=csv", "/v1/attendance?format=parquet", "/v1/attendance?from=2025-03-03T03:00:01Z&to=2025-03-03T03:10:59Z"];

/// A range that no cell ends at: what cells know of each stay answers it.
const RAGGED: &str = "/v1/reports/active-users?from=2025-03-03T03:00:01Z&to=2025-03-03T03:10:59Z&by=whole";

/// A stopped server whose lake has 300 attendances and 100 assistances. Also its backup, and what the exports were.
fn stopped() -> (Server, PathBuf, Vec<Vec<u8>>) {
    let mut server = Server::with("[lake]\nflush_seconds = 1");
    server.ingest((0..300).map(|meeting| fact(meeting, &format!("u{}", meeting % 9))).collect::<String>()).unwrap();
    server.ingest_to("/v1/assistance", (0..100).map(|number| assistance(number, "u1")).collect::<String>()).unwrap();
    let whole = EXPORTS.map(|path| server.get(path, KEY).unwrap().body);
    // The backup puts them into the lake.
    server.signal("TERM");
    server.wait();
    let (data, backup) = (server.home().join("data"), server.home().join("backup"));
    stdout(rollcall().arg("backup").arg(&backup).arg("--data").arg(data));
    (server, backup, whole.into())
}

/// A data file of a table.
fn data_file(data: &Path, table: &str) -> PathBuf {
    let mut directories = vec![data.join("lake").join(table)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("_delta_log") {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                return path;
            }
        }
    }
    panic!("no data file of {table}");
}

fn name_of(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

fn command(name: &str, data: &Path) -> Command {
    let mut command = rollcall();
    command.arg(name).arg("--data").arg(data);
    command
}

fn repair(backup: &Path, data: &Path) -> Command {
    let mut command = rollcall();
    command.arg("restore").arg(backup).arg("--data").arg(data).args(["--only-damaged", "--verify", "--format", "json"]);
    command
}

#[test]
fn damaged_facts_are_an_error_everywhere_until_a_backup_gives_them_back() {
    let (server, backup, whole) = stopped();
    let (home, data) = (server.home().to_owned(), server.home().join("data"));
    let file = data_file(&data, "attendance");
    let good = fs::read(&file).unwrap();
    for (at, name) in [(good.len() / 4, "pages"), (good.len() - 9, "the footer")] {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        fs::write(&file, bytes).unwrap();

        let mut serving = Server::start(&home);
        for path in EXPORTS {
            let answer = serving.get(path, KEY).unwrap();
            assert_eq!(answer.status, 500, "{name}: {path}: {}", answer.text());
            assert!(answer.text().contains("the cause is in the server's log"), "{}", answer.text());
        }
        assert!(serving.log().contains(name_of(&file)) && serving.log().contains("is damaged"), "{}", serving.log());
        // What needs none of its facts is answered.
        let ragged: serde_json::Value = serde_json::from_slice(&serving.get(RAGGED, KEY).unwrap().body).unwrap();
        assert_eq!(ragged["rows"][0]["users"], 9, "{ragged}");
        assert_eq!((serving.meetings(KEY), serving.get("/v1/assistance", KEY).unwrap().status), (300, 200));
        serving.signal("TERM");
        serving.wait();

        let found = complaint(&mut command("verify", &data), 4);
        assert!(found.contains("1 data file of the lake is damaged") && found.contains("--only-damaged"), "{found}");
        let told = run(command("verify", &data).args(["--format", "json"]));
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!((&told["differences"], &told["damaged_files"]), (&0.into(), &1.into()), "{told}");
        assert!(told["damaged"][0]["file"].as_str().unwrap().ends_with(name_of(&file)), "{told}");
        let refused = complaint(&mut command("rebuild", &data), 4);
        assert!(refused.contains("nothing was rebuilt: 1 data file of the lake is damaged"), "{refused}");

        let output = run(&mut repair(&backup, &data));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.contains("1 were damaged or missing; 1 ("), "{told}");
        let verified: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let counts = ["damaged_files", "differences", "facts"].map(|name| verified[name].as_u64());
        assert_eq!(counts, [Some(0), Some(0), Some(400)], "{verified}");
        assert_eq!(fs::read(&file).unwrap(), good);
        let again = Server::start(&home);
        for (path, whole) in EXPORTS.iter().zip(&whole) {
            assert!(again.get(path, KEY).unwrap().body == *whole, "{path}");
        }
    }
}

#[test]
fn a_server_that_is_asked_tells_damage_as_the_command_does() {
    let (server, backup, _) = stopped();
    let (home, data) = (server.home().to_owned(), server.home().join("data"));
    let file = data_file(&data, "assistance");
    fs::remove_file(&file).unwrap();
    let serving = Server::start(&home);
    let found = complaint(&mut command("verify", &data), 4);
    assert!(found.contains("1 data file of the lake is damaged"), "{found}");
    let table = String::from_utf8(run(&mut command("verify", &data)).stdout).unwrap();
    assert!(table.contains(name_of(&file)) && table.contains("it is missing"), "{table}");
    assert!(complaint(&mut command("rebuild", &data), 4).contains("nothing was rebuilt"));
    let refused = complaint(&mut repair(&backup, &data), 1);
    assert!(refused.contains("in use by another rollcall process"), "{refused}");
    drop(serving);
    stdout(&mut repair(&backup, &data));
    assert!(file.exists());
}

#[test]
fn a_damaged_signing_key_is_told_and_what_to_do() {
    let mut server = Server::new();
    let home = server.home().to_owned();
    server.signal("TERM");
    server.wait();
    let path = home.join("data/signing.key");
    let mut key = fs::read(&path).unwrap();
    key[5] ^= 1;
    fs::write(&path, &key).unwrap();
    let refused = complaint(rollcall().args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(home.join("rollcall.toml")), 1);
    assert!(refused.contains("signing.key: the key is damaged") && refused.contains("remove it to make another"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), key);
    // Nor does it go into a backup.
    let refused = complaint(rollcall().arg("backup").arg(home.join("backup")).arg("--data").arg(home.join("data")), 1);
    assert!(refused.contains("signing.key: the key is damaged"), "{refused}");
}
