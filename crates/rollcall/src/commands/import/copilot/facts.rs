//! A row as assistance facts.

use super::row::{APP, CLI, Row};
use rollcall_model::AssistanceKind;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

/// An assistance as it is sent.
#[derive(Debug, Serialize)]
pub(super) struct Fact<'a> {
    pub id: String,
    pub user_id: &'a str,
    pub at: String,
    pub kind: AssistanceKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ide: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    pub turns: u64,
    pub suggested: u64,
    pub accepted: u64,
    pub lines_accepted: u64,
    pub lines_changed: u64,
}

/// Passes on the facts of a row, in an order that depends on nothing but what the row says.
pub(super) fn each<E>(row: Row<'_>, mut take: impl FnMut(&Fact<'_>) -> Result<(), E>) -> Result<(), E> {
    let Row { user, identity, day, ide, features } = row;
    for (name, feature) in features {
        let kind = kind(name, feature.turns);
        let ide = match name {
            CLI => Some("cli"),
            APP => Some("copilot app"),
            _ => ide,
        };
        let fact = |kind, part, language: &str| Fact {
            id: id(&identity, day, &[name, part, language]),
            user_id: &user,
            at: format!("{day}T12:00:00Z"),
            kind,
            chat_type: (kind == AssistanceKind::Chat).then(|| chat_type(name)),
            ide,
            language: Some(language.to_owned()).filter(|language| !language.is_empty()),
            turns: 0,
            suggested: 0,
            accepted: 0,
            lines_accepted: 0,
            lines_changed: 0,
        };
        if feature.turns > 0 {
            take(&Fact { turns: feature.turns, ..fact(AssistanceKind::Chat, "turns", "") })?;
        }
        for (language, output) in feature.by_language() {
            let suggested = if kind == AssistanceKind::Completion { output.generated } else { 0 };
            let accepted = if kind == AssistanceKind::Edit { 0 } else { output.accepted };
            let lines_accepted = if kind == AssistanceKind::Edit || name == CLI { 0 } else { output.added };
            let lines_changed = output.added + output.deleted;
            if [suggested, accepted, lines_accepted, lines_changed] != [0; 4] {
                take(&Fact { suggested, accepted, lines_accepted, lines_changed, ..fact(kind, "output", &language) })?;
            }
        }
    }
    Ok(())
}

/// What a feature does. Of one that is not known, whether it is spoken to tells.
fn kind(feature: &str, turns: u64) -> AssistanceKind {
    match feature {
        "code_completion" => AssistanceKind::Completion,
        "agent_edit" => AssistanceKind::Edit,
        CLI | APP => AssistanceKind::Chat,
        _ if feature.starts_with("chat_") || turns > 0 => AssistanceKind::Chat,
        _ => AssistanceKind::Edit,
    }
}

fn chat_type(feature: &str) -> &str {
    if feature == "chat_panel_ask_mode" { "FREE_INPUT" } else { feature }
}

/// The same for the same user, day and part of the row, whatever the numbers and whichever report the row is from.
fn id(identity: &[String; 2], day: &str, part: &[&str; 3]) -> String {
    let whole = serde_json::json!([identity, day, part]).to_string();
    format!("copilot-{day}-{:032x}", xxh3_128(whole.as_bytes()))
}
