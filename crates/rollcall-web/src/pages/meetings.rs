//! Meetings: how many, how long, with whom, on what.

use crate::calls;
use crate::charts::columns::Columns;
use crate::charts::line::Line;
use crate::lang::{count, length};
use crate::parts::controls::{device_word, medium_word, period_word, session_word, user_word};
use crate::parts::over_time::Row;
use crate::parts::panel::{Panel, Table};
use crate::parts::ranking::Ranked;
use crate::parts::{number, number_to, time};
use crate::state::{Behind, State};
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::calendar::HOUR_MILLIS;
use rollcall_model::reports::{
    ActiveUsers, Concurrency, ConcurrencyRow, Grouping, Means, MeansLevel, MeetingDay, MeetingDays, Peak, StayFilter, TopUsers, UserOrder,
    UsersByMeans,
};
use rollcall_model::{Range, SessionKind, UserKind};

/// How many users are listed.
const TOP: usize = 25;

pub(crate) fn content(view: &View<'_>) -> Markup {
    let whole = view.host.viewer().department().is_none();
    html! {
        div class="grid" {
            @if whole { (by_period(view)) } @else { (view.notice("by-period", view.say(Word::Meetings), view.say(Word::OrganizationOnly))) }
            (active(view, if whole { "half" } else { "whole" }))
            (means(view, "devices", Word::ByDevice, MeansLevel::Device))
            (means(view, "media", Word::ByMedium, MeansLevel::Medium))
            (kinds(view))
            (session_kinds(view))
            (apps(view))
            @if whole { (units(view)) (at_once(view)) (top_users(view)) }
        }
    }
}

/// Filters that are set, but for those that a report takes.
pub(crate) fn unfiltered(view: &View<'_>, takes: &[Word]) -> Vec<Word> {
    let filters = &view.state.filters;
    let set = [
        (Word::SessionKind, !filters.session_kinds.is_empty()),
        (Word::UserKind, !filters.user_kinds.is_empty()),
        (Word::Device, !filters.devices.is_empty()),
        (Word::Medium, !filters.media.is_empty()),
        (Word::Department, filters.department.is_some()),
    ];
    set.into_iter().filter(|(word, set)| *set && !takes.contains(word)).map(|(word, _)| word).collect()
}

fn meeting_days(view: &View<'_>, range: Range, by: Grouping, unit: Option<u8>) -> MeetingDays {
    let (zone, week_start, app) = (view.zone().clone(), view.calendar.week_start, view.state.filters.app.clone());
    MeetingDays { range, zone, week_start, by, app, unit, with_people: true }
}

/// Meetings, their time, participants and people, for each period and for the whole.
fn by_period(view: &View<'_>) -> Markup {
    let by = view.by();
    let ask = meeting_days(view, view.span.range, Grouping::Period(by), None);
    let whole = meeting_days(view, view.span.range, Grouping::Whole, None);
    let before =
        view.before.map(|span| view.reports().meeting_days(view.org(), &meeting_days(view, span.range, Grouping::Period(by), None)));
    let answer =
        view.reports().meeting_days(view.org(), &ask).and_then(|rows| Ok((rows, view.reports().meeting_days(view.org(), &whole)?)));
    view.panel_of("by-period", Word::Meetings, answer, |(answer, total)| {
        let row_of = |row: &MeetingDay, value| {
            let href = view.people_of(view.part(row.period), |state| state.behind = Behind::Meetings);
            Row { date: row.date, period: row.period, value, href: Some(href) }
        };
        let begun: Vec<_> = answer.rows.iter().filter(|row| row.period.from <= view.now).collect();
        let head = [Word::Meetings, Word::MeetingTime, Word::AttendancesShort, Word::Participants];
        let table = Table::new(view, period_word(by), &head);
        let cells = |name, row: &MeetingDay, href: &str| {
            let people = row.people.map_or_else(|| html! { "–" }, |people| number_to(people, href));
            vec![name, number(row.meetings), time(view.lang, row.duration), number(row.participants), people]
        };
        let mut rows: Vec<_> = begun
            .iter()
            .map(|row| {
                let of = row_of(row, row.meetings);
                cells(view.period_cell(by, &of), row, of.href.as_deref().unwrap_or_default())
            })
            .collect();
        let total_row = total.rows.first();
        if let Some(row) = total_row {
            let href = view.people_of(view.state.asked, |state| state.behind = Behind::Meetings);
            rows.push(cells(html! { strong { (view.say(Word::Total)) } }, row, &href));
        }
        let points = |value: &dyn Fn(&MeetingDay) -> u64, shown: &dyn Fn(u64) -> String| {
            let rows: Vec<_> = begun.iter().map(|row| row_of(row, value(row))).collect();
            view.points(by, &rows, shown)
        };
        let before: Vec<_> =
            before.and_then(Result::ok).map(|answer| answer.rows.iter().map(|row| row.meetings).collect()).unwrap_or_default();
        let millis = |row: &MeetingDay| u64::try_from(row.duration).unwrap_or(0);
        let line = Line { points: points(&|row| row.meetings, &count), before, axis: count }.draw();
        let shown = |millis: u64| length(view.lang, i64::try_from(millis).unwrap_or(i64::MAX));
        let hours = Columns {
            points: points(&millis, &shown),
            axis: |millis| format!("{} h", count(millis / HOUR_MILLIS as u64)),
            unit: HOUR_MILLIS as u64,
        }
        .draw();
        let notes = vec![view.say(Word::SumOfDays).to_owned(), view.say(Word::NotSum).to_owned()];
        let headline = total_row.map(|row| {
            html! { (number(row.meetings)) " " span class="unit" { (view.say(Word::MeetingsHeld)) " · " } (time(view.lang, row.duration)) }
        });
        let title = view.fill(Word::MeetingsBy, &[("period", &view.by_word())]);
        let panel = Panel {
            headline,
            chart: Some(line),
            notes,
            unfiltered: unfiltered(view, &[]),
            size: "split",
            ..Panel::new("by-period", title, table.of(rows.clone()))
        };
        let mut panel = panel.from(&answer.covers, calls::meeting_days(&ask, view.home()));
        panel.calls.push(calls::meeting_days(&whole, view.home()));
        let time_table = Table::new(view, period_word(by), &[Word::MeetingTime]).folded();
        let time_table = time_table.of(begun.iter().map(|row| vec![view.period_cell(by, &row_of(row, 0)), time(view.lang, row.duration)]));
        let title = view.fill(Word::TimeBy, &[("period", &view.by_word())]);
        let of_time =
            Panel { chart: Some(hours), unfiltered: unfiltered(view, &[]), size: "half", ..Panel::new("time", title, time_table) };
        html! { (view.panel(&panel)) (view.panel(&of_time.from(&answer.covers, calls::meeting_days(&ask, view.home())))) }
    })
}

fn active_users(view: &View<'_>, range: Range, by: Grouping) -> ActiveUsers {
    ActiveUsers { range, zone: view.zone().clone(), week_start: view.calendar.week_start, by, of: view.stays() }
}

/// The line of active people, and how many they are in the whole range.
pub(crate) fn active(view: &View<'_>, size: &'static str) -> Markup {
    let by = view.by();
    let ask = |range, by| active_users(view, range, by);
    let asked = |ask: &ActiveUsers| view.reports().active_users(view.org(), ask);
    let (rows, whole) = (ask(view.span.range, Grouping::Period(by)), ask(view.span.range, Grouping::Whole));
    let before = view.before.map(|span| (asked(&ask(span.range, Grouping::Period(by))), asked(&ask(span.range, Grouping::Whole))));
    let answer = asked(&rows).and_then(|answer| Ok((answer, asked(&whole)?)));
    view.panel_of("active", Word::ActivePeople, answer, |(answer, total)| {
        let begun = view.begun(&answer.rows, |row| {
            let href = view.people_of(view.part(row.period), |_| ());
            Row { date: row.date, period: row.period, value: row.users, href: Some(href) }
        });
        let (values, all_before) = match before {
            Some((Ok(rows), Ok(whole))) => (rows.rows.iter().map(|row| row.users).collect(), whole.rows.first().map(|row| row.users)),
            _ => (Vec::new(), None),
        };
        let compared = !values.is_empty();
        let head = if compared { vec![Word::Participants, Word::Before, Word::Change] } else { vec![Word::Participants] };
        let table = Table::new(view, period_word(by), &head).folded().of(begun.iter().enumerate().map(|(at, row)| {
            let mut cells = vec![view.period_cell(by, row)];
            // A period that runs is not compared with a whole one.
            let before = values.get(at).copied().filter(|_| !row.period.contains(view.now));
            cells.extend(view.value_cells(row, before));
            cells.resize(head.len() + 1, html! { "–" });
            cells
        }));
        let chart = Line { points: view.points(by, &begun, count), before: values, axis: count }.draw();
        let all = total.rows.first().map_or(0, |row| row.users);
        let headline = html! {
            (number_to(all, &view.people_of(view.state.asked, |_| ()))) " " span class="unit" { (view.say(Word::ActiveWhole)) }
            @if let Some(before) = all_before { " " (view.change(all, before)) }
        };
        let title = view.fill(Word::ActiveByPeriod, &[("period", &view.by_word())]);
        let notes = vec![view.say(Word::NotSum).to_owned()];
        let panel = Panel { headline: Some(headline), chart: Some(chart), notes, size, ..Panel::new("active", title, table) };
        let mut panel = panel.from(&answer.covers, calls::active_users(&rows));
        panel.calls.push(calls::active_users(&whole));
        view.panel(&panel)
    })
}

/// People by what they used, each with its share.
fn means(view: &View<'_>, id: &'static str, title: Word, by: MeansLevel) -> Markup {
    let ask = UsersByMeans { range: view.span.range, zone: view.zone().clone(), by, of: view.stays() };
    view.panel_of(id, title, view.reports().users_by_means(view.org(), &ask), |answer| {
        let rows: Vec<_> = answer
            .rows
            .iter()
            .map(|row| {
                let word = match row.means {
                    Means::Medium(medium) => medium_word(medium),
                    Means::Device(device) => device_word(device),
                };
                let only = |state: &mut State| match row.means {
                    Means::Medium(medium) => state.filters.media = vec![medium],
                    Means::Device(device) => state.filters.devices = vec![device],
                };
                // A row of what is filtered by both, here and above, has people of its own only where the filter is not set.
                let filters = &view.state.filters;
                let own = match row.means {
                    Means::Medium(medium) => filters.media.is_empty() || filters.media == [medium],
                    Means::Device(device) => filters.devices.is_empty() || filters.devices.contains(&device),
                };
                let href = own.then(|| view.people_of(view.state.asked, only));
                Ranked { name: html! { (view.say(word)) }, text: view.say(word).to_owned(), value: row.users, of: Some(row.of), href }
            })
            .collect();
        let mut panel = view.ranking(id, title, (title, Word::Participants), &rows);
        panel.notes.push(view.say(Word::Overlap).to_owned());
        view.panel(&panel.from(&answer.covers, calls::users_by_means(&ask)))
    })
}

/// Distinct people of the whole range, once for each of some filters.
fn each<'v, T: Copy>(
    view: &'v View<'_>,
    id: &'static str,
    title: Word,
    of: &[T],
    word: impl Fn(T) -> String,
    set: impl Fn(&mut ActiveUsers, T) + 'v,
    href: impl Fn(&mut State, T),
) -> Markup {
    let questions: Vec<_> = of
        .iter()
        .map(|one| {
            let mut ask = active_users(view, view.span.range, Grouping::Whole);
            set(&mut ask, *one);
            ask
        })
        .collect();
    let answers: Result<Vec<_>, _> = questions.iter().map(|ask| view.reports().active_users(view.org(), ask)).collect();
    view.panel_of(id, title, answers, |answers| {
        let rows: Vec<_> = of
            .iter()
            .zip(&answers)
            .map(|(one, answer)| {
                let value = answer.rows.first().map_or(0, |row| row.users);
                let to = view.people_of(view.state.asked, |state| href(state, *one));
                Ranked { name: html! { (word(*one)) }, text: word(*one), value, of: None, href: Some(to) }
            })
            .collect();
        let mut panel = view.ranking(id, title, (title, Word::Participants), &rows);
        panel.notes.push(view.say(Word::Overlap).to_owned());
        panel.calls = questions.iter().map(calls::active_users).collect();
        panel.covers = answers.first().map(|answer| &answer.covers);
        view.panel(&panel)
    })
}

/// Those of `all` that the filter lets through.
fn let_through<T: Copy + PartialEq>(all: &[T], filter: &[T]) -> Vec<T> {
    all.iter().copied().filter(|one| filter.is_empty() || filter.contains(one)).collect()
}

fn kinds(view: &View<'_>) -> Markup {
    let of = let_through(UserKind::ALL, &view.state.filters.user_kinds);
    let word = |kind| view.say(user_word(kind)).to_owned();
    each(
        view,
        "kinds",
        Word::ByUserKind,
        &of,
        word,
        |ask, kind| ask.of.user_kinds = Some(vec![kind]),
        |state, kind| state.filters.user_kinds = vec![kind],
    )
}

fn session_kinds(view: &View<'_>) -> Markup {
    let of = let_through(SessionKind::ALL, &view.state.filters.session_kinds);
    let word = |kind| view.say(session_word(kind)).to_owned();
    each(
        view,
        "session-kinds",
        Word::BySessionKind,
        &of,
        word,
        |ask, kind| ask.of.session_kinds = Some(vec![kind]),
        |state, kind| state.filters.session_kinds = vec![kind],
    )
}

/// By app, where there are several and none is chosen; the first twelve.
fn apps(view: &View<'_>) -> Markup {
    let apps = &view.host.organization().apps;
    if apps.len() < 2 || view.state.filters.app.is_some() {
        return html! {};
    }
    let of: Vec<_> = apps.iter().take(12).map(String::as_str).collect();
    each(
        view,
        "apps",
        Word::ByApp,
        &of,
        str::to_owned,
        |ask, app| ask.of.app = Some(app.to_owned()),
        |state, app| state.filters.app = Some(app.to_owned()),
    )
}

/// By data residency, where there are several.
fn units(view: &View<'_>) -> Markup {
    let units = &view.host.organization().units;
    if units.len() < 2 {
        return html! {};
    }
    let questions: Vec<_> = units.iter().map(|unit| meeting_days(view, view.span.range, Grouping::Whole, Some(*unit))).collect();
    let answers: Result<Vec<_>, _> = questions.iter().map(|ask| view.reports().meeting_days(view.org(), ask)).collect();
    view.panel_of("units", Word::ByUnit, answers, |answers| {
        let table = Table::new(view, Word::ByUnit, &[Word::Meetings, Word::MeetingTime, Word::AttendancesShort, Word::Participants]);
        let table = table.of(units.iter().zip(&answers).filter_map(|(unit, answer)| {
            let row = answer.rows.first()?;
            let word = [Word::UnitChina, Word::UnitUs, Word::UnitSingapore, Word::UnitJapan]
                .get(usize::from(*unit))
                .copied()
                .unwrap_or(Word::Unknown);
            let people = row.people.map_or_else(|| html! { "–" }, number);
            Some(vec![html! { (view.say(word)) }, number(row.meetings), time(view.lang, row.duration), number(row.participants), people])
        }));
        let mut panel = Panel { size: "half", unfiltered: unfiltered(view, &[]), ..Panel::new("units", view.say(Word::ByUnit), table) };
        panel.calls = questions.iter().map(|ask| calls::meeting_days(ask, view.home())).collect();
        panel.covers = answers.first().map(|answer| &answer.covers);
        view.panel(&panel)
    })
}

/// How many at once.
fn at_once(view: &View<'_>) -> Markup {
    let of = StayFilter { department: None, media: None, ..view.stays() };
    let ask = Concurrency {
        range: view.span.range,
        zone: view.zone().clone(),
        week_start: view.calendar.week_start,
        by: Grouping::Period(view.by()),
        of,
    };
    view.panel_of("at-once", Word::AtOnce, view.reports().concurrency(view.org(), &ask), |answer| {
        let href = |at| {
            view.people_of(view.state.asked, |state| {
                state.behind = Behind::Instant(at);
                state.filters.department = None;
                state.filters.media.clear();
            })
        };
        let begun: Vec<_> = answer.rows.iter().filter(|row| row.period.from <= view.now).collect();
        let row_of = |row: &ConcurrencyRow| {
            let value = row.stays.map_or(0, |peak| peak.most);
            Row { date: row.date, period: row.period, value, href: row.stays.map(|peak| href(peak.at)) }
        };
        let rows: Vec<_> = begun.iter().map(|row| row_of(row)).collect();
        let head = [Word::StaysAtOnce, Word::FirstInstant, Word::SessionsAtOnce, Word::FirstInstant];
        let table = Table::new(view, period_word(view.by()), &head).text(&[2, 4]).folded().of(begun.iter().zip(&rows).map(|(row, of)| {
            // Who was there is fewer than the stays where somebody has two devices, so the instant leads to them and not the number.
            let at = |peak: Option<Peak>| {
                html! { @if let Some(peak) = peak { a href=(href(peak.at)) { (view.instant(peak.at)) } } @else { "–" } }
            };
            let most = |peak: Option<Peak>| html! { @if let Some(peak) = peak { (number(peak.most)) } @else { "–" } };
            vec![view.period_cell(view.by(), of), most(row.stays), at(row.stays), most(row.sessions), at(row.sessions)]
        }));
        let chart = Line { points: view.points(view.by(), &rows, count), before: Vec::new(), axis: count }.draw();
        let notes = vec![view.say(Word::AtOnceNote).to_owned()];
        let unfiltered = unfiltered(view, &[Word::SessionKind, Word::UserKind, Word::Device]);
        let panel = Panel {
            chart: Some(chart),
            notes,
            unfiltered,
            size: "half",
            ..Panel::new("at-once", view.fill(Word::AtOnceBy, &[("period", &view.by_word())]), table)
        };
        view.panel(&panel.from(&answer.covers, calls::concurrency(&ask)))
    })
}

/// Who met most.
fn top_users(view: &View<'_>) -> Markup {
    let kinds = &view.state.filters.user_kinds;
    let ask = TopUsers {
        range: view.span.range,
        zone: view.zone().clone(),
        order: UserOrder::Duration,
        limit: TOP,
        app: view.state.filters.app.clone(),
        unit: None,
        kinds: (!kinds.is_empty()).then(|| kinds.clone()),
    };
    view.panel_of("top-users", Word::TopUsers, view.reports().top_users(view.org(), &ask), |answer| {
        let table =
            Table::new(view, Word::Name, &[Word::UserKind, Word::Meetings, Word::Time]).text(&[1]).of(answer.rows.iter().map(|row| {
                vec![
                    view.person(&row.id, &row.name),
                    html! { (view.say(user_word(row.kind))) },
                    number(row.meetings),
                    time(view.lang, row.duration),
                ]
            }));
        let unfiltered = unfiltered(view, &[Word::UserKind]);
        let panel = Panel { unfiltered, size: "half", names_people: true, ..Panel::new("top-users", view.say(Word::TopUsers), table) };
        view.panel(&panel.from(&answer.covers, calls::top_users(&ask)))
    })
}
