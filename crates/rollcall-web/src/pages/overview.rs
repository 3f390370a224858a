//! The overview: one panel, one report each.

use crate::calls;
use crate::charts::spark;
use crate::lang::{Lang, count, decimal};
use crate::pages::{assistant, departments};
use crate::parts::controls::period_word;
use crate::parts::over_time::Row;
use crate::parts::panel::{Panel, Table};
use crate::parts::{number, number_to, time};
use crate::view::View;
use crate::when;
use crate::words::Word;
use jiff::ToSpan;
use maud::{Markup, html};
use rollcall_model::reports::{ActiveUsers, ActiveUsersRow, DepartmentUsers, Grouping, MeetingDays, WeekHours};
use rollcall_model::{Answer, Period, Range};

pub(crate) fn content(view: &View<'_>) -> Markup {
    html! {
        div class="grid" {
            (active_tile(view, "today", Word::ActiveToday, Period::Day, 14))
            (active_tile(view, "week", Word::ActiveWeek, Period::Week, 12))
            (active_tile(view, "month", Word::ActiveMonth, Period::Month, 12))
            (meetings_tiles(view))
            (assistant::tile(view))
            (super::meetings::active(view, "wide"))
            (completeness(view))
            (hour_week(view))
            (top_departments(view))
        }
    }
}

/// The active people of the period that runs, after those of the periods before: one report gives number, line and change. The period
/// that runs is not compared with whole ones; the last whole one is.
fn active_tile(view: &View<'_>, id: &'static str, title: Word, by: Period, periods: i64) -> Markup {
    let calendar = &view.calendar;
    let first = calendar.first_of(by, calendar.date_of(view.now));
    let back = periods - 1;
    let oldest = first.saturating_sub(match by {
        Period::Week => back.weeks(),
        Period::Month => back.months(),
        Period::Day | Period::Quarter | Period::Year => back.days(),
    });
    let range = Range::new(calendar.start_of(oldest), calendar.start_of(calendar.next_after(by, first)));
    let ask = ActiveUsers { range, zone: view.zone().clone(), week_start: calendar.week_start, by: Grouping::Period(by), of: view.stays() };
    view.panel_of(id, title, view.reports().active_users(view.org(), &ask), |answer: Answer<ActiveUsersRow>| {
        let rows = view.begun(&answer.rows, |row| {
            let href = whole_period(view, row.period);
            Row { date: row.date, period: row.period, value: row.users, href: Some(href) }
        });
        let values: Vec<_> = rows.iter().map(|row| row.value).collect();
        let table = Table::new(view, period_word(by), &[Word::Participants]).folded();
        let table = table.of(rows.iter().map(|row| {
            let mut cells = vec![view.period_cell(by, row)];
            cells.extend(view.value_cells(row, None));
            cells
        }));
        let headline = rows.last().map(|row| {
            html! {
                (number_to(row.value, row.href.as_deref().unwrap_or_default())) " " span class="unit" { (view.say(Word::RunningShort)) }
            }
        });
        let mut notes = Vec::new();
        if let [.., before, last, _] = rows.as_slice() {
            let period = when::period(view.lang, by, last.date, true);
            let period = if by == Period::Week { when::days(view.lang, last.date, last.date.saturating_add(6.days())) } else { period };
            let change = crate::lang::signed(i128::from(last.value) - i128::from(before.value));
            let percent = view.change_percent(last.value, before.value);
            let parts = [("period", period.as_str()), ("value", &count(last.value)), ("change", &change), ("percent", &percent)];
            notes.push(view.fill(Word::LastWhole, &parts));
        }
        let panel =
            Panel { headline, chart: Some(spark::draw(&values, true)), size: "tile", notes, ..Panel::new(id, view.say(title), table) };
        view.panel(&panel.from(&answer.covers, calls::active_users(&ask)))
    })
}

/// Where the people of a whole period are, whatever the page's range.
fn whole_period(view: &View<'_>, period: Range) -> String {
    let (first, last) = (view.calendar.date_of(period.from), view.calendar.date_of(period.to - 1));
    view.people_of(crate::state::Asked::Days(first, last), |_| ())
}

/// Meetings and their time: each meeting is of one day, so days add up.
fn meetings_tiles(view: &View<'_>) -> Markup {
    if view.department().is_some() && view.host.viewer().department().is_some() {
        return html! {};
    }
    let by = view.by();
    let ask = |range| MeetingDays {
        app: view.state.filters.app.clone(),
        week_start: view.calendar.week_start,
        by: Grouping::Period(by),
        ..MeetingDays::by_day(range, view.zone().clone())
    };
    let now = ask(view.span.range);
    let before = view.before.map(|span| view.reports().meeting_days(view.org(), &ask(span.range)));
    view.panel_of("meetings", Word::MeetingsHeld, view.reports().meeting_days(view.org(), &now), |answer| {
        let begun: Vec<_> = answer.rows.iter().filter(|row| row.period.from <= view.now).collect();
        let table = Table::new(view, period_word(by), &[Word::Meetings, Word::MeetingTime, Word::AttendancesShort]).folded();
        let table = table.of(begun.iter().map(|row| {
            let day = Row { date: row.date, period: row.period, value: row.meetings, href: None };
            vec![view.period_cell(by, &day), number(row.meetings), time(view.lang, row.duration), number(row.participants)]
        }));
        let running = begun.last().is_some_and(|row| row.period.contains(view.now));
        let meetings: Vec<_> = begun.iter().map(|row| row.meetings).collect();
        let lengths: Vec<_> = begun.iter().map(|row| u64::try_from(row.duration).unwrap_or(0)).collect();
        let total = |values: &[u64]| values.iter().sum::<u64>();
        let before = before.and_then(Result::ok).map(|answer| {
            let meetings: u64 = answer.rows.iter().map(|row| row.meetings).sum();
            let length: i64 = answer.rows.iter().map(|row| row.duration).sum();
            (meetings, u64::try_from(length).unwrap_or(0))
        });
        let unfiltered = super::meetings::unfiltered(view, &[]);
        let panel = |id, title: Word, headline, values: &[u64]| {
            let panel = Panel::new(id, view.say(title), table.clone());
            let panel = Panel {
                headline: Some(headline),
                chart: Some(spark::draw(values, running)),
                size: "tile",
                unfiltered: unfiltered.clone(),
                ..panel
            };
            let panel = Panel { notes: vec![view.say(Word::SumOfDays).to_owned()], ..panel };
            view.panel(&panel.from(&answer.covers, calls::meeting_days(&now, view.home())))
        };
        let length = i64::try_from(total(&lengths)).unwrap_or(i64::MAX);
        let many = html! {
            (number(total(&meetings)))
            @if let Some((before, _)) = before { " " (view.change(total(&meetings), before)) }
        };
        let long = html! {
            (time(view.lang, length))
            @if let Some((_, before)) = before { " " span class="change" { (view.change_percent(total(&lengths), before)) } }
        };
        html! {
            (panel("meetings", Word::MeetingsHeld, many, &meetings))
            (panel("time", Word::MeetingTime, long, &lengths))
        }
    })
}

/// Hour × weekday.
fn hour_week(view: &View<'_>) -> Markup {
    use crate::charts::heat::{Cell, draw};
    let ask = WeekHours { range: view.span.range, zone: view.zone().clone(), of: view.stays() };
    view.panel_of("hours", Word::HourWeek, view.reports().week_hours(view.org(), &ask), |answer| {
        let start = view.calendar.week_start;
        let row_of = |day: jiff::civil::Weekday| usize::try_from(start.until(day)).unwrap_or(0);
        let mut days = [""; 7];
        let mut cells = Vec::new();
        for hour in &answer.rows {
            let row = row_of(hour.weekday);
            let name = when::weekday(view.lang, hour.weekday);
            if let Some(slot) = days.get_mut(row) {
                *slot = name;
            }
            let mean = hour.users as f64 / hour.hours.max(1) as f64;
            let said = format!("{name} {}:00: {}", hour.hour, decimal(mean));
            cells.push((row, hour, Cell { row, hour: usize::try_from(hour.hour).unwrap_or(0), value: mean, said }));
        }
        let names = days;
        let head = names.iter().map(|name| ((*name).to_owned(), true));
        let mut table =
            Table { head: std::iter::once((view.say(Word::Hour).to_owned(), false)).chain(head).collect(), ..Table::default() }.folded();
        table.rows = (0..24_i8)
            .map(|hour| {
                let mut row = vec![html! { (hour) ":00" }];
                row.extend((0..7).map(|day| {
                    let found = cells.iter().find(|(row, of, _)| *row == day && of.hour == hour);
                    html! { @if let Some((.., cell)) = found { data value=(cell.value) { (decimal(cell.value)) } } @else { "–" } }
                }));
                row
            })
            .collect();
        let drawn: Vec<_> = cells.into_iter().map(|(_, _, cell)| cell).collect();
        let notes = vec![view.say(Word::HourWeekNote).to_owned()];
        let panel =
            Panel { chart: Some(draw(&names, &drawn)), notes, size: "half", ..Panel::new("hours", view.say(Word::HourWeek), table) };
        view.panel(&panel.from(&answer.covers, calls::week_hours(&ask)))
    })
}

/// The departments with the most people.
fn top_departments(view: &View<'_>) -> Markup {
    let ask: DepartmentUsers = departments::ask(view, view.department().map(|of| of.id));
    view.panel_of("departments", Word::TopDepartments, view.reports().department_users(view.org(), &ask), |answer| {
        let mut rows: Vec<_> = answer.rows.iter().filter(|row| row.users > 0).collect();
        rows.sort_by(|a, b| b.users.cmp(&a.users).then_with(|| a.department.cmp(&b.department)));
        rows.truncate(12);
        let ranked: Vec<_> = rows.iter().map(|row| departments::ranked(view, row)).collect();
        let mut panel = view.ranking("departments", Word::TopDepartments, (Word::Department, Word::Participants), &ranked);
        panel.notes.push(view.say(Word::TreeNote).to_owned());
        view.panel(&panel.from(&answer.covers, calls::department_users(&ask)))
    })
}

/// Whether the numbers are complete.
fn completeness(view: &View<'_>) -> Markup {
    let data = &view.data;
    let failing = data.sources.iter().any(|source| source.failing_since.is_some());
    let colon = if view.lang == Lang::En { ": " } else { "：" };
    html! {
        section class="panel third" id="complete" aria-labelledby="complete-title" {
            header { h2 id="complete-title" { (view.say(Word::Completeness)) } }
            @if data.sources.is_empty() { p class="note" { (view.say(Word::NoSources)) } }
            @else if !failing { p class="note" { (view.say(Word::SourcesWell)) } }
            ul {
                @for source in &data.sources {
                    li {
                        (source.name) (colon)
                        @if let Some(since) = source.failing_since {
                            @let since = when::instant_text(view.lang, view.zone(), since);
                            span class="bad" { (view.fill(Word::FailingSince, &[("since", &since)])) }
                        } @else { (view.say(Word::Well)) }
                        @if let Some(last) = source.last_event { " · " (view.say(Word::LastEvent)) " " (view.instant(last)) }
                    }
                }
            }
            @if view.complete.late > 0 { p class="note" { (view.fill(Word::Late, &[("count", &count(view.complete.late))])) } }
            @if view.host.viewer().sees_data() { p { a href=(view.shared().at("/data")) { (view.say(Word::Data)) } } }
        }
    }
}
