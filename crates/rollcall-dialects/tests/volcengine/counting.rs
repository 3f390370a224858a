//! What is counted, and how it is printed (wire section 9).

use crate::naive::{Fact, Naive};
use crate::stage::{APP, SEED, Stage, fact, other_tenant, settings, tenant};
use rollcall_dialects::volcengine::Settings;
use serde_json::json;

const FROM: &str = "2021-07-24T02:00:00Z";
const TO: &str = "2021-07-24T03:00:00Z";

fn stay(user: &str, place: &str) -> Fact {
    fact(user, place, FROM, TO)
}

/// u1 and u2 in Shanghai, u3 in Beijing and later in Shanghai, u4 without a place, u5 in the United States.
fn worked_example() -> Vec<Fact> {
    vec![stay("u1", "CN-SH"), stay("u2", "CN-SH"), stay("u3", "CN-BJ"), stay("u3", "CN-SH"), stay("u4", ""), stay("u5", "US-CA")]
}

#[tokio::test]
async fn the_worked_example_is_answered_to_the_letter() {
    let stage = Stage::of(worked_example());
    let province = stage.ask(SEED).await;
    let expected = r#"[{"DistributionName":"上海","Value":3,"Proportion":50},{"DistributionName":"北京","Value":1,"Proportion":16.66}]"#;
    assert_eq!(province.data(), expected);
    let country = stage.ask_with("Dimension", "country").await;
    let expected = r#"[{"DistributionName":"中国","Value":3,"Proportion":60},{"DistributionName":"美国","Value":1,"Proportion":20}]"#;
    assert_eq!(country.data(), expected);

    stage.site.reload(vec![tenant(Settings { show_unknown: true, ..settings() })]);
    let shown = stage.ask(SEED).await;
    let expected = concat!(
        r#"[{"DistributionName":"上海","Value":3,"Proportion":50},{"DistributionName":"未知","Value":2,"Proportion":33.33},"#,
        r#"{"DistributionName":"北京","Value":1,"Proportion":16.66}]"#
    );
    assert_eq!(shown.data(), expected);
}

#[tokio::test]
async fn the_seeds_sample_comes_back_as_it_is_printed() {
    let mut facts: Vec<_> = (0..666).map(|number| stay(&format!("s{number}"), "CN-SH")).collect();
    facts.extend((0..123).map(|number| stay(&format!("b{number}"), "CN-31")).map(|fact| Fact { place: stay("", "CN-BJ").place, ..fact }));
    facts.extend((0..210).map(|number| stay(&format!("u{number}"), "JP")));
    let answer = Stage::of(facts).ask(SEED).await;
    let json = answer.json();
    let id = json["ResponseMetadata"]["RequestId"].as_str().unwrap();
    let expected = format!(
        r#"{{"ResponseMetadata":{{"RequestId":"{id}","Action":"ListOperationDistribution","Version":"2020-12-01","Service":"rtc","Region":"cn-north-1"}},"Result":{{"Name":"user_num","Dimension":"province","Data":[{{"DistributionName":"上海","Value":666,"Proportion":66.66}},{{"DistributionName":"北京","Value":123,"Proportion":12.31}}]}}}}"#
    );
    assert_eq!(answer.body, expected);
    assert!(
        id.len() == 34
            && id.starts_with("20210726200000")
            && id[14..].bytes().all(|digit| digit.is_ascii_digit() || digit.is_ascii_uppercase())
    );
}

#[tokio::test]
async fn nothing_found_is_an_empty_list() {
    let answer = Stage::of(Vec::new()).ask(SEED).await;
    assert_eq!(answer.json()["Result"], json!({"Name": "user_num", "Dimension": "province", "Data": []}));
}

#[tokio::test]
async fn both_names_of_the_indicator_and_any_case_of_the_dimension_are_the_same() {
    let stage = Stage::of(worked_example());
    let expected = stage.ask(SEED).await.json()["Result"].clone();
    for (indicator, dimension) in [("user_num", "Province"), ("user_num", "PROVINCE"), ("user_count", "province")] {
        let body = SEED.replace("user_count", indicator).replace("province", dimension);
        assert_eq!(stage.ask(&body).await.json()["Result"], expected, "{indicator} {dimension}");
    }
    assert_eq!(stage.ask_with("Dimension", "Country").await.json()["Result"]["Dimension"], "country");
}

#[tokio::test]
async fn a_stay_counts_if_it_overlaps_the_range() {
    for (joined, left, counts) in [
        ("2021-07-23T15:00:00Z", "2021-07-23T16:00:00Z", false),
        ("2021-07-23T15:00:00Z", "2021-07-23T16:00:00.001Z", true),
        ("2021-07-23T16:00:00Z", "2021-07-23T16:00:00Z", true),
        ("2021-07-25T15:59:59.999Z", "2021-07-25T17:00:00Z", true),
        ("2021-07-25T16:00:00Z", "2021-07-25T17:00:00Z", false),
        ("2021-07-25T16:00:00Z", "2021-07-25T16:00:00Z", false),
        ("2021-07-20T00:00:00Z", "2021-07-26T00:00:00Z", true),
    ] {
        let answer = Stage::of(vec![fact("u", "CN-SH", joined, left)]).ask(SEED).await;
        assert_eq!(answer.data() != "[]", counts, "{joined} {left}");
    }
}

#[tokio::test]
async fn ties_are_in_the_order_of_their_characters() {
    // U+4E91 before U+5317, though CN-BJ is before CN-YN.
    let answer = Stage::of(vec![stay("a", "CN-BJ"), stay("b", "CN-YN")]).ask(SEED).await;
    let names: Vec<_> = answer.json()["Result"]["Data"].as_array().unwrap().iter().map(|row| row["DistributionName"].clone()).collect();
    assert_eq!(names, ["云南", "北京"]);
}

#[tokio::test]
async fn hong_kong_macau_and_taiwan_are_provinces_and_countries_however_written() {
    for (code, province, country) in
        [("HK", "香港", "中国香港"), ("CN-HK", "香港", "中国香港"), ("CN-92", "澳门", "中国澳门"), ("TW-TPE", "台湾", "中国台湾")]
    {
        let stage = Stage::of(vec![stay("u", code)]);
        for (dimension, name) in [("province", province), ("country", country)] {
            let answer = stage.ask_with("Dimension", dimension).await;
            assert_eq!(answer.data(), format!(r#"[{{"DistributionName":"{name}","Value":1,"Proportion":100}}]"#), "{code} {dimension}");
        }
    }
}

#[tokio::test]
async fn only_the_app_that_was_asked_for_counts_and_only_of_its_organization() {
    let mut facts = worked_example();
    facts.push(Fact { app: "default".into(), ..stay("d", "CN-GD") });
    facts.push(Fact { org: crate::stage::OTHER_ORG, ..stay("o", "CN-GD") });
    let stage = Stage::new(Naive { facts, ..Naive::default() }, vec![tenant(settings()), other_tenant()]);
    assert!(!stage.ask(SEED).await.data().contains("广东"));
    let answer = stage.ask_with("AppId", "default").await;
    assert_eq!(answer.data(), r#"[{"DistributionName":"广东","Value":1,"Proportion":100}]"#);
    assert_eq!(APP, "Your_AppId");
}
