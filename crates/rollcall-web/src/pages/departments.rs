//! The tree of departments as it was, a level at a time.

use crate::calls;
use crate::lang::percent;
use crate::parts::panel::{Panel, Table};
use crate::parts::ranking::Ranked;
use crate::parts::{number, number_to};
use crate::state::Behind;
use crate::view::View;
use crate::when;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::directory::{Department, Tree};
use rollcall_model::reports::{DepartmentCount, DepartmentDays, DepartmentUsers, RowKey, StayFilter, UsageSpan};

/// How many departments one page lists.
const MOST: usize = 300;

pub(crate) fn content(view: &View<'_>) -> Markup {
    let top = view.department().map(|of| of.id);
    html! { div class="grid" { (level(view, top.as_deref(), "whole")) } }
}

/// The question of how many people there were by department.
pub(crate) fn ask(view: &View<'_>, within: Option<String>) -> DepartmentUsers {
    let of = StayFilter { department: None, ..view.stays() };
    DepartmentUsers { range: view.span.range, zone: view.zone().clone(), home: view.home().clone(), with_subtree: true, within, of }
}

/// Where the people of a row are.
pub(crate) fn people_of(view: &View<'_>, row: &DepartmentCount) -> String {
    view.people_of(view.state.asked, |state| match &row.department {
        Some(id) => state.filters.department = Some(id.clone()),
        None => state.behind = Behind::NoDepartment,
    })
}

/// A row as one of a ranking.
pub(crate) fn ranked(view: &View<'_>, row: &DepartmentCount) -> Ranked {
    let (name, text) = match &row.department {
        Some(id) => (view.department_link(id), view.department_name(id)),
        None => (html! { (view.say(Word::NoDepartment)) }, view.say(Word::NoDepartment).to_owned()),
    };
    Ranked { name, text, value: row.users, of: row.department.as_ref().map(|_| row.members), href: Some(people_of(view, row)) }
}

/// Departments right below one (or at the top), by name.
fn below<'t>(view: &View<'_>, tree: &'t Tree<'_>, parent: Option<&str>) -> Vec<&'t Department> {
    let mut below: Vec<_> = tree.departments().iter().copied().filter(|department| department.parent_id.as_deref() == parent).collect();
    below.sort_by_cached_key(|department| crate::names::order(view.lang, &department.name));
    below
}

/// A department and those below it, two levels of them, with people, share and the assistant's use.
pub(crate) fn level(view: &View<'_>, top: Option<&str>, size: &'static str) -> Markup {
    let day = view.tree_day();
    let directory = view.directory.clone();
    let tree = directory.tree_on(day);
    let mut listed: Vec<(usize, String)> = top.map(|id| (0, id.to_owned())).into_iter().collect();
    for child in below(view, &tree, top) {
        listed.push((usize::from(top.is_some()), child.id.clone()));
        if top.is_none() {
            listed.extend(below(view, &tree, Some(&child.id)).iter().map(|grandchild| (1, grandchild.id.clone())));
        }
    }
    listed.truncate(MOST);
    let ask = ask(view, top.map(ToOwned::to_owned));
    let first_day = view.calendar.date_of(view.span.range.from);
    let only = listed.iter().map(|(_, id)| RowKey { date: first_day, id: id.as_str().into() });
    let mut only: Vec<_> = only.collect();
    only.sort();
    let use_of = DepartmentDays {
        range: view.span.range,
        zone: view.zone().clone(),
        by: UsageSpan::Whole,
        department: None,
        with_subtree: true,
        only: Some(only),
    };
    let usage = view.reports().department_days(view.org(), &use_of);
    let title = view.fill(Word::TreeOn, &[("day", &when::day(view.lang, day))]);
    view.panel_of("tree", Word::Departments, view.reports().department_users(view.org(), &ask), |answer| {
        let head = [Word::Participants, Word::Members, Word::MembersOfShare, Word::Developers, Word::LinesAccepted];
        let found = |id: Option<&str>| answer.rows.iter().find(|row| row.department.as_deref() == id);
        let mut rows: Vec<_> = listed
            .iter()
            .map(|(depth, id)| {
                let row = found(Some(id));
                let count = row.map_or(0, |row| row.users);
                let members = row.map_or(0, |row| row.members);
                let used = usage.as_ref().ok().and_then(|answer| answer.rows.iter().find(|row| *row.key.id == **id)).map(|row| &row.usage);
                let developers = view.people_of(view.state.asked, |state| state.behind = Behind::Developers(id.clone()));
                vec![
                    html! { span class=(format!("level{depth}")) { (view.department_link(id)) } },
                    row.map_or_else(|| number(0), |row| number_to(count, &people_of(view, row))),
                    number(members),
                    html! { (percent(count, members)) },
                    html! { @if let Some(used) = used { (number_to(used.developers, &developers)) } @else { "–" } },
                    html! { @if let Some(used) = used { (number(used.lines_accepted)) } @else { "–" } },
                ]
            })
            .collect();
        if let Some(row) = found(None).filter(|_| top.is_none()) {
            let dash = || html! { "–" };
            rows.push(vec![
                html! { (view.say(Word::NoDepartment)) },
                number_to(row.users, &people_of(view, row)),
                dash(),
                dash(),
                dash(),
                dash(),
            ]);
        }
        let table = Table::new(view, Word::Department, &head).of(rows);
        let notes = vec![view.say(Word::TreeNote).to_owned(), view.say(Word::NotSum).to_owned()];
        let panel = Panel { notes, size, ..Panel::new("tree", title, table) };
        let mut panel = panel.from(&answer.covers, calls::department_users(&ask));
        panel.calls.push(calls::department_days(&use_of));
        view.panel(&panel)
    })
}
