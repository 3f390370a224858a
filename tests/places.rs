//! Addresses become places when facts come in, by the operator's database; the address itself is kept nowhere.

use crate::harness::{KEY, OTHER_KEY, Server, complaint, configuration, hash, rollcall, stdout};
use std::fs;
use std::io::Read;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

/// The configuration with `places` beside it as its database.
const WITH_PLACES: &str = "[places]\ndatabase = \"places\"";

/// An xdb file, as ip2region's were until 2024, that knows 198.51.100.0/24.
fn xdb(row: &str) -> Vec<u8> {
    let row = row.as_bytes();
    let index = 256 + u32::try_from(row.len()).unwrap();
    let mut file = [2, 0, 1, 0, 0, 0, 0, 0].to_vec();
    file.extend([index, index].map(u32::to_le_bytes).concat());
    file.resize(256, 0);
    file.extend(row);
    file.extend([0xc633_6400, 0xc633_64ff].map(u32::to_le_bytes).concat());
    file.extend(u16::try_from(row.len()).unwrap().to_le_bytes());
    file.extend(256u32.to_le_bytes());
    file
}

/// Exchanges a database the way operators do.
fn exchange(home: &Path, bytes: &[u8]) {
    fs::write(home.join("next"), bytes).unwrap();
    fs::rename(home.join("next"), home.join("places")).unwrap();
}

/// A server, with a database if one is given.
fn server(home: &TempDir, database: Option<&[u8]>) -> Server {
    if let Some(bytes) = database {
        exchange(home.path(), bytes);
        fs::write(home.path().join("rollcall.toml"), configuration(WITH_PLACES)).unwrap();
    }
    Server::start(home.path())
}

/// One fact of `user`, in a session of that user's, with more fields.
fn fact(user: &str, fields: &str) -> String {
    format!(
        "{{\"session_id\":\"session-of-{user}\",\"session_kind\":\"call\",\"user_id\":\"{user}\",\"joined_at\":\"2025-03-03T02:00:00Z\",\
         \"left_at\":\"2025-03-03T03:00:00Z\",{fields}}}\n"
    )
}

/// The users of each place, unknown ones as `-`.
fn places(server: &Server, by: &str, key: &str) -> String {
    let answer = server.get(&format!("/v1/reports/users-by-place?from=2025-03-03&to=2025-03-03&by={by}"), key).unwrap();
    let rows = answer.json()["rows"].as_array().unwrap_or_else(|| panic!("{}", answer.text())).clone();
    rows.iter().map(|row| format!("{}={}", row["place"].as_str().unwrap_or("-"), row["users"])).collect::<Vec<_>>().join(" ")
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What each zstd frame in a file holds.
fn decompressed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let begins = bytes.windows(4).enumerate().filter(|(_, magic)| *magic == [0x28, 0xb5, 0x2f, 0xfd]);
    let read = |at: usize| {
        let mut frame = Vec::new();
        let decoder = zstd::Decoder::new(&bytes[at..]).unwrap().single_frame();
        // What is no frame after all gives what it gives.
        let _ = decoder.take(1 << 20).read_to_end(&mut frame);
        frame
    };
    begins.map(|(at, _)| read(at)).collect()
}

#[test]
fn an_address_becomes_a_place_and_is_kept_nowhere() {
    let home = TempDir::new().unwrap();
    let mut server = server(&home, Some(&fs::read(Path::new(FIXTURES).join("places.mmdb")).unwrap()));
    let addresses = ["203.0.113.17", "2001:db8:8000::abcd:1234", "203.0.113.201", "10.11.12.13", "192.0.2.99", "::ffff:203.0.113.140"];
    let mut body: String =
        (0..).zip(addresses).map(|(user, address)| fact(&format!("u{user}"), &format!("\"ip\":\"{address}\""))).collect();
    body += &fact("codes-win", "\"ip\":\"203.0.113.17\",\"country\":\"JP\"");
    body += &fact("without", "\"ip\":null");
    assert_eq!(server.ingest(body.clone()).unwrap().accepted, 8);
    assert_eq!(places(&server, "country", KEY), "CN=1 GB=1 HK=1 JP=1 US=1 -=3");
    assert_eq!(places(&server, "subdivision", KEY), "CN-HK=1 CN-SH=1 GB-ENG=1 US-CA=1 -=4");
    // Sent once more and in a format of its own, refused, and skipped: none of it may leave a trace either.
    assert_eq!(server.ingest(body).unwrap().duplicate, 8);
    let csv = "session_id,session_kind,user_id,joined_at,left_at,ip\ns,call,v,2025-03-03T02:00:00Z,2025-03-03T02:00:00Z,203.0.113.17\n\
               s,call,w,2025-03-03T02:00:00Z,2025-03-02T02:00:00Z,203.0.113.18\ns,call,x,2025-03-03T02:00:00Z,2025-03-03T02:00:00Z,203.0.113.256\n";
    let request =
        |path: &str| server.send(server.request("POST", path).bearer_auth(KEY).header("content-type", "text/csv").body(csv)).unwrap();
    let refused = request("/v1/attendance");
    assert_eq!(refused.status, 400);
    let told: Vec<_> = refused.receipt().errors.iter().map(|error| (error.line, error.field.clone())).collect();
    assert_eq!(told, [(3, "left_at".into()), (4, "ip".into())]);
    assert_eq!(request("/v1/attendance?on_error=skip").receipt().accepted, 1);
    assert_eq!(places(&server, "country", KEY), "CN=2 GB=1 HK=1 JP=1 US=1 -=3");
    server.signal("TERM");
    assert!(server.wait().success());

    let mut found = Vec::new();
    files(&home.path().join("data"), &mut found);
    found.push(home.path().join("log"));
    // Journals are made longer than they are filled.
    let filled = |bytes: Vec<u8>| bytes.iter().rposition(|byte| *byte != 0).map_or(Vec::new(), |last| bytes[..=last].to_vec());
    let mut contents: Vec<_> = found.iter().map(|file| filled(fs::read(file).unwrap())).collect();
    let blocks: Vec<_> = contents.iter().flat_map(|bytes| decompressed(bytes)).collect();
    contents.extend(blocks);
    let holds = |needle: &[u8]| contents.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
    assert!(holds(b"codes-win") && holds(b"session-of-u1") && holds(b"/v1/attendance"), "what is kept is found this way");
    for trace in [b"203.0.113.".as_slice(), b"2001:db8", b"abcd:1234", b"10.11.12.13", b"192.0.2.99"] {
        assert!(!holds(trace), "{}", String::from_utf8_lossy(trace));
    }
    let v6: Ipv6Addr = addresses[1].parse().unwrap();
    assert!(!holds(&v6.octets()) && !holds(&v6.to_bits().to_le_bytes()));
}

#[test]
fn an_exchanged_database_holds_for_later_facts_and_a_retry_is_the_same_fact() {
    let home = TempDir::new().unwrap();
    let server = server(&home, Some(&xdb("中国|0|广东省|深圳市|电信")));
    let of = |user: &str| fact(user, "\"ip\":\"198.51.100.7\"");
    assert_eq!(server.ingest(of("first")).unwrap().accepted, 1);
    exchange(home.path(), &xdb("中国|0|内蒙古自治区|0|电信"));
    server.signal("HUP");
    server.await_log("configuration reloaded");
    let receipt = server.ingest(of("first") + &of("second")).unwrap();
    assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), (1, 1, 0));
    assert_eq!(places(&server, "subdivision", KEY), "CN-GD=1 CN-NM=1");
    // Without a database places are unknown again.
    fs::write(
        home.path().join("rollcall.toml"),
        configuration(&format!(
            "# 1\n{}",
            "[[organizations]]\nid = \"00000000-0000-0000-0000-000000000003\"\nname = \"Third\"\ntime_zone = \"UTC\"\n"
        )),
    )
    .unwrap();
    server.signal("HUP");
    server.await_log("organizations=3");
    assert_eq!(server.ingest(of("third") + &of("first")).unwrap().duplicate, 1);
    assert_eq!(places(&server, "subdivision", KEY), "CN-GD=1 CN-NM=1 -=1");
}

#[test]
fn a_broken_database_is_refused_at_start_and_keeps_the_old_one_later() {
    let home = TempDir::new().unwrap();
    let config = home.path().join("rollcall.toml");
    fs::write(&config, configuration(WITH_PLACES)).unwrap();
    let start = |arguments: &[&str]| complaint(rollcall().args(arguments).arg("--config").arg(&config), 1);
    let file = home.path().join("places").display().to_string();
    for (bytes, told) in [
        (None, "cannot be read: "),
        (Some(b"<html>log in first</html>".to_vec()), "is neither a whole MMDB nor an xdb file"),
        (Some(xdb("法国|0|0|0|0").split_last().unwrap().1.to_vec()), "is a damaged xdb file: its index lies beyond its end"),
        (Some(xdb("0|0|0|0|内网IP")), "knows the place of no address"),
    ] {
        if let Some(bytes) = bytes {
            exchange(home.path(), &bytes);
        }
        for wrong in [start(&["serve", "--listen", "127.0.0.1:0"]), start(&["config", "check"])] {
            assert!(wrong.contains(&format!("the place database {file} {told}")), "{wrong}");
        }
    }
    let server = server(&home, Some(&xdb("法国|0|0|0|0")));
    assert!(stdout(rollcall().args(["config", "check", "--config"]).arg(&config)).contains(&format!("places of addresses by {file}")));
    exchange(home.path(), b"broken");
    fs::write(&config, configuration(WITH_PLACES).replace(&hash(OTHER_KEY), &hash("another key"))).unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    server.await_log(&format!("the place database {file} is neither a whole MMDB nor an xdb file; what was read before stays in use"));
    assert_eq!(server.ingest(fact("u", "\"ip\":\"198.51.100.7\"")).unwrap().accepted, 1);
    assert_eq!(places(&server, "country", KEY), "FR=1");
    assert_eq!(
        (server.get("/v1/directory", OTHER_KEY).unwrap().status, server.get("/v1/directory", "another key").unwrap().status),
        (401, 200)
    );
}

#[test]
fn an_import_into_a_data_directory_resolves_addresses_too() {
    let home = TempDir::new().unwrap();
    let mut stopped = server(&home, Some(&xdb("中国|0|台湾省|0|中华电信")));
    stopped.signal("TERM");
    assert!(stopped.wait().success());
    let facts = home.path().join("facts.ndjson");
    fs::write(&facts, fact("u", "\"ip\":\"198.51.100.0\"") + &fact("v", "\"ip\":\"198.51.101.0\"")).unwrap();
    let mut import = rollcall();
    import.arg("import").arg(&facts).arg("--data").arg(home.path().join("data"));
    import.args(["--organization", crate::harness::ORG, "--config"]).arg(home.path().join("rollcall.toml"));
    stdout(&mut import);
    let server = Server::start(home.path());
    assert_eq!((places(&server, "country", KEY), places(&server, "subdivision", KEY)), ("TW=1 -=1".into(), "CN-TW=1 -=1".into()));
    assert_eq!(places(&server, "country", OTHER_KEY), "");
}
