//! Days, instants and ranges in words.

use crate::lang::Lang;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rollcall_model::calendar::{rfc3339, timestamp};
use rollcall_model::{Millis, Period};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The name of a zone.
pub(crate) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// The short name of a month.
fn month(date: Date) -> &'static str {
    usize::try_from(date.month() - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default()
}

/// A day: `1 Sep 2026`, `2026年9月1日`.
pub(crate) fn day(lang: Lang, date: Date) -> String {
    match lang {
        Lang::En => format!("{} {} {}", date.day(), month(date), date.year()),
        Lang::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    }
}

/// A day of a year that is known: `1 Sep`, `9月1日`.
pub(crate) fn day_short(lang: Lang, date: Date) -> String {
    match lang {
        Lang::En => format!("{} {}", date.day(), month(date)),
        Lang::Zh => format!("{}月{}日", date.month(), date.day()),
    }
}

/// The days from one to another, both included: `1–7 Sep 2026`, `2026年9月1日至7日`.
pub(crate) fn days(lang: Lang, first: Date, last: Date) -> String {
    let (same_year, same_month) = (first.year() == last.year(), first.year() == last.year() && first.month() == last.month());
    match lang {
        _ if first >= last => day(lang, first),
        Lang::En if same_month => format!("{}–{}", first.day(), day(lang, last)),
        Lang::En if same_year => format!("{} – {}", day_short(lang, first), day(lang, last)),
        Lang::En => format!("{} – {}", day(lang, first), day(lang, last)),
        Lang::Zh if same_month => format!("{}至{}日", day(lang, first), last.day()),
        Lang::Zh if same_year => format!("{}至{}", day(lang, first), day_short(lang, last)),
        Lang::Zh => format!("{}至{}", day(lang, first), day(lang, last)),
    }
}

/// A period by its first day, for an axis and for rows.
pub(crate) fn period(lang: Lang, by: Period, first: Date, with_year: bool) -> String {
    match (by, lang) {
        (Period::Year, Lang::En) => first.year().to_string(),
        (Period::Year, Lang::Zh) => format!("{}年", first.year()),
        (Period::Quarter, Lang::En) => format!("Q{} {}", (first.month() + 2) / 3, first.year()),
        (Period::Quarter, Lang::Zh) => format!("{}年第{}季度", first.year(), (first.month() + 2) / 3),
        (Period::Month, Lang::En) if with_year => format!("{} {}", month(first), first.year()),
        (Period::Month, Lang::En) => month(first).to_owned(),
        (Period::Month, Lang::Zh) if with_year => format!("{}年{}月", first.year(), first.month()),
        (Period::Month, Lang::Zh) => format!("{}月", first.month()),
        (Period::Day | Period::Week, _) if with_year => day(lang, first),
        (Period::Day | Period::Week, _) => day_short(lang, first),
    }
}

/// The name of a day of the week.
pub(crate) const fn weekday(lang: Lang, day: Weekday) -> &'static str {
    match (lang, day) {
        (Lang::En, Weekday::Monday) => "Mon",
        (Lang::En, Weekday::Tuesday) => "Tue",
        (Lang::En, Weekday::Wednesday) => "Wed",
        (Lang::En, Weekday::Thursday) => "Thu",
        (Lang::En, Weekday::Friday) => "Fri",
        (Lang::En, Weekday::Saturday) => "Sat",
        (Lang::En, Weekday::Sunday) => "Sun",
        (Lang::Zh, Weekday::Monday) => "周一",
        (Lang::Zh, Weekday::Tuesday) => "周二",
        (Lang::Zh, Weekday::Wednesday) => "周三",
        (Lang::Zh, Weekday::Thursday) => "周四",
        (Lang::Zh, Weekday::Friday) => "周五",
        (Lang::Zh, Weekday::Saturday) => "周六",
        (Lang::Zh, Weekday::Sunday) => "周日",
    }
}

/// What the clocks of a zone show, to the minute.
pub(crate) fn clock(zone: &TimeZone, at: Millis) -> String {
    let shown = zone.to_datetime(timestamp(at));
    format!("{:02}:{:02}", shown.hour(), shown.minute())
}

/// An instant in a zone, to the minute: `1 Sep 2026, 14:05`.
pub(crate) fn instant_text(lang: Lang, zone: &TimeZone, at: Millis) -> String {
    let shown = zone.to_datetime(timestamp(at));
    let between = if lang == Lang::En { ", " } else { " " };
    format!("{}{between}{}", day(lang, shown.date()), clock(zone, at))
}

/// An instant, with the exact one behind it.
pub(crate) fn instant(lang: Lang, zone: &TimeZone, at: Millis) -> Markup {
    html! { time datetime=(rfc3339(at)) { (instant_text(lang, zone, at)) } }
}

/// A day, with the date behind it.
pub(crate) fn date(lang: Lang, date: Date) -> Markup {
    html! { time datetime=(date) { (day(lang, date)) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_range_says_no_more_than_it_must() {
        let (a, b, c, d) = (date(2026, 9, 1), date(2026, 9, 7), date(2026, 10, 2), date(2027, 1, 3));
        for (first, last, english, chinese) in [
            (a, a, "1 Sep 2026", "2026年9月1日"),
            (a, b, "1–7 Sep 2026", "2026年9月1日至7日"),
            (a, c, "1 Sep – 2 Oct 2026", "2026年9月1日至10月2日"),
            (a, d, "1 Sep 2026 – 3 Jan 2027", "2026年9月1日至2027年1月3日"),
        ] {
            assert_eq!(days(Lang::En, first, last), english);
            assert_eq!(days(Lang::Zh, first, last), chinese);
        }
    }

    #[test]
    fn an_instant_is_shown_by_the_clocks_of_its_zone_and_exact_behind_that() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let shown = instant(Lang::En, &zone, 1_788_235_500_123).into_string();
        assert_eq!(shown, "<time datetime=\"2026-09-01T04:05:00.123Z\">1 Sep 2026, 12:05</time>");
    }
}
