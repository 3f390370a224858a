//! The first stage of a commit: which facts of a group are new, and the numbers of their names. It knows what earlier groups claimed, whether
//! or not they are stored yet: they are, before this one is, or neither ever is.

use super::group::{Alone, Group, REQUEST_BITS, Request};
use super::names::{Limits, number};
use crate::clock::now;
use crate::error::EngineError;
use crate::kinds::columns::Numbered;
use crate::ledger::Ledger;
use crate::ledger::ids::{Ids, Known};
use crate::ledger::receipts::{KeptReceipt, Receipts};
use crate::settings::Settings;
use fjall::{OwnedWriteBatch, PersistMode};
use rollcall_model::reports::completeness::LATE;
use rollcall_model::{FactId, FactKind, OrgId, Receipt};
use std::sync::Arc;

/// The facts of a request that are new.
pub(super) struct New {
    /// Which request of the group it is.
    pub(super) request: usize,
    /// Which of its facts they are.
    pub(super) rows: Vec<usize>,
    /// The numbers of their names.
    pub(super) numbered: Numbered,
}

/// A group of which it is known what is stored.
pub(super) struct Claimed {
    pub(super) requests: Vec<Request>,
    /// What each request is answered, once the commit is durable.
    pub(super) answers: Vec<Result<Receipt, EngineError>>,
    /// Of the requests that have any.
    pub(super) new: Vec<New>,
    pub(super) position: u64,
    /// What is stored: so far names, ids and receipts.
    pub(super) batch: OwnedWriteBatch,
}

/// Claims what groups store.
pub(super) struct Claimer {
    ledger: Arc<Ledger>,
    ids: Ids,
    receipts: Receipts,
    /// Of the last commit.
    position: u64,
    limits: Limits,
}

impl Claimer {
    /// One that goes on after the commit at `position`.
    pub(super) fn open(ledger: Arc<Ledger>, position: u64, settings: &Settings) -> Result<Self, EngineError> {
        let ids = Ids::open(ledger.clone(), position, settings.id_cache_bytes)?;
        let receipts = Receipts::new(ledger.receipts.clone(), settings.receipts_per_organization);
        Ok(Self { ledger, ids, receipts, position, limits: Limits::of(settings) })
    }

    /// Claims ids and numbers. One that fails has claimed some of them: nothing more is stored until the database is opened again.
    pub(super) fn claim(&mut self, group: Group) -> Result<Claimed, (Vec<Request>, EngineError)> {
        let mut claimed = Claimed {
            answers: Vec::with_capacity(group.requests.len()),
            requests: group.requests,
            new: Vec::new(),
            position: self.position + 1,
            batch: self.ledger.db().batch().durability(Some(PersistMode::SyncData)),
        };
        // A failed write may or may not be on disk, so nothing is acknowledged after one until the database is opened again.
        let admitted = self.ledger.health.admit();
        match admitted.and_then(|()| self.claim_all(&mut claimed).inspect_err(|error| self.ledger.health.broke(error))) {
            Ok(()) => Ok(claimed),
            Err(error) => Err((claimed.requests, error)),
        }
    }

    fn claim_all(&mut self, claimed: &mut Claimed) -> Result<(), EngineError> {
        let Claimed { requests, answers, new, position, batch } = claimed;
        for (index, (receipt, request)) in (*position << REQUEST_BITS..).zip(requests).enumerate() {
            answers.push(match self.limits.check(&self.ledger, request) {
                Err(error) => Err(error),
                Ok(()) => {
                    let (counted, rows) = self.claim_ids(request)?;
                    // A commit without facts is not written, and a number given without being stored would be given again after a restart.
                    if rows.is_empty() {
                        Ok(counted)
                    } else {
                        let numbered = number(&self.ledger, request, receipt, &rows, batch)?;
                        let receipt = Receipt { receipt: Some(receipt), ..counted };
                        if let Some(times) = request.facts.times_of(&rows) {
                            let at = now();
                            let late = request.facts.before(&rows, at - LATE);
                            let kept = KeptReceipt { late, ..KeptReceipt::new(&receipt, request.facts.kind(), at, times) };
                            self.receipts.keep(request.org, &kept, batch)?;
                        }
                        new.push(New { request: index, rows, numbered });
                        Ok(receipt)
                    }
                }
            });
        }
        if !new.is_empty() {
            self.ids.take(*position).store(&self.ledger, *position, batch);
            self.position = *position;
        }
        Ok(())
    }

    /// Claims the ids of a request: what its receipt will say, and the rows that are new.
    fn claim_ids(&mut self, request: &Request) -> Result<(Receipt, Vec<usize>), EngineError> {
        let mut receipt = Receipt::default();
        let mut new = Vec::with_capacity(request.facts.len());
        let kind = request.facts.kind();
        let known = self.ids.claim(request.org, kind, request.facts.ids(), request.facts.contents())?;
        for (row, known) in known.into_iter().enumerate() {
            match known {
                Known::New => {
                    receipt.accepted += 1;
                    new.push(row);
                }
                Known::Duplicate => receipt.duplicate += 1,
                Known::Conflicting => receipt.conflicting += 1,
            }
        }
        Ok((receipt, new))
    }

    /// Whether so many ids are claimed that they are to be flushed.
    pub(super) fn is_due(&self) -> bool {
        self.ids.is_due()
    }

    /// Moves claimed ids into runs, while no group is on its way. Where there is no room, they stay claimed.
    pub(super) fn flush_ids(&mut self) {
        if self.ledger.health.admit().is_ok()
            && let Err(error) = self.ids.flush()
        {
            self.ledger.health.broke(&error);
        }
    }

    /// Does what is asked while no group is on its way.
    pub(super) fn alone(&mut self, asked: Alone) {
        // Who asked and went away does not need to know.
        match asked {
            Alone::EraseIds { org, kind, ids, newest, reply } => {
                let is_seen = newest.is_none_or(|newest| self.ledger.waiting.newest(kind, org) == newest);
                _ = reply.send(if is_seen { self.erase_ids(org, kind, &ids).map(Some) } else { Ok(None) });
            }
            Alone::EraseUser { org, user, after, reply } => _ = reply.send(self.erase_user(org, &user, after)),
        }
    }

    /// Removes ids of facts that are erased, durably.
    fn erase_ids(&mut self, org: OrgId, kind: FactKind, ids: &[FactId]) -> Result<u64, EngineError> {
        self.ledger.health.broken().map_or(Ok(()), Err)?;
        let erased = self.ids.erase(org, kind, ids);
        erased.and_then(|erased| self.ledger.sync().map(|()| erased)).inspect_err(|error| self.ledger.health.broke(error))
    }

    /// Erases the name of a user, durably, if no fact of it came after a position.
    fn erase_user(&self, org: OrgId, user: &str, after: u64) -> Result<bool, EngineError> {
        self.ledger.health.broken().map_or(Ok(()), Err)?;
        if self.ledger.last_without(org, user, after)?.is_none() {
            return Ok(false);
        }
        let erased = self.ledger.users.erase(org, user).and_then(|()| self.ledger.sync());
        erased.map(|()| true).inspect_err(|error| self.ledger.health.broke(error))
    }
}
