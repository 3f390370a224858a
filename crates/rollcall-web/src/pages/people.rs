//! Who the people behind a number are; search for a person.

use crate::calls;
use crate::pages::departments;
use crate::parts::controls::user_word;
use crate::parts::panel::{Panel, Table};
use crate::parts::{number, time};
use crate::state::{Behind, Order};
use crate::view::View;
use crate::when;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::reports::{
    ActiveUsers, Concurrency, DepartmentDays, Grouping, MeetingDays, People, PeopleOrder, PeoplePlace, PersonRow, PlaceLevel, RowKey,
    RowOf, StayFilter, UsageSpan, UsersByPlace,
};
use rollcall_model::{Period, Place};

/// How many people one page lists.
pub(crate) const PAGE: usize = 100;

pub(crate) fn content(view: &View<'_>) -> Markup {
    html! {
        (tabs(view, "/people"))
        (search(view))
        div class="grid" {
            @if view.state.find.is_some() { (found(view)) } @else { (list(view)) }
        }
    }
}

/// The pages about people.
pub(crate) fn tabs(view: &View<'_>, here: &str) -> Markup {
    html! { ul class="tabs" { @for (path, word) in [("/people", Word::PeopleActive), ("/people/silent", Word::Silent)] {
        li { a href=(view.shared().at(path)) aria-current=[(path == here).then_some("page")] { (view.say(word)) } }
    } } }
}

fn search(view: &View<'_>) -> Markup {
    if !view.host.viewer().sees_people {
        return html! { p class="note" { (view.say(Word::SearchConcealed)) } };
    }
    html! {
        form class="controls" role="search" method="get" action="/people" {
            @for (name, value) in view.shared().parameters() { input type="hidden" name=(name) value=(value); }
            label { (view.say(Word::SearchPeople)) " "
                input type="search" name="find" value=(view.state.find.as_deref().unwrap_or_default()) maxlength="100";
            }
            button { (view.say(Word::Search)) }
        }
    }
}

/// Users of the directory whose name or id has what is searched for.
fn found(view: &View<'_>) -> Markup {
    let find = view.state.find.as_deref().unwrap_or_default().to_lowercase();
    if !view.host.viewer().sees_people {
        return html! {};
    }
    let mut users: Vec<_> = view
        .directory
        .users()
        .chunk_by(|a, b| a.id == b.id)
        .filter_map(<[_]>::last)
        .filter(|user| (user.name.to_lowercase().contains(&find) || user.id.to_lowercase().contains(&find)) && view.may_see_user(&user.id))
        .take(1000)
        .collect();
    users.sort_by_cached_key(|user| crate::names::order(view.lang, &user.name));
    users.truncate(PAGE);
    if users.is_empty() {
        return view.notice("found", view.say(Word::FoundInDirectory), view.say(Word::FoundNobody));
    }
    let table =
        Table::new(view, Word::Name, &[Word::Id, Word::UserKind, Word::Departments]).text(&[1, 2, 3]).of(users.iter().map(|user| {
            vec![
                view.person(&user.id, &user.name),
                html! { bdi { (user.id) } },
                html! { (view.say(user_word(user.kind))) },
                departments_of(view, &user.departments),
            ]
        }));
    view.panel(&Panel::new("found", view.say(Word::FoundInDirectory), table))
}

/// Departments as links, joined.
pub(crate) fn departments_of(view: &View<'_>, ids: &[String]) -> Markup {
    html! {
        @for (at, id) in ids.iter().enumerate() { @if at > 0 { (view.lang.comma()) } (view.department_link(id)) }
        @if ids.is_empty() { "–" }
    }
}

/// The row whose people are listed, and what it is called.
fn behind(view: &View<'_>) -> Option<(RowOf, String)> {
    let (range, zone, week_start) = (view.span.range, view.zone().clone(), view.calendar.week_start);
    let of = view.stays();
    let whole_organization = view.host.viewer().department().is_none();
    Some(match &view.state.behind {
        Behind::Active => {
            let ask = ActiveUsers { range, zone, week_start, by: Grouping::Whole, of };
            (RowOf::ActiveUsers(ask, range), view.say(Word::PeopleActive).to_owned())
        }
        Behind::NoDepartment if whole_organization => {
            (RowOf::DepartmentUsers(departments::ask(view, None), None), view.say(Word::PeopleNoDepartment).to_owned())
        }
        Behind::Developers(id) if view.may_see(id) => {
            let key = RowKey { date: view.calendar.date_of(range.from), id: id.as_str().into() };
            let ask = DepartmentDays { range, zone, by: UsageSpan::Whole, department: Some(id.clone()), with_subtree: true, only: None };
            (RowOf::DepartmentDays(ask, key), view.fill(Word::PeopleDevelopers, &[("department", &view.department_name(id))]))
        }
        Behind::Meetings if whole_organization => {
            let app = of.app;
            let ask = MeetingDays { range, zone, week_start, by: Grouping::Whole, app, unit: None, with_people: true };
            (RowOf::MeetingDays(ask, range), view.say(Word::PeopleMeetings).to_owned())
        }
        Behind::Place(place) if whole_organization => {
            let by = if place.is_some_and(|place| place.subdivision().is_none()) { PlaceLevel::Country } else { PlaceLevel::Subdivision };
            let country = Place::country_only("CN").filter(|_| by == PlaceLevel::Subdivision);
            let name = place.and_then(|place| super::places::name(view, place)).unwrap_or_else(|| view.say(Word::PlaceUnknown).to_owned());
            let ask = UsersByPlace { range, zone, by, country, app: of.app };
            (RowOf::UsersByPlace(ask, *place), view.fill(Word::PeoplePlace, &[("place", &name)]))
        }
        Behind::Instant(at) if whole_organization => {
            let of = StayFilter { department: None, media: None, ..of };
            let ask = Concurrency { range, zone, week_start, by: Grouping::Period(Period::Day), of };
            let said = when::instant_text(view.lang, view.zone(), *at);
            (RowOf::Concurrency(ask, *at), view.fill(Word::PeopleInstant, &[("instant", &said)]))
        }
        Behind::NoDepartment | Behind::Developers(_) | Behind::Meetings | Behind::Place(_) | Behind::Instant(_) => return None,
    })
}

/// Where a list goes on. Whoever sees no people gets a place by number, since one by id would say it.
enum From {
    Place(Option<PeoplePlace>),
    Number(usize),
}

fn from(view: &View<'_>) -> From {
    let after = view.state.after.as_deref();
    if view.host.viewer().sees_people {
        let place = after
            .and_then(|after| after.split_once(':'))
            .and_then(|(measure, id)| Some(PeoplePlace { measure: measure.parse().ok()?, id: id.to_owned() }));
        From::Place(place)
    } else {
        From::Number(after.and_then(|after| after.parse().ok()).unwrap_or(0).min(100_000))
    }
}

fn list(view: &View<'_>) -> Markup {
    let Some((behind, title)) = behind(view) else {
        return view.notice("people", view.say(Word::People), view.say(Word::OrganizationOnly));
    };
    let order = match view.state.order {
        Order::Time => PeopleOrder::Time,
        Order::Sessions => PeopleOrder::Sessions,
        // An order by id would say something of the ids behind pseudonyms.
        Order::Id if !view.host.viewer().sees_people => PeopleOrder::Time,
        Order::Id => PeopleOrder::Id,
    };
    let measure = |row: &PersonRow| match order {
        PeopleOrder::Time => row.time,
        PeopleOrder::Sessions => i64::try_from(row.sessions).unwrap_or(i64::MAX),
        PeopleOrder::Id => 0,
    };
    let (after, skip) = match from(view) {
        From::Place(after) => (after, 0),
        From::Number(skip) => (None, skip),
    };
    let ask = People { behind, home: view.home().clone(), order, after, limit: skip + PAGE + 1 };
    view.panel_of("people", Word::People, view.reports().people(view.org(), &ask), |answer| {
        let more = answer.rows.len() > skip + PAGE;
        let rows: Vec<_> = answer.rows.iter().skip(skip).take(PAGE).collect();
        let head = [Word::UserKind, Word::Departments, Word::FirstSeen, Word::LastSeen, Word::Sessions, Word::Time];
        let table = Table::new(view, Word::Name, &head).text(&[1, 2, 3, 4]).of(rows.iter().map(|row| {
            let at = |at| html! { @if let Some(at) = at { (view.instant(at)) } @else { "–" } };
            let kind = html! { @if let Some(kind) = row.kind { (view.say(user_word(kind))) } @else { (view.say(Word::Unknown)) } };
            let (first, last) = (at(row.first), at(row.last));
            vec![
                view.person(&row.id, &row.name),
                kind,
                departments_of(view, &row.departments),
                first,
                last,
                number(row.sessions),
                time(view.lang, row.time),
            ]
        }));
        let next = rows.last().filter(|_| more).map(|last| {
            let after = if view.host.viewer().sees_people { format!("{}:{}", measure(last), last.id) } else { (skip + PAGE).to_string() };
            view.state.with(view.path, |state| state.after = Some(after))
        });
        let links = html! {
            ul class="tabs" {
                @for (order, word) in [(Order::Time, Word::Time), (Order::Sessions, Word::Sessions), (Order::Id, Word::Id)] {
                    @if order != Order::Id || view.host.viewer().sees_people {
                        @let href = view.state.with(view.path, |state| state.order = order);
                        @let current = (view.state.order == order).then_some("true");
                        li { a href=(href) aria-current=[current] { (view.say(Word::OrderBy)) ": " (view.say(word)) } }
                    }
                }
            }
            (pages(view, next))
        };
        let unfiltered = match view.state.behind {
            Behind::Active | Behind::NoDepartment => Vec::new(),
            Behind::Instant(_) => super::meetings::unfiltered(view, &[Word::SessionKind, Word::UserKind, Word::Device]),
            Behind::Meetings | Behind::Place(_) | Behind::Developers(_) => super::meetings::unfiltered(view, &[]),
        };
        let panel = Panel { links: Some(links), unfiltered, names_people: true, ..Panel::new("people", title, table) };
        let mut panel = panel.from(&answer.covers, calls::people(&ask, view.home(), &view.host.organization().apps));
        if !view.host.viewer().sees_people {
            panel.calls.clear();
        }
        view.panel(&panel)
    })
}

/// Links to the next page of a list and to its beginning.
pub(crate) fn pages(view: &View<'_>, next: Option<String>) -> Markup {
    html! {
        @if next.is_some() || view.state.after.is_some() {
            ul class="tabs" {
                @if view.state.after.is_some() { li { a href=(view.state.with(view.path, |_| ())) { (view.say(Word::First)) } } }
                @if let Some(next) = next { li { a href=(next) rel="next" { (view.say(Word::More)) } } }
            }
        }
    }
}
