//! Every documented refusal, with its text.

use crate::naive::{Fault, Naive};
use crate::stage::{PASSWORD, SERVICE, Stage, basic, may, settings, tenant};
use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use std::sync::OnceLock;

const DAY: &str = "/CsActiveUserDaily(datetime'2013-05-14T00:00:00')";

#[tokio::test]
async fn each_wrong_request_has_its_text() {
    let stage = Stage::new(may(), settings());
    let select = |name: &str| {
        format!(
            "Type 'TenantReporting.CsActiveUserReport' does not have a property named '{name}'; there is no service action named '{name}' that is \
             bindable to the type 'TenantReporting.CsActiveUserReport'; and there is no type with the name '{name}'."
        )
    };
    let behind = |set: &str| {
        format!(
            "The request URI is not valid. Since the segment '{set}' refers to a collection, this must be the last segment in the request URI. \
             All intermediate segments must refer to a single resource."
        )
    };
    let set_options = "Query options $orderby, $inlinecount, $skip and $top cannot be applied to the requested resource.";
    let keys = "The number of keys specified in the URI does not match number of key properties for the resource \
                'TenantReporting.CsActiveUserReport'.";
    let empty = "Empty segment encountered in request URL. Please make sure that a valid request URL is specified.";
    for (path, status, text) in [
        ("/csactiveuserdaily", 404, "Resource not found for the segment 'csactiveuserdaily'."),
        ("/Foo(1)/Bar", 404, "Resource not found for the segment 'Foo'."),
        ("/$batch", 404, "Resource not found for the segment '$batch'."),
        ("/$metadata/x", 404, "Resource not found for the segment 'x'."),
        ("/CsActiveUserDaily/$count/x", 404, "Resource not found for the segment 'x'."),
        ("/CsActiveUserDaily(datetime'2013-05-11T00:00:00')", 404, "Resource not found for the segment 'CsActiveUserDaily'."),
        (&format!("{DAY}/Foo"), 404, "Resource not found for the segment 'Foo'."),
        (&format!("{DAY}/Date/$value/x"), 404, "Resource not found for the segment 'x'."),
        ("/CsActiveUserDaily(datetime'2013-05-11')", 400, "Bad Request - Error in query syntax."),
        ("/CsActiveUserDaily('2013-05-11T00:00:00')", 400, "Bad Request - Error in query syntax."),
        ("/CsActiveUserDaily(1", 400, "Bad Request - Error in query syntax."),
        ("/CsActiveUserDaily(ID=1L)", 400, "Bad Request - Error in query syntax."),
        ("/%zz", 400, "Bad Request - Error in query syntax."),
        ("/CsActiveUserDaily?$top=%zz", 400, "Bad Request - Error in query syntax."),
        ("/CsActiveUserDaily(datetime'2013-05-11T00:00:00',1)", 400, keys),
        ("/CsActiveUserDaily/Date", 400, &behind("CsActiveUserDaily")),
        (
            &format!("{DAY}/Date/Time"),
            400,
            "The segment 'Time' in the request URI is not valid. Since the segment 'Date' refers to a primitive type property, \
             the only supported value from the next segment is '$value'.",
        ),
        ("//CsActiveUserDaily", 400, empty),
        ("/CsActiveUserDaily//$count", 400, empty),
        ("/$count", 400, "The request URI is not valid, the segment $count cannot be applied to the root of the service."),
        (
            "/CsActiveUserDaily?$Filter=x",
            400,
            "The query parameter '$Filter' begins with a system-reserved '$' character but is not recognized.",
        ),
        ("/CsActiveUserDaily?$top=1&%24top=1", 400, "Query parameter '$top' is specified, but it should be specified exactly once."),
        (
            "/CsActiveUserDaily?$format=Json&$format=Atom",
            400,
            "Query parameter '$format' is specified, but it should be specified exactly once.",
        ),
        ("/CsActiveUserDaily?$callback=f", 400, "The query option $callback is not supported."),
        ("/CsActiveUserDaily?$format=Foo", 415, "Unsupported media type requested."),
        ("/CsActiveUserDaily?$format=xml", 415, "Unsupported media type requested."),
        ("/$metadata?$format=Foo", 415, "Unsupported media type requested."),
        ("/CsActiveUserDaily?$top=abc", 400, "Incorrect format for $top argument 'abc'."),
        ("/CsActiveUserDaily?$top=-1", 400, "Incorrect format for $top argument '-1'."),
        ("/CsActiveUserDaily?$skip=2147483648", 400, "Incorrect format for $skip argument '2147483648'."),
        ("/CsActiveUserDaily?$inlinecount=all", 400, "Unknown $inlinecount option, only \"allpages\" and \"none\" are supported"),
        ("/CsActiveUserDaily/$count?$inlinecount=allpages", 400, "$inlinecount cannot be applied to the resource segment '$count'"),
        ("/CsActiveUserDaily?$select=Date,Foo", 400, &select("Foo")),
        ("/CsActiveUserDaily?$expand=Tenant", 400, &select("Tenant")),
        (&format!("{DAY}?$top=1"), 400, set_options),
        (&format!("{DAY}?$orderby=Date"), 400, set_options),
        (&format!("{DAY}/Date?$skip=1"), 400, set_options),
        (
            "/CsActiveUserDaily?$orderby=ActiveUsers&$skiptoken=5L",
            400,
            "The number of keys '1' in skip token with value '5L' did not match the number of ordering constraints '2' for the resource type.",
        ),
        ("/CsActiveUserDaily?$skiptoken=Date", 400, "Skip token values are expected to be literals. Unrecognized literal 'Date' found."),
    ] {
        let answer = stage.json(path).await;
        // A `$format` that is not known is told in XML.
        if answer.header("content-type").starts_with("application/xml") {
            assert_eq!(answer.status, status, "{path}");
            let told = text.replace('"', "&quot;");
            assert!(answer.body.contains(&format!("<m:message xml:lang=\"en-US\">{told}</m:message>")), "{path} {answer:?}");
        } else {
            assert_eq!(answer.error(), (status, text.into()), "{path}");
            assert_eq!(answer.header("dataserviceversion"), "1.0;");
        }
    }
}

#[tokio::test]
async fn versions_have_their_texts() {
    let stage = Stage::new(may(), settings());
    let low = "The DataServiceVersion '1.0' is too low for the request. The lowest supported version is '2.0'.";
    let high = "The MaxDataServiceVersion '1.0' is too low for the response. The lowest supported version is '2.0'.";
    for (path, header, value, text) in [
        (
            "",
            "DataServiceVersion",
            "9.0",
            "Request version '9.0' is too high for the server. Please specify a request version less than or equal to '3.0'.",
        ),
        (
            "",
            "DataServiceVersion",
            "1.5",
            "Request version '1.5' is not a valid request version. The only supported versions are '1.0', '2.0', '3.0'.",
        ),
        (
            "",
            "DataServiceVersion",
            "two",
            "Request version 'two' specified for header 'DataServiceVersion' is not valid. Please specify a valid version value.",
        ),
        (
            "",
            "MaxDataServiceVersion",
            ".",
            "Request version '.' specified for header 'MaxDataServiceVersion' is not valid. Please specify a valid version value.",
        ),
        ("/CsActiveUserDaily?$select=Date", "DataServiceVersion", "1.0", low),
        ("/CsActiveUserDaily?$inlinecount=allpages", "DataServiceVersion", "1.0;x", low),
        ("/CsActiveUserDaily?$skiptoken=null", "DataServiceVersion", "1.0", low),
        ("/CsActiveUserDaily/$count", "DataServiceVersion", "1.0", low),
        ("/CsActiveUserDaily", "MaxDataServiceVersion", "1.0", high),
        ("/CsActiveUserDaily/$count", "MaxDataServiceVersion", "1.0", high),
        ("/CsActiveUserDaily(datetime'2013-05-14T00:00')?$select=ID", "MaxDataServiceVersion", "1.0", high),
    ] {
        let answer = stage.ask(path, &[(header, value), ("accept", "application/json;odata=verbose")]).await;
        assert_eq!(answer.error(), (400, text.into()), "{path}");
    }
    for value in ["2.0", "2.0;", "2.0; pyslet 0.7.20170805", "3.0", "1.0;AspNetAjax"] {
        assert_eq!(stage.ask("/CsActiveUserDaily", &[("DataServiceVersion", value)]).await.status, 200, "{value}");
    }
    assert_eq!(stage.ask("/CsActiveUserDaily", &[("MaxDataServiceVersion", "4.0")]).await.status, 200);
}

#[tokio::test]
async fn the_service_version_is_2013_v1_and_given_once() {
    let stage = Stage::new(may(), settings());
    let unsupported = stage.ask("/CsActiveUserDaily", &[("X-RWS-Version", "2012-V1")]).await;
    assert_eq!(unsupported.status, 400);
    assert_eq!(
        unsupported.body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><ServiceFault xmlns=\"http://schemas.datacontract.org/2004/07/\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><ErrorCode></ErrorCode>\
         <Message>The version specified in the request is unsupported.</Message></ServiceFault>"
    );
    let json = stage.get("/CsActiveUserDaily?rws-version=2012-V1&$format=Json").await;
    assert_eq!((json.status.as_u16(), &json.json()["ErrorCode"]), (400, &"".into()));
    assert_eq!(json.json()["Message"], "The version specified in the request is unsupported.");
    let twice = stage.ask("/CsActiveUserDaily?rws-version=2013-V1&$format=Json", &[("X-RWS-Version", "2013-V1")]).await;
    let text = "The service version was given both in the X-RWS-Version header and in the rws-version parameter. Give it once.";
    assert_eq!((twice.status.as_u16(), &twice.json()["Message"]), (400, &text.into()));
    assert_eq!(stage.ask("", &[("X-RWS-Version", "2013-V1")]).await.status, 200);
    assert_eq!(stage.get("?rws-version=2013-V1").await.status, 200);
}

#[tokio::test]
async fn errors_have_the_format_of_the_answer() {
    let stage = Stage::new(may(), settings());
    let xml = stage.get("/Foo'%3C&%3E").await;
    assert_eq!(xml.header("content-type"), "application/xml;charset=utf-8");
    assert_eq!(
        xml.body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><m:error xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\"><m:code />\
         <m:message xml:lang=\"en-US\">Resource not found for the segment 'Foo'&lt;&amp;&gt;'.</m:message></m:error>"
    );
    let json = stage.get("/Foo?$format=json").await;
    assert_eq!(json.header("content-type"), "application/json;odata=verbose;charset=utf-8");
    assert_eq!(
        json.body,
        "{\"error\":{\"code\":\"\",\"message\":{\"lang\":\"en-US\",\"value\":\"Resource not found for the segment 'Foo'.\"}}}"
    );
    let light = stage.ask("/Foo", &[("accept", "application/json;odata=fullmetadata")]).await;
    assert_eq!(light.header("content-type"), "application/json;odata=minimalmetadata;charset=utf-8");
    assert_eq!(light.header("dataserviceversion"), "3.0;");
    assert!(light.body.starts_with("{\"odata.error\":{\"code\":\"\""));
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let stage = Stage::new(may(), settings());
    for method in ["POST", "PUT", "DELETE", "HEAD", "MERGE"] {
        let request = Request::builder().method(method).uri(format!("{SERVICE}/CsActiveUserDaily"));
        let request = request.header("authorization", basic("admin@example.com", PASSWORD)).body(Body::empty()).unwrap();
        let answer = stage.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET"), "{method}");
        assert!(method == "HEAD" || answer.body.contains("Method Not Allowed"));
    }
}

#[tokio::test]
async fn what_fails_within_is_not_told() {
    for fault in [Fault::Storage, Fault::Panic] {
        let stage = Stage::of(Naive { facts: may(), fault }, vec![tenant(settings())]);
        assert_eq!(stage.json("/CsActiveUserDaily").await.error(), (500, "An error occurred while processing this request.".into()));
        assert_eq!(stage.get("").await.status, 200);
    }
}

#[tokio::test]
async fn other_paths_are_not_the_services() {
    let stage = Stage::new(may(), settings());
    for path in ["/ecp/", "/ecp/x", "/ecp/reportingwebservice/", "/ecp/reportingwebservice/reporting.svcx", "/ecp2/x"] {
        let answer = stage.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, ""), "{path}");
    }
}

/// One for all cases: each hashes the password anew.
static STAGE: OnceLock<Stage> = OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever is asked, the server answers, and does not fail.
    #[test]
    fn nothing_that_is_asked_makes_it_fail(
        path in "(/|\\$metadata|CsActiveUser(Daily|Yearly)|\\(|\\)|datetime|'|2013-05-14T00:00|%[0-9a-f]{2}|,|=|Date|\\$value|[a-z%]){0,8}",
        query in "(\\$(top|skip|filter|orderby|select|skiptoken|format|inlinecount)|&|=|Date|ID|%20|\\+|desc|,|'|-?[0-9]{1,20}L?|Json|%[0-9a-f]{2}|[a-z%]){0,12}",
        name in prop::sample::select(vec!["accept", "x-timezone", "dataserviceversion", "maxdataserviceversion", "x-rws-version", "accept"]),
        value in "(application/json|;|odata=|q=|,|\\*|/|light|[0-9]|\\.|UTC|[+-][0-9]{2}:[0-9]{2}|[ -~]){0,8}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let answer = runtime.block_on(async {
            let request = Request::get(format!("{SERVICE}/{path}?{query}")).header(name, value);
            let request = request.header("authorization", basic("admin@example.com", PASSWORD)).body(Body::empty());
            match request {
                Ok(request) => Some(STAGE.get_or_init(|| Stage::new(may(), settings())).send(request).await),
                // No client can send it.
                Err(_) => None,
            }
        });
        prop_assert!(answer.is_none_or(|answer| answer.status.as_u16() < 500));
    }
}
