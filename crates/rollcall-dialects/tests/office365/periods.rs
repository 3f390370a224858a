//! Which stays fall into which rows (wire sections 1.11 and 8.1).

use crate::naive::Fact;
use crate::stage::{Stage, at, days, fact, set_clock, settings};
use rollcall_dialects::office365::Settings;
use rollcall_model::{Device, SessionKind, UserKind};

#[tokio::test]
async fn the_zone_moves_a_stay_to_its_day_and_its_week() {
    let stay = Fact { left_at: at("2013-05-12T02:00:00Z"), ..fact("u", "2013-05-12T02:00:00Z") };
    let stage = Stage::new(vec![stay], settings());
    for (zones, day, week) in [
        (&["", "UTC", "gmt"][..], "05-13", "05-19"),
        (&["China Standard Time", "Asia/Shanghai", "+08:00"], "05-13", "05-19"),
        (&["pacific standard time", "America/Los_Angeles", "-07:00"], "05-12", "05-12"),
    ] {
        for zone in zones {
            let headers = [("x-timezone", *zone)];
            assert_eq!(stage.ask("/CsActiveUserDaily?$format=Json", &headers).await.dates(), [day], "{zone}");
            assert_eq!(stage.ask("/CsActiveUserWeekly?$format=Json", &headers).await.dates(), [week], "{zone}");
        }
    }
    let unknown = stage.ask("/CsActiveUserDaily?$format=Json", &[("x-timezone", "Middle Earth Standard Time")]).await;
    let text = "The time zone 'Middle Earth Standard Time' given in the X-timezone header is not known. \
                Use a Windows time zone id, an IANA name, UTC, or an offset such as +08:00.";
    assert_eq!(unknown.error(), (400, text.into()));
}

#[tokio::test]
async fn every_set_has_its_dates_and_ordinals() {
    let facts = days(&[("2013-05-05", 1), ("2013-05-13", 2)]);
    for (start, set, date, id) in [
        (false, "Daily", "\\/Date(1368489600000)\\/", "15838"),
        (true, "Daily", "\\/Date(1368403200000)\\/", "15838"),
        (false, "Monthly", "\\/Date(1370044800000)\\/", "520"),
        (true, "Monthly", "\\/Date(1367366400000)\\/", "520"),
        (false, "Yearly", "\\/Date(1388534400000)\\/", "43"),
        (true, "Yearly", "\\/Date(1356998400000)\\/", "43"),
    ] {
        let stage = Stage::new(facts.clone(), Settings { date_is_start: start, ..settings() });
        let answer = stage.json(&format!("/CsActiveUser{set}?$select=Date,ID,ActiveUsers")).await;
        let row = format!("\"Date\":\"{date}\",\"ActiveUsers\":\"2\",\"ID\":\"{id}\"}}]}}}}");
        assert!(answer.body.ends_with(&row), "{set} {start} {}", answer.body);
    }
    let weekly = Stage::new(facts, settings()).json("/CsActiveUserWeekly").await;
    assert_eq!((weekly.dates(), weekly.rows()[0]["ID"].as_str()), (vec!["05-12".to_owned(), "05-19".to_owned()], Some("2262")));
}

#[tokio::test]
async fn only_members_at_computers_count() {
    let on = |user: &str, device, user_kind| Fact { device, user_kind, ..fact(user, "2013-05-13T12:00:00Z") };
    let mut facts: Vec<_> = Device::ALL.iter().map(|device| on(device.name(), *device, UserKind::Member)).collect();
    facts.extend(UserKind::ALL.iter().map(|kind| on(kind.name(), Device::Desktop, *kind)));
    facts.extend(SessionKind::ALL.iter().map(|kind| Fact { session_kind: *kind, ..on(kind.name(), Device::Web, UserKind::Member) }));
    // desktop, web; member; meeting, call, room (a session's kind, and another's name).
    assert_eq!(Stage::new(facts, settings()).json("/CsActiveUserDaily").await.counts(), [6]);
}

#[tokio::test]
async fn today_has_no_daily_row_and_the_running_week_has_one() {
    set_clock("2013-05-13T13:00:00Z");
    let stage = Stage::new(days(&[("2013-05-10", 1), ("2013-05-12", 2), ("2013-05-13", 3)]), settings());
    assert_eq!(stage.json("/CsActiveUserDaily").await.dates(), ["05-11", "05-13"]);
    let weekly = stage.json("/CsActiveUserWeekly").await;
    assert_eq!((weekly.dates(), weekly.counts()), (vec!["05-12".into(), "05-19".into()], vec![1, 3]));
}

#[tokio::test]
async fn rows_end_within_the_history_and_count_whole_periods() {
    set_clock("2013-05-13T13:00:00Z");
    let facts = days(&[("2012-01-02", 4), ("2012-05-12", 1), ("2012-05-13", 2)]);
    let stage = Stage::new(facts.clone(), settings());
    // The day that ends at the midnight of 13 May 2012 does not end after it.
    assert_eq!(stage.json("/CsActiveUserDaily").await.counts(), [2]);
    assert_eq!(stage.json("/CsActiveUserMonthly").await.counts(), [2]);
    assert_eq!(stage.json("/CsActiveUserYearly").await.counts(), [4]);
    let stage = Stage::new(facts, Settings { history_months: 0, ..settings() });
    assert_eq!(stage.json("/CsActiveUserDaily").await.counts(), [4, 1, 2]);
}

#[tokio::test]
async fn boundaries_are_those_of_the_zone_at_the_time() {
    // New York's clocks jump on 10 March 2013: midnight is at 05:00Z before and at 04:00Z after.
    let stays = ["2013-03-10T03:00:00Z", "2013-03-10T05:00:00Z", "2013-03-11T02:59:00Z", "2013-03-11T04:00:00Z"];
    let stage = Stage::new(stays.iter().enumerate().map(|(user, stay)| fact(&format!("u{user}"), stay)).collect(), settings());
    for zone in ["Eastern Standard Time", "america/new_york"] {
        let answer = stage.ask("/CsActiveUserDaily?$format=Json", &[("x-timezone", zone)]).await;
        assert_eq!((answer.dates(), answer.counts()), (vec!["03-10".into(), "03-11".into(), "03-12".into()], vec![1, 2, 1]));
    }
    let fixed = stage.ask("/CsActiveUserDaily?$format=Json", &[("x-timezone", "-05:00")]).await;
    assert_eq!((fixed.dates(), fixed.counts()), (vec!["03-10".into(), "03-11".into()], vec![1, 3]));
    // Apia had no 30 December 2011; the day before it is dated by the midnight that should have followed.
    let stays = ["2011-12-30T09:00:00Z", "2011-12-30T10:00:00Z"];
    let facts = stays.iter().map(|stay| Fact { left_at: at(stay), ..fact("u", stay) }).collect();
    let stage = Stage::new(facts, Settings { history_months: 0, ..settings() });
    let apia = stage.ask("/CsActiveUserDaily?$format=Json", &[("x-timezone", "Pacific/Apia")]).await;
    assert_eq!(apia.dates(), ["12-30", "01-01"]);
}

#[tokio::test]
async fn a_key_is_of_the_zone_and_the_setting() {
    let key = "/CsActiveUserMonthly(datetime'2013-06-01T00:00:00')/ID/$value";
    let stay = || vec![fact("u", "2013-05-31T18:00:00Z")];
    let stage = Stage::new(stay(), settings());
    assert_eq!(stage.get(key).await.body, "520");
    assert_eq!(stage.ask(key, &[("x-timezone", "Asia/Shanghai")]).await.status, 404);
    let stage = Stage::new(stay(), Settings { date_is_start: true, ..settings() });
    assert_eq!(stage.get(key).await.status, 404);
    assert_eq!(stage.ask(key, &[("x-timezone", "Asia/Shanghai")]).await.body, "521");
}
