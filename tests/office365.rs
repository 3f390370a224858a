//! The Office 365 dialect and the report `active_users` on the real executable, from facts over HTTP to the answers, read by our own client,
//! by the native API and by the command line. What the dialect does alone is tested in its crate.

use crate::harness::{KEY, ORG, PASSWORD, Server, USER, configuration, rollcall, stdout};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use rollcall_dialects::office365::client::{Client, Format, Row, Set};
use serde_json::Value;
use tempfile::TempDir;

/// A stay: who, of which kind, on which device, from when, until when.
type Stay = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Three members at computers, beside much that does not count. Each comment says which days it is in Shanghai.
const STAYS: &[Stay] = &[
    // 2025-01-01 in Shanghai; the year before, in UTC.
    ("dora", "member", "desktop", "2024-12-31T20:00:00Z", "2024-12-31T21:00:00Z"),
    // 03-03 twice, on two devices; then from 03-04 to 03-05 in UTC, and 03-05 alone in Shanghai.
    ("ann", "member", "desktop", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("ann", "member", "web", "2025-03-03T01:30:00Z", "2025-03-03T03:00:00Z"),
    ("ann", "member", "web", "2025-03-04T23:30:00Z", "2025-03-05T00:30:00Z"),
    // A Sunday, 03-09: a week's first day; in Los Angeles the Saturday before.
    ("bob", "member", "web", "2025-03-09T03:00:00Z", "2025-03-09T04:00:00Z"),
    // 04-01 in Shanghai; March in UTC.
    ("bob", "member", "desktop", "2025-03-31T20:00:00Z", "2025-03-31T21:00:00Z"),
    // Not members, or not at computers.
    ("cat", "guest", "desktop", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("r1", "room", "desktop", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("p1", "phone", "web", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("dan", "member", "mobile", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("dan", "member", "tablet", "2025-03-06T01:00:00Z", "2025-03-06T02:00:00Z"),
    ("eve", "member", "unknown", "2025-03-03T01:00:00Z", "2025-03-03T02:00:00Z"),
    ("eve", "member", "phone", "2025-03-07T01:00:00Z", "2025-03-07T02:00:00Z"),
];

fn ingest(server: &Server) {
    let mut csv = String::from("session_id,session_kind,user_id,user_kind,device,joined_at,left_at\n");
    for (number, (user, kind, device, joined, left)) in STAYS.iter().enumerate() {
        csv += &format!("s{number},call,{user},{kind},{device},{joined},{left}\n");
    }
    let answer = server.post("", "text/csv", csv).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.receipt().accepted, STAYS.len() as u64);
}

/// A server with the stays, whose first organization has these keys in its section.
fn server(section: &str) -> (TempDir, Server) {
    let home = tempfile::tempdir().unwrap();
    let configuration = configuration("").replacen("history_months = 0\n", &format!("history_months = 0\n{section}"), 1);
    std::fs::write(home.path().join("rollcall.toml"), configuration).unwrap();
    let server = Server::start(home.path());
    ingest(&server);
    (home, server)
}

/// All rows of a set, page by page.
fn rows(server: &Server, set: Set, zone: Option<&str>, format: Format) -> Vec<Row> {
    let client = Client::new(server.url(), USER, PASSWORD).unwrap();
    let mut query = client.query(set).format(format);
    if let Some(zone) = zone {
        query = query.time_zone(zone);
    }
    let mut pages = query.pages();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut all = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            all.extend(page);
        }
        all
    })
}

fn dated(rows: &[Row]) -> Vec<(DateTime, u64)> {
    rows.iter().map(|row| (row.date.unwrap(), u64::try_from(row.active_users.unwrap()).unwrap())).collect()
}

/// The rows of the native report with anybody in them: the first day, and how many.
fn native(server: &Server, query: &str) -> Vec<(Date, u64)> {
    let answer = server.get(&format!("/v1/reports/active-users?{query}"), KEY).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let row = |row: &Value| (row["date"].as_str().unwrap().parse().unwrap(), row["users"].as_u64().unwrap());
    json["rows"].as_array().unwrap().iter().map(row).filter(|(_, users)| *users > 0).collect()
}

fn midnight(day: Date) -> DateTime {
    day.to_datetime(jiff::civil::Time::midnight())
}

#[test]
fn every_set_says_in_every_zone_and_format_what_the_native_report_says() {
    let (_home, server) = server("");
    for (header, zone) in [
        (None, "UTC"),
        (Some("China Standard Time"), "Asia/Shanghai"),
        (Some("America/Los_Angeles"), "America/Los_Angeles"),
        (Some("Nepal Standard Time"), "Asia/Kathmandu"),
    ] {
        for (set, by, from, to, length) in [
            (Set::Daily, "day", "2024-01-01", "2026-01-01", 1.day()),
            (Set::Weekly, "week", "2023-12-31", "2026-01-04", 1.week()),
            (Set::Monthly, "month", "2024-01-01", "2026-01-01", 1.month()),
            (Set::Yearly, "year", "2024-01-01", "2026-01-01", 1.year()),
        ] {
            let query = format!("from={from}&to={to}&zone={zone}&by={by}&device=computer&user_kind=member");
            let expected = native(&server, &query).into_iter().map(|(first, users)| (midnight(first + length), users));
            let expected: Vec<_> = expected.collect();
            assert!(!expected.is_empty());
            for format in [Format::Json, Format::Atom] {
                let rows = rows(&server, set, header, format);
                assert_eq!(dated(&rows), expected, "{set:?} {zone} {format:?}");
                for row in rows {
                    assert_eq!((row.tenant_guid.unwrap().to_string(), row.tenant_name.as_deref()), (ORG.to_owned(), Some("First")));
                }
            }
        }
    }
}

#[test]
fn stays_count_where_and_when_they_should() {
    let (_home, server) = server("date = \"start\"\n");
    let told = |set, zone| -> Vec<(String, u64)> {
        let rows = dated(&rows(&server, set, Some(zone), Format::Json));
        rows.into_iter().map(|(at, users)| (at.date().to_string(), users)).collect()
    };
    let days = |days: &[(&str, u64)]| -> Vec<(String, u64)> { days.iter().map(|(day, users)| ((*day).to_owned(), *users)).collect() };
    assert_eq!(
        told(Set::Daily, "UTC"),
        days(&[("2024-12-31", 1), ("2025-03-03", 1), ("2025-03-04", 1), ("2025-03-05", 1), ("2025-03-09", 1), ("2025-03-31", 1)])
    );
    assert_eq!(
        told(Set::Daily, "China Standard Time"),
        days(&[("2025-01-01", 1), ("2025-03-03", 1), ("2025-03-05", 1), ("2025-03-09", 1), ("2025-04-01", 1)])
    );
    assert_eq!(told(Set::Weekly, "UTC"), days(&[("2024-12-29", 1), ("2025-03-02", 1), ("2025-03-09", 1), ("2025-03-30", 1)]));
    assert_eq!(told(Set::Weekly, "America/Los_Angeles"), days(&[("2024-12-29", 1), ("2025-03-02", 2), ("2025-03-30", 1)]));
    assert_eq!(told(Set::Monthly, "UTC"), days(&[("2024-12-01", 1), ("2025-03-01", 2)]));
    assert_eq!(told(Set::Monthly, "China Standard Time"), days(&[("2025-01-01", 1), ("2025-03-01", 2), ("2025-04-01", 1)]));
    assert_eq!(told(Set::Yearly, "UTC"), days(&[("2024-01-01", 1), ("2025-01-01", 2)]));
    assert_eq!(told(Set::Yearly, "China Standard Time"), days(&[("2025-01-01", 3)]));
}

#[test]
fn the_bodies_are_those_of_the_wire_and_pages_have_the_urls_of_the_configuration() {
    let (_home, server) = server("page_size = 2\npublic_base_url = \"https://reports.example.com\"\n");
    let root = "https://reports.example.com/ecp/ReportingWebService/Reporting.svc/";
    let json = server.office365("/CsActiveUserMonthly?$select=Date,ActiveUsers&$top=1&$format=Json", USER, PASSWORD);
    assert_eq!(json.headers["content-type"], "application/json;odata=verbose;charset=utf-8");
    let url = format!("{root}CsActiveUserMonthly(datetime'2025-01-01T00%3A00%3A00')");
    assert_eq!(
        json.text(),
        format!(
            "{{\"d\":{{\"results\":[{{\"__metadata\":{{\"id\":\"{url}\",\"uri\":\"{url}\",\"type\":\"TenantReporting.CsActiveUserReport\"}},\
             \"Date\":\"\\/Date(1735689600000)\\/\",\"ActiveUsers\":\"1\"}}]}}}}"
        )
    );
    let atom = server.office365("/CsActiveUserYearly?$select=Date,ActiveUsers&$format=Atom", USER, PASSWORD);
    assert_eq!(atom.headers["content-type"], "application/atom+xml;type=feed;charset=utf-8");
    let atom = atom.text();
    let row = |date: &str, users: u64| {
        format!(
            "<m:properties><d:Date m:type=\"Edm.DateTime\">{date}T00:00:00</d:Date>\
             <d:ActiveUsers m:type=\"Edm.Int64\">{users}</d:ActiveUsers></m:properties>"
        )
    };
    assert!(atom.contains(&format!("xml:base=\"{root}\"")) && !atom.contains(server.url()), "{atom}");
    assert!(atom.contains(&row("2025-01-01", 1)) && atom.contains(&row("2026-01-01", 2)), "{atom}");
    let page = server.office365("/CsActiveUserDaily?$format=Json&$inlinecount=allpages", USER, PASSWORD).json();
    assert_eq!((page["d"]["results"].as_array().unwrap().len(), &page["d"]["__count"]), (2, &"6".into()));
    let next = page["d"]["__next"].as_str().unwrap();
    let (_, path) = next.split_once("/reporting.svc").or_else(|| next.split_once("/Reporting.svc")).unwrap();
    assert!(next.starts_with("https://reports.example.com/"), "{next}");
    let second = server.office365(path, USER, PASSWORD).json();
    assert_eq!(second["d"]["results"][0]["Date"], "\\/Date(1741132800000)\\/".replace("\\/", "/"));
    assert_eq!(server.office365("/CsActiveUserDaily/$count", USER, PASSWORD).text(), "6");
    assert_eq!(server.office365("/CsActiveUserDaily?$filter=nothing", USER, PASSWORD).status, 400);
}

#[test]
fn the_history_ends_where_it_is_configured_to_end() {
    let (_home, server) = server("");
    assert_eq!(rows(&server, Set::Daily, None, Format::Json).len(), 6);
    let file = server.home().join("rollcall.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("history_months = 0", "history_months = 1")).unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    assert_eq!(rows(&server, Set::Daily, None, Format::Json), []);
}

/// What `rollcall report active-users` prints as CSV, as the first date and the number of each row.
fn printed(server: &Server, flags: &[&str]) -> Vec<(String, u64)> {
    let mut command = rollcall();
    command.args(["report", "active-users", "--format", "csv", "--key", KEY, "--to-url", server.url()]).args(flags);
    let csv = stdout(&mut command);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("date,from,to,users"));
    let row = |line: &str| {
        let (date, users) = (line.split(',').next().unwrap(), line.rsplit(',').next().unwrap());
        (date.to_owned(), users.parse().unwrap())
    };
    lines.map(row).collect()
}

#[test]
fn month_is_not_the_sum_of_days() {
    let (_home, server) = server("");
    let march = "from=2025-03-01&to=2025-03-31&zone=UTC&device=computer&user_kind=member";
    let sum = |by: &str| native(&server, &format!("{march}&by={by}")).iter().map(|(_, users)| users).sum::<u64>();
    assert_eq!((sum("day"), sum("week"), sum("month"), sum("whole")), (5, 3, 2, 2));
    // Nor is a window of days: each day of it and before it counts once.
    let rolling = native(&server, "from=2025-03-09&to=2025-03-12&zone=UTC&device=computer&user_kind=member&by=rolling-7");
    assert_eq!(rolling, [(date(2025, 3, 9), 2), (date(2025, 3, 10), 2), (date(2025, 3, 11), 2), (date(2025, 3, 12), 1)]);
    // Without the filters, everybody counts.
    assert_eq!(native(&server, "from=2025-03-01&to=2025-03-31&zone=UTC&by=month"), [(date(2025, 3, 1), 7)]);
}

#[test]
fn the_command_line_has_weeks_windows_and_the_whole() {
    let (_home, mut server) = server("");
    let march = ["--from", "2025-03-02", "--to", "2025-03-29", "--zone", "UTC", "--device", "computer", "--user-kind", "member"];
    let with = |more: &[&'static str]| printed(&server, &[&march[..], more].concat());
    let day = |day: &str, users: u64| (day.to_owned(), users);
    let weeks = [day("2025-03-02", 1), day("2025-03-09", 1), day("2025-03-16", 0), day("2025-03-23", 0)];
    assert_eq!(with(&["--by", "week"]), weeks);
    let mondays = with(&["--by", "week", "--week-start", "monday"]);
    assert_eq!(mondays[..3], [day("2025-02-24", 0), day("2025-03-03", 2), day("2025-03-10", 0)]);
    assert_eq!(with(&["--by", "whole"]), [day("2025-03-02", 2)]);
    let rolling = with(&["--by", "rolling-28"]);
    assert_eq!((rolling.len(), &rolling[0], &rolling[27]), (28, &day("2025-03-02", 0), &day("2025-03-29", 2)));
    assert_eq!(with(&["--by", "month"]), [day("2025-03-01", 2)]);

    // The same from the data directory.
    server.signal("TERM");
    assert!(server.wait().success());
    let (data, config) = (server.home().join("data"), server.home().join("rollcall.toml"));
    let mut command = rollcall();
    command.args(["report", "active-users", "--format", "csv", "--by", "week", "--organization", ORG]).args(march);
    let csv = stdout(command.arg("--data").arg(data).arg("--config").arg(config));
    let users: Vec<_> = csv.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(users, ["1", "1", "0", "0"]);
}
