//! The committer: one thread that gathers the requests that wait and commits them together.

use super::columns::{Block, Row};
use super::ids::{Ids, Known};
use super::scan::day_of;
use super::tail::COMMIT_MARK;
use super::{Ledger, block_key_prefix};
use crate::cells::Cells;
use crate::error::EngineError;
use crate::facts::Attendances;
use crate::settings::Settings;
use fjall::{OwnedWriteBatch, PersistMode};
use hashbrown::HashSet;
use rollcall_model::{Millis, OrgId, Place, Receipt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// Facts that wait to be committed.
#[derive(Debug)]
pub struct Request {
    /// Whose facts they are.
    pub org: OrgId,
    /// The names behind [`Attendances::apps`].
    pub apps: Vec<String>,
    /// The facts.
    pub facts: Attendances,
    /// Where the receipt goes.
    pub reply: SyncSender<Result<Receipt, EngineError>>,
}

/// A group is closed at this many facts, though more requests wait: a commit must fit in memory, and its first request must not
/// wait for ever.
const GROUP_FACTS: usize = 200_000;

/// How many apps an organization may have had: their numbers have 16 bits.
const MOST_APPS: usize = 1 << 16;

/// The committer's state.
pub struct Committer {
    ledger: Arc<Ledger>,
    cells: Arc<Cells>,
    ids: Ids,
    position: u64,
    users_per_organization: usize,
    /// Live facts at which the committer stops to checkpoint them itself: the bound on their memory.
    most_live: usize,
    /// What failed first. A failed write may or may not be on disk, so nothing is acknowledged after one until a restart.
    failed: Option<EngineError>,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer").field("position", &self.position).finish_non_exhaustive()
    }
}

/// A request whose facts are checked, and what its receipt will say.
struct Checked<'r> {
    request: &'r Request,
    receipt: Receipt,
    /// The rows that are new.
    rows: Vec<usize>,
}

impl Committer {
    /// A committer that goes on after the commit at `position`.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub fn new(ledger: Arc<Ledger>, cells: Arc<Cells>, position: u64, settings: &Settings) -> Result<Self, EngineError> {
        let plain = fjall::KeyspaceCreateOptions::default;
        let ids = Ids::new(ledger.db.keyspace("ids", plain)?, ledger.db.keyspace("given-ids", plain)?, settings.id_cache_bytes);
        let users_per_organization = settings.users_per_organization as usize;
        Ok(Self { ledger, cells, ids, position, users_per_organization, most_live: settings.checkpoint_facts * 3, failed: None })
    }

    /// Commits until every sender is gone. `after` is called after each group, and told whether commits fail.
    pub fn run(mut self, requests: &Receiver<Request>, after: impl Fn(bool)) {
        while let Ok(first) = requests.recv() {
            let mut facts = first.facts.len();
            let mut group = vec![first];
            while facts < GROUP_FACTS
                && let Ok(next) = requests.try_recv()
            {
                facts += next.facts.len();
                group.push(next);
            }
            self.commit(&group);
            after(self.failed.is_some());
        }
    }

    /// Commits a group and answers every request in it.
    fn commit(&mut self, group: &[Request]) {
        let answers = match self.failed.clone() {
            Some(error) => Err(error),
            None => self.store(group),
        };
        match answers {
            Ok(answers) => {
                for (request, answer) in group.iter().zip(answers) {
                    // A requester that went away has no use for its receipt.
                    let _ = request.reply.send(answer);
                }
            }
            Err(error) => {
                if self.failed.is_none() {
                    tracing::error!(%error, "a commit failed: nothing more is accepted until a restart");
                    self.failed = Some(error.clone());
                }
                for request in group {
                    let _ = request.reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn store(&mut self, group: &[Request]) -> Result<Vec<Result<Receipt, EngineError>>, EngineError> {
        let mut batch = self.ledger.db.batch().durability(Some(PersistMode::SyncData));
        let position = self.position + 1;
        let mut answers = Vec::with_capacity(group.len());
        let mut rows: BTreeMap<OrgId, Vec<Row<'_>>> = BTreeMap::new();
        for request in group {
            answers.push(match self.check_limits(request) {
                Err(error) => Err(error),
                Ok(()) => {
                    let checked = self.check(request)?;
                    self.number(&checked, &mut batch, rows.entry(request.org).or_default());
                    Ok(checked.receipt)
                }
            });
        }
        if rows.values().all(Vec::is_empty) {
            return Ok(answers);
        }
        let mut blocks = Vec::new();
        let mut keys = COMMIT_MARK.to_vec();
        for (org, rows) in &rows {
            // Rows are large: their times and places are sorted in their stead.
            let mut order: Vec<(Millis, usize)> = rows.iter().enumerate().map(|(at, row)| (row.session_started_at, at)).collect();
            order.sort_unstable();
            for of_day in order.chunk_by(|(a, _), (b, _)| day_of(*a) == day_of(*b)) {
                let Some((started_at, _)) = of_day.first() else { continue };
                let key = block_key_prefix(*org, day_of(*started_at));
                let block = Block::from_rows(&of_day.iter().filter_map(|(_, at)| rows.get(*at)).collect::<Vec<_>>())?;
                batch.insert(&self.ledger.facts, [key.as_slice(), &position.to_be_bytes()].concat(), block.encode()?);
                keys.extend_from_slice(&key);
                blocks.push((*org, block));
            }
        }
        batch.insert(&self.ledger.commits, position.to_be_bytes(), keys);
        self.ids.store(position, &mut batch)?;
        batch.commit()?;
        self.position = position;
        self.cells.fold(position, blocks.iter().map(|(org, block)| (*org, block)));
        if self.cells.added() > self.most_live {
            self.ledger.checkpoint(&self.cells)?;
        }
        Ok(answers)
    }

    /// Whether the organization would get more apps or users than it may have.
    fn check_limits(&self, request: &Request) -> Result<(), EngineError> {
        let new_apps =
            self.ledger.apps.find(request.org, request.apps.iter().map(String::as_str)).iter().filter(|app| app.is_none()).count();
        if self.ledger.apps.count(request.org) + new_apps > MOST_APPS {
            return Err(EngineError::Limit(format!("the organization has had more than {MOST_APPS} apps")));
        }
        let (limit, known) = (self.users_per_organization, self.ledger.users.count(request.org));
        if limit == 0 || known + request.facts.len() <= limit {
            return Ok(());
        }
        let numbers = self.ledger.users.find(request.org, request.facts.user_ids.iter());
        let new: HashSet<&str> =
            request.facts.user_ids.iter().zip(&numbers).filter(|(_, number)| number.is_none()).map(|(id, _)| id).collect();
        if known + new.len() <= limit {
            return Ok(());
        }
        let message = format!("{} users and {} new ones are more than the {limit} of storage.users_per_organization", known, new.len());
        Err(EngineError::Limit(message))
    }

    fn check<'r>(&mut self, request: &'r Request) -> Result<Checked<'r>, EngineError> {
        let mut receipt = Receipt::default();
        let mut rows = Vec::with_capacity(request.facts.len());
        for (row, (id, content)) in request.facts.ids.iter().zip(&request.facts.contents).enumerate() {
            match self.ids.claim(request.org, *id, *content)? {
                Known::New => {
                    receipt.accepted += 1;
                    rows.push(row);
                }
                Known::Duplicate => receipt.duplicate += 1,
                Known::Conflicting => receipt.conflicting += 1,
            }
        }
        Ok(Checked { request, receipt, rows })
    }

    /// Turns the new facts of a request into rows, with numbers for users and apps.
    fn number<'r>(&self, checked: &Checked<'r>, batch: &mut OwnedWriteBatch, rows: &mut Vec<Row<'r>>) {
        // A commit without facts is not written, and a number given without being stored would be given again after a restart.
        if checked.rows.is_empty() {
            return;
        }
        let Request { org, apps, facts, .. } = checked.request;
        let app_numbers: Vec<u16> =
            apps.iter().map(|app| u16::try_from(self.ledger.apps.give(*org, app, batch)).unwrap_or(u16::MAX)).collect();
        let users = self.ledger.users.find(*org, checked.rows.iter().map(|row| facts.user_ids.get(*row)));
        for (row, user) in checked.rows.iter().copied().zip(users) {
            let user = user.unwrap_or_else(|| self.ledger.users.give(*org, facts.user_ids.get(row), batch));
            rows.push(Row {
                session_started_at: facts.session_started_at[row],
                joined_at: facts.joined_at[row],
                left_at: facts.left_at[row],
                user,
                app: app_numbers.get(usize::from(facts.apps[row])).copied().unwrap_or(0),
                session_id: facts.session_ids.get(row),
                session_kind: facts.session_kinds[row].number(),
                user_kind: facts.user_kinds[row].number(),
                device: facts.devices[row].number(),
                media: facts.media[row].bits(),
                unit: facts.units[row],
                place: facts.places[row].as_ref().map_or(0, Place::number),
                given_id: facts.given_ids.get(row),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Attendances;
    use crate::{Engine, Settings};
    use jiff::tz::TimeZone;
    use rollcall_model::reports::MeetingDays;
    use rollcall_model::{Directory, Draft, OrgId, Organization, Range, Reports, Value};

    const AT: i64 = 1_740_819_600_000;

    fn fact(app: &'static str, organization: &Organization) -> Attendances {
        let mut draft = Draft::new();
        for (field, text) in [("app", app), ("session_id", "s"), ("user_id", "u")] {
            draft.set(field, Value::Str(text.into()));
        }
        for field in ["session_started_at", "joined_at", "left_at"] {
            draft.set(field, Value::Int(AT));
        }
        let mut facts = Attendances::default();
        facts.push(&draft.finish(organization, &Directory::default()).unwrap());
        facts
    }

    /// An app was declared, and the next request was only a retry: it stored nothing, so it must not number the app either.
    #[test]
    fn an_app_first_named_beside_duplicates_keeps_its_facts_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let mut organization = Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC);
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().accepted, 1);
        organization.apps.push("east".into());
        assert_eq!(engine.ingest(&organization, fact("default", &organization)).unwrap().duplicate, 1);
        assert_eq!(engine.ingest(&organization, fact("east", &organization)).unwrap().accepted, 1);
        drop(engine);
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let ask = MeetingDays { range: Range::new(AT, AT + 1), zone: TimeZone::UTC, app: Some("east".into()), unit: None };
        assert_eq!(engine.meeting_days(organization.id, &ask).unwrap().rows[0].meetings, 1);
    }
}
