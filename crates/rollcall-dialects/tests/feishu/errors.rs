//! Every wrong parameter, and the answer to it.

use crate::naive::{Fault, Naive};
use crate::stage::{DAILY, Stage, TOP, set_clock, tenant, unlimited};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rollcall_dialects::feishu::Settings;

const DAY: &str = "start_time=1609113600&end_time=1609200000";

fn stage(settings: Settings) -> Stage {
    Stage::new(Naive::default(), vec![tenant("UTC", settings)])
}

#[tokio::test]
async fn every_offending_parameter_is_named() {
    let stage = stage(Settings { apps: unlimited().apps, history_days: 0, ..Settings::default() });
    // (parameters of get_daily, fields named)
    let both = ["start_time", "end_time"];
    for (query, fields) in [
        ("", &both[..]),
        ("start_time=1609113600", &["end_time"]),
        ("end_time=1609113600", &["start_time"]),
        ("start_time=&end_time=", &both),
        ("start_time=a&end_time=1.5", &both),
        ("start_time=-1609113600&end_time=%2B1609113600", &both),
        ("start_time=+1609113600&end_time=1609113600+", &both),
        ("start_time=0x10&end_time=%D9%A1%D9%A2", &both),
        ("start_time=%FF%FE&end_time=%", &both),
        ("start_time=1%00&end_time=%E0%80", &both),
        ("start_time=99999999999999999999999999&end_time=18446744073709551616", &both),
        ("start_time=1609113600000&end_time=1609200000000", &both),
        ("start_time=63071999&end_time=7258118401", &both),
        ("start_time=1609200000&end_time=1609200000", &["end_time"]),
        ("start_time=1609200001&end_time=1609200000", &["end_time"]),
        ("start_time=1609113600&start_time=1609113600&end_time=1609200000", &["start_time"]),
        ("start_time=1609113600&end_time=1609200000&unit=4", &["unit"]),
        ("start_time=1609113600&end_time=1609200000&unit=-1", &["unit"]),
        ("start_time=1609113600&end_time=1609200000&unit=0&unit=0", &["unit"]),
        ("start_time=x&end_time=y&unit=z", &["start_time", "end_time", "unit"]),
    ] {
        let answer = stage.daily(query).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code(), answer.fields()),
            (400, 121_003, fields.iter().map(|&f| f.into()).collect()),
            "{query}"
        );
        assert_eq!(answer.json()["msg"], "param error");
    }
    // (parameters of get_top_user beside the times, fields named)
    for (query, fields) in [
        ("", &["order_by"][..]),
        ("&order_by=0", &["order_by"]),
        ("&order_by=3", &["order_by"]),
        ("&order_by=meeting_count", &["order_by"]),
        ("&order_by=1&limit=0", &["limit"]),
        ("&order_by=1&limit=101", &["limit"]),
        ("&order_by=1&limit=ten", &["limit"]),
        ("&order_by=", &["order_by"]),
        ("&order_by=1&limit=10&limit=20", &["limit"]),
        ("&order_by=1&unit=9", &["unit"]),
        ("&order_by=1&user_id_type=OPEN_ID", &["user_id_type"]),
        ("&order_by=1&user_id_type=%FF", &["user_id_type"]),
        ("&order_by=1&user_id_type=open_id&user_id_type=user_id", &["user_id_type"]),
        ("&limit=1000&order_by=7&unit=8&user_id_type=9", &["limit", "order_by", "unit", "user_id_type"]),
    ] {
        let answer = stage.top(&format!("{DAY}{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code(), answer.fields()),
            (400, 121_003, fields.iter().map(|&f| f.into()).collect()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_empty_optional_parameter_is_as_none() {
    let stage = stage(unlimited());
    for (empty, none) in [("&unit=", ""), ("&order_by=1&limit=&unit=&user_id_type=", "&order_by=1")] {
        let ask = async |query: &str| {
            let query = format!("{DAY}{query}");
            if empty.contains("order_by") { stage.top(&query).await } else { stage.daily(&query).await }
        };
        let (answer, expected) = (ask(empty).await, ask(none).await);
        assert_eq!((answer.code(), answer.body), (0, expected.body), "{empty}");
    }
}

#[tokio::test]
async fn no_query_brings_the_server_down() {
    let stage = stage(unlimited());
    let authorization = format!("Bearer {}", stage.token().await);
    let words = [
        "start_time",
        "end_time",
        "limit",
        "order_by",
        "unit",
        "user_id_type",
        "=",
        "&",
        "1609113600",
        "9",
        "0",
        "-",
        "+",
        "%",
        "%FF",
        "%00",
        "%E4%BD",
        ";",
        "?",
        "[]",
        "open_id",
        "1e9",
    ];
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..3000 {
        let query: String = (0..random.random_range(0..30)).map(|_| words[random.random_range(0..words.len())]).collect();
        for path in [DAILY, TOP] {
            let answer = stage.get_with(&authorization, &format!("{path}?{query}")).await;
            assert!(matches!(answer.code(), 0 | 121_002 | 121_003), "{query}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_violation_has_the_documented_shape() {
    let stage = stage(unlimited());
    let answer = stage.daily("start_time=1608888867&end_time=1608888867").await;
    let log_id = answer.header("x-tt-logid").to_owned();
    let expected = format!(
        concat!(
            r#"{{"code":121003,"msg":"param error","error":{{"message":"end_time must be greater than start_time","log_id":"{}","#,
            r#""field_violations":[{{"field":"end_time","value":"1608888867","description":"must be greater than start_time"}}]}}}}"#
        ),
        log_id
    );
    assert_eq!(answer.body, expected);
    let missing = stage.daily("start_time=1608888867").await.json();
    assert_eq!(missing["error"]["field_violations"][0]["value"], "");
}

#[tokio::test]
async fn a_long_value_is_not_repeated_whole() {
    let answer = stage(unlimited()).daily(&format!("start_time={}&end_time=1", "9".repeat(30_000))).await;
    assert_eq!(answer.code(), 121_003);
    assert!(answer.body.len() < 2000);
}

#[tokio::test]
async fn a_residency_that_the_organization_lacks_is_not_supported() {
    let stage = stage(unlimited());
    for answer in [stage.daily(&format!("{DAY}&unit=1")).await, stage.top(&format!("{DAY}&order_by=1&unit=3")).await] {
        assert_eq!((answer.status.as_u16(), answer.code()), (400, 121_002));
        assert_eq!(answer.json()["msg"], "not support");
    }
    assert_eq!(stage.daily(&format!("{DAY}&unit=0")).await.code(), 0);
    // What is wrong in itself comes first.
    assert_eq!(stage.daily("start_time=1609113600&unit=1").await.code(), 121_003);
}

#[tokio::test]
async fn history_ends_after_its_days_to_the_second() {
    set_clock("2021-01-05T12:00:00.999Z");
    let now = 1_609_848_000;
    let stage = stage(Settings { apps: unlimited().apps, requests_per_minute: 0, ..Settings::default() });
    let oldest = now - 90 * 86_400;
    let asked = async |start: i64| {
        (
            stage.daily(&format!("start_time={start}&end_time={now}")).await,
            stage.top(&format!("start_time={start}&end_time={now}&order_by=2")).await,
        )
    };
    let (daily, top) = asked(oldest).await;
    assert_eq!((daily.code(), top.code()), (0, 0));
    let (daily, top) = asked(oldest - 1).await;
    assert_eq!((daily.code(), daily.fields(), top.code()), (121_003, vec!["start_time".to_owned()], 121_003));
    assert_eq!(daily.json()["error"]["field_violations"][0]["description"], "must be within the last 90 days");
}

#[tokio::test]
async fn span_is_bounded_where_history_is_not() {
    set_clock("2021-06-05T12:00:00Z");
    let settings = |history_days| Settings { history_days, span_days: 200, ..unlimited() };
    let berlin = |history_days| Stage::new(Naive::default(), vec![tenant("Europe/Berlin", settings(history_days))]);
    let ask = async |stage: &Stage, start: i64, length: i64| stage.daily(&format!("start_time={start}&end_time={}", start + length)).await;
    let stage = berlin(0);
    // Whole days of Berlin, an hour longer for the clock change; the same time from noon; an hour more of either.
    let midnight = 1_595_714_400; // 2020-07-26T00:00 in Berlin
    assert_eq!(ask(&stage, midnight, 200 * 86_400 + 3600).await.code(), 0);
    assert_eq!(ask(&stage, midnight + 43_200, 200 * 86_400).await.code(), 0);
    assert_eq!(ask(&stage, midnight, 200 * 86_400 + 7200).await.fields(), ["end_time"]);
    assert_eq!(ask(&stage, midnight + 43_200, 200 * 86_400 + 3600).await.fields(), ["end_time"]);
    // Days to come do not count, nor does the limit where history is bounded.
    assert_eq!(ask(&stage, 1_622_800_000, 100 * 365 * 86_400).await.code(), 0);
    assert_eq!(ask(&berlin(10_000), midnight - 10_000_000, 300 * 86_400).await.code(), 0);
}

#[tokio::test]
async fn faults_are_not_told() {
    for fault in [Fault::Storage, Fault::Panic] {
        let reports = Naive { fault, ..Naive::default() };
        let stage = Stage::new(reports, vec![tenant("UTC", unlimited())]);
        for answer in [stage.daily(DAY).await, stage.top(&format!("{DAY}&order_by=1")).await] {
            assert_eq!((answer.status.as_u16(), answer.code()), (500, 121_001));
            assert_eq!(answer.json()["msg"], "internal error");
            assert!(!answer.body.contains("private") && !answer.body.contains("purpose"));
        }
    }
}
