//! Guesses: who waits for them, and who does not.

use super::{
    APP_ID, APP_SECRET, Answer, OTHER_PASSWORD, OTHER_USER, PASSWORD, SERVICE, Server, USER, configuration, password_hash, reload, sign_in,
    token,
};
use base64::Engine;
use std::fs;
use std::io::Write;
use std::net::TcpStream;

/// A hash that takes years to make, and as little memory as can be.
const ENDLESS: &str = "$argon2id$v=19$m=8,t=4000000000,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";
const HOME: &str = "203.0.113.7";

/// Begins a sign-in, and does not wait for its answer.
fn begin_sign_in(server: &Server, user: &str, password: &str, address: &str) -> TcpStream {
    let mut raw = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    write!(raw, "GET {SERVICE} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {credentials}\r\nx-forwarded-for: {address}\r\n\r\n").unwrap();
    raw
}

#[test]
fn a_remembered_account_waits_for_no_stranger_also_after_a_reload() {
    let home = tempfile::tempdir().unwrap();
    // A password that is only referred to, which a reload reads again.
    fs::write(home.path().join("password"), PASSWORD).unwrap();
    let referred = format!("password_hash = \"{}\"", password_hash(PASSWORD));
    let slow = format!(
        "password = \"file:password\"\n\
         [[organizations.office365.users]]\nname = \"slow@first.example\"\nrole = \"user\"\npassword_hash = \"{ENDLESS}\""
    );
    let text = configuration("trusted_proxies = [\"127.0.0.1\"]\n[sign_in]\nlongest_wait_seconds = 0\nwaiting_passwords = 0\n")
        .replacen(&referred, &slow, 1);
    fs::write(home.path().join("rollcall.toml"), &text).unwrap();
    let server = Server::start(home.path());
    assert_eq!(sign_in(&server, USER, PASSWORD, HOME).status, 200);
    // Strangers guess until both turns are taken. From then on nobody's password is compared any more.
    let mut strangers = Vec::new();
    let busy = (0..100).find_map(|number| {
        let guess = format!("guess {number}");
        strangers.push(begin_sign_in(&server, "slow@first.example", &guess, &format!("198.51.100.{number}")));
        Some(sign_in(&server, OTHER_USER, &guess, &format!("192.0.2.{number}"))).filter(|answer| answer.status != 401)
    });
    let busy = busy.unwrap();
    assert_busy(&busy);
    // A name that nobody has stands in the same line.
    assert_busy(&sign_in(&server, "nobody@first.example", "guess", HOME));
    assert_eq!(sign_in(&server, USER, PASSWORD, HOME).status, 200);
    reload(&server, &text.replacen("Asia/Shanghai", "UTC", 1));
    assert_eq!(sign_in(&server, USER, PASSWORD, HOME).status, 200);
    assert_eq!(sign_in(&server, USER, PASSWORD, "192.0.2.251").status, 200);
    assert_busy(&sign_in(&server, OTHER_USER, OTHER_PASSWORD, HOME));
}

fn assert_busy(answer: &Answer) {
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(answer.json()["Message"], "Too many passwords are being verified. Try again in a second.");
}

#[test]
fn guesses_wait_and_whoever_asks_from_elsewhere_does_not() {
    let server = Server::with("trusted_proxies = [\"127.0.0.1\"]\n[sign_in]\nfailures = 2\n");
    // Each from another address of one network. Sooner or later a guess comes before its time, however slow this machine is: the wait doubles each time.
    let refused = |guess: &dyn Fn(&str, &str) -> Answer| {
        let answers = (0..100).map(|number| guess(&format!("guess {number}"), &format!("2001:db8::{number:x}")));
        let (number, refused) = answers.enumerate().find(|(_, answer)| answer.status == 429).unwrap();
        assert!(number >= 2, "two guesses are free");
        refused
    };
    for name in [USER, "nobody@first.example"] {
        let wait = refused(&|guess, address| sign_in(&server, name, guess, address));
        let seconds: u64 = wait.headers["retry-after"].to_str().unwrap().parse().unwrap();
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let message = format!("Too many failed sign-ins. Try again in {seconds} {unit}.");
        assert_eq!((wait.status, wait.json()["Message"].as_str()), (429, Some(message.as_str())));
    }
    assert_eq!(sign_in(&server, USER, PASSWORD, HOME).status, 200);
    let wait = refused(&|guess, address| token(&server, APP_ID, guess, address));
    assert_eq!(
        (wait.status, wait.json()["code"].as_i64(), wait.headers.contains_key("x-ogw-ratelimit-reset")),
        (429, Some(99_991_400), true)
    );
    assert_eq!(token(&server, APP_ID, APP_SECRET, HOME).json()["code"], 0);
    reload(&server, &configuration("trusted_proxies = [\"127.0.0.1\"]\n[sign_in]\nlongest_wait_seconds = 0\n"));
    assert_eq!(token(&server, APP_ID, APP_SECRET, "2001:db8::1").json()["code"], 0);
}
