//! Query parameters, read into questions. Everything wrong is found, not only the first.

use super::errors::Refusal;
use super::wire::{FieldViolation, OrderBy, UserIdType};
use crate::Tenant;
use axum::extract::Query;
use http::Uri;
use rollcall_model::calendar::{EARLIEST, LATEST};
use rollcall_model::reports::{MeetingDays, TopUsers, UserOrder};
use rollcall_model::{Calendar, Millis, Range};
use std::ops::RangeInclusive;

/// Rows of `get_top_user` where `limit` is absent.
const DEFAULT_LIMIT: i64 = 10;
const DAY: i64 = 86_400;
/// How much of a wrong value an answer repeats.
const SHOWN: usize = 256;

/// Reads the parameters of `get_daily`.
pub(super) fn daily(uri: &Uri, tenant: &Tenant, now: Millis) -> Result<MeetingDays, Refusal> {
    let mut reader = Reader::new(uri);
    let range = reader.range(tenant, now);
    let unit = reader.unit();
    if let Some(range) = range
        && tenant.feishu.history_days == 0
        && too_long(range, tenant)
    {
        let days = tenant.feishu.span_days;
        reader.refuse("end_time", format!("must be at most {days} days after start_time"));
    }
    let (Some(range), []) = (range, reader.violations.as_slice()) else { return Err(Refusal::Parameters(reader.violations)) };
    let unit = reader.unit_of(tenant, unit)?;
    Ok(MeetingDays { unit, ..MeetingDays::by_day(range, tenant.organization.zone.clone()) })
}

/// Reads the parameters of `get_top_user`.
pub(super) fn top_user(uri: &Uri, tenant: &Tenant, now: Millis) -> Result<(TopUsers, UserIdType), Refusal> {
    let mut reader = Reader::new(uri);
    let range = reader.range(tenant, now);
    let most = match tenant.feishu.top_limit {
        0 => i64::MAX,
        most => most.into(),
    };
    let limit = reader.optional("limit", 1..=most).unwrap_or(DEFAULT_LIMIT.min(most));
    let order = reader.required("order_by", 1..=2).and_then(OrderBy::from_number);
    let unit = reader.unit();
    let id_type = reader.user_id_type();
    let (Some(range), Some(order), []) = (range, order, reader.violations.as_slice()) else {
        return Err(Refusal::Parameters(reader.violations));
    };
    let unit = reader.unit_of(tenant, unit)?;
    let ask = TopUsers {
        range,
        zone: tenant.organization.zone.clone(),
        order: match order {
            OrderBy::MeetingCount => UserOrder::Meetings,
            OrderBy::MeetingDuration => UserOrder::Duration,
        },
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        app: None,
        unit,
        kinds: None,
    };
    Ok((ask, id_type))
}

/// Whether a range is longer than the setting, by its days as well as by its time: a whole number of days is not refused for an hour that a
/// clock change adds, nor a whole number of times 86,400 s for the day it begins within.
fn too_long(range: Range, tenant: &Tenant) -> bool {
    let most = i64::from(tenant.feishu.span_days);
    if most == 0 || range.is_empty() || range.to - range.from <= most * DAY * 1000 {
        return false;
    }
    let calendar = Calendar::new(tenant.organization.zone.clone());
    let (first, last) = (calendar.date_of(range.from), calendar.date_of(range.to - 1));
    // Only the difference of days is wanted: midnight to midnight, both taken as UTC.
    (last.duration_since(first).as_secs() / DAY) + 1 > most
}

/// The parameters as sent, and what was found wrong with them.
struct Reader {
    sent: Vec<(String, String)>,
    violations: Vec<FieldViolation>,
}

impl Reader {
    fn new(uri: &Uri) -> Self {
        // Bytes that are not UTF-8 are replaced, which no parameter's values contain; so nothing is left to fail.
        let sent = Query::try_from_uri(uri).map(|Query(sent)| sent).unwrap_or_default();
        Self { sent, violations: Vec::new() }
    }

    fn refuse(&mut self, field: &str, description: impl Into<String>) {
        let violation = self.violation(field, description);
        self.violations.push(violation);
    }

    fn violation(&self, field: &str, description: impl Into<String>) -> FieldViolation {
        let sent: Vec<&str> = self.sent.iter().filter(|(name, _)| name == field).map(|(_, value)| value.as_str()).collect();
        let value = sent.join(",").chars().take(SHOWN).collect();
        FieldViolation { field: field.into(), value, description: description.into() }
    }

    /// The value of a parameter; a violation if it is there twice, because either could be meant.
    fn value(&mut self, field: &str) -> Result<Option<String>, ()> {
        let mut values = self.sent.iter().filter(|(name, _)| name == field).map(|(_, value)| value);
        let (first, second) = (values.next().cloned(), values.next());
        if second.is_some() {
            self.refuse(field, "must be given once");
            return Err(());
        }
        Ok(first)
    }

    fn required(&mut self, field: &str, within: RangeInclusive<i64>) -> Option<i64> {
        match self.value(field).ok()? {
            None => {
                self.refuse(field, "is required");
                None
            }
            Some(text) => self.integer(field, &text, within),
        }
    }

    fn optional(&mut self, field: &str, within: RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(field)?;
        self.integer(field, &text, within)
    }

    /// The value of an optional parameter: an empty one is as none.
    fn text(&mut self, field: &str) -> Option<String> {
        self.value(field).ok()?.filter(|value| !value.is_empty())
    }

    fn integer(&mut self, field: &str, text: &str, within: RangeInclusive<i64>) -> Option<i64> {
        // No sign and no space: `+` in a query is a space.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse().ok().filter(|value| digits && within.contains(value));
        if value.is_none() {
            let (least, most) = within.into_inner();
            let description = match (digits, most) {
                (false, _) => "must be a decimal integer".into(),
                (true, i64::MAX) => format!("must be at least {least} and fit 63 bits"),
                (true, _) => format!("must be from {least} to {most}"),
            };
            self.refuse(field, description);
        }
        value
    }

    /// The range asked for, up to the end of today: days to come have no rows.
    fn range(&mut self, tenant: &Tenant, now: Millis) -> Option<Range> {
        let times = EARLIEST / 1000..=LATEST / 1000;
        let start = self.required("start_time", times.clone());
        let end = self.required("end_time", times);
        let days = tenant.feishu.history_days;
        if let Some(start) = start
            && days > 0
            && start < now.div_euclid(1000) - i64::from(days) * DAY
        {
            self.refuse("start_time", format!("must be within the last {days} days"));
        }
        let (start, end) = (start?, end?);
        if end <= start {
            self.refuse("end_time", "must be greater than start_time");
        }
        let calendar = Calendar::new(tenant.organization.zone.clone());
        let today = calendar.day(calendar.date_of(now));
        Some(Range::new(start * 1000, today.to.min(end * 1000)))
    }

    fn unit(&mut self) -> Option<u8> {
        self.optional("unit", 0..=3).and_then(|unit| u8::try_from(unit).ok())
    }

    /// The unit, if the organization has it.
    fn unit_of(&self, tenant: &Tenant, unit: Option<u8>) -> Result<Option<u8>, Refusal> {
        match unit {
            Some(unit) if !tenant.organization.units.contains(&unit) => {
                Err(Refusal::Unit(self.violation("unit", "is no data residency of this organization")))
            }
            unit => Ok(unit),
        }
    }

    fn user_id_type(&mut self) -> UserIdType {
        let Some(name) = self.text("user_id_type") else { return UserIdType::default() };
        UserIdType::from_name(&name).unwrap_or_else(|| {
            self.refuse("user_id_type", "must be open_id, union_id or user_id");
            UserIdType::default()
        })
    }
}
