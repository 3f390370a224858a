//! What one request may cost, with a credential and without.

use crate::stage::{SERVICE, Stage, at, days, settings};
use axum::body::Body;
use http::Request;

/// So many calls of `replace` in each other, over a text of 4,000 bytes.
fn nested(calls: usize) -> String {
    let text = format!("replace('{}','e','eeee')", "e".repeat(1000));
    let calls = (0..calls).fold(text, |inner, call| format!("replace({inner},{})", if call % 2 == 0 { "'e','f'" } else { "'f','e'" }));
    format!("length({calls})")
}

/// A year of days with one user each.
fn year() -> Stage {
    let first = at("2012-06-26T00:00:00Z");
    let day = |day: i64| jiff::Timestamp::from_millisecond(first + day * 86_400_000).unwrap().strftime("%Y-%m-%d").to_string();
    let days_of_year: Vec<_> = (0..364).map(day).collect();
    Stage::new(days(&days_of_year.iter().map(|day| (day.as_str(), 1)).collect::<Vec<_>>()), settings())
}

#[tokio::test]
async fn an_expression_that_takes_too_much_work_is_refused_as_odata_refuses() {
    let stage = year();
    let text = "The expressions of the request take too much work: at most 10000000 steps and 67108864 bytes of text are allowed for all rows \
                together. Use a simpler $filter or $orderby.";
    for query in [
        format!("?$orderby={}", nested(70)),
        format!("?$filter={} eq 4000", nested(70)),
        format!("/$count?$filter={} eq 4000", nested(70)),
        // Neither alone.
        format!("?$filter={0} eq 4000&$orderby={0}", nested(30)),
    ] {
        let answer = stage.json(&format!("/CsActiveUserDaily{query}")).await;
        assert_eq!(answer.error(), (400, text.into()), "{query}");
    }
    // What people ask is far below.
    for query in [
        "?$filter=Date ge datetime'2013-01-01T00:00:00' and substringof('example', tolower(TenantName)) or ActiveUsers gt 5&$orderby=ActiveUsers desc,Date",
        &format!("?$filter={} eq 4000", nested(10)),
    ] {
        assert_eq!(stage.json(&format!("/CsActiveUserDaily{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn ranges_of_accept_past_the_thirty_second_are_not_looked_at() {
    let stage = Stage::new(Vec::new(), settings());
    let accept = |others: usize| format!("{}application/json", "image/png,".repeat(others));
    for (others, status) in [(0, 200), (31, 200), (32, 415), (5000, 415)] {
        assert_eq!(stage.ask("/CsActiveUserDaily", &[("accept", &accept(others))]).await.status, status, "{others}");
    }
}

#[tokio::test]
async fn paths_that_are_not_the_services_have_its_headers_too() {
    let stage = Stage::new(Vec::new(), settings());
    for path in ["/ecp", "/ecp/", "/ecp/x", "/ecp/reportingwebservice/", "/ECP/reportingwebservice/reporting.svcx"] {
        let answer = stage.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-rws-version")), (404, "2013-V1"), "{path}");
        assert_eq!(answer.header("request-id").len(), 36, "{path}");
    }
    let none = stage.send(Request::get(format!("{SERVICE}/CsActiveUserDaily")).body(Body::empty()).unwrap()).await;
    assert_eq!((none.status.as_u16(), none.header("x-rws-version")), (401, "2013-V1"));
}
