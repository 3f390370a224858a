//! The bodies of every payload, byte for byte.

use crate::stage::{PASSWORD, ROOT, SERVICE, Stage, basic, days, may, settings};
use axum::body::Body;
use http::Request;
use rollcall_dialects::office365::Settings;
use rollcall_dialects::site::Channel;

const DAY: &str = "/CsActiveUserDaily(datetime'2013-05-14T00:00:00')";
const LIGHT: [(&str, &str); 1] = [("accept", "application/json;odata=minimalmetadata")];
const FULL: [(&str, &str); 1] = [("accept", "application/json;odata=fullmetadata")];
const NONE: [(&str, &str); 1] = [("accept", "application/json;odata=nometadata")];

/// A document of the wire, without the white space between its elements.
fn compact(document: &str) -> String {
    document.lines().map(str::trim).collect::<Vec<_>>().join("\n").replace(">\n<", "><").replace('\n', " ").trim().into()
}

#[tokio::test]
async fn the_service_document_lists_the_sets() {
    let stage = Stage::new(may(), settings());
    let expected = compact(
        r#"<?xml version="1.0" encoding="utf-8"?>
        <service xml:base="https://reports.office365.com/ecp/ReportingWebService/Reporting.svc/"
            xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom">
          <workspace>
            <atom:title>Default</atom:title>
            <collection href="CsActiveUserDaily"><atom:title>CsActiveUserDaily</atom:title></collection>
            <collection href="CsActiveUserWeekly"><atom:title>CsActiveUserWeekly</atom:title></collection>
            <collection href="CsActiveUserMonthly"><atom:title>CsActiveUserMonthly</atom:title></collection>
            <collection href="CsActiveUserYearly"><atom:title>CsActiveUserYearly</atom:title></collection>
          </workspace>
        </service>"#,
    );
    for path in ["", "/", "?$format=xml"] {
        let answer = stage.get(path).await;
        assert_eq!((answer.body.as_str(), answer.header("dataserviceversion")), (expected.as_str(), "1.0;"));
    }
    assert_eq!(
        stage.json("/").await.body,
        r#"{"d":{"EntitySets":["CsActiveUserDaily","CsActiveUserWeekly","CsActiveUserMonthly","CsActiveUserYearly"]}}"#
    );
    let light = stage.ask("", &LIGHT).await;
    assert!(light.body.starts_with(&format!(
        "{{\"odata.metadata\":\"{ROOT}$metadata\",\"value\":[{{\"name\":\"CsActiveUserDaily\",\"url\":\"CsActiveUserDaily\"}},"
    )));
    assert_eq!(light.header("dataserviceversion"), "3.0;");
}

#[tokio::test]
async fn the_metadata_is_that_of_the_wire() {
    let expected = compact(
        r#"<?xml version="1.0" encoding="utf-8"?>
        <edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
          <edmx:DataServices m:DataServiceVersion="2.0" m:MaxDataServiceVersion="2.0"
              xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
            <Schema Namespace="TenantReporting" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
              <EntityType Name="CsActiveUserReport">
                <Key><PropertyRef Name="Date" /></Key>
                <Property Name="Date" Type="Edm.DateTime" Nullable="false" />
                <Property Name="ActiveUsers" Type="Edm.Int64" Nullable="false" />
                <Property Name="ID" Type="Edm.Int64" Nullable="false" />
                <Property Name="TenantGuid" Type="Edm.Guid" Nullable="false" />
                <Property Name="TenantName" Type="Edm.String" />
              </EntityType>
              <EntityContainer Name="Reports" m:IsDefaultEntityContainer="true">
                <EntitySet Name="CsActiveUserDaily" EntityType="TenantReporting.CsActiveUserReport" />
                <EntitySet Name="CsActiveUserWeekly" EntityType="TenantReporting.CsActiveUserReport" />
                <EntitySet Name="CsActiveUserMonthly" EntityType="TenantReporting.CsActiveUserReport" />
                <EntitySet Name="CsActiveUserYearly" EntityType="TenantReporting.CsActiveUserReport" />
              </EntityContainer>
            </Schema>
          </edmx:DataServices>
        </edmx:Edmx>"#,
    );
    assert_eq!(Stage::new(may(), settings()).get("/$metadata").await.body, expected);
}

#[tokio::test]
async fn a_row_is_had_by_its_key() {
    let stage = Stage::new(may(), settings());
    let url = format!("{ROOT}CsActiveUserDaily(datetime'2013-05-14T00%3A00%3A00')");
    let rest = "\"Date\":\"\\/Date(1368489600000)\\/\",\"ActiveUsers\":\"5\",\"ID\":\"15838\",\
                \"TenantGuid\":\"16a58f78-539f-47f7-b9bf-02a63867d73b\",\"TenantName\":\"example.onmicrosoft.com\"";
    let metadata = format!("\"__metadata\":{{\"id\":\"{url}\",\"uri\":\"{url}\",\"type\":\"TenantReporting.CsActiveUserReport\"}}");
    for path in
        [DAY, "/CsActiveUserDaily%28datetime%272013-05-14T00%3A00%3A00%27%29", "/CsActiveUserDaily(Date=datetime'2013-05-14T00:00')/"]
    {
        let answer = stage.json(path).await;
        assert_eq!(
            (answer.body, answer.headers["dataserviceversion"].to_str().unwrap()),
            (format!("{{\"d\":{{{metadata},{rest}}}}}"), "1.0;")
        );
    }
    let selected = stage.json(&format!("{DAY}?$select=TenantName,ActiveUsersCount,ActiveUsers")).await;
    assert!(selected.body.ends_with("},\"ActiveUsers\":\"5\",\"TenantName\":\"example.onmicrosoft.com\"}}"));
    assert_eq!(selected.header("dataserviceversion"), "2.0;");
    let atom = stage.get(DAY).await;
    assert!(atom.body.starts_with(&format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><entry xml:base=\"{ROOT}\" xmlns=\"http://www.w3.org/2005/Atom\""
    )));
    assert!(atom.body.contains(
        "<d:ID m:type=\"Edm.Int64\">15838</d:ID><d:TenantGuid m:type=\"Edm.Guid\">16a58f78-539f-47f7-b9bf-02a63867d73b</d:TenantGuid>\
         <d:TenantName>example.onmicrosoft.com</d:TenantName></m:properties></content></entry>"
    ));
}

#[tokio::test]
async fn a_property_is_had_alone() {
    let stage = Stage::new(may(), settings());
    assert_eq!(stage.json(&format!("{DAY}/ActiveUsers")).await.body, r#"{"d":{"ActiveUsers":"5"}}"#);
    assert_eq!(
        stage.get(&format!("{DAY}/ActiveUsers")).await.body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:ActiveUsers xmlns:d=\"http://schemas.microsoft.com/ado/2007/08/dataservices\" \
         xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\" m:type=\"Edm.Int64\">5</d:ActiveUsers>"
    );
    for (property, value) in [("Date", "2013-05-14T00:00:00"), ("ActiveUsers", "5"), ("TenantName", "example.onmicrosoft.com")] {
        assert_eq!(stage.get(&format!("{DAY}/{property}/$value")).await.body, value);
    }
    let light = stage.ask(&format!("{DAY}/Date"), &LIGHT).await;
    assert_eq!(light.body, format!("{{\"odata.metadata\":\"{ROOT}$metadata#Edm.DateTime\",\"value\":\"2013-05-14T00:00:00\"}}"));
}

#[tokio::test]
async fn json_light_says_as_much_as_is_asked() {
    let stage = Stage::new(days(&[("2013-05-04", 5)]), settings());
    let path = "/CsActiveUserWeekly?$select=ActiveUsers,Date&$inlinecount=allpages";
    let row = "\"Date\":\"2013-05-05T00:00:00\",\"ActiveUsers\":\"5\"";
    let metadata = format!("\"odata.metadata\":\"{ROOT}$metadata#CsActiveUserWeekly&$select=Date,ActiveUsers\"");
    let light = stage.ask(path, &LIGHT).await;
    assert_eq!(light.body, format!("{{{metadata},\"odata.count\":\"1\",\"value\":[{{{row}}}]}}"));
    assert_eq!(light.header("dataserviceversion"), "3.0;");
    assert_eq!(stage.ask(path, &NONE).await.body, format!("{{\"odata.count\":\"1\",\"value\":[{{{row}}}]}}"));
    let key = "CsActiveUserWeekly(datetime'2013-05-05T00%3A00%3A00')";
    assert_eq!(
        stage.ask(path, &FULL).await.body,
        format!(
            "{{{metadata},\"odata.count\":\"1\",\"value\":[{{\"odata.type\":\"TenantReporting.CsActiveUserReport\",\"odata.id\":\"{ROOT}{key}\",\
             \"odata.editLink\":\"{key}\",\"Date@odata.type\":\"Edm.DateTime\",\"Date\":\"2013-05-05T00:00:00\",\
             \"ActiveUsers@odata.type\":\"Edm.Int64\",\"ActiveUsers\":\"5\"}}]}}"
        )
    );
    let entry = stage.ask("/CsActiveUserWeekly(datetime'2013-05-05T00:00:00')?$select=ActiveUsers", &LIGHT).await;
    assert_eq!(
        entry.body,
        format!("{{\"odata.metadata\":\"{ROOT}$metadata#CsActiveUserWeekly/@Element&$select=ActiveUsers\",\"ActiveUsers\":\"5\"}}")
    );
    let v3 = stage
        .ask("/CsActiveUserWeekly?$select=Date,ActiveUsers", &[("accept", "application/json"), ("maxdataserviceversion", "3.0")])
        .await;
    assert!(v3.body.contains(&format!("\"value\":[{{{row}}}]")));
}

#[tokio::test]
async fn an_empty_feed_has_an_author_and_a_count() {
    let answer = Stage::new(may(), settings()).get("/CsActiveUserDaily?$filter=false&$inlinecount=allpages").await;
    assert!(answer.body.contains("dataservices/metadata\"><m:count>0</m:count><id>"), "{}", answer.body);
    assert!(answer.body.ends_with("href=\"CsActiveUserDaily\" /><author><name /></author></feed>"));
}

#[tokio::test]
async fn urls_are_those_of_the_request_without_a_public_one() {
    let stage = Stage::new(may(), Settings { public_base_url: None, ..settings() });
    let ask = |channel: Option<Channel>| {
        let path = format!("{}/CsActiveUserDaily/", SERVICE.to_uppercase());
        let mut request =
            Request::get(path).header("host", "reports.example.com:8080").header("authorization", basic("admin@example.com", PASSWORD));
        if let Some(channel) = channel {
            request = request.extension(channel);
        }
        // What the sample client of old sends back.
        request
            .header("cookie", "X-BackEndCookie=a=b; expires=Sat, 01-Jan-2000 00:00:00 GMT; path=/ecp; secure; HttpOnly")
            .body(Body::empty())
            .unwrap()
    };
    let plain = stage.send(ask(None)).await;
    assert!(plain.body.contains("xml:base=\"http://reports.example.com:8080/ecp/ReportingWebService/Reporting.svc/\""));
    assert!(
        plain.body.contains("<id>http://reports.example.com:8080/ECP/REPORTINGWEBSERVICE/REPORTING.SVC/CsActiveUserDaily</id>"),
        "{}",
        plain.body
    );
    let tls = stage.send(ask(Some(Channel { client: None, is_tls: true, carries_credentials: true }))).await;
    assert!(tls.body.contains("xml:base=\"https://reports.example.com:8080/ecp/"));
}
