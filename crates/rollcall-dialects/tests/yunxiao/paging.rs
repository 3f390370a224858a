//! Pages join to the whole, however they are cut and whatever arrives meanwhile.

use crate::naive::{Fact, Kind, Naive, department, user};
use crate::stage::{Stage, TOKEN, advance, at, fact, organization, set_clock, tenants, token, unlimited};
use jiff::civil::date;
use proptest::prelude::*;
use rollcall_dialects::yunxiao::Settings;
use serde_json::Value;

const TEN_MINUTES: i64 = 10 * 60 * 1000;
const RANGE: &str = "startTime=2024-11-10&endTime=2024-11-16";

/// Departments and users with a history, and facts of known and unknown ones.
fn busy(facts: &[(u8, u8, u8)]) -> Naive {
    let departments = vec![
        department("a", None, None),
        department("b", Some("a"), None),
        department("c", Some("b"), Some(date(2024, 11, 13))),
        department("b", None, Some(date(2024, 11, 14))),
    ];
    let users = vec![user("u1", &["b"], None), user("u2", &["a", "b"], None), user("u2", &["c"], Some(date(2024, 11, 14)))];
    let naive = Naive::new(departments, users);
    facts.iter().for_each(|fact| arrive(&naive, *fact));
    naive
}

/// A fact on one of eight days, of one of eight users; those that the directory does not know are booked on departments that it does not
/// know either.
fn arrive(naive: &Naive, (day, user, what): (u8, u8, u8)) {
    let kind = [Kind::Chat, Kind::Completion, Kind::Edit][usize::from(what % 3)];
    let at = at("2024-11-10T01:00:00+08:00") + i64::from(day % 8) * 86_400_000;
    let lines_changed = u64::from(what % 7);
    let fact = Fact {
        at,
        lines_changed,
        ..fact(&format!("u{}", user % 8), kind, "vscode", ["go", "java"][usize::from(what % 2)], u64::from(what % 4))
    };
    if user % 8 < 3 {
        naive.add(&organization(), fact);
    } else {
        naive.facts.lock().unwrap().push(Fact { departments: vec![format!("{}", user % 8)], ..fact });
    }
}

async fn ask(stage: &Stage, endpoint: &str, query: &str) -> crate::stage::Answer {
    if endpoint == "departmentUsage" { stage.departments(query).await } else { stage.developers(query).await }
}

fn facts() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec(any::<(u8, u8, u8)>(), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn pages_of_any_length_join_to_the_whole(
        known in facts(),
        length in 1usize..40,
        endpoint in prop::sample::select(vec!["departmentUsage", "developerUsage"]),
        of in prop::sample::select(vec!["", "&departmentId=a", "&departmentId=b"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new(busy(&known), tenants(unlimited(TOKEN)));
            let whole = ask(&stage, endpoint, &format!("{RANGE}{of}")).await;
            let all = whole.json().as_array().unwrap().clone();
            assert!(all.len() <= 100);
            let mut joined = Vec::new();
            for page in 1.. {
                let answer = ask(&stage, endpoint, &format!("{RANGE}{of}&perPage={length}&page={page}")).await;
                let rows = answer.json().as_array().unwrap().clone();
                let pages = all.len().div_ceil(length);
                let of_page = |number: usize, is: bool| if is { number.to_string() } else { String::new() };
                let (before, after) = (of_page((page - 1).min(pages), page > 1 && pages > 0), of_page(page + 1, page < pages));
                assert_eq!(
                    answer.paging(),
                    [&page.to_string(), &length.to_string(), &all.len().to_string(), &pages.to_string(), &before, &after].map(String::as_str)
                );
                if rows.is_empty() {
                    break;
                }
                joined.extend(rows);
            }
            assert_eq!(Value::Array(joined), Value::Array(all));
        });
    }

    #[test]
    fn rows_that_come_between_two_pages_shift_none(
        known in facts(),
        late in prop::collection::vec((1usize..6, any::<(u8, u8, u8)>()), 1..20),
        length in 1usize..6,
        endpoint in prop::sample::select(vec!["departmentUsage", "developerUsage"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new(busy(&known), tenants(unlimited(TOKEN)));
            let before = ask(&stage, endpoint, RANGE).await.rows();
            let (mut rows, mut values) = (Vec::new(), Vec::new());
            for page in 1.. {
                // Of another question's pages, and in another order, as a client that asks several at a time.
                let _ = ask(&stage, endpoint, &format!("{RANGE}&perPage={}&page={page}", length + 1)).await;
                let answer = ask(&stage, endpoint, &format!("perPage={length}&page={page}&{RANGE}")).await;
                assert_eq!(answer.paging()[2], before.len().to_string());
                if answer.rows().is_empty() {
                    break;
                }
                rows.extend(answer.rows());
                values.extend(answer.json().as_array().unwrap().clone());
                late.iter().filter(|(after, _)| *after == page).for_each(|(_, fact)| arrive(&stage.reports, *fact));
                advance(1000);
            }
            assert_eq!(rows, before);
            // The first page is always of the present.
            let now = ask(&stage, endpoint, &format!("{RANGE}&perPage={length}")).await;
            let all = ask(&stage, endpoint, RANGE).await;
            assert_eq!(now.paging()[2], all.rows().len().to_string());
            assert_eq!(values.last().is_some(), !before.is_empty());
        });
    }
}

/// A fact of a department and user that the directory does not know, which sort first.
fn stranger(stage: &Stage) {
    let at = at("2024-11-10T01:00:00+08:00");
    let departments = vec!["0".to_owned()];
    stage.reports.facts.lock().unwrap().push(Fact { at, departments, ..fact("0", Kind::Chat, "", "", 1) });
}

#[tokio::test]
async fn later_pages_are_cut_from_the_first_pages_list_and_their_counts_are_new() {
    let stage = Stage::new(busy(&[]), tenants(unlimited(TOKEN)));
    let page = async |number: usize| stage.departments(&format!("{RANGE}&perPage=1&page={number}")).await;
    assert_eq!(page(1).await.rows()[0].1, "a");
    stranger(&stage);
    arrive(&stage.reports, (0, 1, 5));
    let second = page(2).await;
    assert_eq!(second.rows()[0].1, "b");
    assert_eq!(second.json()[0]["totalLinesChanged"], 5);
    // Asked from the beginning, the stranger is there.
    assert_eq!(page(1).await.rows()[0].1, "0");
    assert_eq!(page(2).await.rows()[0].1, "a");
}

#[tokio::test]
async fn a_list_ends_ten_minutes_after_its_last_page_and_then_the_present_counts() {
    set_clock("2024-11-20T04:00:00Z");
    let stage = Stage::new(busy(&[]), tenants(unlimited(TOKEN)));
    let page = async |number: usize| stage.departments(&format!("{RANGE}&perPage=1&page={number}")).await.rows()[0].1.clone();
    assert_eq!(page(1).await, "a");
    stranger(&stage);
    for _ in 0..3 {
        advance(TEN_MINUTES - 1);
        assert_eq!(page(2).await, "b");
    }
    advance(TEN_MINUTES);
    assert_eq!(page(2).await, "a");
}

#[tokio::test]
async fn a_list_is_of_one_token_one_endpoint_and_one_question() {
    let stage = Stage::new(busy(&[]), tenants(Settings { tokens: vec![token(TOKEN), token("two")], ..unlimited(TOKEN) }));
    let path = crate::stage::path(crate::naive::ORG, &format!("departmentUsage?{RANGE}&perPage=1"));
    assert_eq!(stage.get(&path).await.rows()[0].1, "a");
    assert_eq!(stage.get_with("two", &path).await.status, 200);
    stranger(&stage);
    assert_eq!(stage.get_with("two", &path).await.rows()[0].1, "0");
    assert_eq!(stage.get_with("two", &format!("{path}&page=2")).await.rows()[0].1, "a");
    // That of the first token is as it was.
    assert_eq!(stage.get(&format!("{path}&page=2")).await.rows()[0].1, "b");
    assert_eq!(stage.departments(&format!("{RANGE}&perPage=2&page=1")).await.rows()[0].1, "0");
    assert_eq!(stage.get(&format!("{path}&page=2")).await.rows()[0].1, "b");
}

#[tokio::test]
async fn days_that_begin_between_two_pages_come_with_the_next_first_page() {
    set_clock("2024-11-14T15:59:00Z");
    let stage = Stage::new(busy(&[]), tenants(unlimited(TOKEN)));
    let page = async |number: usize| stage.departments(&format!("startTime=2024-11-14&endTime=2024-11-30&perPage=1&page={number}")).await;
    assert_eq!(page(1).await.paging()[2], "3");
    advance(60_000);
    assert_eq!(page(2).await.paging()[2], "3");
    assert_eq!(page(1).await.paging()[2], "6");
}
