//! Ranges: what is refused, what is answered (wire, Range).

use crate::stage::{SEED, Stage, advance, fact, set_clock, settings, tenant};
use rollcall_dialects::volcengine::Settings;

fn body(start: &str, end: &str) -> String {
    SEED.replace("2021-07-24T00:00:00+08:00", start).replace("2021-07-26T00:00:00+08:00", end)
}

#[tokio::test]
async fn ranges_are_refused_and_never_clamped() {
    let stage = Stage::of(Vec::new());
    let (too_old, too_long, backwards) =
        ("InvalidParameter.OutofTimeRange", "InvalidParameter.OutofTimeRange", "InvalidParameter.StartTimeAfterEndTime");
    for (start, end, code, message) in [
        // 30 days ago and 7 days long, both exactly, and a second more of each.
        ("2021-06-26T12:00:00Z", "2021-07-03T12:00:00Z", "", ""),
        (
            "2021-06-26T11:59:59Z",
            "2021-07-03T11:59:59Z",
            too_old,
            "StartTime 2021-06-26T11:59:59Z is more than 30 days ago; the earliest accepted now is 2021-06-26T12:00:00Z.",
        ),
        (
            "2021-06-26T19:59:59+08:00",
            "2021-07-03T12:00:00Z",
            too_old,
            "StartTime 2021-06-26T19:59:59+08:00 is more than 30 days ago; the earliest accepted now is 2021-06-26T20:00:00+08:00.",
        ),
        (
            "2021-06-26T12:00:00Z",
            "2021-07-03T12:00:01Z",
            too_long,
            "The range from StartTime 2021-06-26T12:00:00Z to EndTime 2021-07-03T12:00:01Z is longer than 7 days.",
        ),
        (
            "2021-07-24T00:00:00Z",
            "2021-07-24T00:00:00Z",
            backwards,
            "EndTime 2021-07-24T00:00:00Z is not later than StartTime 2021-07-24T00:00:00Z.",
        ),
        ("2021-07-24T00:00:00Z", "2021-07-24T07:59:59+08:00", backwards, "EndTime 2021-07-24T07:59:59+08:00 is not later"),
        // Fractions are cut, so this range is empty.
        ("2021-07-24T00:00:00.1Z", "2021-07-24T00:00:00.9Z", backwards, "EndTime 2021-07-24T00:00:00.9Z is not later"),
        ("2021-07-24T00:00:00Z", "2021-07-24T00:00:01Z", "", ""),
        // A range that reaches into the future, or lies there.
        ("2021-07-26T00:00:00Z", "2021-07-28T00:00:00Z", "", ""),
        ("2031-07-26T00:00:00Z", "2031-07-28T00:00:00Z", "", ""),
        ("9999-12-31T23:59:58Z", "9999-12-31T23:59:59Z", "", ""),
    ] {
        let answer = stage.ask(&body(start, end)).await;
        let status = if code.is_empty() { 200 } else { 400 };
        assert_eq!(answer.outcome(), (status, None, code.into()), "{start} {end}: {}", answer.body);
        assert!(answer.message().starts_with(message), "{}", answer.message());
    }
    // The clock is read to the second, as times are.
    advance(999);
    assert_eq!(stage.ask(&body("2021-06-26T12:00:00Z", "2021-06-26T12:00:01Z")).await.outcome().0, 200);
    advance(1);
    assert_eq!(stage.ask(&body("2021-06-26T12:00:00Z", "2021-06-26T12:00:01Z")).await.outcome().0, 400);
}

#[tokio::test]
async fn limits_are_settings_and_zero_is_off() {
    set_clock("2021-07-26T12:00:00Z");
    let stage = Stage::of(vec![fact("u", "CN-SH", "1972-01-01T00:00:00Z", "1972-01-02T00:00:00Z")]);
    for (max_age_days, max_span_days, start, end, status) in [
        (1, 1, "2021-07-25T12:00:00Z", "2021-07-26T12:00:00Z", 200),
        (1, 1, "2021-07-25T11:59:59Z", "2021-07-26T11:59:59Z", 400),
        (1, 1, "2021-07-25T12:00:00Z", "2021-07-26T12:00:01Z", 400),
        (0, 7, "1985-07-24T00:00:00Z", "1985-07-31T00:00:00Z", 200),
        (0, 7, "1985-07-24T00:00:00Z", "1985-07-31T00:00:01Z", 400),
        (0, 0, "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 200),
        (0, 0, "0000-01-01T00:00:00Z", "1960-01-01T00:00:00Z", 200),
        (30, 0, "2021-07-25T12:00:00Z", "9999-12-31T23:59:59Z", 200),
        (u32::MAX, u32::MAX, "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", 200),
    ] {
        stage.site.reload(vec![tenant(Settings { max_age_days, max_span_days, ..settings() })]);
        let answer = stage.ask(&body(start, end)).await;
        assert_eq!(answer.outcome().0, status, "{max_age_days} {max_span_days} {start} {end}: {}", answer.body);
        if end.starts_with("9999") && start.starts_with('0') {
            assert!(answer.data().contains("上海"));
        }
    }
}
