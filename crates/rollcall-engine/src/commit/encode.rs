//! The second stage of a commit: new facts become blocks, one for each kind, organization and UTC day.

use super::claim::{Claimed, New};
use super::group::Request;
use crate::clock::now;
use crate::error::EngineError;
use crate::for_each_kind;
use crate::kinds::block::{Block, BlockColumns, Commit};
use crate::kinds::columns::Columns;
use crate::kinds::stored::day_of;
use crate::kinds::{Kind, Listed};
use crate::ledger::journal_repair::COMMIT_MARK;
use crate::ledger::{Ledger, SEEN, block_key, block_key_prefix};
use fjall::OwnedWriteBatch;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, OrgId, Receipt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A group as it is stored.
pub(super) struct Encoded {
    pub(super) requests: Vec<Request>,
    pub(super) answers: Vec<Result<Receipt, EngineError>>,
    pub(super) position: u64,
    /// What is stored, and the facts in it; none if nothing is new.
    pub(super) stored: Option<(OwnedWriteBatch, Commit)>,
}

/// Encodes what is stored.
pub(super) struct Encoder {
    ledger: Arc<Ledger>,
    /// See [`Ledger::seen`].
    seen: Option<Millis>,
    /// See [`crate::Settings::block_bytes`].
    block_bytes: usize,
}

impl Encoder {
    pub(super) fn new(ledger: Arc<Ledger>, block_bytes: usize) -> Self {
        // Should it not be readable, the next commit notes it anew.
        let seen = ledger.seen().unwrap_or_default();
        Self { ledger, seen, block_bytes }
    }

    /// Encodes the new facts of a group.
    pub(super) fn encode(&mut self, claimed: Claimed) -> Result<Encoded, (Vec<Request>, EngineError)> {
        let Claimed { requests, answers, new, position, mut batch } = claimed;
        if new.is_empty() {
            return Ok(Encoded { requests, answers, position, stored: None });
        }
        match self.blocks(&requests, &new, position, &mut batch) {
            Ok(commit) => Ok(Encoded { requests, answers, position, stored: Some((batch, commit)) }),
            Err(error) => {
                self.ledger.health.broke(&error);
                Err((requests, error))
            }
        }
    }

    /// Adds the blocks of a commit to its batch, and what says that they are one.
    fn blocks(&mut self, requests: &[Request], new: &[New], position: u64, batch: &mut OwnedWriteBatch) -> Result<Commit, EngineError> {
        let mut keys = COMMIT_MARK.to_vec();
        let mut commit = Commit::default();
        for_each_kind!(K => *K::of_commit_mut(&mut commit) = self.blocks_of::<K>(requests, new, position, &mut keys, batch)?);
        batch.insert(&self.ledger.commits, position.to_be_bytes(), keys);
        let seen = commit.newest().map(|newest| now().min(newest.saturating_add(DAY_MILLIS))).max(self.seen);
        if let Some(seen) = seen.filter(|_| seen != self.seen) {
            batch.insert(&self.ledger.meta, SEEN, seen.to_be_bytes());
            self.seen = Some(seen);
        }
        Ok(commit)
    }

    /// Adds the blocks of one kind, and their keys to the commit's.
    fn blocks_of<K: Kind>(
        &self,
        requests: &[Request],
        new: &[New],
        position: u64,
        keys: &mut Vec<u8>,
        batch: &mut OwnedWriteBatch,
    ) -> Result<Vec<(OrgId, K::Block)>, EngineError> {
        let mut by_org: BTreeMap<OrgId, Vec<(&K::Columns, &New)>> = BTreeMap::new();
        for new in new {
            let Some(request) = requests.get(new.request) else { continue };
            if let Some(facts) = K::of_facts(&request.facts) {
                by_org.entry(request.org).or_default().push((facts, new));
            }
        }
        let mut blocks = Vec::new();
        for (org, sources) in by_org {
            // Facts are sorted where they are: a block takes them from there. Those at one time that are alike stand together, so that
            // the block and the cells made of it have less to look up and to order.
            let mut order: Vec<(Millis, u32, u32, usize)> = Vec::with_capacity(sources.iter().map(|(_, new)| new.rows.len()).sum());
            for (source, (facts, new)) in (0..).zip(&sources) {
                order.extend(new.rows.iter().map(|row| (facts.time(*row), source, facts.group(*row), *row)));
            }
            order.sort_unstable();
            for of_day in order.chunk_by(|(a, ..), (b, ..)| day_of(*a) == day_of(*b)) {
                let Some((first, ..)) = of_day.first() else { continue };
                let key = block_key_prefix(org, K::KIND, day_of(*first));
                let rows = of_day.iter().filter_map(|(_, source, _, row)| {
                    let (facts, new) = sources.get(*source as usize)?;
                    Some(facts.row(*row, &new.numbered))
                });
                for (part, block) in (0..).zip(parts::<K::Block>(rows, self.block_bytes)) {
                    batch.insert(&self.ledger.facts, block_key(&key, position, part), block.encode()?);
                    keys.extend_from_slice(&key);
                    blocks.push((org, block));
                }
            }
        }
        Ok(blocks)
    }
}

/// Rows as blocks, each of which ends where it has so many bytes: blocks that are too large cannot be read back.
pub(super) fn parts<'r, B: Block>(rows: impl Iterator<Item = B::Row<'r>>, most: usize) -> impl Iterator<Item = B> {
    let mut rows = rows.peekable();
    std::iter::from_fn(move || {
        let mut columns = B::Columns::default();
        let mut bytes = 0;
        // A row that is larger by itself is a block by itself.
        while let Some(row) = rows.next_if(|row| columns.rows() == 0 || bytes + B::size(row) <= most) {
            bytes += B::size(&row);
            columns.push(row);
        }
        let facts = columns.rows();
        (facts > 0).then(|| B::of(Arc::new(columns), 0..facts))
    })
}
