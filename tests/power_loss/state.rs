//! A state that power loss may leave, and what must hold of it.

use super::disk::Image;
use super::recording::scratch;
use crate::harness::{KEY, ORG, Server, assistance, configuration, fact, rollcall, stdout};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rollcall_engine::cells::Scope;
use rollcall_engine::export::Format;
use rollcall_engine::ingest::{self, Compression, Context};
use rollcall_engine::kinds::block::{AssistanceBlock, AttendanceBlock};
use rollcall_engine::kinds::columns::{Assistances, Attendances, Columns};
use rollcall_engine::kinds::words::Worded;
use rollcall_engine::{Engine, Settings};
use rollcall_model::calendar::LATEST;
use rollcall_model::{Directory, OrgId, Organization, Receipt};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// So little that the little that is recorded has checkpoints, tables and compactions.
pub const STORAGE: &str = "data = \"disk/data\"\n[storage]\nmemtable_bytes = 4096\njournal_bytes = 67_108_864\ncheckpoint_facts = 50\nreserve_bytes = 0\n[lake]\nflush_seconds = 1\n";

/// How many facts the first request has; each further one has one more, so that a receipt tells whose it is.
const FACTS: usize = 8;

/// A request to the recorded server.
#[derive(Debug)]
pub struct Request {
    pub number: usize,
    /// Attendances, or else assistances.
    pub attended: bool,
    pub facts: usize,
    pub body: String,
}

impl Request {
    /// The facts of a user that has no others. Half of them have ids of their own, which are long.
    pub fn new(number: usize) -> Self {
        let mut random = StdRng::seed_from_u64(number as u64);
        let (attended, facts) = (!number.is_multiple_of(3), FACTS + number);
        let line = |at: usize| {
            let id: String = (0..8).map(|_| format!("{:016x}", random.random::<u64>())).collect();
            let (at_minute, user) = ((number * 100 + at * 11) as u32, format!("r{number}"));
            let line = if attended { fact(at_minute, &user) } else { assistance(at_minute, &user) };
            if at.is_multiple_of(2) { line.replacen('{', &format!("{{\"id\":\"{id}\","), 1) } else { line }
        };
        Self { number, attended, facts, body: (0..facts).map(line).collect() }
    }
}

/// Where facts of one kind go to and come from.
pub fn path(attended: bool) -> &'static str {
    if attended { "/v1/attendance" } else { "/v1/assistance" }
}

/// The facts as they are exported where nothing went wrong.
#[derive(Debug)]
pub struct Reference(BTreeSet<String>);

impl Reference {
    pub fn new(requests: &[Request]) -> Self {
        let data = scratch();
        let mut opened = Opened::new(data.path());
        for request in requests {
            opened.ingest(request.attended, request.body.clone());
        }
        Self(opened.exported().into_iter().collect())
    }
}

/// How many of the facts each request has, by its number.
fn counted(lines: &[String]) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    for line in lines {
        let (_, user) = line.split_once("\"user_id\":\"r").unwrap();
        *counts.entry(user.split_once('"').unwrap().0.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// What power loss left.
#[derive(Debug)]
pub struct State {
    /// When it was, in words.
    pub what: String,
    pub image: Image,
    /// The requests that had a receipt.
    pub receipts: BTreeSet<usize>,
    /// Whether the real executable starts on it, rather than this process opening it.
    pub started: bool,
}

impl State {
    /// Whether it keeps the promise, and if not, why.
    pub fn hold(&self, requests: &[Request], reference: &Reference) -> Result<(), String> {
        let home = scratch();
        let disk = home.path().join("disk");
        fs::create_dir(&disk).unwrap();
        self.image.create(&disk);
        let data = disk.join("data");
        let held = catch_unwind(AssertUnwindSafe(|| {
            if self.started {
                fs::write(home.path().join("rollcall.toml"), configuration(STORAGE)).unwrap();
                let mut server = Server::start(home.path());
                self.hold_in(&mut server, requests, reference);
                server.signal("TERM");
                assert!(server.wait().success(), "{}", server.log());
                let found = stdout(rollcall().args(["verify", "--format", "json", "--data"]).arg(&data));
                let found: serde_json::Value = serde_json::from_str(&found).unwrap();
                assert_eq!((&found["differences"], &found["facts"]), (&0.into(), &reference.0.len().into()), "{found}");
            } else {
                let mut opened = Opened::new(&data);
                self.hold_in(&mut opened, requests, reference);
                opened.engine.checkpoint().unwrap();
                let found = opened.engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
                assert_eq!((found.differences, found.facts), (0, reference.0.len() as u64), "{found:?}");
            }
        }));
        held.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    }

    fn hold_in(&self, recovered: &mut impl Recovered, requests: &[Request], reference: &Reference) {
        let there = recovered.exported();
        let distinct: BTreeSet<String> = there.iter().cloned().collect();
        assert_eq!(distinct.len(), there.len(), "facts are there twice");
        assert!(distinct.is_subset(&reference.0), "there are facts that nobody sent");
        let counts = counted(&there);
        let facts_of = |request: &Request| counts.get(&request.number).copied().unwrap_or(0);
        for request in requests {
            let (facts, receipt) = (facts_of(request), self.receipts.contains(&request.number));
            let whole = facts == request.facts || (facts == 0 && !receipt);
            assert!(whole, "{facts} of the {} facts of request {} are there, receipt: {receipt}", request.facts, request.number);
        }
        for attended in [true, false] {
            let sent = || requests.iter().filter(|request| request.attended == attended);
            let (facts, before): (usize, usize) = (sent().map(|request| request.facts).sum(), sent().map(facts_of).sum());
            let receipt = recovered.ingest(attended, sent().map(|request| request.body.as_str()).collect());
            assert_eq!((receipt.accepted, receipt.duplicate), ((facts - before) as u64, before as u64), "{receipt:?}");
        }
        let there = recovered.exported();
        assert_eq!(there.len(), reference.0.len(), "facts are missing or doubled after every request was sent again");
        assert_eq!(there.into_iter().collect::<BTreeSet<_>>(), reference.0);
    }
}

/// A start on what power loss left.
trait Recovered {
    /// All facts, a line each.
    fn exported(&mut self) -> Vec<String>;
    /// Sends facts of one kind.
    fn ingest(&mut self, attended: bool, body: String) -> Receipt;
}

/// A data directory opened in this process.
struct Opened {
    engine: Engine,
    organization: Organization,
}

impl Opened {
    fn new(data: &Path) -> Self {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let organization = Organization::new(OrgId(ORG.parse().unwrap()), "First", zone);
        let settings = Settings { memtable_bytes: 4096, journal_bytes: 64 << 20, checkpoint_facts: 50, ..Settings::default() };
        Self { engine: Engine::open(data, settings).unwrap(), organization }
    }

    fn put<C: Columns>(&self, body: &str) -> Receipt {
        let directory = Directory::default();
        let context = Context::new(&self.organization, &directory, LATEST);
        let decoded = ingest::decode::<C>(body.as_bytes(), ingest::Format::Ndjson, Compression::None, &context).unwrap();
        self.engine.ingest(&self.organization, decoded.facts).unwrap()
    }

    fn export<B: Worded>(&self, lines: &mut Vec<String>) {
        let mut text = Vec::new();
        self.engine.export::<B>(self.organization.id, Scope::ALL.range, Format::Ndjson, &mut text).unwrap();
        lines.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
    }
}

impl Recovered for Opened {
    fn exported(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        self.export::<AttendanceBlock>(&mut lines);
        self.export::<AssistanceBlock>(&mut lines);
        lines
    }

    fn ingest(&mut self, attended: bool, body: String) -> Receipt {
        if attended { self.put::<Attendances>(&body) } else { self.put::<Assistances>(&body) }
    }
}

impl Recovered for Server {
    fn exported(&mut self) -> Vec<String> {
        let export = |path: &str| {
            let answer = self.get(&format!("{path}?format=ndjson"), KEY).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text()
        };
        [export(path(true)), export(path(false))].iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    }

    fn ingest(&mut self, attended: bool, body: String) -> Receipt {
        self.ingest_to(path(attended), body).unwrap()
    }
}
