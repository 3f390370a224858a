//! GitHub Copilot's usage metrics become assistance facts: files in GitHub's shape, the real executable, a real server.

use crate::harness::{KEY, ORG, Server, complaint, rollcall, run, stdout};
use rollcall_model::Receipt;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Three users who did something and one who did nothing, all on 2025-10-01.
const REPORT: &str = include_str!("fixtures/copilot-users-1-day.ndjson");

/// The facts that its rows hold, by row.
const FACTS: [u64; 4] = [9, 8, 2, 0];

fn import(server: &Server, file: &Path) -> Command {
    let mut command = rollcall();
    command.args(["import", "--format", "copilot", "--receipt", "json", "--key", KEY, "--to", server.url()]).arg(file);
    command
}

/// Accepted, duplicate, conflicting and rejected.
fn receipt(command: &mut Command) -> [u64; 4] {
    let receipt: Receipt = serde_json::from_str(&stdout(command)).unwrap();
    [receipt.accepted, receipt.duplicate, receipt.conflicting, receipt.rejected]
}

fn file(home: &TempDir, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_report_counts_once_however_often_and_in_whatever_file_it_comes() {
    let (server, home) = (Server::new(), TempDir::new().unwrap());
    let all = FACTS.iter().sum();
    let day = file(&home, "users-1-day.ndjson", REPORT);
    assert_eq!(receipt(&mut import(&server, &day)), [all, 0, 0, 0]);
    assert_eq!(receipt(import(&server, &day).args(["--body-bytes", "1024", "--in-flight", "3"])), [0, all, 0, 0]);

    // Among 28 days, as an array, and in the report of another organization of the same users.
    let array = format!("[\n{}\n]", REPORT.trim_end().replace('\n', ",\n"));
    assert_eq!(receipt(&mut import(&server, &file(&home, "users.json", array))), [0, all, 0, 0]);
    let days = format!("{REPORT}{}", REPORT.replace("2025-10-01", "2025-10-02"));
    let zstd = file(&home, "users-28-day.ndjson.zst", zstd::encode_all(days.as_bytes(), 1).unwrap());
    assert_eq!(receipt(&mut import(&server, &zstd)), [all, all, 0, 0]);
    let elsewhere = REPORT.replace("\"organization_id\":\"9001\",", "");
    assert_eq!(receipt(&mut import(&server, &file(&home, "enterprise.ndjson", elsewhere))), [0, all, 0, 0]);
}

#[test]
fn a_day_that_github_changed_conflicts_and_the_import_says_so() {
    let (server, home) = (Server::new(), TempDir::new().unwrap());
    let day = file(&home, "users-1-day.ndjson", REPORT);
    stdout(&mut import(&server, &day));
    let changed = REPORT.replace("\"user_initiated_interaction_count\":6,", "\"user_initiated_interaction_count\":8,");
    assert_ne!(changed, REPORT);
    let output = run(&mut import(&server, &file(&home, "later.ndjson", changed)));
    let (counts, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(counts.contains("\"accepted\":0,\"duplicate\":18,\"conflicting\":1,\"rejected\":0"), "{counts}");
    assert!(output.status.success() && told.contains("conflicting: 1. GitHub changed these days"), "{told}");
}

#[test]
fn a_wrong_row_is_told_with_its_line_and_refused_or_skipped() {
    let (server, home) = (Server::new(), TempDir::new().unwrap());
    let rows: Vec<_> = REPORT.lines().collect();
    let negative = rows[2].replace("\"prompt_count\":7", "\"prompt_count\":-7");
    let nobody = rows[0].replace("\"user_login\":\"lin-acme\",", "");
    // One that only the server can refuse.
    let control = rows[1].replace("\"go\"", "\"g\\u0001\"");
    let report = [rows[0], "", &negative, &control, &nobody, rows[1], "{"].join("\n");
    let path = file(&home, "users.ndjson", report);
    let wrong = complaint(&mut import(&server, &path), 1);
    for told in [
        "line 3: totals_by_cli.prompt_count -7: expected an integer from 0 to 4294967295",
        "line 5: user_login is missing",
        "line 7: {: expected a JSON object",
        "--on-error skip",
    ] {
        assert!(wrong.contains(told), "{wrong}");
    }
    let skipping = run(import(&server, &path).args(["--on-error", "skip"]));
    let (counts, told) = (String::from_utf8_lossy(&skipping.stdout), String::from_utf8_lossy(&skipping.stderr));
    // Two facts of line 4 have that language; the others of it are those of line 6.
    assert!(counts.contains("\"accepted\":17,\"duplicate\":6,\"conflicting\":0,\"rejected\":5"), "{counts}");
    assert!(told.contains("line 4: language g\\u{1}: expected a string"), "{told}");
}

#[test]
fn an_import_of_a_report_goes_on_where_it_stopped() {
    let (server, home) = (Server::new(), TempDir::new().unwrap());
    let rows: String = (0..40).map(|n| REPORT.lines().nth(2).unwrap().replace("503", &format!("9{n:02}")) + "\n").collect();
    let resuming = ["--body-bytes", "1024", "--in-flight", "1", "--resume"];
    for (name, before, between, after) in [("a.ndjson", "", "", ""), ("b.json", "[", ",", "]")] {
        let rows = rows.replace("2025-10-01", if between.is_empty() { "2025-10-01" } else { "2025-10-02" });
        let rows = rows.trim_end().replace('\n', &format!("{between}\n"));
        let path = file(&home, name, format!("{before}{rows}{between}\n7{after}"));
        assert!(complaint(import(&server, &path).args(resuming), 1).contains("line 41: "));
        fs::write(&path, format!("{before}{rows}{after}\n")).unwrap();
        let output = run(import(&server, &path).args(resuming));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("going on after line ") && output.status.success(), "{told}");
        let counts = String::from_utf8_lossy(&output.stdout);
        assert!(counts.contains("\"accepted\":80,\"duplicate\":0"), "{counts}");
    }
}

#[test]
fn the_format_decides_what_the_facts_are_and_the_user_field_who() {
    let (mut server, home) = (Server::new(), TempDir::new().unwrap());
    let path = file(&home, "users.ndjson", REPORT);
    assert!(complaint(import(&server, &path).args(["--fact", "attendance"]), 2).contains("--format copilot has assistance facts"));
    let plain = ["import", "--key", KEY, "--to", server.url(), "--user-field", "user_id"];
    assert!(complaint(rollcall().args(plain).arg(&path), 2).contains("--user-field: only with --format copilot"));
    let all = FACTS.iter().sum();
    let by_number = ["--fact", "assistance", "--user-field", "user_id"];
    assert_eq!(receipt(import(&server, &path).args(by_number)), [all, 0, 0, 0]);
    // Under another name the same facts conflict rather than count twice.
    assert_eq!(receipt(&mut import(&server, &path)), [0, 0, all, 0]);

    server.signal("TERM");
    assert!(server.wait().success());
    let mut local = rollcall();
    local.args(["import", "--format", "copilot", "--receipt", "json", "--organization", ORG, "--data"]).arg(server.home().join("data"));
    local.arg("--config").arg(server.home().join("rollcall.toml")).arg(&path);
    assert_eq!(receipt(local.args(by_number)), [0, all, 0, 0]);
}

#[test]
fn the_report_of_developers_says_what_githubs_report_says() {
    let (server, home) = (Server::new(), TempDir::new().unwrap());
    stdout(&mut import(&server, &file(&home, "users-1-day.ndjson", REPORT)));
    let answer = server.get("/v1/reports/developer-days?from=2025-10-01&to=2025-10-01&user=lin-acme", KEY).unwrap().json();
    let row = &answer["rows"][0];
    let counts = ["turns", "suggested", "accepted", "lines_changed"].map(|name| row[name].as_u64());
    assert_eq!(counts, [10, 42, 17, 535].map(Some), "{answer}");
}
