//! `audit`: who did what.

use super::forget;
use super::operate::operate;
use crate::args::Audit;
use crate::failure::Result;
use crate::operations::keys::{self, AskedOfAudit, ShownEvent};
use crate::output;
use rollcall_engine::access::Actor;
use rollcall_model::OrgId;

/// Lists lines of the audit log of an organization.
pub fn run(flags: &Audit) -> Result {
    let asked = AskedOfAudit { organization: OrgId(flags.at.organization), limit: flags.limit, before: flags.before };
    let listed = operate::<keys::Audit>(&flags.at.data, flags.at.config()?.as_ref(), asked)?;
    forget::print(flags.format, &listed, || table(&listed.events))?;
    if let Some(next) = listed.next {
        output::note(format_args!("older ones: --before {next}"));
    }
    Ok(())
}

fn table(events: &[ShownEvent]) -> String {
    let row = |event: &ShownEvent| {
        let actor = match &event.actor {
            Actor::Operator => "operator".to_owned(),
            Actor::Server => "server".to_owned(),
            Actor::Key { number, name } => format!("key {number} ({name})"),
            Actor::ConfiguredKey { name } => format!("key of the configuration ({name})"),
        };
        let (action, details) = words(event);
        vec![(event.number.to_string(), true), (event.at.clone(), false), (actor, false), (action, false), (details, false)]
    };
    let head = ["number", "at", "actor", "action", "details"];
    if events.is_empty() { String::new() } else { output::table(head.map(str::to_owned), events.iter().map(row)) }
}

/// What was done, and all that is known of it.
fn words(event: &ShownEvent) -> (String, String) {
    let written = serde_json::to_value(&event.what).unwrap_or_default();
    let fields = written.as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut action = String::new();
    let mut details = Vec::new();
    for (name, value) in fields {
        if name == "action" {
            action = text(value);
        } else {
            details.push(format!("{name} {}", text(value)));
        }
    }
    (action, details.join(", "))
}
