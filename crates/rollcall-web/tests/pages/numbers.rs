//! Numbers: of reports, the same in both languages, each with the people behind it.

use crate::{STAGE, administrator, between, every_page};
use rollcall_model::reports::{ActiveUsers, Grouping, StayFilter};
use rollcall_model::{Calendar, Reports};
use rollcall_web::{Host, Lang, page};
use std::collections::HashSet;

/// The numbers of a page, in order.
fn numbers(html: &str) -> Vec<&str> {
    between(html, "<data value=\"", "\"")
}

#[test]
fn both_languages_show_the_same_numbers() {
    let seat = administrator();
    for ((name, english), (_, chinese)) in every_page(&seat, Lang::En).into_iter().zip(every_page(&seat, Lang::Zh)) {
        // Departments and people may be in another order.
        let sorted = |html: &str| {
            let mut numbers: Vec<_> = numbers(html).into_iter().map(str::to_owned).collect();
            numbers.sort();
            numbers
        };
        assert_eq!(sorted(&english.body), sorted(&chinese.body), "{name}");
    }
}

#[test]
fn a_number_is_that_of_the_report() {
    let seat = administrator();
    let calendar = Calendar::new(seat.organization().zone.clone());
    let day = |day| calendar.day(jiff::civil::date(2026, 9, day));
    let ask = |range, by| ActiveUsers {
        range,
        zone: calendar.zone.clone(),
        week_start: jiff::civil::Weekday::Monday,
        by,
        of: StayFilter::default(),
    };
    let week = rollcall_model::Range::new(day(7).from, day(13).to);
    let whole = STAGE.active_users(seat.organization().id, &ask(week, Grouping::Whole)).unwrap().rows[0].users;
    let days: Vec<_> =
        (7..14).map(|at| STAGE.active_users(seat.organization().id, &ask(day(at), Grouping::Whole)).unwrap().rows[0].users).collect();
    let html = page("/meetings", "range=last-week", &seat, Lang::En).body;
    let panel = html.split("id=\"active\"").nth(1).unwrap();
    let panel = panel.split("</figure>").next().unwrap();
    let expected: Vec<_> = std::iter::once(whole).chain(days.iter().copied()).map(|number| number.to_string()).collect();
    assert_eq!(numbers(panel), expected);
    assert!(days.iter().sum::<u64>() > whole);
}

#[test]
fn each_number_that_leads_to_people_leads_to_as_many() {
    let seat = administrator();
    let mut followed = HashSet::new();
    for (name, page_of) in every_page(&seat, Lang::En) {
        for link in between(&page_of.body, "<a href=\"/people?", "</data>") {
            let (query, rest) = link.split_once('"').unwrap();
            let Some((_, number)) = rest.split_once("<data value=\"") else { continue };
            // Another link's number would be further away.
            let number: usize = number.split('"').next().unwrap().parse().unwrap();
            let query = query.replace("&amp;", "&");
            if rest.contains("</a>") || !followed.insert(query.clone()) {
                continue;
            }
            let people = page("/people", &query, &seat, Lang::En).body;
            let rows = people.matches("<th scope=\"row\">").count();
            assert_eq!(rows, number, "{name}: {query}");
        }
    }
    assert!(followed.len() > 150, "{}", followed.len());
}

#[test]
fn rows_that_go_on_are_each_shown_once() {
    let seat = administrator();
    let mut seen = HashSet::new();
    let mut href = "/sessions?range=quarter".to_owned();
    let mut pages = 0;
    loop {
        let (path, query) = href.split_once('?').unwrap_or((&href, ""));
        let html = page(path, query, &seat, Lang::En).body;
        for row in between(&html, "<th scope=\"row\"><a href=\"", "\"") {
            assert!(seen.insert(row.split('?').next().unwrap().to_owned()), "{row} twice");
        }
        pages += 1;
        match between(&html, "<li><a href=\"", "\" rel=\"next\"").first() {
            Some(next) => href = next.rsplit("<a href=\"").next().unwrap().replace("&amp;", "&"),
            None => break,
        }
    }
    assert!(pages > 3, "{pages}");
    let july = Calendar::new(STAGE.organization.zone.clone()).start_of(jiff::civil::date(2026, 7, 1));
    let started = STAGE.stays.iter().filter(|stay| stay.started_at >= july);
    let sessions: HashSet<_> = started.map(|stay| (stay.started_at, &stay.session_id, stay.app)).collect();
    assert_eq!(seen.len(), sessions.len());
}

#[test]
fn every_call_asks_the_native_api_for_the_range_of_the_page() {
    let seat = administrator();
    for (path, report) in
        [("/meetings", "meeting-days"), ("/places", "users-by-place"), ("/departments", "department-users"), ("/people", "people")]
    {
        let html = page(path, "from=2026-09-01&to=2026-09-07", &seat, Lang::En).body;
        let call = format!("https://rollcall.example.org/v1/reports/{report}?");
        let found = html.split(&call).nth(1).unwrap_or_else(|| panic!("{path} has no call of {report}"));
        let found = found.split('\'').next().unwrap();
        assert!(found.contains("from=2026-09-01&amp;to=2026-09-07&amp;zone=Asia/Shanghai"), "{found}");
    }
    assert!(page("/meetings", "range=last-week&by=day", &seat, Lang::En).body.contains("/open-apis/vc/v1/reports/get_daily?start_time="));
}
