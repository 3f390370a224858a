//! What organizations keep for so many days only, erased once a day.

use super::state::App;
use crate::operations::erase::{Retained, Retention};
use rollcall_model::Millis;
use std::sync::Arc;
use std::time::Duration;

/// How long a server has run when it looks for the first time, so that a start that was a mistake can be undone.
const FIRST: Duration = Duration::from_mins(10);

/// How often it looks.
const EVERY: Duration = Duration::from_hours(24);

/// Erases what is too old, for as long as the server runs. An erasure that the end of the server cuts off is finished at the next start.
pub async fn run(app: Arc<App>, now: fn() -> Millis) {
    for Retention { organization, days } in app.live().retentions() {
        tracing::info!(%organization, days, "facts of whole days older than this are erased once a day");
    }
    let mut looking = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    loop {
        looking.tick().await;
        let app = app.clone();
        let _ = tokio::task::spawn_blocking(move || retain(&app, now())).await;
    }
}

fn retain(app: &App, now: Millis) {
    for retention in app.live().retentions() {
        let organization = retention.organization;
        match retention.apply(&app.engine, now, false) {
            Ok(Retained { before, erased, .. }) if erased.attendances + erased.assistances > 0 => {
                let (attendances, assistances, proven) = (erased.attendances, erased.assistances, erased.is_proven());
                tracing::info!(%organization, %before, attendances, assistances, proven, "facts that were too old were erased");
            }
            Ok(_) => tracing::debug!(%organization, "no fact is too old"),
            Err(error) => {
                tracing::error!(%organization, %error, "facts that are too old could not be erased; they stay until the next day")
            }
        }
    }
}
