//! How complete the facts of an organization are: what came last, and what came late.

use crate::Engine;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::reports::Completeness;
use rollcall_model::reports::completeness::MOST_RECEIPTS;
use rollcall_model::{Millis, OrgId, ReportError};

/// How many receipts are read at a time.
const AT_ONCE: usize = 500;

pub(super) fn answer(engine: &Engine, org: OrgId, now: Millis) -> Result<Completeness, ReportError> {
    let (mut found, mut before, mut read) = (Completeness::default(), None, 0);
    while read < MOST_RECEIPTS {
        let receipts = engine.facts.ledger.kept_receipts(org, before, AT_ONCE)?;
        if let (None, Some((_, newest))) = (before, receipts.first()) {
            (found.receipt, found.received_at) = (Some(newest.receipt), Some(newest.at));
        }
        let since_yesterday = receipts.iter().take_while(|(_, receipt)| receipt.at > now - DAY_MILLIS);
        let (count, late) = since_yesterday.fold((0, 0), |(count, late), (_, receipt)| (count + 1, late + receipt.late));
        found.late += late;
        read += count;
        // Fewer than were asked for: there are no more, or the next one is older.
        if count < AT_ONCE {
            break;
        }
        before = receipts.last().map(|(count, _)| *count);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{engine, ingest, range};
    use super::*;
    use crate::clock::now;
    use rollcall_model::Reports;

    #[test]
    fn facts_that_came_late_since_yesterday_are_counted() {
        let (_home, engine, org) = engine(3);
        let newest = |now| engine.completeness(org, now).unwrap();
        assert_eq!((newest(now()).receipt, newest(now()).late), (Some(1 << 16), 3));
        ingest(&engine, org, 2, "late");
        assert_eq!((newest(now()).receipt, newest(now()).late), (Some(2 << 16), 4));
        // A day later they did not come since yesterday.
        let tomorrow = newest(now() + 2 * DAY_MILLIS);
        assert_eq!((tomorrow.receipt, tomorrow.late), (Some(2 << 16), 0));
        assert!(range(3).to < now());
        assert_eq!(engine.completeness(OrgId(uuid::Uuid::max()), now()).unwrap(), Completeness::default());
    }
}
