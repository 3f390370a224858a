//! Pages: one file each. A page asks in one go for what it shows, a report for each panel.

mod access;
mod assistant;
mod data;
mod department;
mod departments;
mod error;
mod meetings;
mod overview;
mod people;
mod person;
mod places;
mod session;
mod sessions;
mod setup;
mod sign_in;
mod silent;

pub use error::error;
pub(crate) use error::trouble;
pub use setup::{SetupAsk, setup};
pub use sign_in::{SignInAsk, sign_in};

use crate::parts::frame;
use crate::state::decoded;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::Word;
use maud::Markup;

/// The document at the view's path.
///
/// # Errors
/// If there is none, or the viewer may not see it.
pub(crate) fn content(view: &View<'_>) -> Result<Markup, Trouble> {
    let segments: Vec<_> = view.path.trim_matches('/').split('/').map(decoded).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let page = |word: Word, content| frame::page(view, view.say(word), true, &content);
    Ok(match segments.as_slice() {
        [""] => page(Word::Overview, overview::content(view)),
        ["meetings"] => page(Word::Meetings, meetings::content(view)),
        ["people"] => page(Word::People, people::content(view)),
        ["people", "silent"] => page(Word::Silent, silent::content(view)),
        ["people", id] => {
            let (title, content) = person::content(view, id)?;
            frame::page(view, &title, true, &content)
        }
        ["departments"] => page(Word::Departments, departments::content(view)),
        ["departments", id] => {
            let content = department::content(view, id)?;
            frame::page(view, &view.department_name(id), true, &content)
        }
        ["places"] => page(Word::Places, places::content(view)),
        ["assistant"] => page(Word::Assistant, assistant::content(view)),
        ["sessions"] => page(Word::Sessions, sessions::content(view)),
        ["sessions", app, started_at, id] => {
            let content = session::content(view, app, started_at, id)?;
            frame::page(view, &format!("{} {id}", view.say(Word::Session)), false, &content)
        }
        ["data"] => page(Word::Data, data::content(view)?),
        ["access"] => frame::page(view, view.say(Word::Access), false, &access::content(view)?),
        _ => return Err(Trouble::NotFound(Word::NotFound)),
    })
}
