//! Both request and response pairs that the seed prints: equal apart from what the wire decides (`http://` namespaces, no white space,
//! the right closing tag).

use crate::naive::Fact;
use crate::stage::{Stage, days, settings};
use rollcall_dialects::office365::Settings;

const WEEKLY: &str = "/CsActiveUserWeekly?$select=Date,ActiveUsers&$format=Json";
const DAILY: &str = "/CsActiveUserDaily?$select=Date,ActiveUsersCount&\
                     $filter=Date%20ge%20datetime'2013-05-01T00:00:00'%20and%20Date%20le%20datetime'2013-05-15T00:00:00'&\
                     $orderby=Date%20desc&$format=Atom";

/// One set of facts gives both where rows are dated by their start.
fn facts() -> Vec<Fact> {
    days(&[("2013-05-10", 5), ("2013-05-13", 5), ("2013-05-14", 5), ("2013-05-20", 3)])
}

fn at_the_start() -> Settings {
    Settings { date_is_start: true, history_months: 240, ..settings() }
}

#[tokio::test]
async fn the_weekly_pair() {
    let row = |date: &str, millis: i64, users: u64| {
        let url = format!(
            "https://reports.office365.com/ecp/ReportingWebService/Reporting.svc/CsActiveUserWeekly(datetime'{date}T00%3A00%3A00')"
        );
        format!(
            "{{\"__metadata\":{{\"id\":\"{url}\",\"uri\":\"{url}\",\"type\":\"TenantReporting.CsActiveUserReport\"}},\
             \"Date\":\"\\/Date({millis})\\/\",\"ActiveUsers\":\"{users}\"}}"
        )
    };
    let rows = [row("2013-05-05", 1_367_712_000_000, 5), row("2013-05-12", 1_368_316_800_000, 5), row("2013-05-19", 1_368_921_600_000, 3)];
    let expected = format!("{{\"d\":{{\"results\":[{}]}}}}", rows.join(","));
    let answer = Stage::new(facts(), at_the_start()).get(WEEKLY).await;
    assert_eq!(answer.header("content-type"), "application/json;odata=verbose;charset=utf-8");
    assert_eq!(answer.header("dataserviceversion"), "2.0;");
    assert_eq!(answer.body, expected);
    // The same numbers a week earlier, where rows are dated by their end.
    let earlier = days(&[("2013-04-28", 5), ("2013-05-05", 5), ("2013-05-13", 3)]);
    assert_eq!(Stage::new(earlier, Settings { history_months: 240, ..settings() }).get(WEEKLY).await.body, expected);
}

#[tokio::test]
async fn the_daily_pair() {
    let entry = |date: &str| {
        format!(
            "<entry><id>https://reports.office365.com/ecp/ReportingWebService/Reporting.svc/CsActiveUserDaily(datetime'{date}T00%3A00%3A00')</id>\
             <category term=\"TenantReporting.CsActiveUserReport\" scheme=\"http://schemas.microsoft.com/ado/2007/08/dataservices/scheme\" />\
             <title /><updated>2013-06-25T19:01:23Z</updated><author><name /></author><content type=\"application/xml\"><m:properties>\
             <d:Date m:type=\"Edm.DateTime\">{date}T00:00:00</d:Date><d:ActiveUsers m:type=\"Edm.Int64\">5</d:ActiveUsers>\
             </m:properties></content></entry>"
        )
    };
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <feed xml:base=\"https://reports.office365.com/ecp/ReportingWebService/Reporting.svc/\" xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:d=\"http://schemas.microsoft.com/ado/2007/08/dataservices\" xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\">\
         <id>https://reports.office365.com/ecp/reportingwebservice/reporting.svc/CsActiveUserDaily</id>\
         <title type=\"text\">CsActiveUserDaily</title><updated>2013-06-25T19:01:23Z</updated>\
         <link rel=\"self\" title=\"CsActiveUserDaily\" href=\"CsActiveUserDaily\" />{}{}{}</feed>",
        entry("2013-05-14"),
        entry("2013-05-13"),
        entry("2013-05-10")
    );
    let answer = Stage::new(facts(), at_the_start()).get(DAILY).await;
    assert_eq!(answer.header("content-type"), "application/atom+xml;type=feed;charset=utf-8");
    assert_eq!(answer.header("dataserviceversion"), "2.0;");
    assert_eq!(answer.body, expected);
    // By default rows are dated by their end.
    let earlier = days(&[("2013-05-09", 5), ("2013-05-12", 5), ("2013-05-13", 5)]);
    assert_eq!(Stage::new(earlier, settings()).get(DAILY).await.body, expected);
}
