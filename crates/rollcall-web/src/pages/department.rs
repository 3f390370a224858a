//! A department: its people over time, who is silent, the assistant, and the departments below.

use crate::pages::{assistant, departments, meetings};
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};

pub(crate) fn content(view: &View<'_>, id: &str) -> Result<Markup, Trouble> {
    if !view.directory.has_department(id) {
        return Err(Trouble::NotFound(Word::FailedDepartment));
    }
    if !view.may_see(id) {
        return Err(Trouble::Forbidden);
    }
    let mut state = view.state.clone();
    state.filters.department = Some(id.to_owned());
    // The same view, of the department alone.
    let within = View::new(view.host, view.lang, view.path, state, view.picture_of.clone())?;
    let day = view.tree_day();
    let tree = view.directory.tree_on(day);
    let mut above = Vec::new();
    let mut at = Some(id);
    while let Some(department) = at.and_then(|id| tree.departments().iter().find(|department| department.id == id)) {
        at = department.parent_id.as_deref().filter(|parent| !above.contains(parent) && view.may_see(parent));
        above.extend(at);
    }
    above.reverse();
    let content = html! {
        nav aria-label=(view.say(Word::Departments)) { p {
            a href=(view.shared().at("/departments")) { (view.say(Word::Departments)) }
            @for one in &above { " › " (view.department_link(one)) }
        } }
        ul class="tabs" {
            li { a href=(within.shared().at("/people")) { (view.say(Word::People)) } }
            li { a href=(within.shared().at("/people/silent")) { (view.say(Word::Silent)) } }
            li { a href=(within.shared().at("/sessions")) { (view.say(Word::Sessions)) } }
            li { a href=(within.shared().at("/")) { (view.say(Word::FilterBy)) } }
        }
        div class="grid" {
            (meetings::active(&within, "half"))
            (departments::level(&within, Some(id), "half"))
            (assistant::over_time(&within, Some(id)))
        }
    };
    if let Some(picture) = within.picture.take() {
        *view.picture.borrow_mut() = Some(picture);
    }
    Ok(content)
}
