//! What one person did. Only who sees people gets here, and each look is in the audit log.

use crate::calls;
use crate::charts::bars;
use crate::charts::columns::Columns;
use crate::lang::{count, length, percent};
use crate::pages::people::departments_of;
use crate::pages::sessions;
use crate::parts::controls::{device_word, user_word};
use crate::parts::over_time::Row;
use crate::parts::panel::{Panel, Table};
use crate::parts::{number, time};
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::calendar::HOUR_MILLIS;
use rollcall_model::reports::{Person, PersonAnswer};
use rollcall_model::{Covers, Millis, Period};

pub(crate) fn content(view: &View<'_>, id: &str) -> Result<(String, Markup), Trouble> {
    if !view.host.viewer().sees_people || !view.may_see_user(id) {
        return Err(Trouble::Forbidden);
    }
    let ask = Person {
        user: id.to_owned(),
        range: view.span.range,
        zone: view.zone().clone(),
        week_start: view.calendar.week_start,
        home: view.home().clone(),
    };
    let answer = view.reports().person(view.org(), &ask)?;
    let person = answer.rows.first().ok_or(Trouble::NotFound(Word::NoPerson))?;
    *view.looked_at.borrow_mut() = Some(id.to_owned());
    let row = &person.row;
    let at = |at: Option<Millis>| html! { @if let Some(at) = at { (view.instant(at)) } @else { "–" } };
    let table = Table::new(
        view,
        Word::Name,
        &[Word::Id, Word::UserKind, Word::Departments, Word::FirstSeen, Word::LastSeen, Word::Sessions, Word::ActiveDays, Word::Time],
    );
    let kind = html! { @if let Some(kind) = row.kind { (view.say(user_word(kind))) } @else { (view.say(Word::Unknown)) } };
    let table = table.text(&[1, 2, 3, 4, 5]).of([vec![
        html! { bdi { (row.name) } },
        html! { bdi { (row.id) } },
        kind,
        departments_of(view, &row.departments),
        at(row.first),
        at(row.last),
        number(row.sessions),
        number(person.days),
        time(view.lang, row.time),
    ]]);
    let call = || calls::person(&ask, None);
    let summary = Panel { notes: vec![view.say(Word::AuditNote).to_owned()], ..Panel::new("person", view.say(Word::Person), table) };
    let content = html! {
        div class="grid" {
            (view.panel(&summary.from(&answer.covers, call())))
            (weeks(view, person, &answer.covers, &ask))
            (places(view, person, &answer.covers, &ask))
            (devices(view, person, &answer.covers, &ask))
            (usage(view, person, &answer.covers, &ask))
            (sessions::list(view, Some(id)))
        }
    };
    Ok((row.name.clone(), content))
}

fn weeks(view: &View<'_>, person: &PersonAnswer, covers: &Covers, ask: &Person) -> Markup {
    let row = |week: &rollcall_model::reports::PersonWeek| Row {
        date: week.date,
        period: week.period,
        value: u64::try_from(week.time).unwrap_or(0),
        href: None,
    };
    let begun: Vec<_> = person.weeks.iter().filter(|week| week.period.from <= view.now).collect();
    let rows: Vec<_> = begun.iter().map(|week| row(week)).collect();
    let table = Table::new(view, Word::Week, &[Word::Sessions, Word::Time]).folded();
    let table = table.of(begun
        .iter()
        .zip(&rows)
        .map(|(week, row)| vec![view.period_cell(Period::Week, row), number(week.sessions), time(view.lang, week.time)]));
    let shown = |millis: u64| length(view.lang, i64::try_from(millis).unwrap_or(i64::MAX));
    let chart = Columns {
        points: view.points(Period::Week, &rows, shown),
        axis: |millis| format!("{} h", count(millis / HOUR_MILLIS as u64)),
        unit: HOUR_MILLIS as u64,
    }
    .draw();
    view.panel(
        &Panel { chart: Some(chart), size: "half", ..Panel::new("weeks", view.say(Word::WeeksOf), table) }
            .from(covers, calls::person(ask, Some("weeks"))),
    )
}

/// Lengths of time with a bar each.
fn times(view: &View<'_>, id: &'static str, title: Word, rows: &[(String, Millis)], covers: &Covers, ask: &Person) -> Markup {
    let length_of = |millis: Millis| u64::try_from(millis).unwrap_or(0);
    let highest = rows.iter().map(|(_, millis)| length_of(*millis)).max().unwrap_or(0);
    let mut table = Table::new(view, title, &[Word::Time]);
    table.head.push((String::new(), false));
    let table = table
        .of(rows.iter().map(|(name, millis)| vec![html! { (name) }, time(view.lang, *millis), bars::in_row(length_of(*millis), highest)]));
    view.panel(&Panel { size: "half", ..Panel::new(id, view.say(title), table) }.from(covers, calls::person(ask, Some(id))))
}

fn places(view: &View<'_>, person: &PersonAnswer, covers: &Covers, ask: &Person) -> Markup {
    let name = |place: Option<_>| {
        place.and_then(|place| super::places::name(view, place)).unwrap_or_else(|| view.say(Word::PlaceUnknown).to_owned())
    };
    let rows: Vec<_> = person.places.iter().map(|(place, millis)| (name(*place), *millis)).collect();
    times(view, "places", Word::PlacesOf, &rows, covers, ask)
}

fn devices(view: &View<'_>, person: &PersonAnswer, covers: &Covers, ask: &Person) -> Markup {
    let rows: Vec<_> = person.devices.iter().map(|(device, millis)| (view.say(device_word(*device)).to_owned(), *millis)).collect();
    times(view, "devices", Word::DevicesOf, &rows, covers, ask)
}

fn usage(view: &View<'_>, person: &PersonAnswer, covers: &Covers, ask: &Person) -> Markup {
    let usage = &person.usage;
    let last = html! { @if let Some(at) = usage.last_use { (view.instant(at)) } @else { "–" } };
    let rows = [
        (Word::LastUse, last),
        (Word::Turns, number(usage.turns)),
        (Word::Suggested, number(usage.suggested)),
        (Word::Accepted, number(usage.accepted)),
        (Word::Acceptance, html! { (percent(usage.accepted, usage.suggested)) }),
        (Word::LinesAccepted, number(usage.lines_accepted)),
        (Word::LinesChanged, number(usage.lines_changed)),
    ];
    let mut table = Table::new(view, Word::AssistantUse, &[]);
    table.head.push((view.say(Word::Total).to_owned(), true));
    let table = table.of(rows.into_iter().map(|(word, value)| vec![html! { (view.say(word)) }, value]));
    view.panel(&Panel { size: "half", ..Panel::new("usage", view.say(Word::UseOf), table) }.from(covers, calls::person(ask, None)))
}
