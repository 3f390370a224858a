//! A state that power loss may leave, and what must hold of it.

use super::STORAGE;
use super::disk::Image;
use crate::harness::{KEY, ORG, Server, configuration, rollcall, stdout};
use rollcall_engine::cells::Scope;
use rollcall_engine::export::{Exported, Format};
use rollcall_engine::facts::{Assistances, Attendances, Columns};
use rollcall_engine::ingest::{self, Compression, Limits};
use rollcall_engine::ledger::columns::{AssistanceBlock, AttendanceBlock};
use rollcall_engine::{Engine, Settings};
use rollcall_model::{Directory, OrgId, Organization, Receipt};
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A request to the recorded server.
#[derive(Debug)]
pub struct Request {
    /// Attendances, or else assistances.
    pub attended: bool,
    /// Whom its facts are of, and no others.
    pub user: String,
    pub facts: usize,
    pub body: String,
}

impl Request {
    pub fn path(&self) -> &'static str {
        if self.attended { "/v1/attendance" } else { "/v1/assistance" }
    }
}

/// The facts as they are exported where nothing went wrong.
#[derive(Debug)]
pub struct Reference(BTreeSet<String>);

impl Reference {
    pub fn new(requests: &[Request]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut opened = Opened::new(data.path());
        for request in requests {
            opened.ingest(request);
        }
        Self(opened.exported().into_iter().collect())
    }

    /// How many facts a request has.
    fn of<'r>(lines: impl IntoIterator<Item = &'r String>, request: &Request) -> usize {
        let user = format!("\"user_id\":\"{}\"", request.user);
        lines.into_iter().filter(|line| line.contains(&user)).count()
    }
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
        let home = tempfile::tempdir().unwrap();
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
        for (number, request) in requests.iter().enumerate() {
            let facts = Reference::of(&there, request);
            let whole = facts == request.facts || (facts == 0 && !self.receipts.contains(&number));
            assert!(
                whole,
                "of the {} facts of request {number}, {facts} are there, receipt: {}",
                request.facts,
                self.receipts.contains(&number)
            );
        }
        for request in requests {
            let before = Reference::of(&there, request) as u64;
            let receipt = recovered.ingest(request);
            assert_eq!((receipt.accepted, receipt.duplicate), (request.facts as u64 - before, before), "{receipt:?}");
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
    fn ingest(&mut self, request: &Request) -> Receipt;
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
        let settings = Settings { memtable_bytes: 8192, checkpoint_facts: 100, ..Settings::default() };
        Self { engine: Engine::open(data, settings).unwrap(), organization }
    }

    fn put<C: Columns>(&self, body: &str) -> Receipt {
        let (format, limits) = (ingest::Format::Ndjson, Limits::default());
        let directory = Directory::default();
        let decoded =
            ingest::decode::<C>(body.as_bytes(), format, Compression::None, &self.organization, &directory, None, &limits).unwrap();
        self.engine.ingest(&self.organization, decoded.facts).unwrap()
    }

    fn export<B: Exported>(&self, lines: &mut Vec<String>) {
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

    fn ingest(&mut self, request: &Request) -> Receipt {
        if request.attended { self.put::<Attendances>(&request.body) } else { self.put::<Assistances>(&request.body) }
    }
}

impl Recovered for Server {
    fn exported(&mut self) -> Vec<String> {
        let export = |path: &str| {
            let answer = self.get(&format!("{path}?format=ndjson"), KEY).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text()
        };
        [export("/v1/attendance"), export("/v1/assistance")].iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    }

    fn ingest(&mut self, request: &Request) -> Receipt {
        self.ingest_to(request.path(), request.body.clone()).unwrap()
    }
}
