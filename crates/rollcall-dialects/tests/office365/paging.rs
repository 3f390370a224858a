//! Options over rows, and pages of them.

use crate::stage::{Answer, SERVICE, Stage, days, may, settings};
use proptest::prelude::*;
use rollcall_dialects::office365::Settings;

#[tokio::test]
async fn options_pick_and_order() {
    let stage = Stage::new(may(), settings());
    for (query, dates) in [
        ("", &["05-10", "05-13", "05-14"][..]),
        (
            "?$filter=Date ge datetime'2013-05-01T00:00:00' and Date le datetime'2013-05-15T00:00:00'&$orderby=Date desc",
            &["05-14", "05-13", "05-10"],
        ),
        ("?$filter=ActiveUsers gt 4", &["05-10", "05-13", "05-14"]),
        ("?$filter=ActiveUsers gt 4L", &["05-10", "05-13", "05-14"]),
        ("?$filter=ActiveUsers sub 1 ge 4", &["05-10", "05-13", "05-14"]),
        ("?%24filter=ActiveUsersCount+gt+4", &["05-10", "05-13", "05-14"]),
        ("?$filter=month(Date) eq 5 and not (day(Date) eq 13)", &["05-10", "05-14"]),
        ("?$filter=Date eq datetime'2013-05-13T00:00:00Z'", &["05-13"]),
        ("?$filter=TenantGuid eq guid'16a58f78-539f-47f7-b9bf-02a63867d73b' and startswith(TenantName,'example.')&$top=1", &["05-10"]),
        ("?$orderby=ActiveUsers desc,day(Date) mod 2,Date desc", &["05-14", "05-10", "05-13"]),
        ("?$skip=1", &["05-13", "05-14"]),
        ("?$skip=1&$top=1", &["05-13"]),
        ("?$skip=9&$top=", &[]),
        ("?$top=0", &[]),
        ("/?$top=1&other=1&$format=json", &["05-10"]),
        ("()?$top=1", &["05-10"]),
    ] {
        assert_eq!(stage.json(&format!("/CsActiveUserDaily{query}")).await.dates(), dates, "{query}");
    }
    let types = "A binary operator with incompatible types was detected. \
                 Found operand types 'Edm.DateTime' and 'Edm.String' for operator kind 'GreaterThanOrEqual'.";
    assert_eq!(stage.json("/CsActiveUserDaily?$filter=Date ge '2013-05-01'").await.error(), (400, types.into()));
    let unknown = "Could not find a property named 'Foo' on type 'TenantReporting.CsActiveUserReport'.";
    assert_eq!(stage.json("/CsActiveUserDaily?$filter=Foo eq 1").await.error(), (400, unknown.into()));
    assert_eq!(stage.json("/CsActiveUserDaily?$orderby=Foo").await.error(), (400, unknown.into()));
}

#[tokio::test]
async fn counts_are_of_what_passes_the_filter() {
    let stage = Stage::new(may(), settings());
    let answer = stage.json("/CsActiveUserDaily?$top=1&$inlinecount=allpages").await;
    assert!(answer.body.starts_with("{\"d\":{\"__count\":\"3\",\"results\":["));
    assert!(answer.rows().len() == 1 && !answer.body.contains("__next"));
    let none = stage.json("/CsActiveUserDaily?$inlinecount=none").await;
    assert!(!none.body.contains("__count"));
    for (query, count) in [("", "3"), ("?$filter=day(Date) gt 10", "2"), ("?$skip=1", "2"), ("?$top=1&$skip=1", "1"), ("?$skip=4", "0")] {
        let answer = stage.json(&format!("/CsActiveUserDaily/$count{query}")).await;
        assert_eq!((answer.body.as_str(), answer.header("content-type")), (count, "text/plain;charset=utf-8"));
        assert_eq!(answer.header("dataserviceversion"), "2.0;");
    }
}

fn weekly(page_size: u32) -> Stage {
    let facts = days(&[("2013-04-28", 5), ("2013-05-05", 5), ("2013-05-13", 3)]);
    Stage::new(facts, Settings { page_size, ..settings() })
}

fn next(answer: &Answer) -> Option<String> {
    let next = answer.json()["d"]["__next"].as_str()?.to_owned();
    Some(next.strip_prefix("https://reports.office365.com").and_then(|path| path.strip_prefix(SERVICE)).unwrap().into())
}

#[tokio::test]
async fn a_full_page_names_the_next() {
    let first = weekly(2).get("/CsActiveUserWeekly?$format=Json").await;
    assert_eq!(first.dates(), ["05-05", "05-12"]);
    let link = "/CsActiveUserWeekly?$skiptoken=datetime'2013-05-12T00%3A00%3A00'&$format=Json";
    assert_eq!(next(&first).as_deref(), Some(link));
    for link in [link.to_owned(), format!("{link}&$format=json")] {
        let second = weekly(2).get(&link).await;
        assert_eq!((second.dates(), next(&second)), (vec!["05-19".to_owned()], None));
    }
    let whole = weekly(3).get("/CsActiveUserWeekly?$format=Json").await;
    assert_eq!((whole.rows().len(), next(&whole)), (3, None));
    let atom = weekly(2).get("/CsActiveUserWeekly").await;
    let href = format!("https://reports.office365.com{SERVICE}/CsActiveUserWeekly?$skiptoken=datetime'2013-05-12T00%3A00%3A00'");
    assert!(atom.body.ends_with(&format!("<link rel=\"next\" href=\"{href}\" /></feed>")), "{}", atom.body);
    let light = weekly(2).ask("/CsActiveUserWeekly", &[("accept", "application/json;odata=light")]).await;
    assert!(light.body.ends_with(&format!("],\"odata.nextLink\":\"{href}\"}}")), "{}", light.body);
}

#[tokio::test]
async fn the_next_link_keeps_what_still_holds() {
    let asked =
        "/CsActiveUserWeekly?$top=3&$select=Date,ActiveUsers&$skip=0&$orderby=ActiveUsers desc&$filter=ID gt 0&$inlinecount=allpages&x=y";
    let first = weekly(1).json(asked).await;
    assert_eq!(
        next(&first).as_deref(),
        Some(
            "/CsActiveUserWeekly?$filter=ID%20gt%200&$orderby=ActiveUsers%20desc&$inlinecount=allpages&$select=Date%2CActiveUsers\
             &$top=2&$skiptoken=5L,datetime'2013-05-05T00%3A00%3A00'"
        )
    );
    // Three are asked for, and the page holds as many.
    assert_eq!(next(&weekly(3).json(asked).await), None);
}

/// All rows, and how many answers it took.
async fn all(stage: &Stage, path: &str) -> (Vec<serde_json::Value>, usize) {
    let (mut rows, mut answers, mut link) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(path) = link {
        let answer = stage.json(&path).await;
        rows.extend(answer.rows());
        link = next(&answer);
        answers += 1;
    }
    (rows, answers)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_size_are_the_unpaged_answer(
        users in prop::collection::vec(0usize..4, 1..28),
        page_size in 1u32..9,
        skip in 0usize..6,
        top in prop::option::of(0usize..30),
        order in prop::sample::select(vec!["Date", "Date desc", "ActiveUsers", "ActiveUsers desc", "ActiveUsers mul 2,ID desc", "TenantName,ActiveUsers"]),
        filter in prop::sample::select(vec!["true", "ActiveUsers ge 2", "day(Date) mod 3 ne 0", "TenantName eq 'x'"]),
    ) {
        let facts: Vec<_> = users.iter().enumerate().flat_map(|(day, users)| days(&[(&format!("2013-05-{:02}", day + 1), *users)])).collect();
        let top_option = top.map_or_else(String::new, |top| format!("&$top={top}"));
        let path = format!("/CsActiveUserDaily?$orderby={order}&$filter={filter}&$skip={skip}{top_option}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (unpaged, answers) = all(&Stage::new(facts.clone(), Settings { page_size: 0, ..settings() }), &path).await;
            assert_eq!(answers, 1);
            let (paged, answers) = all(&Stage::new(facts, Settings { page_size, ..settings() }), &path).await;
            assert_eq!(paged, unpaged);
            // No page more than there must be.
            assert_eq!(answers, paged.len().div_ceil(page_size as usize).max(1));
        });
    }
}
