//! The last stage of a commit: it is made durable, folded into the live cells, and only then acknowledged.

use super::encode::Encoded;
use crate::cells::Cells;
use crate::crash;
use crate::error::EngineError;
use crate::kinds::block::Commit;
use crate::ledger::Ledger;
use fjall::OwnedWriteBatch;
use std::sync::Arc;

/// Makes commits durable, in the order of their positions.
pub(super) struct Publisher {
    pub(super) ledger: Arc<Ledger>,
    pub(super) cells: Arc<Cells>,
}

impl Publisher {
    /// Stores a group and answers every request in it.
    pub(super) fn publish(&self, encoded: Encoded) {
        let Encoded { requests, answers, position, stored } = encoded;
        // What was claimed behind a commit that failed is answered as that was: duplicates, too, are duplicates of what may not be stored.
        let published = self.ledger.health.broken().map_or(Ok(()), Err).and_then(|()| match stored {
            Some((batch, commit)) => self.store(position, batch, &commit).inspect_err(|error| self.ledger.health.broke(error)),
            None => Ok(()),
        });
        for (request, answer) in requests.iter().zip(answers) {
            // A requester that went away has no use for its receipt.
            let _ = request.reply.send(published.clone().and(answer));
        }
    }

    fn store(&self, position: u64, batch: OwnedWriteBatch, commit: &Commit) -> Result<(), EngineError> {
        batch.commit()?;
        crash::point("ledger-committed");
        self.ledger.waiting.add(position, commit.blocks());
        self.cells.fold(position, commit);
        self.ledger.changes.folded(commit.organizations(), commit.facts());
        // Live cells are in memory: where a checkpoint does not keep up with them, ingest waits for one.
        if self.cells.is_overdue() {
            // The commit stands, whatever comes of this.
            self.ledger.health.checkpointed(self.cells.checkpoint());
        }
        Ok(())
    }
}
