//! What operators do: configure, start, reload, stop, restart, and the errors they meet on the way.

use crate::harness::{
    KEY, OTHER_KEY, OTHER_PASSWORD, OTHER_USER, PASSWORD, Server, USER, complaint, configuration, fact, hash, password_hash, rollcall, run,
    stdout,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[test]
fn the_configuration_is_checked_before_it_is_used() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    let check = || {
        let mut command = rollcall();
        command.args(["config", "check", "--config"]).arg(&file);
        command
    };
    assert!(complaint(&mut check(), 1).contains("rollcall config example"));
    fs::write(&file, stdout(rollcall().args(["config", "example"]))).unwrap();
    let summary = stdout(&mut check());
    assert!(summary.contains("can be used") && summary.contains("Acme") && summary.contains("1 ingest keys"), "{summary}");
    fs::write(&file, configuration("lissen = 1")).unwrap();
    let wrong = complaint(&mut check(), 1);
    assert!(wrong.contains("rollcall.toml:1: lissen: unknown field"), "{wrong}");
    assert!(complaint(rollcall().arg("serve").arg("--config").arg(&file), 1).contains("rollcall.toml:1: lissen"));
}

#[test]
fn a_secret_may_stand_in_the_environment_or_in_a_file() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    let secrets = "secret = \"env:TEST_INGEST_KEY\"";
    fs::write(
        &file,
        configuration("")
            .replace(&format!("hash = \"{}\"", hash(KEY)), secrets)
            .replace(&format!("hash = \"{}\"", hash(OTHER_KEY)), "secret = \"file:other.key\""),
    )
    .unwrap();
    let check = || {
        let mut command = rollcall();
        command.args(["config", "check", "--config"]).arg(&file);
        command
    };
    let wrong = complaint(&mut check(), 1);
    assert!(wrong.contains("organizations[0].ingest_keys[0].secret: the environment variable TEST_INGEST_KEY is not set"), "{wrong}");
    assert!(wrong.contains("organizations[1].ingest_keys[0].secret: ") && wrong.contains("other.key cannot be read"), "{wrong}");
    fs::write(home.path().join("other.key"), format!("{OTHER_KEY}\n")).unwrap();
    stdout(check().env("TEST_INGEST_KEY", KEY));
    let same = complaint(check().env("TEST_INGEST_KEY", OTHER_KEY), 1);
    assert!(same.contains("the same key is used at organizations[0].ingest_keys[0]"), "{same}");
}

#[test]
fn credentials_do_not_travel_in_plain_text_beyond_this_machine() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    fs::write(&file, configuration("")).unwrap();
    let wrong = complaint(rollcall().args(["serve", "--listen", "0.0.0.0:0", "--config"]).arg(&file), 1);
    assert!(wrong.contains("allow_plaintext_auth") && wrong.contains("[tls]"), "{wrong}");
}

#[test]
fn one_process_owns_a_data_directory() {
    let server = Server::new();
    let config = server.home().join("rollcall.toml");
    let wrong = complaint(rollcall().args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config), 1);
    assert!(wrong.contains("in use by another rollcall process"), "{wrong}");
    let taken = server.url().trim_start_matches("http://");
    let wrong = complaint(rollcall().args(["serve", "--listen", taken, "--data", "elsewhere", "--config"]).arg(&config), 1);
    assert!(wrong.contains(&format!("cannot listen on {taken}")) && wrong.contains("choose another port with --listen"), "{wrong}");
}

#[test]
fn a_server_stops_without_the_lake_and_a_flush_completes_it() {
    let mut server = Server::with("[lake]\nflush_seconds = 3600");
    assert_eq!(server.ingest((0..10).map(|meeting| fact(meeting, "a")).collect::<String>()).unwrap().accepted, 10);
    server.signal("TERM");
    assert!(server.wait().success());
    let data = server.home().join("data");
    let flush = || {
        let flushed = stdout(rollcall().args(["flush", "--format", "json", "--data"]).arg(&data));
        serde_json::from_str::<serde_json::Value>(&flushed).unwrap()["facts"].clone()
    };
    assert!(!data.join("lake/attendance/_delta_log").exists());
    // The keeper of whoever opens a directory flushes too, and may be first: then nothing is left.
    let flushed = flush();
    assert!(flushed == 10 || flushed == 0, "{flushed}");
    assert!(data.join("lake/attendance/_delta_log").exists());
    assert_eq!(flush(), 0);
    let mut server = Server::start(server.home());
    assert_eq!(server.meetings(KEY), 10);
    assert_eq!(server.ingest(fact(10, "a")).unwrap().accepted, 1);
    assert_eq!(flush(), 1);
    server.signal("TERM");
    server.wait();
}

#[test]
fn nobody_else_may_read_what_a_server_stores_whoever_made_its_directory() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    // Made by somebody, with the mode that `mkdir` gives.
    fs::create_dir(&data).unwrap();
    open(&data, 0o755);
    let mut server = Server::start(home.path());
    server.ingest(fact(1, "a")).unwrap();
    stdout(rollcall().args(["compact", "--data"]).arg(&data));
    let readable =
        || files_in(&data).into_iter().filter(|file| fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0));
    assert!(files_in(&data).len() > 10);
    assert_eq!(readable().collect::<Vec<_>>(), Vec::<PathBuf>::new());
    server.signal("TERM");
    server.wait();
    // And opened by somebody.
    let file = data.join("ledger/0.jnl");
    open(&file, 0o644);
    open(&data, 0o755);
    let server = Server::start(home.path());
    server.await_log("others could enter the data directory");
    assert_eq!(readable().collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

/// Everything in a directory, and the directory.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![directory.to_owned()];
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_reload_changes_credentials_and_a_bad_file_changes_nothing() {
    let server = Server::new();
    let file = server.home().join("rollcall.toml");
    server.ingest(fact(1, "a")).unwrap();
    fs::write(&file, configuration("listen = \"127.0.0.1:1\"").replace(&hash(KEY), &hash("another key"))).unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    assert_eq!(server.get("/v1/directory", KEY).unwrap().status, 401);
    assert_eq!((server.meetings("another key"), server.meetings(OTHER_KEY)), (1, 0));
    fs::write(&file, "nonsense").unwrap();
    server.signal("HUP");
    server.await_log("configuration not reloaded, the old one stays");
    assert_eq!(server.meetings("another key"), 1);
    fs::write(&file, configuration("data = \"elsewhere\"\n[limits]\nbody_bytes = 10")).unwrap();
    server.signal("HUP");
    server.await_log("data changed: this takes effect after a restart");
    server.await_log("organizations=2");
    assert_eq!(server.post("", "text/csv", "more than ten bytes").unwrap().status, 413);
    assert_eq!(server.meetings(KEY), 1);
}

#[test]
fn a_reload_forgets_an_account_that_was_removed_and_a_password_that_was_replaced() {
    let server = Server::new();
    let file = server.home().join("rollcall.toml");
    let status = |user, password| server.office365("/CsActiveUserDaily", user, password).status;
    let reload = |configuration: String, organizations: &str| {
        fs::write(&file, configuration).unwrap();
        server.signal("HUP");
        server.await_log(organizations);
    };
    // Both are remembered by now.
    for _ in 0..2 {
        assert_eq!((status(USER, PASSWORD), status(OTHER_USER, OTHER_PASSWORD)), (200, 200));
    }
    let without = configuration("").replacen(&format!("name = \"{USER}\""), "name = \"successor@first.example\"", 1);
    let organization = "[[organizations]]\nid = \"00000000-0000-0000-0000-000000000003\"\nname = \"Third\"\ntime_zone = \"UTC\"\n";
    reload(format!("{without}{organization}"), "organizations=3");
    assert_eq!((status(USER, PASSWORD), status("successor@first.example", PASSWORD), status(OTHER_USER, OTHER_PASSWORD)), (401, 200, 200));
    let replaced = configuration("").replace(&password_hash(PASSWORD), &password_hash("another"));
    reload(replaced, "organizations=2");
    assert_eq!((status(USER, PASSWORD), status(USER, "another"), status("successor@first.example", PASSWORD)), (401, 200, 401));
    // A bad file changes nothing.
    fs::write(&file, configuration("").replace("view-only-recipients", "boss")).unwrap();
    server.signal("HUP");
    server.await_log("role: expected one of billing-administrator");
    assert_eq!((status(USER, "another"), status(OTHER_USER, OTHER_PASSWORD)), (200, 200));
}

#[test]
fn a_password_may_stand_in_the_environment_or_in_a_file() {
    let home = TempDir::new().unwrap();
    let hash = |password| format!("password_hash = \"{}\"", password_hash(password));
    let text = configuration("").replace(&hash(PASSWORD), "password = \"file:password\"");
    let file = home.path().join("rollcall.toml");
    fs::write(&file, text.replace(&hash(OTHER_PASSWORD), "password = \"env:TEST_PASSWORD\"")).unwrap();
    let wrong = complaint(rollcall().args(["config", "check", "--config"]).arg(&file), 1);
    assert!(wrong.contains("organizations[0].office365.users[0].password: ") && wrong.contains("cannot be read"), "{wrong}");
    assert!(wrong.contains("organizations[1].office365.users[0].password: the environment variable TEST_PASSWORD is not set"), "{wrong}");
    fs::write(&file, &text).unwrap();
    fs::write(home.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    let server = Server::start(home.path());
    assert_eq!(server.office365("/CsActiveUserDaily", USER, PASSWORD).status, 200);
    assert_eq!(server.office365("/CsActiveUserDaily", USER, &format!("{PASSWORD}\n")).status, 401);
    fs::write(home.path().join("password"), "another one!").unwrap();
    server.signal("HUP");
    server.await_log("configuration reloaded");
    assert_eq!(server.office365("/CsActiveUserDaily", USER, PASSWORD).status, 401);
    assert_eq!(server.office365("/CsActiveUserDaily", USER, "another one!").status, 200);
}

#[test]
fn what_was_begun_is_finished_before_the_end_and_nothing_new_is_begun() {
    let mut server = Server::new();
    let body = fact(1, "a");
    let mut slow = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let length = body.len();
    write!(slow, "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/x-ndjson\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n").unwrap();
    let mut begun = [0; 12];
    slow.read_exact(&mut begun).unwrap();
    assert_eq!(std::str::from_utf8(&begun).unwrap(), "HTTP/1.1 100");
    server.signal("TERM");
    server.await_log("stopping");
    while TcpStream::connect(server.url().trim_start_matches("http://")).is_ok() {}
    slow.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("HTTP/1.1 200") && answer.contains("\"accepted\":1"), "{answer}");
    assert!(server.wait().success(), "{}", server.log());
    let home = server.home().to_owned();
    let again = Server::start(&home);
    assert_eq!(again.meetings(KEY), 1);
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_server() {
    let mut server = Server::with("[limits]\nshutdown_seconds = 1\n");
    let mut endless = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(
        endless,
        "POST /v1/attendance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: text/csv\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    // The body is waited for.
    let mut interim = [0; 12];
    endless.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(server.log().contains("cut off"), "{}", server.log());
}

#[test]
fn tls_needs_only_a_certificate_and_a_key() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let server = Server::with(&format!("[tls]\ncertificate = \"{fixtures}/tls.certificate.pem\"\nkey = \"{fixtures}/tls.key.pem\"\n"));
    assert!(server.url().starts_with("https://"));
    assert_eq!(server.ingest(fact(1, "a")).unwrap().accepted, 1);
    assert_eq!(server.meetings(KEY), 1);
    let service = server.office365("", USER, PASSWORD).text();
    assert!(service.contains(&format!("xml:base=\"{}/", server.url())), "{service}");

    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    fs::write(&file, "[tls]\ncertificate = \"none.pem\"\nkey = \"none.pem\"\n").unwrap();
    let wrong = complaint(rollcall().args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&file), 1);
    assert!(wrong.contains("tls.certificate") && wrong.contains("none.pem"), "{wrong}");
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

/// Puts a certificate and its key where `tls` in a configuration says.
fn renew(home: &Path, [certificate, key]: [&str; 2]) -> Vec<u8> {
    let certificate = fs::read(format!("{FIXTURES}/tls.{certificate}.pem")).unwrap();
    fs::write(home.join("certificate.pem"), &certificate).unwrap();
    fs::copy(format!("{FIXTURES}/tls.{key}.pem"), home.join("key.pem")).unwrap();
    CertificateDer::from_pem_slice(&certificate).unwrap().to_vec()
}

const TLS: &str = "[tls]\ncertificate = \"certificate.pem\"\nkey = \"key.pem\"\n";

#[test]
fn a_certificate_renewed_under_its_name_is_used_from_the_next_connection_on() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("rollcall.toml"), configuration(TLS)).unwrap();
    let first = renew(home.path(), ["certificate", "key"]);
    let server = Server::start(home.path());
    // Each client has a connection of its own.
    let presented = || {
        let client = reqwest::Client::builder().danger_accept_invalid_certs(true).tls_info(true).no_proxy().build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client.get(format!("{}/livez", server.url())).send()).unwrap();
        answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap().to_vec()
    };
    assert_eq!(presented(), first);
    let second = renew(home.path(), ["renewed.certificate", "renewed.key"]);
    assert_eq!(presented(), first, "it is read when it is told to");
    server.signal("HUP");
    server.await_log("configuration reloaded");
    assert_eq!(presented(), second);
    // One that does not fit its key changes nothing.
    renew(home.path(), ["certificate", "renewed.key"]);
    server.signal("HUP");
    server.await_log("the certificate of before stays in use");
    assert_eq!(presented(), second);
    assert_eq!(server.get("/readyz", "").unwrap().status, 200);
}

#[test]
fn the_check_of_a_configuration_opens_certificates_and_keys() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("rollcall.toml");
    fs::write(&file, configuration(TLS)).unwrap();
    let check = || {
        let mut command = rollcall();
        command.args(["config", "check", "--config"]).arg(&file);
        command
    };
    let refused = |told: &[&str]| {
        let wrong = complaint(&mut check(), 1);
        assert!(told.iter().all(|told| wrong.contains(told)), "{told:?} in {wrong}");
    };
    refused(&["tls.certificate ", "certificate.pem: cannot be read: "]);
    renew(home.path(), ["certificate", "key"]);
    stdout(&mut check());
    fs::write(home.path().join("key.pem"), "no key").unwrap();
    refused(&["tls.key ", "key.pem: holds no private key in PEM"]);
    renew(home.path(), ["certificate", "renewed.key"]);
    refused(&["tls.key ", "key.pem: is not the key of tls.certificate "]);
    fs::write(home.path().join("certificate.pem"), "no certificate").unwrap();
    refused(&["tls.certificate ", "certificate.pem: holds no certificate in PEM"]);
    renew(home.path(), ["expired.certificate", "renewed.key"]);
    let expired = run(&mut check());
    let told = String::from_utf8_lossy(&expired.stderr).into_owned();
    assert!(expired.status.success() && told.contains("certificate.pem expired at 2020-02-01T00:00:00Z"), "{told}");
}

#[test]
fn whoever_watches_the_server_is_answered() {
    let server = Server::new();
    assert_eq!(server.get("/livez", "").unwrap().status, 200);
    assert_eq!(server.get("/readyz", "").unwrap().json()["ready"], true);
    assert_eq!(server.get("/version", "").unwrap().json()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn header_names_have_the_spelling_that_sdks_look_up() {
    let server = Server::new();
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(raw, "GET /open-apis/vc/v1/reports/get_daily HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\r\nContent-Type: ") && answer.contains("\r\nX-Tt-Logid: "), "{answer}");
}
