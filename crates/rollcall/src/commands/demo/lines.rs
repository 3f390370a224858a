//! One ready `curl` line for each API, with the demo's credentials.

use super::home::{APP, Home, USER, ZONE};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rollcall_dialects::volcengine::signature::presigned::presign;
use rollcall_dialects::volcengine::signature::{Credential, DATE_FORMAT, Scope, SecretKey};
use rollcall_dialects::volcengine::wire::{ACTION, SERVICE, Version, parameter};
use rollcall_model::Calendar;

/// How many days the lines ask for: less than the dialect's limit, enough to see the weekdays.
const DAYS: i64 = 28;

/// For how many seconds the line of Volcengine can be used: curl cannot sign requests, so the line is signed already.
const SIGNED_FOR: u32 = 86_400;

/// The lines.
pub fn lines(home: &Home, url: &str) -> String {
    let Home { org, ingest_key, app_id, app_secret, password, yunxiao_token, department, .. } = home;
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let last: Date = home.filled.as_ref().map_or_else(|| Timestamp::now().to_zoned(zone.clone()).date(), |filled| filled.last_day);
    let (from, to) = (last.saturating_sub(DAYS.days()), last.saturating_add(1.day()));
    let calendar = Calendar::new(zone);
    let seconds = |day| calendar.start_of(day) / 1000;
    let (start, end) = (seconds(from), seconds(to));
    let fact = format!(
        r#"{{"session_id":"hello","session_started_at":"{last}T01:00:00Z","user_id":"me","joined_at":"{last}T01:00:00Z","left_at":"{last}T01:30:00Z"}}"#
    );
    let credentials = format!(r#"{{"app_id":"{app_id}","app_secret":"{app_secret}"}}"#);
    let token =
        format!("curl -sS {url}/open-apis/auth/v3/tenant_access_token/internal -H 'Content-Type: application/json' -d '{credentials}'");
    let with_token = format!(r#"-H "Authorization: Bearer $({token} | sed 's/.*"tenant_access_token":"\([^"]*\)".*/\1/')""#);
    let feishu = format!("{url}/open-apis/vc/v1/reports");
    [
        (
            "facts in",
            format!(
                "curl -sS {url}/v1/attendance -H 'Authorization: Bearer {ingest_key}' -H 'Content-Type: application/x-ndjson' -d '{fact}'"
            ),
        ),
        ("native report", format!("curl -sS '{url}/v1/reports/meeting-days?from={from}&to={to}' -H 'Authorization: Bearer {ingest_key}'")),
        (
            "native report",
            format!("curl -sS '{url}/v1/reports/top-users?from={from}&to={to}&format=csv' -H 'Authorization: Bearer {ingest_key}'"),
        ),
        ("Feishu token", token),
        ("Feishu get_daily", format!("curl -sS '{feishu}/get_daily?start_time={start}&end_time={end}' {with_token}")),
        (
            "Feishu get_top_user",
            format!("curl -sS '{feishu}/get_top_user?start_time={start}&end_time={end}&limit=10&order_by=1' {with_token}"),
        ),
        (
            "Office 365 CsActiveUserWeekly",
            format!("curl -sS -u '{USER}:{password}' '{url}/ecp/reportingwebservice/reporting.svc/CsActiveUserWeekly?$format=Json'"),
        ),
        ("Volcengine ListOperationDistribution", users_by_province(home, url, last)),
        (
            "Yunxiao departmentUsage",
            format!(
                "curl -sS '{url}/oapi/v1/lingma/organizations/{org}/departmentUsage?departmentId={department}&startTime={from}&endTime={last}&page=1&perPage=100' \
                 -H 'Content-Type: application/json' -H 'x-yunxiao-token: {yunxiao_token}'"
            ),
        ),
    ]
    .map(|(name, line)| format!("# {name}\n{line}\n"))
    .concat()
}

/// The week that ends with a day, of the clocks of [`ZONE`].
fn users_by_province(home: &Home, url: &str, last: Date) -> String {
    let date = Timestamp::now().strftime(DATE_FORMAT).to_string();
    let day = date.get(..8).unwrap_or_default().to_owned();
    let scope = Scope { date: day, region: "cn-north-1".into(), service: SERVICE.into() };
    let credential = Credential { access_key: home.access_key.clone(), scope };
    let parameters = [(parameter::ACTION, ACTION), (parameter::VERSION, Version::default().name())];
    let query = presign("POST", &parameters, &credential, &SecretKey::new(&home.access_secret), &date, SIGNED_FOR);
    let (from, to) = (last.saturating_sub(6.days()), last.saturating_add(1.day()));
    let body = format!(
        r#"{{"AppId":"{APP}","StartTime":"{from}T00:00:00+08:00","EndTime":"{to}T00:00:00+08:00","Indicator":"user_num","Dimension":"province"}}"#
    );
    format!("curl -sS '{url}/?{query}' -H 'Content-Type: application/json' -d '{body}'")
}
