//! Show the call: the request of the native API, and of a vendor's where one has the question, that gives a panel's numbers.
//!
//! A call is made of the very question that the page asked, so the two cannot differ.

use crate::state::{encoded, period_name, weekday_name};
use crate::when::zone_name;
use crate::words::Word;
use jiff::tz::TimeZone;
use rollcall_model::calendar::{rfc3339, timestamp};
use rollcall_model::reports::{
    ActiveUsers, Concurrency, DepartmentDays, DepartmentUsers, DeveloperDays, Developers, Grouping, InDepartment, MeansLevel, MeetingDays,
    People, PeopleOrder, Person, PlaceLevel, RowOf, Session, Sessions, Silent, StayFilter, TopUsers, UsageSpan, UserOrder, UsersByMeans,
    UsersByPlace, WeekHours,
};
use rollcall_model::{Calendar, Period, Range, UserKind};

/// A request that gives a panel's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The report, as paths and commands have it.
    pub(crate) report: &'static str,
    /// Its parameters.
    pub(crate) pairs: Vec<(&'static str, String)>,
    /// The same question to a vendor's API.
    pub(crate) vendor: Option<VendorCall>,
}

/// The same question to a vendor's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VendorCall {
    /// Whose.
    pub(crate) vendor: Word,
    /// The request, behind the server's address.
    pub(crate) request: String,
    /// Further arguments of curl: headers, a body.
    pub(crate) arguments: String,
}

impl Call {
    /// Days where the range is whole days, whose last one is in it; else instants.
    fn new(report: &'static str, range: Range, zone: &TimeZone) -> Self {
        let calendar = Calendar::new(zone.clone());
        let (first, last) = (calendar.date_of(range.from), calendar.date_of((range.to - 1).max(range.from)));
        let whole_days = calendar.start_of(first) == range.from && calendar.day(last).to == range.to;
        let (from, to) = if whole_days { (first.to_string(), last.to_string()) } else { (rfc3339(range.from), rfc3339(range.to)) };
        let pairs = vec![("from", from), ("to", to), ("zone", zone_name(zone).to_owned())];
        Self { report, pairs, vendor: None }
    }

    fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.pairs.push((name, value.into()));
        self
    }

    fn and_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.and(name, value),
            None => self,
        }
    }

    fn and_stays(self, of: &StayFilter) -> Self {
        fn names<T: Copy>(values: Option<&Vec<T>>, name: impl Fn(T) -> &'static str) -> Option<String> {
            values.map(|values| values.iter().map(|value| name(*value)).collect::<Vec<_>>().join(","))
        }
        self.and_some("app", of.app.clone())
            .and_some("session_kind", names(of.session_kinds.as_ref(), |kind| kind.name()))
            .and_some("user_kind", names(of.user_kinds.as_ref(), |kind| kind.name()))
            .and_some("device", names(of.devices.as_ref(), |device| device.name()))
            .and_some("medium", names(of.media.as_ref(), |medium| medium.name()))
            .and_department(of.department.as_ref())
    }

    fn and_department(self, department: Option<&InDepartment>) -> Self {
        let Some(InDepartment { id, with_subtree, .. }) = department else { return self };
        let call = self.and("department", id);
        if *with_subtree { call } else { call.and("subtree", "false") }
    }

    fn by_vendor(mut self, vendor: Word, request: String, arguments: impl Into<String>) -> Self {
        self.vendor = Some(VendorCall { vendor, request, arguments: arguments.into() });
        self
    }

    /// The path and query of the native API.
    pub(crate) fn path(&self) -> String {
        let pairs: Vec<_> = self.pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("/v1/reports/{}?{}", self.report, pairs.join("&"))
    }

    /// The command that asks a server.
    pub(crate) fn command(&self, base: &str) -> String {
        let flags: Vec<_> = self.pairs.iter().map(|(name, value)| format!(" --{} {}", name.replace('_', "-"), quoted(value))).collect();
        format!("rollcall report {}{} --to-url {base}", self.report, flags.concat())
    }
}

/// A word of a shell's command.
pub(crate) fn quoted(word: &str) -> String {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:,+@%=".contains(&byte)) && !word.is_empty();
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn grouping(by: Grouping) -> String {
    match by {
        Grouping::Period(period) => period_name(period).to_owned(),
        Grouping::Hour => "hour".into(),
        Grouping::Rolling(days) => format!("rolling-{days}"),
        Grouping::Whole => "whole".into(),
    }
}

/// Whether weeks matter to a question.
const fn weekly(by: Grouping) -> bool {
    matches!(by, Grouping::Period(Period::Week))
}

/// `active-users`; that of members on computers is Office 365's, too.
pub(crate) fn active_users(ask: &ActiveUsers) -> Call {
    let call = Call::new("active-users", ask.range, &ask.zone).and("by", grouping(ask.by));
    let call = call.and_some("week_start", weekly(ask.by).then(|| weekday_name(ask.week_start))).and_stays(&ask.of);
    let of = &ask.of;
    let computers = of.devices.as_ref().is_some_and(|devices| devices.len() == 2 && devices.iter().all(|device| device.is_computer()));
    let members = of.user_kinds.as_deref() == Some(&[UserKind::Member]);
    let plain = of.app.is_none() && of.session_kinds.is_none() && of.media.is_none() && of.department.is_none();
    if ask.by != Grouping::Period(Period::Day) || !computers || !members || !plain {
        return call;
    }
    // A row is dated by the midnight after its day.
    let midnight = |at| ask.zone.to_datetime(timestamp(at)).date();
    let (from, to) = (midnight(ask.range.from), midnight(ask.range.to));
    let filter = encoded(&format!("Date gt datetime'{from}T00:00:00' and Date le datetime'{to}T00:00:00'"));
    let request = format!("/ecp/reportingwebservice/reporting.svc/CsActiveUserDaily?$filter={filter}&$orderby=Date&$format=Json");
    call.by_vendor(Word::Office365, request, format!("-u \"$OFFICE365_USER\" -H 'X-timezone: {}'", zone_name(&ask.zone)))
}

/// `meeting-days`; by days of the organization's zone it is Feishu's, too.
pub(crate) fn meeting_days(ask: &MeetingDays, home: &TimeZone) -> Call {
    let call = Call::new("meeting-days", ask.range, &ask.zone).and("by", grouping(ask.by));
    let call = call.and_some("week_start", weekly(ask.by).then(|| weekday_name(ask.week_start)));
    let call = call.and_some("app", ask.app.clone()).and_some("unit", ask.unit.map(|unit| unit.to_string()));
    if ask.by != Grouping::Period(Period::Day) || ask.app.is_some() || ask.zone != *home {
        return call;
    }
    let unit = ask.unit.map(|unit| format!("&unit={unit}")).unwrap_or_default();
    call.by_vendor(Word::Feishu, format!("/open-apis/vc/v1/reports/get_daily?{}{unit}", seconds(ask.range)), FEISHU_TOKEN)
}

const FEISHU_TOKEN: &str = "-H \"Authorization: Bearer $FEISHU_TOKEN\"";

/// A range as Feishu takes it.
fn seconds(range: Range) -> String {
    format!("start_time={}&end_time={}", range.from / 1000, range.to / 1000)
}

/// `top-users`; without a kind of user it is Feishu's, too.
pub(crate) fn top_users(ask: &TopUsers) -> Call {
    let (order, number) = match ask.order {
        UserOrder::Meetings => ("meetings", 1),
        UserOrder::Duration => ("duration", 2),
    };
    let call = Call::new("top-users", ask.range, &ask.zone).and("order", order).and("limit", ask.limit.to_string());
    let call = call.and_some("app", ask.app.clone()).and_some("unit", ask.unit.map(|unit| unit.to_string()));
    let kinds = ask.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(","));
    let call = call.and_some("user_kind", kinds);
    if ask.kinds.is_some() || ask.app.is_some() {
        return call;
    }
    let request = format!("/open-apis/vc/v1/reports/get_top_user?{}&limit={}&order_by={number}", seconds(ask.range), ask.limit);
    call.by_vendor(Word::Feishu, request, FEISHU_TOKEN)
}

/// `active-users` by medium or device.
pub(crate) fn users_by_means(ask: &UsersByMeans) -> Call {
    let by = match ask.by {
        MeansLevel::Medium => "medium",
        MeansLevel::Device => "device",
    };
    Call::new("active-users", ask.range, &ask.zone).and("by", by).and_stays(&ask.of)
}

/// `active-users` by hour of the week.
pub(crate) fn week_hours(ask: &WeekHours) -> Call {
    Call::new("active-users", ask.range, &ask.zone).and("by", "week-hour").and_stays(&ask.of)
}

/// `users-by-place`; of an app it is Volcengine's, too.
pub(crate) fn users_by_place(ask: &UsersByPlace, apps: &[String]) -> Call {
    let (by, dimension) = match ask.by {
        PlaceLevel::Country => ("country", "country"),
        PlaceLevel::Subdivision => ("subdivision", "province"),
    };
    let call = Call::new("users-by-place", ask.range, &ask.zone).and("by", by);
    let call = call.and_some("country", ask.country.map(|country| country.code())).and_some("app", ask.app.clone());
    let app = ask.app.as_ref().or(if let [only] = apps { Some(only) } else { None });
    let Some(app) = app.filter(|_| ask.country.is_none_or(|country| country.code() == "CN")) else { return call };
    let body = format!(
        "-d '{{\"AppId\":\"{app}\",\"StartTime\":\"{}\",\"EndTime\":\"{}\",\"Indicator\":\"user_num\",\"Dimension\":\"{dimension}\"}}'",
        rfc3339(ask.range.from),
        rfc3339(ask.range.to)
    );
    call.by_vendor(Word::Volcengine, "/?$PRESIGNED_QUERY".into(), body)
}

/// `department-users`.
pub(crate) fn department_users(ask: &DepartmentUsers) -> Call {
    let call = Call::new("department-users", ask.range, &ask.zone).and_some("department", ask.within.clone());
    let call = if ask.with_subtree { call } else { call.and("subtree", "false") };
    call.and_stays(&StayFilter { department: None, ..ask.of.clone() })
}

/// `concurrency`.
pub(crate) fn concurrency(ask: &Concurrency) -> Call {
    let call = Call::new("concurrency", ask.range, &ask.zone).and("by", grouping(ask.by));
    call.and_stays(&StayFilter { department: None, media: None, ..ask.of.clone() })
}

/// `sessions`; the first page, of as many as a page of ours has.
pub(crate) fn sessions(ask: &Sessions) -> Call {
    let kinds = ask.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(","));
    let call = Call::new("sessions", ask.range, &ask.zone).and_some("app", ask.app.clone()).and_some("session_kind", kinds);
    call.and_some("user", ask.user.clone()).and_department(ask.department.as_ref())
}

/// `session`.
pub(crate) fn session(ask: &Session) -> Call {
    let pairs = vec![
        ("session_id", ask.key.session_id.clone()),
        ("started_at", rfc3339(ask.key.started_at)),
        ("app", ask.key.app.clone()),
        ("zone", zone_name(&ask.zone).to_owned()),
        ("limit", ask.limit.to_string()),
    ];
    Call { report: "session", pairs, vendor: None }
}

/// `people`: the question whose row it is, and what tells the row; the first page, of as many as a page of ours has.
pub(crate) fn people(ask: &People, home: &TimeZone, apps: &[String]) -> Call {
    // What tells the row: a day in its period, or its key; of a range as one, nothing.
    let period = |by: Grouping, period: Range, zone: &TimeZone| match by {
        Grouping::Whole => None,
        Grouping::Hour => Some(("row", rfc3339(period.from))),
        Grouping::Period(_) => Some(("date", Calendar::new(zone.clone()).date_of(period.from).to_string())),
        Grouping::Rolling(_) => Some(("date", Calendar::new(zone.clone()).date_of(period.to - 1).to_string())),
    };
    let row = |key: String| Some(("row", key));
    let (of, row) = match &ask.behind {
        RowOf::ActiveUsers(of, range) => (active_users(of), period(of.by, *range, &of.zone)),
        RowOf::UsersByMeans(of, means) => (users_by_means(of), row(means.name().to_owned())),
        RowOf::UsersByPlace(of, place) => (users_by_place(of, apps), row(place.map_or_else(|| "unknown".to_owned(), |place| place.code()))),
        RowOf::DepartmentUsers(of, department) => (department_users(of), row(department.clone().unwrap_or_else(|| "none".to_owned()))),
        RowOf::MeetingDays(of, range) => (meeting_days(of, home), period(of.by, *range, &of.zone)),
        RowOf::TopUsers(of, user) => (top_users(of), row(user.clone())),
        RowOf::Concurrency(of, at) => (concurrency(of), row(rfc3339(*at))),
        RowOf::Session(key, zone) => (session(&Session { key: key.clone(), zone: zone.clone(), skip: 0, limit: 1 }), None),
        RowOf::DepartmentDays(of, key) => (department_days(of), Some(("date", key.date.to_string()))),
        RowOf::DeveloperDays(of, key) => (developer_days(of).and("date", key.date.to_string()), row(key.id.to_string())),
    };
    let order = match ask.order {
        PeopleOrder::Id => "id",
        PeopleOrder::Time => "time",
        PeopleOrder::Sessions => "sessions",
    };
    let call = Call { report: "people", pairs: vec![("of", of.report.to_owned())], vendor: None };
    let mut call = row.into_iter().fold(call.and("order", order), |call, (name, value)| call.and(name, value));
    call.pairs.extend(of.pairs.into_iter().filter(|(name, _)| !["order", "limit"].contains(name)));
    call
}

/// `person`, or a part of it: `weeks`, `places`, `devices`.
pub(crate) fn person(ask: &Person, part: Option<&str>) -> Call {
    let call = Call::new("person", ask.range, &ask.zone).and("user", &ask.user);
    call.and("week_start", weekday_name(ask.week_start)).and_some("breakdown", part)
}

/// `silent`; the first page, of as many as a page of ours has.
pub(crate) fn silent(ask: &Silent) -> Call {
    Call::new("silent", ask.range, &ask.zone).and_department(ask.department.as_ref())
}

const fn usage_span(by: UsageSpan) -> &'static str {
    match by {
        UsageSpan::Day => "day",
        UsageSpan::Whole => "whole",
    }
}

/// `department-days`.
pub(crate) fn department_days(ask: &DepartmentDays) -> Call {
    let call =
        Call::new("department-days", ask.range, &ask.zone).and("by", usage_span(ask.by)).and_some("department", ask.department.clone());
    if ask.with_subtree { call } else { call.and("subtree", "false") }
}

/// `department-days` by day for a department is Yunxiao's, too, by days of the organization's zone.
pub(crate) fn department_days_of_yunxiao(ask: &DepartmentDays, home: &TimeZone, organization: &str) -> Call {
    let call = department_days(ask);
    let days = Calendar::new(home.clone());
    let (first, last) = (days.date_of(ask.range.from), days.date_of(ask.range.to - 1));
    match &ask.department {
        Some(department) if ask.by == UsageSpan::Day && ask.zone == *home && ask.with_subtree => {
            let department = encoded(department);
            let request = format!(
                "/oapi/v1/lingma/organizations/{organization}/departmentUsage?departmentId={department}&startTime={first}&endTime={last}"
            );
            call.by_vendor(Word::Yunxiao, request, "-H \"x-yunxiao-token: $YUNXIAO_TOKEN\"")
        }
        _ => call,
    }
}

/// `developer-days`.
pub(crate) fn developer_days(ask: &DeveloperDays) -> Call {
    let call = Call::new("developer-days", ask.range, &ask.zone).and("by", usage_span(ask.by));
    match &ask.developers {
        Developers::All => call,
        Developers::One(user) => call.and("user", user),
        Developers::Of { department, with_subtree: true } => call.and("department", department),
        Developers::Of { department, with_subtree: false } => call.and("department", department).and("subtree", "false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_model::Device;

    #[test]
    fn a_call_asks_what_the_page_asked() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let range = Range::new(1_788_192_000_000, 1_788_796_800_000);
        let department = Some(InDepartment { id: "d 1&'".into(), with_subtree: true, below: None, home: zone.clone() });
        let of = StayFilter { user_kinds: Some(vec![UserKind::Member, UserKind::Guest]), department, ..StayFilter::default() };
        let ask = ActiveUsers { range, zone, week_start: jiff::civil::Weekday::Monday, by: Grouping::Period(Period::Week), of };
        let call = active_users(&ask);
        assert_eq!(
            call.path(),
            "/v1/reports/active-users?from=2026-09-01&to=2026-09-07&zone=Asia/Shanghai&by=week&week_start=monday\
             &user_kind=member,guest&department=d%201%26%27"
        );
        assert_eq!(
            call.command("https://h"),
            "rollcall report active-users --from 2026-09-01 --to 2026-09-07 --zone Asia/Shanghai --by week \
             --week-start monday --user-kind member,guest --department 'd 1&'\\''' --to-url https://h"
        );
        assert_eq!(call.vendor, None);
        let of = StayFilter {
            user_kinds: Some(vec![UserKind::Member]),
            devices: Some(vec![Device::Desktop, Device::Web]),
            ..StayFilter::default()
        };
        let office = active_users(&ActiveUsers { by: Grouping::Period(Period::Day), of, ..ask });
        assert_eq!(office.vendor.map(|call| call.vendor), Some(Word::Office365));
    }
}
