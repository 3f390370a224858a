//! What one request may hold, however small it is when it comes: how many entries its facts make, how much memory they take, on how many
//! days they lie, how far ahead they are. And files as people have them: in any encoding, with any separator, with times of their clocks.

use crate::harness::{Answer, KEY, ORG, OTHER_KEY, Server, complaint, fact, rollcall, stdout};
use rollcall_model::Receipt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// 2025-03-03T02:00:00Z.
const START: i64 = 1_740_967_200_000;
const DAY: i64 = 86_400_000;

fn stay(number: i64, joined_at: i64, left_at: i64) -> String {
    format!(
        "{{\"session_id\":\"m{number}\",\"session_started_at\":{joined_at},\"user_id\":\"u{number}\",\"joined_at\":{joined_at},\"left_at\":{left_at}}}\n"
    )
}

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn told(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 400, "{}", answer.text());
    let receipt = answer.receipt();
    assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), (0, 0, 0));
    receipt.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_small_request_of_long_stays_is_refused_before_it_is_stored() {
    let mut server = Server::with("[limits]\nrequest_entries = 100_000\n");
    // 20,000 stays of seven days make 160,000 entries. By themselves they are few facts in few bytes.
    let body: String = (0..20_000).map(|number| stay(number, START, START + 7 * DAY)).collect();
    let body = gzip(&body);
    assert!(body.len() < 600_000, "{}", body.len());
    let request = server.request("POST", "/v1/attendance").bearer_auth(KEY).header("content-type", NDJSON);
    let answer = server.send(request.header("content-encoding", "gzip").body(body)).unwrap();
    assert_eq!(
        told(&answer),
        ["expected at most 100000 entries of cells in one request (limits.request_entries): its facts make 160000, one for each UTC \
          day of a stay; send about 12500 of them at a time"]
    );
    assert_eq!(server.meetings(KEY), 0);
    assert_eq!(server.ingest((0..100).map(|number| stay(number, START, START + 7 * DAY)).collect::<String>()).unwrap().accepted, 100);
    server.kill();
    let server = Server::start(server.home());
    assert_eq!(server.meetings(KEY), 100);
}

#[test]
fn facts_that_take_much_memory_are_refused_as_they_grow() {
    let server = Server::with("[limits]\ndecoded_bytes = 1_000_000\n");
    let ids: Vec<_> = (0..100).map(|number| format!("{number:0210}")).collect();
    let departments: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id, "name": "D" })).collect();
    // Each user is in all departments but one, so no two facts are booked on the same.
    let others = |one: usize| ids.iter().enumerate().filter(move |(number, _)| *number != one).map(|(_, id)| id).collect::<Vec<_>>();
    let users: Vec<_> =
        (0..100).map(|one| serde_json::json!({ "id": format!("u{one}"), "name": "U", "departments": others(one) })).collect();
    let directory = serde_json::json!({ "departments": departments, "users": users });
    let request = server.request("PUT", "/v1/directory").bearer_auth(KEY).header("content-type", "application/json");
    assert_eq!(server.send(request.body(directory.to_string())).unwrap().status, 200);
    // Each is booked on all of its user's: 20 kB, of which its sender sent 60 bytes.
    let fact = |at: i64| format!("{{\"user_id\":\"u{at}\",\"at\":{},\"kind\":\"edit\"}}\n", START + at);
    let body = |count: i64| (0..count).map(fact).collect::<String>();
    let answer = server.post_to("/v1/assistance", NDJSON, body(100)).unwrap();
    assert_eq!(
        told(&answer),
        ["line 48: expected at most 1000000 bytes of facts in memory (limits.decoded_bytes): send fewer facts at a time"]
    );
    assert_eq!(server.ingest_to("/v1/assistance", body(40)).unwrap().accepted, 40);
    let exported = server.get("/v1/assistance", KEY).unwrap().text();
    assert_eq!((exported.matches(&ids[0]).count(), exported.matches(&ids[99]).count()), (39, 40));
}

#[test]
fn facts_on_very_many_days_are_refused() {
    let server = Server::with("[limits]\nrequest_days = 10\n");
    let body = |days: i64| (0..days).map(|day| stay(day, START + day * DAY, START + day * DAY)).collect::<String>();
    assert_eq!(
        told(&server.post("", NDJSON, body(11)).unwrap()),
        ["expected facts on at most 10 days in one request (limits.request_days), not on 11: send them in the order of their times, or \
          fewer at a time"]
    );
    assert_eq!(server.ingest(body(10)).unwrap().accepted, 10);
    // Without a setting there is a limit too.
    let server = Server::new();
    let body: String = (0..4_000).map(|day| stay(day, START - day * DAY, START - day * DAY)).collect();
    assert!(
        told(&server.post("", NDJSON, body).unwrap())[0].contains("at most 3660 days in one request (limits.request_days), not on 4000")
    );
}

#[test]
fn a_fact_far_ahead_of_the_clock_is_refused_with_its_line() {
    let server = Server::new();
    let far = 3_029_529_600_000; // 2066-01-01
    let answer = server.post("", NDJSON, fact(1, "u") + &stay(2, far, far)).unwrap();
    let errors = told(&answer);
    assert_eq!(errors.len(), 3, "{errors:?}");
    for (error, field) in errors.iter().zip(["session_started_at", "joined_at", "left_at"]) {
        assert!(error.starts_with(&format!("line 2: {field} {far} is later than ")), "{error}");
        assert!(error.ends_with(", the latest that limits.future_seconds allows"), "{error}");
    }
    let answer = server.post_to("/v1/assistance", NDJSON, format!("{{\"user_id\":\"u\",\"at\":{far},\"kind\":\"edit\"}}\n")).unwrap();
    assert!(told(&answer)[0].starts_with(&format!("line 1: at {far} is later than ")));
    // 0 means none; a setting may allow any.
    let none = Server::with("[limits]\nfuture_seconds = 0\n");
    let soon = jiff::Timestamp::now().as_millisecond() + 3_600_000;
    assert_eq!(told(&none.post("", NDJSON, stay(1, soon, soon)).unwrap()).len(), 3);
    let any = Server::with("[limits]\nfuture_seconds = 3_000_000_000\n");
    assert_eq!(any.ingest(stay(1, far, far)).unwrap().accepted, 1);
    assert_eq!(any.ingest(stay(2, soon, soon)).unwrap().accepted, 1);
}

#[test]
fn an_export_that_was_changed_keeps_its_ids_as_given_ones_and_verifies() {
    let mut server = Server::new();
    server.ingest((0..50).map(|meeting| fact(meeting, "lin")).collect::<String>()).unwrap();
    let exported = server.get("/v1/attendance", KEY).unwrap().text();
    assert_eq!(exported.lines().filter(|line| line.contains("\"id\":\"rc-")).count(), 50);
    let other = |body: String| {
        let request = server.request("POST", "/v1/attendance").bearer_auth(OTHER_KEY).header("content-type", NDJSON);
        let receipt = server.send(request.body(body)).unwrap().receipt();
        (receipt.accepted, receipt.duplicate, receipt.conflicting, receipt.rejected)
    };
    // As it is, elsewhere, it is the same facts; with another user it is other facts, under the ids that it came with.
    assert_eq!(other(exported.clone()), (50, 0, 0, 0));
    assert_eq!(other(exported.clone()), (0, 50, 0, 0));
    let changed = exported.replace("\"lin\"", "\"wu\"");
    assert_eq!(other(changed.clone()), (50, 0, 0, 0));
    assert_eq!(other(changed), (0, 50, 0, 0));
    let again = server.get("/v1/attendance", OTHER_KEY).unwrap().text();
    assert_eq!(other(again), (0, 100, 0, 0));
    // Days that nobody had facts on are made by no id.
    let invented: String =
        (0..1_000).map(|number| fact(number, "x").replacen('{', &format!("{{\"id\":\"rc-{number:08x}{number:024x}\","), 1)).collect();
    assert_eq!(server.ingest(invented).unwrap().accepted, 1_000);
    server.signal("TERM");
    server.wait();
    let verified = stdout(rollcall().args(["verify", "--format", "json", "--data"]).arg(server.home().join("data")));
    let found: serde_json::Value = serde_json::from_str(&verified).unwrap();
    assert_eq!((&found["facts"], &found["differences"]), (&1_150.into(), &0.into()), "{found}");
}

const HEADER: &str = "session_id,session_started_at,user_id,joined_at,left_at";

/// Rows of two days whose times the clocks of Shanghai showed.
fn local_rows() -> String {
    let row = |number: u32| format!("周会{number},2025-03-03 09:00:00,林晨,2025-03-03 09:0{number}:00,2025-03-03T10:00\n");
    (0..5).map(row).collect()
}

#[test]
fn local_times_need_a_zone_and_csv_comes_as_spreadsheets_write_it() {
    let server = Server::new();
    let body = format!("{HEADER}\n{}", local_rows());
    let errors = told(&server.post("", CSV, body.clone()).unwrap());
    let expected = "line 2: session_started_at 2025-03-03 09:00:00: expected an offset such as +08:00, or, for times without one, the \
                    parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai";
    assert_eq!(errors[0], expected);
    let answer = server.post("?zone=Mars", CSV, body.clone()).unwrap();
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (400, Some("zone Mars: expected an IANA time zone such as Asia/Shanghai"))
    );
    let berlin = body.replace("2025-03-03", "2025-10-26").replace("09:0", "02:0");
    let errors = told(&server.post("?zone=Europe/Berlin", CSV, berlin).unwrap());
    let twice =
        "line 2: session_started_at 2025-10-26 02:00:00: expected an offset, since the clocks of Europe/Berlin showed this time twice";
    assert_eq!(errors[0], twice);
    assert_eq!(server.post("?on_error=refuse&zone=Asia/Shanghai", CSV, body.clone()).unwrap().receipt().accepted, 5);
    let exported = server.get("/v1/attendance", KEY).unwrap().text();
    assert!(exported.contains("\"joined_at\":\"2025-03-03T01:04:00Z\",\"left_at\":\"2025-03-03T02:00:00Z\""), "{exported}");
    // The same facts however they are written.
    let semicolons = body.replace(',', ";") + ";;;;\r\n;;;;\r\n";
    let utf16: Vec<u8> = format!("\u{feff}{}", body.replace(',', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gb18030 = encoding_rs::GB18030.encode(&body).0.into_owned();
    for (content_type, body) in [
        (CSV, semicolons.into_bytes()),
        (CSV, utf16),
        ("text/csv; charset=\"GB18030\"", gb18030.clone()),
        ("text/csv;charset=utf-8", format!("\u{feff}{body}").into_bytes()),
    ] {
        let answer = server.post("?zone=Asia/Shanghai", content_type, body).unwrap();
        assert_eq!((answer.status, answer.receipt().duplicate), (200, 5), "{content_type}: {}", answer.text());
    }
    let errors = told(&server.post("?zone=Asia/Shanghai", CSV, gb18030).unwrap());
    assert!(errors[0].contains("say charset=gb18030 in the content type"), "{errors:?}");
    let answer = server.post("", "text/csv; charset=latin1", body).unwrap();
    assert_eq!(answer.status, 415);
    assert_eq!(answer.json()["detail"], "content-type charset latin1: expected utf-8, utf-16, utf-16be or gb18030");
    // What is no text has no charset.
    let errors = told(&server.post("", "application/vnd.apache.parquet; charset=binary", "PAR1").unwrap());
    assert!(errors[0].starts_with("expected a Parquet file"), "{errors:?}");
    let errors = told(&server.post("", CSV, "user,session_id,user,left\n1,2,3,4\n").unwrap());
    assert_eq!(errors.len(), 7, "{errors:#?}");
    assert!(errors.iter().all(|error| error.starts_with("line 1: ")), "{errors:#?}");
    assert_eq!(told(&server.post("", CSV, format!("{HEADER}\n,,,,\n")).unwrap()), ["expected at least one fact"]);
}

fn import(server: &Server, file: &Path) -> Command {
    let mut command = rollcall();
    command.args(["import", "--receipt", "json", "--key", KEY, "--to", server.url(), "--body-bytes", "1024"]).arg(file);
    command
}

fn counts(command: &mut Command) -> (u64, u64) {
    let receipt: Receipt = serde_json::from_str(&stdout(command)).unwrap();
    assert_eq!(receipt.rejected, 0);
    (receipt.accepted, receipt.duplicate)
}

#[test]
fn files_of_spreadsheets_are_imported_and_broken_ones_named() {
    let mut server = Server::new();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("facts.csv");
    let row = |number: u32| format!("周会{number},2025-03-03 09:00:00,林晨,2025-03-03 09:00:00,2025-03-03 10:00:00\r\n");
    let text = format!("{HEADER}\r\n{}{}", (0..200).map(row).collect::<String>(), ",,,,\r\n".repeat(2_000));
    let utf16: Vec<u8> = format!("\u{feff}{}", text.replace(',', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&file, &utf16).unwrap();
    assert!(complaint(&mut import(&server, &file), 1).contains("--time-zone"));
    assert!(complaint(import(&server, &file).args(["--time-zone", "Mars"]), 2).contains("--time-zone: zone Mars"));
    let shanghai = ["--time-zone", "Asia/Shanghai"];
    assert_eq!(counts(import(&server, &file).args(shanghai)), (200, 0));
    fs::write(&file, text.replace(',', ";")).unwrap();
    assert_eq!(counts(import(&server, &file).args(shanghai)), (0, 200));
    fs::write(&file, encoding_rs::GB18030.encode(&text).0).unwrap();
    let wrong = complaint(import(&server, &file).args(shanghai), 1);
    assert!(wrong.contains("rollcall import: --encoding gb18030"), "{wrong}");
    assert!(complaint(import(&server, &file).args(["--encoding", "latin1"]), 2).contains("--encoding latin1: expected utf-8"));
    assert_eq!(counts(import(&server, &file).args(shanghai).args(["--encoding", "gb18030"])), (0, 200));

    let json = home.path().join("facts.json");
    fs::write(&json, format!("[{}]", (0..50).map(|n| fact(n, "u")).collect::<String>().trim_end().replace('\n', ","))).unwrap();
    assert_eq!(counts(import(&server, &json).args(["--encoding", "gb18030"])), (50, 0));

    for (text, wrong) in [
        ("", "has no facts: it is empty\n"),
        (" \r\n,,,\n", "has no facts: it is empty\n"),
        (HEADER, "has no facts: it has a header line only\n"),
        (&*format!("{HEADER}\n,,,,\n\n"), "has no facts: it has a header line only\n"),
        ("session,user\n1,2\n", "line 1: user: expected no such field"),
        ("session,user", "line 1: user: expected no such field"),
        ("s,2025-03-03T09:00:00Z,u\n", "line 1: s: expected a header line"),
        ("\u{1f}\u{8b}\u{8}\u{0}", "expected a header line"),
        ("user_id,at,kind\nu,2025-03-03T09:00:00Z,chat\n", "has the fields of assistance facts; import it with --fact assistance"),
        ("user_id,at,kind\n", "has the fields of assistance facts; import it with --fact assistance"),
    ] {
        fs::write(&file, text).unwrap();
        let complaint = complaint(&mut import(&server, &file), 1);
        assert!(complaint.contains(wrong), "{text}: {complaint}");
    }
    let empty = home.path().join("facts.ndjson");
    fs::write(&empty, "\n \n").unwrap();
    assert!(complaint(&mut import(&server, &empty), 1).contains("facts.ndjson has no facts: it is empty\n"));
    // As Excel writes it.
    let excel =
        format!("sep=;\r\n;;;\r\n{HEADER},,\r\n{}", (0..200).map(|number| row(number).replace("\r\n", ",,,,\r\n")).collect::<String>());
    fs::write(&file, excel.replace(',', ";")).unwrap();
    assert_eq!(counts(import(&server, &file).args(shanghai)), (0, 200));
    fs::write(&file, format!("{}x\r\n", excel.replace(',', ";").trim_end())).unwrap();
    assert!(complaint(import(&server, &file).args(shanghai), 1).contains("line 203: "));

    server.signal("TERM");
    server.wait();
    fs::write(&file, &utf16).unwrap();
    let mut local = rollcall();
    local.args(["import", "--receipt", "json", "--organization", ORG, "--data"]).arg(server.home().join("data"));
    local.arg("--config").arg(server.home().join("rollcall.toml")).arg(&file);
    assert_eq!(counts(local.args(shanghai)), (0, 200));
}
