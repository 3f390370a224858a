//! What organizations keep for so many days only, erased once a day.

use super::state::App;
use crate::operations::erase::{Retained, Retention};
use rollcall_engine::Engine;
use rollcall_engine::access::Actor;
use rollcall_model::Millis;
use std::sync::Arc;
use std::time::Duration;

/// How long a server has run when it looks for the first time, so that a start that was a mistake can be undone.
const FIRST: Duration = Duration::from_mins(10);

/// How often it looks.
const EVERY: Duration = Duration::from_hours(24);

/// After how long it looks again where it was in doubt: facts that come once a day may have come.
const IN_DOUBT: Duration = Duration::from_hours(6);

/// How often erasures that failed are tried again.
const TRY_AGAIN: Duration = Duration::from_hours(1);

/// Tries erasures that failed again, for as long as the server runs; the start did already.
pub async fn resume(app: Arc<App>) {
    loop {
        tokio::time::sleep(TRY_AGAIN).await;
        let app = app.clone();
        let resumed = tokio::task::spawn_blocking(move || app.engine().map(|engine| engine.resume_erasures())).await;
        if let Ok(Err(error)) = resumed {
            tracing::error!(%error, "erasures that failed could not be tried again");
        }
    }
}

/// Erases what is too old, for as long as the server runs. An erasure that the end of the server cuts off is finished at the next start.
pub async fn run(app: Arc<App>, now: fn() -> Millis) {
    for Retention { organization, days } in app.live().retentions() {
        tracing::info!(%organization, days, "facts of whole days older than this are erased once a day");
    }
    let mut looking = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    loop {
        looking.tick().await;
        let app = app.clone();
        if tokio::task::spawn_blocking(move || retain(&app, now())).await.unwrap_or(false) {
            looking.reset_after(IN_DOUBT);
        }
    }
}

/// Erases what is too old and in no doubt, and says whether anything was in doubt.
fn retain(app: &App, now: Millis) -> bool {
    let mut doubt = false;
    for retention in app.live().retentions() {
        let organization = retention.organization;
        // Each for itself: it may be opened again meanwhile.
        let engine = app.engine().map_err(|error| error.to_string());
        match engine.and_then(|engine| retain_one(&engine, retention, now)) {
            Ok(doubted) => doubt |= doubted,
            Err(error) => {
                tracing::error!(%organization, %error, "facts that are too old could not be erased; they stay until the next day");
            }
        }
    }
    doubt
}

fn retain_one(engine: &Engine, retention: &Retention, now: Millis) -> Result<bool, String> {
    let organization = retention.organization;
    let found = retention.look(engine, now)?;
    let facts = found.erased.facts();
    if let Some(doubt) = &found.doubt {
        let before = &found.before;
        tracing::warn!(
            %organization, facts, %before,
            "nothing is erased: {doubt}. Look at the clock and at `rollcall retain --dry-run`; if these facts are to go, `rollcall retain \
             --yes-erase NUMBER` erases them, with the number that it says"
        );
    } else if facts > 0 {
        let Retained { before, erased, .. } = retention.erase(engine, now, Actor::Server)?;
        let (attendances, assistances, proven) = (erased.attendances, erased.assistances, erased.is_proven());
        tracing::warn!(%organization, %before, attendances, assistances, proven, "facts that were too old were erased");
    } else {
        tracing::debug!(%organization, "no fact is too old");
    }
    Ok(found.doubt.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use rollcall_engine::Settings;
    use rollcall_engine::ingest::{Compression, Context, Format, decode};
    use rollcall_engine::kinds::columns::Attendances;
    use rollcall_model::calendar::DAY_MILLIS;
    use rollcall_model::{Directory, OrgId, Organization};

    /// Ingests a fact of each of these instants.
    fn ingest(engine: &Engine, organization: &Organization, instants: impl IntoIterator<Item = Millis>) {
        let line = |at| {
            format!("{{\"session_id\":\"s\",\"session_started_at\":{at},\"user_id\":\"u{at}\",\"joined_at\":{at},\"left_at\":{at}}}\n")
        };
        let lines: String = instants.into_iter().map(line).collect();
        let directory = Directory::default();
        let context = Context::new(organization, &directory, super::super::now());
        let decoded = decode::<Attendances>(lines.as_bytes(), Format::Ndjson, Compression::None, &context);
        assert_eq!(engine.ingest(organization, decoded.unwrap().facts).unwrap().rejected, 0);
    }

    #[test]
    fn a_clock_that_is_wrong_erases_nothing_and_neither_do_days_that_most_facts_are_older_than() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path(), Settings::default()).unwrap();
        let organization = Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC);
        // A fact a day, until now.
        let now = super::super::now();
        ingest(&engine, &organization, (0..40).map(|day| now - day * DAY_MILLIS));
        let keeps = |days| Retention { organization: organization.id, days };
        let left = || keeps(1).look(&engine, now + 500 * DAY_MILLIS).unwrap().erased.facts();
        for (retention, clock, doubt) in [
            (keeps(30), now + 3650 * DAY_MILLIS, "the clock says 20"),
            // Also where little would go.
            (keeps(38), now + 2 * DAY_MILLIS, "more than a day after the last facts came in"),
            (keeps(10), now, "of 40 facts are too old, more than half"),
        ] {
            let found = retention.look(&engine, clock).unwrap();
            assert!(found.doubt.as_ref().is_some_and(|told| told.contains(doubt)), "{found:?}");
            assert!(retain_one(&engine, &retention, clock).unwrap());
            assert_eq!(left(), 40, "{doubt}");
        }
        assert!(!retain_one(&engine, &keeps(30), now).unwrap());
        assert_eq!(left(), 31, "what is in no doubt is erased by itself");
    }

    #[test]
    fn facts_that_come_in_under_a_wrong_clock_do_not_make_it_right() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path(), Settings::default()).unwrap();
        let organization = Organization::new(OrgId(uuid::Uuid::from_u128(1)), "o", TimeZone::UTC);
        // As seen from facts that say when it is, the clock of this machine is years ahead.
        let then = 1_740_819_600_000;
        ingest(&engine, &organization, (0..40).map(|day| then - day * DAY_MILLIS));
        let found = Retention { organization: organization.id, days: 1 }.look(&engine, super::super::now()).unwrap();
        assert!(found.doubt.is_some_and(|told| told.contains("the clock says")));
        let found = Retention { organization: organization.id, days: 30 }.look(&engine, then + DAY_MILLIS).unwrap();
        assert_eq!((found.doubt, found.erased.facts()), (None, 10));
    }
}
