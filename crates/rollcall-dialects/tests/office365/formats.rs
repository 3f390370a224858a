//! Which format an answer has (wire section 1.9).

use crate::stage::{Stage, may, settings};

const ATOM: &str = "application/atom+xml;type=feed;charset=utf-8";
const VERBOSE: &str = "application/json;odata=verbose;charset=utf-8";
const MINIMAL: &str = "application/json;odata=minimalmetadata;charset=utf-8";
const FULL: &str = "application/json;odata=fullmetadata;charset=utf-8";
const NONE: &str = "application/json;odata=nometadata;charset=utf-8";
const POWER_QUERY: &str = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,application/atomsvc+xml;q=0.8,\
                           application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7";

async fn content_type(path: &str, accept: &str, most: &str) -> String {
    let headers = [("accept", accept), ("maxdataserviceversion", most)];
    let given: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let answer = Stage::new(may(), settings()).ask(path, &given).await;
    if answer.status == 200 { answer.header("content-type").into() } else { answer.status.as_str().into() }
}

#[tokio::test]
async fn rows_have_the_format_that_is_asked_for() {
    for (query, accept, most, expected) in [
        ("", "", "", ATOM),
        ("", "*/*", "3.0", ATOM),
        ("", "application/atom+xml", "", ATOM),
        ("", "application/atom+xml;type=entry", "", "415"),
        ("", "text/html, */*;q=0.1", "", ATOM),
        ("?$format=Json", "", "", VERBOSE),
        ("?$format=JSON", "application/atom+xml", "3.0", VERBOSE),
        ("?$format=verbosejson", "", "", VERBOSE),
        ("?$format=Atom", "application/json", "", ATOM),
        ("?$format=application/atom+xml", "", "", ATOM),
        ("?$format=application/json;odata=nometadata", "", "", NONE),
        ("?$format=application/json", "", "3.0", MINIMAL),
        ("", "application/json", "", VERBOSE),
        ("", "application/json", "2.0", VERBOSE),
        ("", "application/json", "3.0", MINIMAL),
        ("", "application/json;charset=utf-8", "", VERBOSE),
        ("", "application/json;odata=verbose", "3.0", VERBOSE),
        ("", "application/json;odata=minimalmetadata", "", MINIMAL),
        ("", "Application/JSON; odata=\"light\"", "3.0", MINIMAL),
        ("", "application/json;odata=fullmetadata", "", FULL),
        ("", "application/json;odata=nometadata", "", NONE),
        ("", "application/json;odata=nometadata", "2.0", "415"),
        ("", "application/json;odata.metadata=minimal", "", "415"),
        ("", "application/json;odata=other", "", "415"),
        ("", "text/html", "", "415"),
        ("", "application/atom+xml;q=0.5,application/json;q=0.9", "", VERBOSE),
        ("", "application/json,application/atom+xml", "", ATOM),
        ("", "application/*;q=0.8,application/json;q=0.8", "", VERBOSE),
        ("", "*/*,application/atom+xml;q=0", "", "415"),
        ("", POWER_QUERY, "3.0", MINIMAL),
    ] {
        assert_eq!(content_type(&format!("/CsActiveUserDaily{query}"), accept, most).await, expected, "{query} {accept} {most}");
    }
}

#[tokio::test]
async fn other_payloads_have_their_own() {
    let day = "/CsActiveUserDaily(datetime'2013-05-14T00:00:00')";
    for (path, accept, expected) in [
        (day, "", "application/atom+xml;type=entry;charset=utf-8"),
        (day, "application/json", VERBOSE),
        (&format!("{day}/ID"), "", "application/xml;charset=utf-8"),
        (&format!("{day}/ID"), "text/xml", "text/xml;charset=utf-8"),
        (&format!("{day}/ID?$format=xml"), "", "application/xml;charset=utf-8"),
        (&format!("{day}/ID?$format=atom"), "", "415"),
        (&format!("{day}/ID/$value"), "application/json", "text/plain;charset=utf-8"),
        ("/CsActiveUserDaily/$count", "application/json", "text/plain;charset=utf-8"),
        ("", "", "application/xml;charset=utf-8"),
        ("", "application/atomsvc+xml", "application/atomsvc+xml;charset=utf-8"),
        ("", "application/json", VERBOSE),
        ("", POWER_QUERY, MINIMAL),
        ("/$metadata", "application/json", "application/xml;charset=utf-8"),
        ("/$metadata", "application/xml, text/*, */*", "application/xml;charset=utf-8"),
        ("/$metadata?$format=json", "", "application/xml;charset=utf-8"),
    ] {
        assert_eq!(content_type(path, accept, "").await, expected, "{path} {accept}");
    }
}
