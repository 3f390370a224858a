//! Names of a request become numbers: users, apps, bookings and uses.

use super::group::Request;
use crate::error::EngineError;
use crate::kinds::columns::{Dictionary, Facts, Numbered};
use crate::ledger::names::{MOST_NAMES, Names};
use crate::ledger::{Ledger, broken};
use crate::settings::Settings;
use fjall::OwnedWriteBatch;
use rollcall_model::OrgId;

/// How many apps an organization may have had: their numbers have 16 bits.
const MOST_APPS: usize = 1 << 16;

/// The numbers of the names of some facts of a request. Names without one get one, which the batch stores.
///
/// # Errors
/// [`EngineError::Storage`] if there are no more numbers, which [`Limits::check`] prevents.
pub(super) fn number(
    ledger: &Ledger,
    Request { org, apps, facts, .. }: &Request,
    receipt: u64,
    rows: &[usize],
    batch: &mut OwnedWriteBatch,
) -> Result<Numbered, EngineError> {
    let mut numbered = Numbered { receipt, users: ledger.users.number(*org, facts.user_ids(), rows, batch)?, ..Numbered::default() };
    match facts {
        Facts::Attendance(_) => {
            let number = |app: &String| u16::try_from(ledger.apps.give(*org, app, batch)?).map_err(|_| broken("an app"));
            numbered.apps = apps.iter().map(number).collect::<Result<_, EngineError>>()?;
        }
        Facts::Assistance(facts) => {
            numbered.bookings = ledger.bookings.number(*org, &facts.bookings, rows, batch)?;
            numbered.uses = ledger.uses.number(*org, &facts.uses, rows, batch)?;
        }
    }
    Ok(numbered)
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
            Facts::Attendance(_) => {
                let new_apps = ledger.apps.find(org, request.apps.iter().map(String::as_str))?.iter().filter(|app| app.is_none()).count();
                if ledger.apps.of(org)?.read().len() + new_apps > MOST_APPS {
                    return Err(EngineError::Limit(format!("the organization has had more than {MOST_APPS} apps")));
                }
            }
            Facts::Assistance(facts) => {
                room_for(&ledger.bookings, org, &facts.bookings, "bookings", self.bookings)?;
                room_for(&ledger.uses, org, &facts.uses, "uses", self.uses)?;
            }
        }
        room_for(&ledger.users, org, request.facts.user_ids(), "users", self.users)
    }
}

/// Whether the names of a request stay within the limit.
fn room_for(known: &Names, org: OrgId, names: &Dictionary, what: &str, limit: usize) -> Result<(), EngineError> {
    let known = known.of(org)?;
    let known = known.read();
    let limit = if limit == 0 { MOST_NAMES } else { limit };
    if known.len() + names.values().len() <= limit {
        return Ok(());
    }
    let new = names.values().iter().filter(|name| known.number(name).is_none()).count();
    if known.len() + new <= limit {
        return Ok(());
    }
    let known = known.len();
    Err(EngineError::Limit(format!("{known} {what} and {new} new ones are more than the {limit} of storage.{what}_per_organization")))
}
