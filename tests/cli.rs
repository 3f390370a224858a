//! The commands that people type: what they print, where, and with which exit code.

use crate::harness::{KEY, ORG, PASSWORD, Server, USER, complaint, configuration, fact, hash, password_hash, rollcall, run, stdout};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn import(server: &Server, files: &[&Path]) -> Command {
    let mut command = rollcall();
    command.args(["import", "--receipt", "json", "--key", KEY, "--to", server.url()]).args(files);
    command
}

fn receipt(command: &mut Command) -> (u64, u64, u64) {
    let receipt: rollcall_model::Receipt = serde_json::from_str(&stdout(command)).unwrap();
    (receipt.accepted, receipt.duplicate, receipt.rejected)
}

fn facts(range: std::ops::Range<u32>) -> String {
    range.map(|meeting| fact(meeting, "u")).collect()
}

#[test]
fn files_are_imported_in_many_bodies_and_again_without_harm() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let ndjson = home.path().join("facts.ndjson");
    fs::write(&ndjson, facts(0..500)).unwrap();
    let small = ["--body-bytes", "2048"];
    assert_eq!(receipt(import(&server, &[&ndjson]).args(small)), (500, 0, 0));
    assert_eq!(receipt(import(&server, &[&ndjson]).args(small)), (0, 500, 0));

    let gzip = home.path().join("more.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&gzip).unwrap(), flate2::Compression::fast());
    encoder.write_all(facts(500..600).as_bytes()).unwrap();
    encoder.finish().unwrap();
    let zstd = home.path().join("more.ndjson.zst");
    fs::write(&zstd, zstd::encode_all(facts(600..700).as_bytes(), 1).unwrap()).unwrap();
    let array = home.path().join("more.json");
    fs::write(&array, format!("[{}]", facts(700..800).trim_end().replace('\n', ","))).unwrap();
    let rows = (800..900).map(|n| format!("m{n},2025-03-03T02:00:00Z,u,2025-03-03T02:00:00Z,2025-03-03T02:30:00Z\n")).collect::<String>();
    let csv = home.path().join("more.csv");
    fs::write(&csv, format!("session_id,session_started_at,user_id,joined_at,left_at\n{rows}")).unwrap();
    assert_eq!(receipt(import(&server, &[&gzip, &zstd, &array, &csv]).args(small)), (400, 0, 0));
    assert_eq!(server.meetings(KEY), 900);

    let mut piped = import(&server, &[Path::new("-")]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(facts(900..1000).as_bytes()).unwrap();
    assert!(piped.wait_with_output().unwrap().status.success());
    assert_eq!(server.meetings(KEY), 1000);
}

#[test]
fn errors_are_told_with_the_lines_of_the_file() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let file = home.path().join("facts.ndjson");
    fs::write(&file, format!("{}nonsense\n{}", facts(0..300), facts(300..400))).unwrap();
    let one_by_one = ["--body-bytes", "1024", "--in-flight", "1"];
    let wrong = complaint(import(&server, &[&file]).args(one_by_one), 1);
    assert!(wrong.contains("line 301: ") && wrong.contains("--on-error skip"), "{wrong}");
    let skipping = run(import(&server, &[&file]).args(one_by_one).args(["--on-error", "skip"]));
    let told = String::from_utf8_lossy(&skipping.stderr);
    assert_eq!(skipping.status.code(), Some(3), "{told}");
    assert!(told.contains("line 301: ") && told.contains("1 of 401 facts had errors and were skipped"), "{told}");
    let receipt: rollcall_model::Receipt = serde_json::from_slice(&skipping.stdout).unwrap();
    assert_eq!((receipt.accepted + receipt.duplicate, receipt.rejected), (400, 1));
    assert_eq!(server.meetings(KEY), 400);
}

#[test]
fn assistances_are_imported_to_a_server_and_into_a_data_directory() {
    let mut server = Server::new();
    let home = tempfile::tempdir().unwrap();
    let csv = home.path().join("assistance.csv");
    let lines: String = (0..300).map(|n| format!("u{},{},chat,FREE_INPUT,2\n", n % 7, 1_740_967_200_000_i64 + n)).collect();
    fs::write(&csv, format!("user_id,at,kind,chat_type,turns\n{lines}")).unwrap();
    let of_kind = ["--fact", "assistance", "--body-bytes", "1024"];
    assert_eq!(receipt(import(&server, &[&csv]).args(of_kind)), (300, 0, 0));
    assert_eq!(receipt(import(&server, &[&csv]).args(of_kind)), (0, 300, 0));
    assert!(complaint(import(&server, &[&csv]).arg("--body-bytes=1024"), 1).contains("at: expected a header line"));
    server.signal("TERM");
    assert!(server.wait().success());
    fs::write(&csv, format!("user_id,at,kind,chat_type,turns\n{lines}{}", lines.replace("FREE_INPUT", "EXPLAIN_CODE"))).unwrap();
    let mut local = rollcall();
    local.args(["import", "--receipt", "json", "--organization", ORG, "--data"]).arg(server.home().join("data"));
    local.arg("--config").arg(server.home().join("rollcall.toml")).arg(&csv);
    assert_eq!(receipt(local.args(of_kind)), (300, 300, 0));
}

#[test]
fn an_import_that_stopped_goes_on_where_it_stopped() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let file = home.path().join("facts.ndjson");
    let place = home.path().join("facts.ndjson.rollcall-import");
    fs::write(&file, format!("{}nonsense\n{}", facts(0..300), facts(300..400))).unwrap();
    let resuming = ["--body-bytes", "1024", "--in-flight", "1", "--resume"];
    complaint(import(&server, &[&file]).args(resuming), 1);
    assert!(place.exists());
    let stored = server.meetings(KEY);
    assert!((1..=300).contains(&stored), "{stored}");
    fs::write(&file, format!("{}        \n{}", facts(0..300), facts(300..400))).unwrap();
    // The total counts what the first attempt stored; nothing was sent twice.
    assert_eq!(receipt(import(&server, &[&file]).args(resuming)), (400, 0, 0));
    assert_eq!(server.meetings(KEY), 400);
    assert!(!place.exists());
    assert!(complaint(import(&server, &[Path::new("-")]).arg("--resume"), 2).contains("standard input"));
}

#[test]
fn an_import_outlives_a_restart_of_the_server() {
    let home = TempDir::new().unwrap();
    let mut server = Server::start(home.path());
    let file = home.path().join("facts.ndjson");
    fs::write(&file, facts(0..2_000)).unwrap();
    let address = server.url().trim_start_matches("http://").to_owned();
    let importing = import(&server, &[&file]).args(["--body-bytes", "1024"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    server.kill();
    let config = home.path().join("rollcall.toml");
    fs::write(&config, configuration("")).unwrap();
    let mut again = rollcall().args(["serve", "--listen", &address, "--config"]).arg(config).stderr(Stdio::null()).spawn().unwrap();
    let output = importing.wait_with_output().unwrap();
    let receipt: rollcall_model::Receipt = serde_json::from_slice(&output.stdout).unwrap();
    let (_, meetings) = (again.try_wait().unwrap(), server.meetings(KEY));
    let _ = again.kill();
    let _ = again.wait();
    assert!(output.status.success());
    assert_eq!((receipt.accepted + receipt.duplicate, meetings), (2_000, 2_000));
}

#[test]
fn a_wrong_key_or_address_is_said_at_once_or_after_patience() {
    let server = Server::new();
    let home = TempDir::new().unwrap();
    let file = home.path().join("facts.ndjson");
    fs::write(&file, fact(1, "u")).unwrap();
    let wrong = complaint(rollcall().args(["import", "--key", "wrong", "--to", server.url()]).arg(&file), 1);
    assert!(wrong.contains("the key is not known"), "{wrong}");
    let wrong = complaint(rollcall().args(["import", "--key", KEY, "--to", server.url(), "nowhere.ndjson"]), 1);
    assert!(wrong.contains("nowhere.ndjson: no such file"), "{wrong}");
    complaint(rollcall().args(["import", "--key", KEY]).arg(&file), 2);
}

#[test]
fn a_report_is_the_same_from_the_server_and_from_the_data_directory() {
    let mut server = Server::new();
    server.ingest(facts(0..3) + &fact(1, "v")).unwrap();
    let range = ["--from", "2025-03-03", "--to", "2025-03-04"];
    let ask =
        |report: &str, format: &str, of: &[&str]| stdout(rollcall().args(["report", report, "--format", format]).args(range).args(of));
    let url = server.url().to_owned();
    let of_server = ["--to-url", url.as_str(), "--key", KEY];
    let days = ask("meeting-days", "csv", &of_server);
    assert_eq!(
        days,
        "date,from,to,meetings,duration_ms,participants,people\n\
         2025-03-03,2025-03-02T16:00:00Z,2025-03-03T16:00:00Z,3,5400000,4,2\n\
         2025-03-04,2025-03-03T16:00:00Z,2025-03-04T16:00:00Z,0,0,0,0\n"
    );
    let json: serde_json::Value = serde_json::from_str(&ask("top_users", "json", &of_server)).unwrap();
    assert_eq!((&json["rows"][0]["id"], &json["rows"][0]["duration_ms"]), (&"u".into(), &5_400_000.into()));
    assert_eq!(json["covers"]["time_zone"], "Asia/Shanghai");
    assert_eq!((&json["covers"]["exact"], &json["covers"]["first"]), (&true.into(), &"2025-03-03T02:00:00Z".into()));
    let table = ask("top-users", "table", &of_server);
    assert!(table.contains("1:30:00") && table.lines().count() == 3, "{table}");
    let answers: Vec<_> = ["csv", "json", "table"].map(|format| ask("meeting-days", format, &of_server)).into();
    let wrong = complaint(rollcall().args(["report", "top-users", "--order", "x"]).args(range).args(of_server), 2);
    assert!(wrong.contains("possible values: meetings, duration"), "{wrong}");
    let wrong = complaint(rollcall().args(["report", "top-users", "--limit", "0"]).args(range).args(of_server), 1);
    assert!(wrong.contains("limit 0: expected an integer from 1"), "{wrong}");

    server.signal("TERM");
    assert!(server.wait().success());
    let (data, config) = (server.home().join("data"), server.home().join("rollcall.toml"));
    let of_data = ["--data", data.to_str().unwrap(), "--organization", ORG, "--config", config.to_str().unwrap()];
    let local: Vec<_> = ["csv", "json", "table"].map(|format| ask("meeting-days", format, &of_data)).into();
    assert_eq!(local, answers);

    let file = server.home().join("more.ndjson");
    fs::write(&file, facts(2..5)).unwrap();
    assert_eq!(receipt(rollcall().args(["import", "--receipt", "json"]).args(of_data).arg(&file)), (2, 1, 0));
}

#[test]
fn a_new_key_comes_with_its_hash() {
    let printed = stdout(rollcall().args(["key", "new", "--name", "my \"own\""]));
    let lines: Vec<_> = printed.lines().collect();
    let secret = lines.iter().find(|line| line.starts_with("rck_")).unwrap();
    assert!(printed.contains(&format!("hash = \"{}\"", hash(secret))), "{printed}");
    assert!(secret.len() >= 4 + 43, "{secret}");
    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    let organization = format!("[[organizations]]\nid = \"{ORG}\"\nname = \"A\"\ntime_zone = \"UTC\"\n");
    fs::write(&file, organization + &lines[1..].join("\n")).unwrap();
    let summary = stdout(rollcall().args(["config", "check", "--config"]).arg(&file));
    assert!(summary.contains("my \"own\""), "{summary}");
}

#[test]
fn a_new_token_for_yunxiao_can_be_used_as_it_is_printed() {
    let printed = stdout(rollcall().args(["key", "new", "--for", "yunxiao", "--name", "nightly"]));
    let (token, section) = printed.split_once('\n').unwrap();
    assert!(token.starts_with("pt-") && token.len() == 64, "{token}");
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("rollcall.toml"), configuration("") + section).unwrap();
    let server = Server::start(home.path());
    let user = server.yunxiao("/platform/user", token).json();
    assert_eq!(user["name"], "nightly");
}

/// What `key hash` does with this on standard input.
fn key_hash(input: &str) -> std::process::Output {
    let mut command = rollcall();
    let mut process = command.args(["key", "hash"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

#[test]
fn a_password_is_hashed_for_the_configuration() {
    let printed = |input: &str| String::from_utf8(key_hash(input).stdout).unwrap();
    let line = printed("correct horse: battery\n");
    assert!(line.starts_with("password_hash = \"$argon2id$v=19$m=19456,t=2,p=1$") && line.ends_with("\"\n"), "{line}");
    assert_ne!(line, printed("correct horse: battery\n"), "each hash has a salt of its own");
    let home = TempDir::new().unwrap();
    let own = format!("password_hash = \"{}\"\n", password_hash(PASSWORD));
    fs::write(home.path().join("rollcall.toml"), configuration("").replace(&own, &line)).unwrap();
    let server = Server::start(home.path());
    assert_eq!(server.office365("", USER, "correct horse: battery").status, 200);
    assert_eq!(server.office365("", USER, PASSWORD).status, 401);
    for wrong in ["", "\n", "eleven long\n", "correct\thorse battery\n", &"x".repeat(2000)] {
        let output = key_hash(wrong);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && output.stdout.is_empty() && told.contains("password"), "{wrong:?}: {told}");
    }
    assert!(stdout(rollcall().args(["key", "hash", "--help"])).contains("standard input"));
}

#[test]
fn usage_errors_and_help_are_told_apart() {
    assert!(stdout(rollcall().arg("--help")).contains("import"));
    assert!(stdout(rollcall().arg("--version")).starts_with("rollcall "));
    complaint(&mut rollcall(), 2);
    assert!(
        complaint(rollcall().args(["report", "everything", "--from", "1", "--to", "2", "--to-url", "x"]), 2)
            .contains("unrecognized subcommand 'everything'")
    );
    let help = stdout(rollcall().args(["report", "--help"]));
    assert!(help.contains("department-users") && help.contains("silent"), "{help}");
    let help = stdout(rollcall().args(["report", "people", "--help"]));
    assert!(help.contains("--week-start <WEEK_START>") && help.contains("possible values: id, time, sessions"), "{help}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(stdout(rollcall().args(["completions", shell])).contains("rollcall"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = rollcall();
    let mut process = command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_demo_serves_what_its_lines_say_and_starts_again_at_once() {
    let home = TempDir::new().unwrap();
    let mut credentials = Vec::new();
    for _ in 0..2 {
        let mut command = rollcall();
        command.args(["demo", "--listen", "127.0.0.1:0", "--facts", "3000", "--users", "40", "--days", "60", "--data"]).arg(home.path());
        let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut printed = BufReader::new(demo.stdout.take().unwrap()).lines();
        let lines: Vec<_> = (0..16).map(|_| printed.next().unwrap().unwrap()).collect();
        let curl = |name: &str| {
            let position = lines.iter().position(|line| line == &format!("# {name}")).unwrap();
            let output = run(Command::new("sh").arg("-c").arg(&lines[position + 1]));
            String::from_utf8(output.stdout).unwrap()
        };
        if Command::new("curl").arg("--version").output().is_ok() {
            assert!(curl("facts in").contains("\"conflicting\":0,\"rejected\":0"), "{}", curl("facts in"));
            assert!(curl("native report").contains("\"exact\":true"));
            assert!(curl("Feishu token").contains("tenant_access_token"));
            assert!(curl("Feishu get_daily").contains("\"daily_report\":[{"), "{}", curl("Feishu get_daily"));
            assert!(curl("Feishu get_top_user").contains("\"top_user_report\":[{"), "{}", curl("Feishu get_top_user"));
            let weekly = curl("Office 365 CsActiveUserWeekly");
            assert!(weekly.starts_with("{\"d\":{\"results\":[{") && weekly.contains("\"TenantName\":\"Demo\""), "{weekly}");
            let provinces = curl("Volcengine ListOperationDistribution");
            assert!(provinces.contains("\"Data\":[{\"DistributionName\":\"") && provinces.contains("上海"), "{provinces}");
        }
        let env = fs::read_to_string(home.path().join("demo.env")).unwrap();
        credentials.push(env.lines().filter(|line| !line.starts_with("BASE_URL")).collect::<Vec<_>>().join("\n"));
        demo.kill().unwrap();
        demo.wait().unwrap();
    }
    assert!(
        credentials[0].contains("INGEST_KEY='rck_")
            && credentials[0].contains("SERVER_KEY_FILE=")
            && credentials[0].contains("RWS_USER='admin@demo.example'\nRWS_PASSWORD='")
    );
    assert_eq!(credentials[0], credentials[1]);
}

#[test]
fn the_demo_can_write_its_facts_only() {
    let written = stdout(rollcall().args(["demo", "--facts", "500", "--users", "20", "--days", "10", "--write", "-"]));
    assert_eq!(written.lines().count(), 500);
}
