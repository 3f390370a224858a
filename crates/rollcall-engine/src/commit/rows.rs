//! New facts become rows: users, apps, bookings and uses become numbers.

use super::Request;
use crate::error::EngineError;
use crate::facts::{Assistances, Attendances, Facts, Strings};
use crate::kinds::block::{AssistanceRow, AttendanceRow};
use crate::ledger::numbers::{MOST_NAMES, Numbers};
use crate::ledger::{Ledger, broken};
use crate::settings::Settings;
use fjall::OwnedWriteBatch;
use hashbrown::HashSet;
use rollcall_model::{OrgId, Place};
use std::collections::BTreeMap;

/// How many apps an organization may have had: their numbers have 16 bits.
const MOST_APPS: usize = 1 << 16;

/// Rows of one kind of fact by organization, in the order they came.
pub(super) type OfKind<R> = BTreeMap<OrgId, Vec<R>>;

/// The rows of a commit.
#[derive(Debug, Default)]
pub(super) struct Rows<'r> {
    pub(super) attendance: OfKind<AttendanceRow<'r>>,
    pub(super) assistance: OfKind<AssistanceRow<'r>>,
}

impl<'r> Rows<'r> {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.attendance.values().all(Vec::is_empty) && self.assistance.values().all(Vec::is_empty)
    }

    /// Adds the new facts of a request. Names without a number get one, which the batch stores.
    ///
    /// # Errors
    /// [`EngineError::Storage`] if there are no more numbers, which [`Limits::check`] prevents.
    pub(super) fn add(
        &mut self,
        ledger: &Ledger,
        request: &'r Request,
        receipt: u64,
        new: &[usize],
        batch: &mut OwnedWriteBatch,
    ) -> Result<(), EngineError> {
        // A commit without facts is not written, and a number given without being stored would be given again after a restart.
        if new.is_empty() {
            return Ok(());
        }
        match &request.facts {
            Facts::Attendances(facts) => {
                attendances(ledger, request, facts, receipt, new, batch, self.attendance.entry(request.org).or_default())
            }
            Facts::Assistances(facts) => {
                assistances(ledger, request.org, facts, receipt, new, batch, self.assistance.entry(request.org).or_default())
            }
        }
    }
}

fn attendances<'r>(
    ledger: &Ledger,
    Request { org, apps, .. }: &Request,
    facts: &'r Attendances,
    receipt: u64,
    new: &[usize],
    batch: &mut OwnedWriteBatch,
    rows: &mut Vec<AttendanceRow<'r>>,
) -> Result<(), EngineError> {
    let number = |app: &String| u16::try_from(ledger.apps.give(*org, app, batch)?).map_err(|_| broken("an app"));
    let app_numbers = apps.iter().map(number).collect::<Result<Vec<u16>, EngineError>>()?;
    let users = ledger.users.number(*org, &facts.user_ids, new, batch)?;
    for (row, user) in new.iter().copied().zip(users) {
        rows.push(AttendanceRow {
            session_started_at: facts.session_started_at[row],
            joined_at: facts.joined_at[row],
            left_at: facts.left_at[row],
            user,
            app: app_numbers.get(usize::from(facts.apps[row])).copied().ok_or_else(|| broken("an app"))?,
            session_id: facts.session_ids.get(row),
            session_kind: facts.session_kinds[row].number(),
            user_kind: facts.user_kinds[row].number(),
            device: facts.devices[row].number(),
            media: facts.media[row].bits(),
            unit: facts.units[row],
            place: facts.places[row].as_ref().map_or(0, Place::number),
            given_id: facts.given_ids.get(row),
            receipt,
        });
    }
    Ok(())
}

fn assistances<'r>(
    ledger: &Ledger,
    org: OrgId,
    facts: &'r Assistances,
    receipt: u64,
    new: &[usize],
    batch: &mut OwnedWriteBatch,
    rows: &mut Vec<AssistanceRow<'r>>,
) -> Result<(), EngineError> {
    let users = ledger.users.number(org, &facts.user_ids, new, batch)?;
    let bookings = ledger.bookings.number(org, &facts.bookings, new, batch)?;
    let uses = ledger.uses.number(org, &facts.uses, new, batch)?;
    for (row, ((user, booking), usage)) in new.iter().copied().zip(users.into_iter().zip(bookings).zip(uses)) {
        rows.push(AssistanceRow {
            at: facts.at[row],
            user,
            booking,
            department_given: facts.departments_given[row],
            usage,
            count: facts.counts[row],
            accepted: facts.accepted[row],
            lines_accepted: facts.lines_accepted[row],
            lines_changed: facts.lines_changed[row],
            given_id: facts.given_ids.get(row),
            receipt,
        });
    }
    Ok(())
}

/// How many names of each sort an organization may have; 0: any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    users: usize,
    bookings: usize,
    uses: usize,
}

impl Limits {
    pub(super) const fn of(settings: &Settings) -> Self {
        Self {
            users: settings.users_per_organization as usize,
            bookings: settings.bookings_per_organization as usize,
            uses: settings.uses_per_organization as usize,
        }
    }

    /// Whether the organization would get more names than it may have.
    pub(super) fn check(&self, ledger: &Ledger, request: &Request) -> Result<(), EngineError> {
        let org = request.org;
        match &request.facts {
            Facts::Attendances(_) => {
                let new_apps = ledger.apps.find(org, request.apps.iter().map(String::as_str)).iter().filter(|app| app.is_none()).count();
                if ledger.apps.count(org) + new_apps > MOST_APPS {
                    return Err(EngineError::Limit(format!("the organization has had more than {MOST_APPS} apps")));
                }
            }
            Facts::Assistances(facts) => {
                room_for(&ledger.bookings, org, &facts.bookings, "bookings", self.bookings)?;
                room_for(&ledger.uses, org, &facts.uses, "uses", self.uses)?;
            }
        }
        room_for(&ledger.users, org, request.facts.user_ids(), "users", self.users)
    }
}

/// Whether the names of a request stay within the limit.
fn room_for(numbers: &Numbers, org: OrgId, names: &Strings, what: &str, limit: usize) -> Result<(), EngineError> {
    let known = numbers.count(org);
    let limit = if limit == 0 { MOST_NAMES } else { limit };
    if known + names.len() <= limit {
        return Ok(());
    }
    let found = numbers.find(org, names.iter());
    let new: HashSet<&str> = names.iter().zip(&found).filter(|(_, number)| number.is_none()).map(|(name, _)| name).collect();
    if known + new.len() <= limit {
        return Ok(());
    }
    let new = new.len();
    Err(EngineError::Limit(format!("{known} {what} and {new} new ones are more than the {limit} of storage.{what}_per_organization")))
}
