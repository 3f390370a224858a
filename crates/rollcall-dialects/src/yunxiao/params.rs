//! Query parameters. Everything wrong is found, not only the first. An empty value is as good as none.

use super::errors::Refusal;
use super::paging::Page;
use super::usage::{Question, Who};
use super::wire::LARGEST_PAGE;
use axum::extract::Query;
use http::Uri;
use jiff::civil::Date;
use rollcall_model::instant::parse_time;

/// How much of a wrong value an answer repeats, in characters.
const SHOWN: usize = 100;

/// Reads the parameters of `departmentUsage`.
pub(super) fn department_usage(uri: &Uri) -> Result<(Question, Page), Refusal> {
    let mut reader = Reader::new(uri);
    let days = reader.days();
    let who = reader.value("departmentId").map_or(Who::Departments, Who::Department);
    let page = reader.page();
    reader.question(days, who, page)
}

/// Reads the parameters of `developerUsage`. A user counts before a department, a department before everyone.
pub(super) fn developer_usage(uri: &Uri) -> Result<(Question, Page), Refusal> {
    let mut reader = Reader::new(uri);
    let days = reader.days();
    let department = reader.value("departmentId").map_or(Who::Developers, Who::DevelopersOf);
    let who = reader.value("userId").map_or(department, Who::Developer);
    let page = reader.page();
    reader.question(days, who, page)
}

/// Reads the parameters of `departments`: the parent, and the page.
pub(super) fn departments(uri: &Uri) -> Result<(Option<String>, Page), Refusal> {
    let mut reader = Reader::new(uri);
    let (parent, page) = (reader.value("parentId"), reader.page());
    if reader.wrong.is_empty() { Ok((parent, page)) } else { Err(Refusal::Parameters(reader.wrong)) }
}

/// Reads the page alone.
pub(super) fn page(uri: &Uri) -> Result<Page, Refusal> {
    departments(uri).map(|(_, page)| page)
}

/// A day as `YYYY-MM-DD`, or as the date of an RFC 3339 time, as it is written.
fn day(text: &str) -> Option<Date> {
    let (date, time) = text.split_at_checked(10)?;
    let is_plain = date.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let date = date.parse().ok().filter(|_| is_plain);
    match time.as_bytes().first() {
        None => date,
        // A plus sign that was not escaped is a space in a query.
        Some(b'T' | b't') => date.filter(|_| parse_time(&text.replace(' ', "+")).is_some()),
        Some(_) => None,
    }
}

struct Reader {
    sent: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Reader {
    fn new(uri: &Uri) -> Self {
        // Bytes that are not UTF-8 are replaced, which no day and no number contains; so nothing is left to fail.
        let sent = Query::try_from_uri(uri).map(|Query(sent)| sent).unwrap_or_default();
        Self { sent, wrong: Vec::new() }
    }

    fn refuse(&mut self, name: &str, value: &str, expected: &str) {
        let value: String = value.chars().take(SHOWN).collect();
        self.wrong.push(format!("{name} {value}: expected {expected}"));
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let mut values = self.sent.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.clone());
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            self.wrong.push(format!("{name} is given twice"));
        }
        first.filter(|value| !value.is_empty())
    }

    fn day(&mut self, name: &str) -> Option<Date> {
        let Some(text) = self.value(name) else {
            self.wrong.push(format!("{name} is missing: expected a day such as 2025-06-10"));
            return None;
        };
        let day = day(&text);
        if day.is_none() {
            self.refuse(name, &text, "a day such as 2025-06-10");
        }
        day
    }

    fn days(&mut self) -> Option<(Date, Date)> {
        let (start, end) = (self.day("startTime"), self.day("endTime"));
        let (start, end) = (start?, end?);
        if end < start {
            self.refuse("endTime", &end.to_string(), "a day not before startTime");
        }
        Some((start, end))
    }

    fn number(&mut self, name: &str, default: u64, most: u64) -> u64 {
        let Some(text) = self.value(name) else { return default };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (1..=most).contains(number));
        if number.is_none() {
            let expected = if most == u64::MAX { "an integer from 1 on".to_owned() } else { format!("an integer from 1 to {most}") };
            self.refuse(name, &text, &expected);
        }
        number.unwrap_or(default)
    }

    fn page(&mut self) -> Page {
        let most = LARGEST_PAGE.into();
        Page { number: self.number("page", 1, u64::MAX), length: self.number("perPage", most, most) }
    }

    fn question(self, days: Option<(Date, Date)>, who: Who, page: Page) -> Result<(Question, Page), Refusal> {
        match days {
            Some((start, end)) if self.wrong.is_empty() => Ok((Question { start, end, who, page_length: page.length }, page)),
            _ => Err(Refusal::Parameters(self.wrong)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_time_is_cut_to_its_date_as_it_is_written() {
        let expected = Some(date(2025, 6, 10));
        for text in [
            "2025-06-10",
            "2025-06-10T23:30:00+08:00",
            "2025-06-10T23:30:00 08:00",
            "2025-06-10T00:00:00Z",
            "2025-06-10t00:00:00.123z",
            "2025-06-10T23:59:59-12:00",
        ] {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in [
            "",
            "2025-6-10",
            "20250610",
            "2025-02-30",
            "2025-06-10T",
            "2025-06-10T23:30:00",
            "2025-06-10 23:30:00+08:00",
            "2025-06-10x",
            "+025-06-10",
            "2025-06-10T25:00:00Z",
            "2025年06月10日",
            "-02025-01-01",
            "2025-06-1０",
            "1718000000000",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
