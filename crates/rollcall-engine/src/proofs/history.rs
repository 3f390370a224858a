//! What happens to a data directory, and what must hold after it.

use super::assistance::Assisting;
use super::attendance::{Attending, session_id};
use super::directory::{Held, directory};
use super::{APPS, BASE, ORGANIZATIONS, Proven, between, name, open, organization};
use crate::cells::Scope;
use crate::erase::{Conditions, Proof, Selection};
use crate::kinds::block::{AssistanceBlock, AttendanceBlock};
use crate::kinds::words::Worded;
use crate::{Engine, EngineError};
use proptest::prelude::*;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::directory::DirectoryDocument;
use rollcall_model::{FactKind, Millis, OrgId, Organization, Range};
use std::collections::BTreeSet;

type Fact<K> = <K as Proven>::Fact;
type Ask<K> = <K as Proven>::Ask;

/// One step; what comes first is whose it is.
#[derive(Debug, Clone)]
enum Step {
    Attend(usize, Vec<Fact<Attending>>),
    Assist(usize, Vec<Fact<Assisting>>),
    Directory(usize, DirectoryDocument),
    Checkpoint,
    Flush,
    Compact,
    Vacuum,
    Forget(usize, u8),
    Retain(usize, Millis),
    Withdraw(usize, Mistake),
    Reopen,
    AskOfAttendances(usize, Ask<Attending>),
    AskOfAssistances(usize, Ask<Assisting>),
}

/// What was ingested by mistake. All that is said holds of its facts.
#[derive(Debug, Clone, Default)]
struct Mistake {
    range: Option<Range>,
    kind: Option<FactKind>,
    app: Option<usize>,
    session: Option<u8>,
    /// Which of the receipts so far.
    receipt: Option<usize>,
}

fn mistake() -> impl Strategy<Value = Mistake> {
    let instant = || (-5..6i64).prop_map(|days| BASE + days * DAY_MILLIS);
    let range = between(instant(), instant()).prop_map(|range| Some(Range::new(range.from, range.to + 1)));
    let kind = prop::option::of(prop::sample::select(FactKind::ALL));
    prop_oneof![
        (range, kind).prop_map(|(range, kind)| Mistake { range, kind, ..Mistake::default() }),
        (0usize..2, prop::option::of(0u8..4)).prop_map(|(app, session)| Mistake {
            range: Some(Range::new(BASE - DAY_MILLIS, BASE + 3 * DAY_MILLIS)),
            app: Some(app),
            session,
            ..Mistake::default()
        }),
        (0u8..4).prop_map(|session| Mistake { session: Some(session), ..Mistake::default() }),
        (0usize..9).prop_map(|receipt| Mistake { receipt: Some(receipt), ..Mistake::default() }),
    ]
}

fn ask() -> impl Strategy<Value = Step> {
    let whose = 0..ORGANIZATIONS;
    prop_oneof![
        (whose.clone(), Attending::ask()).prop_map(|(whose, ask)| Step::AskOfAttendances(whose, ask)),
        (whose, Assisting::ask()).prop_map(|(whose, ask)| Step::AskOfAssistances(whose, ask)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let whose = 0..ORGANIZATIONS;
    let attend = (whose.clone(), prop::collection::vec(Attending::fact(), 1..25)).prop_map(|(whose, facts)| Step::Attend(whose, facts));
    let assist = (whose.clone(), prop::collection::vec(Assisting::fact(), 1..25)).prop_map(|(whose, facts)| Step::Assist(whose, facts));
    let step = prop_oneof![
        5 => attend,
        4 => assist,
        2 => (whose.clone(), directory()).prop_map(|(whose, document)| Step::Directory(whose, document)),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::Vacuum),
        1 => (whose.clone(), 0u8..6).prop_map(|(whose, user)| Step::Forget(whose, user)),
        1 => (whose.clone(), mistake()).prop_map(|(whose, mistake)| Step::Withdraw(whose, mistake)),
        1 => (whose, -5i64..6).prop_map(|(whose, days)| Step::Retain(whose, BASE + days * DAY_MILLIS)),
        1 => Just(Step::Reopen),
        5 => ask(),
    ];
    prop::collection::vec(step, 1..20)
}

/// The facts of one kind that an organization should have, and the receipt of each.
struct Kept<K: Proven> {
    facts: Vec<K::Kept>,
    receipts: Vec<u64>,
}

impl<K: Proven> Default for Kept<K> {
    fn default() -> Self {
        Self { facts: Vec::new(), receipts: Vec::new() }
    }
}

impl<K: Proven> Kept<K>
where
    K::Fact: PartialEq,
{
    /// Ingests facts: whether the receipt says which were new, duplicate or conflicting.
    fn take(&mut self, engine: &Engine, organization: &Organization, directory: &mut Held, facts: &[K::Fact]) -> Result<(), TestCaseError> {
        let receipt = engine.ingest(organization, K::columns(facts, organization, &engine.directory(organization.id))).unwrap();
        let mut counts = (0, 0, 0);
        for fact in facts {
            match self.facts.iter().map(K::fact_of).find(|known| K::have_one_id(known, fact)) {
                None => {
                    self.facts.push(K::keep(fact, organization, directory));
                    self.receipts.push(receipt.receipt.unwrap());
                    counts.0 += 1;
                }
                Some(known) if known == fact => counts.1 += 1,
                Some(_) => counts.2 += 1,
            }
        }
        prop_assert_eq!((receipt.accepted, receipt.duplicate, receipt.conflicting), counts);
        Ok(())
    }

    /// How many facts go.
    fn remove(&mut self, goes: impl Fn(&K::Fact, u64) -> bool) -> u64 {
        let all = self.facts.len();
        let kept = std::mem::take(&mut self.facts).into_iter().zip(std::mem::take(&mut self.receipts));
        (self.facts, self.receipts) = kept.filter(|(kept, receipt)| !goes(K::fact_of(kept), *receipt)).unzip();
        (all - self.facts.len()) as u64
    }
}

/// What should be known of an organization.
struct Known {
    organization: Organization,
    directory: Held,
    attendances: Kept<Attending>,
    assistances: Kept<Assisting>,
    /// Users whom a fact was ever of, and who were not forgotten since.
    numbered: BTreeSet<u8>,
}

impl Known {
    fn new(whose: usize) -> Self {
        Self {
            organization: organization(whose),
            directory: Held::default(),
            attendances: Kept::default(),
            assistances: Kept::default(),
            numbered: BTreeSet::new(),
        }
    }

    const fn org(&self) -> OrgId {
        self.organization.id
    }

    fn facts(&self) -> u64 {
        (self.attendances.facts.len() + self.assistances.facts.len()) as u64
    }

    /// Numbers the users of the facts that are kept.
    fn number(&mut self) {
        self.numbered.extend(self.attendances.facts.iter().map(|kept| Attending::user(Attending::fact_of(kept))));
        self.numbered.extend(self.assistances.facts.iter().map(|kept| Assisting::user(Assisting::fact_of(kept))));
    }

    /// Whether exactly what a naive removal removes is erased.
    fn erase(&mut self, engine: &Engine, selection: &Selection, goes: impl Fn(u8, Millis) -> bool) -> Result<(), TestCaseError> {
        let attendances = self.attendances.remove(|fact, _| goes(Attending::user(fact), Attending::time(fact)));
        let assistances = self.assistances.remove(|fact, _| goes(Assisting::user(fact), Assisting::time(fact)));
        erases(engine, self.org(), selection, [attendances, assistances])
    }

    fn forget(&mut self, engine: &Engine, user: u8) -> Result<(), TestCaseError> {
        let selection = Selection::User(name(user));
        // Both, as whoever is in the directory may have facts too.
        if self.numbered.remove(&user) | self.directory.forget(user) {
            return self.erase(engine, &selection, |of, _| of == user);
        }
        let refused = |outcome| matches!(outcome, Err(EngineError::UnknownUser { .. }));
        let both = [engine.would_erase(self.org(), &selection), engine.erase_and(false, self.org(), &selection, &|_, _| {})].map(refused);
        prop_assert_eq!(both, [true; 2]);
        Ok(())
    }

    fn withdraw(&mut self, engine: &Engine, mistake: &Mistake) -> Result<(), TestCaseError> {
        let Mistake { range, kind, app, session, receipt } = mistake;
        let all: BTreeSet<u64> = self.attendances.receipts.iter().chain(&self.assistances.receipts).copied().collect();
        // One that has no facts any more, or never had, names none.
        let receipt = receipt.map(|nth| all.iter().nth(nth).copied().unwrap_or(u64::MAX));
        let conditions = Conditions {
            fact: *kind,
            receipts: receipt.into_iter().collect(),
            app: app.map(|app| APPS[app].into()),
            session_id: session.map(session_id),
            from: range.map(|range| range.from),
            to: range.map(|range| range.to),
            ..Conditions::default()
        };
        let goes = |of: FactKind, at: Millis, of_session: Option<(usize, u8)>, of_receipt: u64| {
            kind.is_none_or(|kind| kind == of)
                && range.is_none_or(|range| range.contains(at))
                && receipt.is_none_or(|receipt| receipt == of_receipt)
                && app.is_none_or(|app| of_session.is_some_and(|of| of.0 == app))
                && session.is_none_or(|session| of_session.is_some_and(|of| of.1 == session))
        };
        let attendances =
            self.attendances.remove(|fact, receipt| goes(FactKind::Attendance, Attending::time(fact), Attending::session(fact), receipt));
        let assistances =
            self.assistances.remove(|fact, receipt| goes(FactKind::Assistance, Assisting::time(fact), Assisting::session(fact), receipt));
        erases(engine, self.org(), &conditions.selection().unwrap(), [attendances, assistances])
    }

    /// Whether the facts of the organization are read back, as many as came.
    fn is_read_back(&self, engine: &Engine) -> Result<(), TestCaseError> {
        let count = [scanned::<AttendanceBlock>(engine, self.org()), scanned::<AssistanceBlock>(engine, self.org())];
        prop_assert_eq!(count, [self.attendances.facts.len(), self.assistances.facts.len()]);
        Ok(())
    }
}

fn scanned<B: Worded>(engine: &Engine, org: OrgId) -> usize {
    let everything = Range::new(BASE - 1000 * DAY_MILLIS, BASE + 1000 * DAY_MILLIS);
    engine.scan::<B>(org, everything).map(|block| block.unwrap().facts()).sum()
}

/// Whether exactly so many facts of each kind are erased, as the dry run says before, and it is proven.
fn erases(engine: &Engine, org: OrgId, selection: &Selection, named: [u64; 2]) -> Result<(), TestCaseError> {
    let told = engine.would_erase(org, selection).unwrap();
    // That nothing is left on the disk is tested where erasing is.
    let erased = engine.erase_and(false, org, selection, &|_, _| {}).unwrap();
    prop_assert_eq!(([told.attendances, told.assistances], told.times), (named, erased.times));
    prop_assert_eq!([erased.attendances, erased.assistances], named);
    prop_assert_eq!((erased.ids, told.directory_entries), (named.iter().sum(), erased.directory_entries));
    let is_idle = named == [0; 2] && !matches!(selection, Selection::User(_));
    prop_assert_eq!(erased.proof, (!is_idle).then(Proof::default));
    Ok(())
}

/// Whether `verify` finds nothing, in a range and everywhere; returns how many facts it read.
fn cells_are_what_the_facts_say(engine: &Engine) -> Result<u64, TestCaseError> {
    let verify = |range| engine.verify(&Scope { org: None, range }, &|_, _| {}).unwrap();
    let (some, all) = (verify(Range::new(BASE - DAY_MILLIS, BASE + DAY_MILLIS)), verify(Scope::ALL.range));
    prop_assert_eq!((&some.told, &all.told), (&vec![], &vec![]));
    prop_assert_eq!((some.unverified, all.unverified), (0, 0));
    prop_assert!(some.facts <= all.facts);
    Ok(all.facts)
}

fn take(step: Step, known: &mut [Known], engine: &Engine) -> Result<(), TestCaseError> {
    match step {
        Step::Attend(whose, facts) => {
            let Known { organization, directory, attendances, .. } = &mut known[whose];
            attendances.take(engine, organization, directory, &facts)?;
            known[whose].number();
        }
        Step::Assist(whose, facts) => {
            let Known { organization, directory, assistances, .. } = &mut known[whose];
            assistances.take(engine, organization, directory, &facts)?;
            known[whose].number();
        }
        Step::Directory(whose, document) => {
            engine.put_directory(known[whose].org(), document.clone()).unwrap();
            known[whose].directory.replace(document);
        }
        Step::Checkpoint => engine.checkpoint().unwrap(),
        Step::Flush => _ = engine.flush().unwrap(),
        Step::Compact => _ = engine.compact().unwrap(),
        // In the far future, when everything was unneeded for long.
        Step::Vacuum => _ = engine.vacuum(Millis::MAX, false).unwrap(),
        Step::Forget(whose, user) => known[whose].forget(engine, user)?,
        Step::Retain(whose, before) => known[whose].erase(engine, &Selection::Before(before), |_, at| at < before)?,
        Step::Withdraw(whose, mistake) => known[whose].withdraw(engine, &mistake)?,
        Step::Reopen => {}
        Step::AskOfAttendances(whose, ask) => {
            let known = &known[whose];
            Attending::check(engine, known.org(), &known.attendances.facts, &known.directory, &ask)?;
        }
        Step::AskOfAssistances(whose, ask) => {
            let known = &known[whose];
            Assisting::check(engine, known.org(), &known.assistances.facts, &known.directory, &ask)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 70, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_what_a_naive_loop_over_the_facts_gives(
        first in directory(),
        steps in steps(),
        last in prop::collection::vec(ask(), 6),
    ) {
        let temporary = tempfile::tempdir().unwrap();
        let mut engine = open(temporary.path());
        let mut known: Vec<Known> = (0..ORGANIZATIONS).map(Known::new).collect();
        for step in [Step::Directory(0, first)].into_iter().chain(steps).chain(last) {
            if matches!(step, Step::Reopen) {
                drop(engine);
                engine = open(temporary.path());
            }
            take(step, &mut known, &engine)?;
        }
        for known in &known {
            known.is_read_back(&engine)?;
        }
        cells_are_what_the_facts_say(&engine)?;
        engine.checkpoint().unwrap();
        prop_assert_eq!(cells_are_what_the_facts_say(&engine)?, known.iter().map(Known::facts).sum::<u64>());
    }
}
