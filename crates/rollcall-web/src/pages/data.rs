//! Where facts come from and where they lie; which days lack them.

use crate::calls;
use crate::lang::count;
use crate::parts::panel::{Panel, Table};
use crate::parts::{bytes, number};
use crate::trouble::Trouble;
use crate::view::View;
use crate::when;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::reports::{ActiveUsers, Grouping, StayFilter};
use rollcall_model::{Millis, Period};

pub(crate) fn content(view: &View<'_>) -> Result<Markup, Trouble> {
    if !view.host.viewer().sees_data() {
        return Err(Trouble::Forbidden);
    }
    Ok(html! { div class="grid" { (sources(view)) (quiet(view)) (state(view)) (receipts(view)) (lake(view)) } })
}

fn at(view: &View<'_>, at: Option<Millis>) -> Markup {
    html! { @if let Some(at) = at { (view.instant(at)) } @else { (view.say(Word::Never)) } }
}

fn sources(view: &View<'_>) -> Markup {
    if view.data.sources.is_empty() {
        return view.notice("sources", view.say(Word::Sources), view.say(Word::NoSources));
    }
    let head = [Word::Vendor, Word::State, Word::LastEvent, Word::OpenStays, Word::Refused];
    let table = Table::new(view, Word::Name, &head).text(&[1, 2, 3]).of(view.data.sources.iter().map(|source| {
        let state = html! {
            @if let Some(since) = source.failing_since {
                span class="bad" { (view.fill(Word::FailingSince, &[("since", &when::instant_text(view.lang, view.zone(), since))])) }
                @if let Some(failure) = &source.failure { ": " (failure) }
            } @else { (view.say(Word::Well)) }
        };
        vec![
            html! { (source.name) },
            html! { (source.vendor) },
            state,
            at(view, source.last_event),
            number(source.open),
            number(source.refused),
        ]
    }));
    view.panel(&Panel::new("sources", view.say(Word::Sources), table))
}

/// Days of the range that have passed and have no attendance.
fn quiet(view: &View<'_>) -> Markup {
    let ask = ActiveUsers {
        range: view.span.range,
        zone: view.zone().clone(),
        week_start: view.calendar.week_start,
        by: Grouping::Period(Period::Day),
        of: StayFilter::default(),
    };
    view.panel_of("quiet", Word::QuietDays, view.reports().active_users(view.org(), &ask), |answer| {
        let quiet: Vec<_> = answer.rows.iter().filter(|row| row.users == 0 && row.period.to <= view.now).take(400).collect();
        if quiet.is_empty() {
            return view.notice("quiet", view.say(Word::QuietDays), view.say(Word::QuietNone));
        }
        let table = Table::new(view, Word::Day, &[Word::Weekday]).text(&[1]);
        let table = table
            .of(quiet.iter().map(|row| vec![when::date(view.lang, row.date), html! { (when::weekday(view.lang, row.date.weekday())) }]));
        let panel = Panel { size: "half", ..Panel::new("quiet", view.say(Word::QuietDays), table) };
        view.panel(&panel.from(&answer.covers, calls::active_users(&ask)))
    })
}

fn state(view: &View<'_>) -> Markup {
    let data = &view.data;
    let verify = html! {
        @if let Some((at, differences)) = data.verify {
            (view.instant(at)) ": " (view.fill(Word::Differences, &[("count", &count(differences))]))
        } @else { (view.say(Word::Never)) }
    };
    html! {
        section class="panel half" id="state" aria-labelledby="state-title" {
            header { h2 id="state-title" { (view.say(Word::State)) } }
            dl class="facts" {
                dt { (view.say(Word::FactsAhead)) } dd { (number(data.ahead)) }
                dt { (view.say(Word::LateFacts)) } dd { (number(view.complete.late)) }
                dt { (view.say(Word::Backup)) } dd { (at(view, data.backup)) }
                dt { (view.say(Word::Verify)) } dd { (verify) }
                dt { (view.say(Word::Disputed)) }
                dd {
                    @if data.disputed.is_empty() { (view.say(Word::None)) }
                    @else { ul { @for id in data.disputed.iter().take(100) { li { bdi { (id) } } } } }
                }
            }
        }
    }
}

fn receipts(view: &View<'_>) -> Markup {
    if view.data.receipts.is_empty() {
        return view.notice("receipts", view.say(Word::Receipts), view.say(Word::NoReceipts));
    }
    let mut table = Table::new(view, Word::Receipt, &[Word::Given, Word::Facts, Word::Range]).text(&[1, 3]);
    let administers = view.host.viewer().administers();
    if administers {
        table.head.push((view.say(Word::Withdraw).to_owned(), false));
    }
    let table = table.of(view.data.receipts.iter().take(200).map(|receipt| {
        let times =
            html! { @if let Some((first, last)) = receipt.times { (view.instant(first)) " – " (view.instant(last)) } @else { "–" } };
        let mut row = vec![html! { (receipt.number) }, view.instant(receipt.at), number(receipt.accepted), times];
        if administers {
            row.push(html! { form method="post" action="/data/withdraw" {
                input type="hidden" name="receipt" value=(receipt.number);
                button aria-label=(view.fill(Word::WithdrawOf, &[("number", &receipt.number.to_string())])) { (view.say(Word::Withdraw)) }
            } });
        }
        row
    }));
    view.panel(&Panel::new("receipts", view.say(Word::Receipts), table))
}

fn lake(view: &View<'_>) -> Markup {
    let table = Table::new(view, Word::Name, &[Word::Version, Word::Facts, Word::Bytes]);
    let table = table.of(view
        .data
        .tables
        .iter()
        .map(|table| vec![html! { (table.name) }, number(table.version), number(table.facts), bytes(table.bytes)]));
    view.panel(&Panel { size: "half", ..Panel::new("lake", view.say(Word::Lake), table) })
}
