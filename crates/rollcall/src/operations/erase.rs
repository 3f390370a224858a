//! `forget`, `retain` and `withdraw`: facts that go for good, and the proof.

use super::{Context, Operation, Progress, keys};
use rollcall_engine::access::{Actor, Happening};
use rollcall_engine::erase::{self, Conditions, Selection};
use rollcall_engine::{Engine, EngineError};
use rollcall_model::calendar::{DAY_MILLIS, rfc3339};
use rollcall_model::{Millis, OrgId};
use serde::{Deserialize, Serialize};

/// Erases a person.
pub enum Forget {}

/// Erases what is older than an organization keeps its facts.
pub enum Retain {}

/// Takes back facts that were stored by mistake.
pub enum Withdraw {}

/// Who is to be forgotten.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfForget {
    pub organization: OrgId,
    /// The id that facts carry.
    pub user: String,
    /// Only say what would be erased.
    pub dry_run: bool,
}

/// What is to be withdrawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfWithdraw {
    pub organization: OrgId,
    /// What holds of each of the facts.
    pub conditions: Conditions,
    /// Only say what would be erased.
    pub dry_run: bool,
}

/// How to retain.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedOfRetain {
    /// By the configuration that the command was given: a server need not know it yet.
    pub retentions: Vec<Retention>,
    /// Only say what would be erased.
    pub dry_run: bool,
    /// How many facts go, all organizations together, by whom has looked: needed where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yes_erase: Option<u64>,
}

/// How long an organization keeps its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub organization: OrgId,
    /// For so many days; never 0.
    pub days: u32,
}

/// What was, or would be, erased, as it is printed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Erased {
    pub attendances: u64,
    pub assistances: u64,
    /// The first of their times.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    pub ids: u64,
    pub directory_entries: u64,
    pub files_rewritten: u64,
    pub files_removed: u64,
    /// What is left; none where nothing was erased.
    pub proof: Option<Proof>,
}

/// What was found when everything was read back.
#[derive(Debug, Serialize, Deserialize)]
pub struct Proof {
    /// Whether all of it is 0.
    pub holds: bool,
    pub facts: u64,
    pub names: u64,
    pub directory_entries: u64,
    pub files: u64,
    pub differences: u64,
}

/// What of one organization was, or would be, erased.
#[derive(Debug, Serialize, Deserialize)]
pub struct Retained {
    pub organization: OrgId,
    pub days: u32,
    /// The start of the first day of UTC that stays.
    pub before: String,
    /// Why it is doubtful that these facts are to be erased, so that nothing is before somebody says how many they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    #[serde(flatten)]
    pub erased: Erased,
}

impl Operation for Forget {
    const NAME: &'static str = "forget";
    const DOING: &'static str = "forgetting";
    type Asked = AskedOfForget;
    type Found = Erased;

    fn run(context: &Context<'_>, asked: AskedOfForget, progress: &Progress<'_>) -> Result<Erased, String> {
        let AskedOfForget { organization, user, dry_run } = asked;
        erase(context.engine, organization, &Selection::User(user), operator(dry_run), progress)
    }
}

impl Operation for Withdraw {
    const NAME: &'static str = "withdraw";
    const DOING: &'static str = "withdrawing";
    type Asked = AskedOfWithdraw;
    type Found = Erased;

    fn run(context: &Context<'_>, asked: AskedOfWithdraw, progress: &Progress<'_>) -> Result<Erased, String> {
        let AskedOfWithdraw { organization, conditions, dry_run } = asked;
        let selection = conditions.selection().map_err(|unfit| unfit.to_string())?;
        erase(context.engine, organization, &selection, operator(dry_run), progress)
    }
}

impl Operation for Retain {
    const NAME: &'static str = "retain";
    const DOING: &'static str = "erasing what is too old";
    type Asked = AskedOfRetain;
    type Found = Vec<Retained>;

    fn run(context: &Context<'_>, asked: AskedOfRetain, progress: &Progress<'_>) -> Result<Vec<Retained>, String> {
        let now = jiff::Timestamp::now().as_millisecond();
        if asked.retentions.iter().any(|retention| retention.days == 0) {
            return Err("0 days: expected days for which facts are kept".into());
        }
        let found: Vec<Retained> =
            asked.retentions.iter().map(|retention| retention.look(context.engine, now)).collect::<Result<_, _>>()?;
        if asked.dry_run {
            return Ok(found);
        }
        let facts: u64 = found.iter().map(|found| found.erased.facts()).sum();
        let doubts = found.iter().filter_map(|found| Some(format!("organization {}: {}", found.organization, found.doubt.as_ref()?)));
        let doubts = doubts.collect::<Vec<_>>().join("; ");
        match asked.yes_erase {
            None if doubts.is_empty() => {}
            Some(said) if said == facts => {}
            None => return Err(format!("nothing was erased. {doubts}. If it is right that {facts} facts go, say --yes-erase {facts}")),
            Some(said) => return Err(format!("nothing was erased: {facts} facts are too old, not {said}; look again with --dry-run")),
        }
        let of = asked.retentions.len() as u64;
        let retain_one = |(done, retention): (u64, &Retention)| {
            progress(done, of);
            retention.erase(context.engine, now, Actor::Operator)
        };
        (0..).zip(&asked.retentions).map(retain_one).collect()
    }
}

impl Retention {
    /// The start of the first day of UTC that stays.
    pub fn before(&self, now: Millis) -> Millis {
        (now.div_euclid(DAY_MILLIS) - i64::from(self.days)) * DAY_MILLIS
    }

    /// What is older, as of an instant, and why it may be doubtful that it is to be erased. Changes nothing.
    pub fn look(&self, engine: &Engine, now: Millis) -> Result<Retained, String> {
        let Self { organization, days } = *self;
        let before = self.before(now);
        let would = engine.would_erase(organization, &Selection::Before(before)).map_err(|error| error.to_string())?;
        let doubt = engine.doubt(organization, &would, now).map_err(|error| error.to_string())?;
        let doubt = doubt.map(|doubt| doubt.to_string());
        Ok(Retained { organization, days, before: rfc3339(before), doubt, erased: would.into() })
    }

    /// Erases what is older, as of an instant.
    pub fn erase(&self, engine: &Engine, now: Millis, who: Actor) -> Result<Retained, String> {
        let Self { organization, days } = *self;
        let before = self.before(now);
        let erased = erase(engine, organization, &Selection::Before(before), Some(who), &|_, _| {})?;
        Ok(Retained { organization, days, before: rfc3339(before), doubt: None, erased })
    }
}

/// Erases, and says in the audit log who did it; with nobody, only says what would be erased.
fn erase(engine: &Engine, org: OrgId, selection: &Selection, who: Option<Actor>, progress: &Progress<'_>) -> Result<Erased, String> {
    let told = |error: EngineError| error.to_string();
    let Some(who) = who else { return engine.would_erase(org, selection).map(Erased::from).map_err(told) };
    let erased = Erased::from(engine.erase(org, selection, progress).map_err(told)?);
    let facts = erased.facts();
    let what = match selection {
        Selection::User(_) => Happening::PersonErased { facts },
        Selection::Before(_) if facts == 0 => return Ok(erased),
        Selection::Before(_) => Happening::OldFactsErased { facts },
        Selection::Where(_) => Happening::FactsWithdrawn { facts },
    };
    keys::note(engine, org, who, what);
    Ok(erased)
}

/// Nobody where it is only to be said what would be erased.
fn operator(dry_run: bool) -> Option<Actor> {
    (!dry_run).then_some(Actor::Operator)
}

impl Erased {
    /// How many facts.
    pub const fn facts(&self) -> u64 {
        self.attendances + self.assistances
    }

    /// Whether nothing is left of what was erased.
    pub fn is_proven(&self) -> bool {
        self.proof.as_ref().is_none_or(|proof| proof.holds)
    }
}

impl From<erase::Erased> for Erased {
    fn from(erased: erase::Erased) -> Self {
        let erase::Erased { attendances, assistances, times, ids, directory_entries, files_rewritten, files_removed, proof } = erased;
        Self {
            attendances,
            assistances,
            first: times.map(|times| rfc3339(times.from)),
            last: times.map(|times| rfc3339(times.to - 1)),
            ids,
            directory_entries,
            files_rewritten,
            files_removed,
            proof: proof.map(Proof::from),
        }
    }
}

impl From<erase::Proof> for Proof {
    fn from(proof: erase::Proof) -> Self {
        let erase::Proof { facts, names, directory_entries, files, differences } = proof;
        Self { holds: proof.holds(), facts, names, directory_entries, files, differences }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_of_utc_stay_whenever_it_is_asked() {
        let retention = Retention { organization: OrgId(uuid::Uuid::nil()), days: 2 };
        let noon = 10 * DAY_MILLIS + DAY_MILLIS / 2;
        for now in [10 * DAY_MILLIS, noon, 11 * DAY_MILLIS - 1] {
            assert_eq!(retention.before(now), 8 * DAY_MILLIS);
        }
    }
}
