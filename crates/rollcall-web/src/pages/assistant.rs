//! The coding assistant: who used it, for what.

use crate::calls;
use crate::charts::line::Line;
use crate::charts::{columns::Columns, spark};
use crate::lang::{count, percent};
use crate::parts::number;
use crate::parts::over_time::Row;
use crate::parts::panel::{Panel, Table};
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::Period;
use rollcall_model::reports::{DepartmentDay, DepartmentDays, DeveloperDays, Developers, Usage, UsageSpan};

/// How many developers, languages and the like are listed.
const MOST: usize = 50;

/// The longest range that is shown day by day, which is all that its report knows.
const MOST_DAYS: i64 = 400;

/// The department that stands for what the viewer sees: the one that is filtered by, the viewer's, or the one at the top. The flag says
/// whether there are others at the top.
fn top(view: &View<'_>) -> Option<(String, bool)> {
    if let Some(department) = view.department() {
        return Some((department.id, false));
    }
    let directory = &view.directory;
    let tree = directory.tree_on(view.tree_day());
    let mut roots = tree.departments().iter().filter(|department| department.parent_id.is_none());
    let first = roots.next()?.id.clone();
    Some((first, roots.next().is_some()))
}

fn days(view: &View<'_>, department: &str, by: UsageSpan) -> DepartmentDays {
    DepartmentDays {
        range: view.span.range,
        zone: view.zone().clone(),
        by,
        department: Some(department.to_owned()),
        with_subtree: true,
        only: None,
    }
}

pub(crate) fn content(view: &View<'_>) -> Markup {
    let top = top(view);
    html! {
        @match &top {
            None => p class="note strong" { (view.say(Word::NoRoot)) },
            Some((id, true)) => p class="note strong" { (view.fill(Word::ManyRoots, &[("department", &view.department_name(id))])) },
            Some(_) => {},
        }
        div class="grid" {
            @if let Some((id, _)) = &top { (over_time(view, Some(id))) (parts(view, id)) }
            (developers(view))
        }
    }
}

/// Developers and accepted lines by day, as the overview shows them.
pub(crate) fn tile(view: &View<'_>) -> Markup {
    let Some((id, _)) = top(view) else { return html! {} };
    if view.span.days() > MOST_DAYS {
        return view.notice("assistant", view.say(Word::AssistantUse), view.say(Word::DaysTooMany));
    }
    let (by_day, whole) = (days(view, &id, UsageSpan::Day), days(view, &id, UsageSpan::Whole));
    let asked = |ask| view.reports().department_days(view.org(), ask);
    let answer = asked(&by_day).and_then(|answer| Ok((answer, asked(&whole)?)));
    view.panel_of("assistant", Word::AssistantUse, answer, |(answer, total)| {
        let begun = begun(view, &answer.rows);
        let table = Table::new(view, Word::Day, &[Word::Developers, Word::LinesAccepted]).folded();
        let table = table.of(begun
            .iter()
            .map(|(row, usage)| vec![view.period_cell(Period::Day, row), number(usage.developers), number(usage.lines_accepted)]));
        let values: Vec<_> = begun.iter().map(|(_, usage)| usage.developers).collect();
        let running = begun.last().is_some_and(|(row, _)| row.period.contains(view.now));
        let headline = total.rows.first().map(|row| {
            html! {
                (number(row.usage.developers)) " " span class="unit" { (view.say(Word::Developers)) " · " }
                (number(row.usage.lines_accepted)) " " span class="unit" { (view.say(Word::LinesAccepted)) }
            }
        });
        let notes = vec![view.say(Word::NotSum).to_owned()];
        let title = format!("{}: {}", view.say(Word::AssistantUse), view.department_name(&id));
        let panel =
            Panel { headline, chart: Some(spark::draw(&values, running)), notes, size: "tile", ..Panel::new("assistant", title, table) };
        let mut panel = panel.from(&answer.covers, calls::department_days_of_yunxiao(&by_day, view.home(), &view.org().to_string()));
        panel.calls.push(calls::department_days(&whole));
        view.panel(&panel)
    })
}

/// Rows of days that have begun.
fn begun<'r>(view: &View<'_>, rows: &'r [DepartmentDay]) -> Vec<(Row, &'r Usage)> {
    let row = |row: &'r DepartmentDay| (Row { date: row.key.date, period: row.span, value: row.usage.developers, href: None }, &row.usage);
    rows.iter().map(row).filter(|(row, _)| row.period.from <= view.now).collect()
}

/// Developers, accepted lines and acceptance, day by day.
pub(crate) fn over_time(view: &View<'_>, department: Option<&str>) -> Markup {
    let Some(id) = department else { return html! {} };
    if view.span.days() > MOST_DAYS {
        return view.notice("developers-by-day", view.say(Word::DevelopersBy), view.say(Word::DaysTooMany));
    }
    let (by_day, whole) = (days(view, id, UsageSpan::Day), days(view, id, UsageSpan::Whole));
    let asked = |ask| view.reports().department_days(view.org(), ask);
    let answer = asked(&by_day).and_then(|answer| Ok((answer, asked(&whole)?)));
    view.panel_of("developers-by-day", Word::DevelopersBy, answer, |(answer, total)| {
        let begun = begun(view, &answer.rows);
        let head = [
            Word::Developers,
            Word::ChatDevelopers,
            Word::CompletionDevelopers,
            Word::Turns,
            Word::Suggested,
            Word::Accepted,
            Word::Acceptance,
            Word::LinesAccepted,
        ];
        let cells = |name, usage: &Usage| {
            vec![
                name,
                number(usage.developers),
                number(usage.chat_developers),
                number(usage.completion_developers),
                number(usage.turns),
                number(usage.suggested),
                number(usage.accepted),
                html! { (percent(usage.accepted, usage.suggested)) },
                number(usage.lines_accepted),
            ]
        };
        let mut rows: Vec<_> = begun.iter().map(|(row, usage)| cells(view.period_cell(Period::Day, row), usage)).collect();
        let all = total.rows.first().map(|row| &row.usage);
        rows.extend(all.map(|usage| cells(html! { strong { (view.say(Word::Total)) } }, usage)));
        let table = Table::new(view, Word::Day, &head).folded().of(rows);
        let of: Vec<_> = begun.iter().map(|(row, _)| row.clone()).collect();
        let line = Line { points: view.points(Period::Day, &of, count), before: Vec::new(), axis: count }.draw();
        let lines: Vec<_> = begun.iter().map(|(row, usage)| Row { value: usage.lines_accepted, ..row.clone() }).collect();
        let columns = Columns { points: view.points(Period::Day, &lines, count), axis: count, unit: 1 }.draw();
        let call = || calls::department_days_of_yunxiao(&by_day, view.home(), &view.org().to_string());
        let headline = all.map(|usage| html! { (number(usage.developers)) " " span class="unit" { (view.say(Word::Developers)) } });
        let notes = vec![view.say(Word::NotSum).to_owned()];
        let unfiltered = unfiltered(view);
        let panel = Panel {
            headline,
            chart: Some(line),
            notes,
            unfiltered: unfiltered.clone(),
            size: "half",
            ..Panel::new("developers-by-day", view.say(Word::DevelopersBy), table)
        };
        let mut panel = panel.from(&answer.covers, call());
        panel.calls.push(calls::department_days(&whole));
        let table = Table::new(view, Word::Day, &[Word::LinesAccepted, Word::LinesChanged]).folded();
        let table = table.of(begun
            .iter()
            .map(|(row, usage)| vec![view.period_cell(Period::Day, row), number(usage.lines_accepted), number(usage.lines_changed)]));
        let headline = all.map(|usage| html! { (number(usage.lines_accepted)) " " span class="unit" { (view.say(Word::LinesAccepted)) } });
        let of_lines = Panel {
            headline,
            chart: Some(columns),
            unfiltered,
            size: "half",
            ..Panel::new("lines-by-day", view.say(Word::LinesBy), table)
        };
        html! { (view.panel(&panel)) (view.panel(&of_lines.from(&answer.covers, call()))) }
    })
}

/// Filters on attendance do not count for the assistant.
fn unfiltered(view: &View<'_>) -> Vec<Word> {
    let mut words = super::meetings::unfiltered(view, &[Word::Department]);
    words.extend(view.state.filters.app.as_ref().map(|_| Word::App));
    words
}

/// A name that facts carry; none where they carry none.
fn named(view: &View<'_>, name: &str) -> Markup {
    html! { @if name.is_empty() { (view.say(Word::Unknown)) } @else { bdi { (name) } } }
}

/// What was used, by language, IDE and type of chat.
fn parts(view: &View<'_>, department: &str) -> Markup {
    let ask = days(view, department, UsageSpan::Whole);
    view.panel_of("languages", Word::ByLanguage, view.reports().department_days(view.org(), &ask), |answer| {
        let Some(row) = answer.rows.first() else { return html! {} };
        let usage = &row.usage;
        let call = |breakdown: &str| {
            let mut call = calls::department_days(&ask);
            call.pairs.push(("breakdown", breakdown.to_owned()));
            call
        };
        let panel = |id, title: Word, table: Table, breakdown: &str| {
            let panel = Panel {
                notes: vec![view.say(Word::Overlap).to_owned()],
                unfiltered: unfiltered(view),
                size: "half",
                ..Panel::new(id, view.say(title), table)
            };
            view.panel(&panel.from(&answer.covers, call(breakdown)))
        };
        let mut coding: Vec<_> = usage.coding.iter().collect();
        coding.sort_by_key(|row| std::cmp::Reverse(row.lines_accepted));
        let languages = Table::new(view, Word::Language, &[Word::Developers, Word::LinesAccepted, Word::LinesChanged]);
        let languages = languages
            .of(coding.iter().take(MOST).map(|row| {
                vec![named(view, &row.language), number(row.developers), number(row.lines_accepted), number(row.lines_changed)]
            }));
        let mut completion: Vec<_> = usage.completion.iter().collect();
        completion.sort_by_key(|row| std::cmp::Reverse(row.accepted));
        let ides =
            Table::new(view, Word::Language, &[Word::Ide, Word::Developers, Word::Suggested, Word::Accepted, Word::Acceptance]).text(&[1]);
        let ides = ides.of(completion.iter().take(MOST).map(|row| {
            let share = html! { (percent(row.accepted, row.suggested)) };
            vec![
                named(view, &row.language),
                named(view, &row.ide),
                number(row.developers),
                number(row.suggested),
                number(row.accepted),
                share,
            ]
        }));
        let mut chatting: Vec<_> = usage.chatting.iter().collect();
        chatting.sort_by_key(|row| std::cmp::Reverse(row.turns));
        let chats = Table::new(view, Word::ChatType, &[Word::Ide, Word::Developers, Word::Turns, Word::Accepted]).text(&[1]);
        let chats = chats.of(chatting.iter().take(MOST).map(|row| {
            vec![named(view, &row.chat_type), named(view, &row.ide), number(row.developers), number(row.turns), number(row.accepted)]
        }));
        html! {
            (panel("languages", Word::ByLanguage, languages, "coding"))
            (panel("ides", Word::ByIde, ides, "completion"))
            (panel("chats", Word::ByChat, chats, "chatting"))
        }
    })
}

/// Who used it most.
fn developers(view: &View<'_>) -> Markup {
    let developers = view.department().map_or(Developers::All, |of| Developers::Of { department: of.id, with_subtree: true });
    let ask = DeveloperDays { range: view.span.range, zone: view.zone().clone(), by: UsageSpan::Whole, developers, only: None };
    view.panel_of("developers", Word::TopDevelopers, view.reports().developer_days(view.org(), &ask), |answer| {
        let mut rows: Vec<_> = answer.rows.iter().filter(|row| row.usage.developers > 0).collect();
        rows.sort_by(|a, b| b.usage.lines_accepted.cmp(&a.usage.lines_accepted).then_with(|| a.key.id.cmp(&b.key.id)));
        rows.truncate(MOST);
        let head = [Word::LinesAccepted, Word::Turns, Word::Suggested, Word::Accepted, Word::Acceptance, Word::LastUse];
        let table = Table::new(view, Word::Name, &head).text(&[6]).of(rows.iter().map(|row| {
            let (id, usage) = (&row.key.id, &row.usage);
            let name = view.directory.user(id).map_or(&**id, |user| user.name.as_str());
            let last = html! { @if let Some(at) = usage.last_use { (view.instant(at)) } @else { "–" } };
            let share = html! { (percent(usage.accepted, usage.suggested)) };
            vec![
                view.person(id, name),
                number(usage.lines_accepted),
                number(usage.turns),
                number(usage.suggested),
                number(usage.accepted),
                share,
                last,
            ]
        }));
        let panel =
            Panel { unfiltered: unfiltered(view), names_people: true, ..Panel::new("developers", view.say(Word::TopDevelopers), table) };
        view.panel(&panel.from(&answer.covers, calls::developer_days(&ask)))
    })
}
