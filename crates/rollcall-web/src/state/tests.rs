use super::*;
use crate::state::span::Span;
use jiff::civil::date;
use proptest::prelude::*;
use rollcall_model::calendar::rfc3339;
use rollcall_model::{OrgId, Organization};

fn organization() -> Organization {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    Organization { apps: vec!["default".into(), "a&b=c".into()], ..Organization::new(OrgId(uuid::Uuid::nil()), "o", zone) }
}

fn days() -> impl Strategy<Value = (Date, Date)> {
    (0..3000_i64, 0..500_i64).prop_map(|(first, more)| {
        let first = date(2020, 1, 1) + jiff::Span::new().days(first);
        (first, first + jiff::Span::new().days(more))
    })
}

fn instants() -> impl Strategy<Value = (Millis, Millis)> {
    (1_500_000_000_000..1_900_000_000_000_i64, 1..100_000_000_000_i64).prop_map(|(from, length)| (from, from + length))
}

fn asked() -> impl Strategy<Value = Asked> {
    let preset = (0..Preset::ALL.len()).prop_map(|at| Asked::Preset(Preset::ALL[at].0));
    prop_oneof![preset, days().prop_map(|(a, b)| Asked::Days(a, b)), instants().prop_map(|(a, b)| Asked::Instants(a, b))]
}

fn some_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    proptest::sample::subsequence(all, 0..=all.len())
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[^\\p{Cc}]{1,40}")
}

fn filters() -> impl Strategy<Value = Filters> {
    let app = proptest::option::of(prop_oneof![Just("default".to_owned()), Just("a&b=c".to_owned())]);
    let kinds = (some_of(SessionKind::ALL), some_of(UserKind::ALL), some_of(Device::ALL), some_of(Medium::ALL));
    (app, kinds, text(), text()).prop_map(|(app, (session_kinds, user_kinds, devices, media), department, user)| Filters {
        app,
        session_kinds,
        user_kinds,
        devices,
        media,
        department,
        user,
    })
}

fn states() -> impl Strategy<Value = State> {
    let zone = proptest::option::of(proptest::sample::select(vec!["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"]));
    let compare =
        proptest::option::of(prop_oneof![Just(Compare::Previous), Just(Compare::Year), days().prop_map(|(a, b)| Compare::Days(a, b))]);
    let by = proptest::option::of(proptest::sample::select(vec![Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year]));
    let behind = prop_oneof![
        Just(Behind::Active),
        Just(Behind::Meetings),
        Just(Behind::Place(None)),
        Just(Behind::Place(Place::from_code("CN-SH"))),
        Just(Behind::NoDepartment),
        instants().prop_map(|(at, _)| Behind::Instant(at)),
        "[^\\p{Cc}]{1,20}".prop_map(Behind::Developers),
    ];
    let look = (
        proptest::option::of(prop_oneof![Just(Lang::En), Just(Lang::Zh)]),
        proptest::option::of(prop_oneof![Just(Theme::Light), Just(Theme::Dark)]),
        any::<bool>(),
    );
    let order = prop_oneof![Just(Order::Time), Just(Order::Sessions), Just(Order::Id)];
    let when = (asked(), zone, 0..7_i8, compare, by);
    (when, filters(), text(), order, text(), behind, look).prop_map(
        |((asked, zone, week_start, compare, by), filters, find, order, after, behind, (lang, theme, embed))| State {
            asked,
            zone: zone.map(|name| TimeZone::get(name).unwrap()),
            week_start: Weekday::from_monday_zero_offset(week_start).unwrap(),
            compare,
            by,
            filters,
            find,
            order,
            after,
            behind,
            lang,
            theme,
            embed,
        },
    )
}

proptest! {
    #[test]
    fn a_state_is_what_its_url_says(state in states()) {
        prop_assert_eq!(State::parse(&state.query(), &organization()), Ok(state));
    }

    #[test]
    fn whatever_the_query_nothing_panics(query in "\\PC{0,200}") {
        let _ = State::parse(&query, &organization());
    }

    #[test]
    fn what_is_compared_with_is_as_long_and_lies_before(days in days(), year in any::<bool>()) {
        let compare = Some(if year { Compare::Year } else { Compare::Previous });
        let state = State { asked: Asked::Days(days.0, days.1), compare, ..State::default() };
        let zone = organization().zone;
        let span = state.span(&zone, i64::MAX / 8);
        let before = state.before(&span, &zone, i64::MAX / 8).unwrap();
        if !year {
            prop_assert_eq!(before.range.to, span.range.from);
        }
        if !year || span.days() % 7 == 0 {
            prop_assert_eq!(before.days(), span.days());
        }
        if span.days() % 7 == 0 {
            prop_assert_eq!(before.first.weekday(), span.first.weekday());
        }
    }
}

#[test]
fn what_is_usual_is_not_in_the_url() {
    assert_eq!(State::default().query(), "");
    assert_eq!(State::default().at("/people"), "/people");
}

#[test]
fn a_wrong_parameter_is_named() {
    for (query, parameter) in [
        ("range=fortnight", "range"),
        ("from=2026-09-01", "to"),
        ("from=2026-09-02&to=2026-09-01", "to"),
        ("from=x&to=2026-09-01", "from"),
        ("from=2016-01-01&to=2026-01-08", "to"),
        ("from=2016-01-01T00:00:00Z&to=2026-01-09T00:00:00Z", "to"),
        ("zone=Mars", "zone"),
        ("app=nobody", "app"),
        ("device=fridge", "device"),
        ("user_kind=member,x", "user_kind"),
        ("compare=2026-09-02..2026-09-01", "compare"),
        ("behind=place:Mars", "behind"),
        ("find=%00", "find"),
    ] {
        assert_eq!(State::parse(query, &organization()).map_err(|bad| bad.parameter), Err(parameter.to_owned()), "{query}");
    }
}

#[test]
fn what_forms_send_is_read() {
    let state = State::parse("range=&user_kind=member&user_kind=guest&find=Li+Wei&unheard=of", &organization()).unwrap();
    assert_eq!((state.filters.user_kinds, state.find.as_deref()), (vec![UserKind::Member, UserKind::Guest], Some("Li Wei")));
    let mixed = State::parse("from=2026-09-01&to=2026-09-01T12:00:00Z", &organization()).unwrap();
    assert_eq!(mixed.asked, Asked::Instants(1_788_192_000_000, 1_788_264_000_000));
}

/// Sunday 13 September 2026, 14:05 in Shanghai.
const NOW: Millis = 1_789_279_500_000;

fn span(query: &str) -> Span {
    State::parse(query, &organization()).unwrap().span(&organization().zone, NOW)
}

#[test]
fn presets_are_the_days_that_they_say() {
    for (preset, first, last, running) in [
        ("today", "2026-09-13", "2026-09-13", true),
        ("yesterday", "2026-09-12", "2026-09-12", false),
        ("7d", "2026-09-06", "2026-09-12", false),
        ("28d", "2026-08-16", "2026-09-12", false),
        ("week", "2026-09-07", "2026-09-13", true),
        ("week&week_start=sunday", "2026-09-13", "2026-09-19", true),
        ("last-week", "2026-08-31", "2026-09-06", false),
        ("month", "2026-09-01", "2026-09-30", true),
        ("last-month", "2026-08-01", "2026-08-31", false),
        ("quarter", "2026-07-01", "2026-09-30", true),
        ("last-quarter", "2026-04-01", "2026-06-30", false),
        ("year", "2026-01-01", "2026-12-31", true),
        ("last-year", "2025-01-01", "2025-12-31", false),
        // In New York it is still 2:05 of the 13th, in Honolulu the 12th.
        ("today&zone=Pacific/Honolulu", "2026-09-12", "2026-09-12", true),
    ] {
        let span = span(&format!("range={preset}"));
        assert_eq!((span.first.to_string(), span.last.to_string(), span.running), (first.into(), last.into(), running), "{preset}");
        assert!(span.whole_days);
    }
}

#[test]
fn a_date_as_the_end_is_its_last_day() {
    let one = span("from=2026-09-01&to=2026-09-01");
    assert_eq!((rfc3339(one.range.from), rfc3339(one.range.to)), ("2026-08-31T16:00:00Z".into(), "2026-09-01T16:00:00Z".into()));
}

#[test]
fn while_a_range_runs_it_is_compared_with_as_much_of_before() {
    let before = |query: &str| {
        let state = State::parse(query, &organization()).unwrap();
        let span = state.span(&organization().zone, NOW);
        let before = state.before(&span, &organization().zone, NOW).unwrap();
        (rfc3339(before.range.from), rfc3339(before.range.to))
    };
    assert_eq!(before("range=today&compare=previous"), ("2026-09-11T16:00:00Z".into(), "2026-09-12T06:05:00Z".into()));
    assert_eq!(before("range=month&compare=previous"), ("2026-08-01T16:00:00Z".into(), "2026-08-14T06:05:00Z".into()));
    assert_eq!(before("range=month&compare=year"), ("2025-08-31T16:00:00Z".into(), "2025-09-13T06:05:00Z".into()));
    assert_eq!(before("range=7d&compare=year"), ("2025-09-06T16:00:00Z".into(), "2025-09-13T16:00:00Z".into()));
    assert_eq!(before("range=7d&compare=2026-01-01..2026-01-02"), ("2025-12-31T16:00:00Z".into(), "2026-01-02T16:00:00Z".into()));
    assert_eq!(before("from=2024-02-29&to=2024-02-29&compare=year"), ("2023-02-27T16:00:00Z".into(), "2023-02-28T16:00:00Z".into()));
}
