//! The directory against a walk, day by day, over entries as they were uploaded.

use super::*;
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn user(id: &str, kind: UserKind, departments: &[&str], from: Option<Date>) -> User {
    let departments = departments.iter().map(|id| (*id).to_owned()).collect();
    User { id: id.into(), open_id: None, union_id: None, user_id: None, name: id.into(), kind, departments, from }
}

fn department(id: &str, parent: Option<&str>, from: Option<Date>) -> Department {
    Department { id: id.into(), parent_id: parent.map(Into::into), name: id.into(), from }
}

fn directory(departments: Vec<Department>, users: Vec<User>) -> Result<Directory, String> {
    Directory::new(DirectoryDocument { departments, users }).map_err(|error| error.to_string())
}

fn refused(departments: Vec<Department>, users: Vec<User>) -> String {
    directory(departments, users).unwrap_err()
}

/// The day `number` days after 2025-01-01.
fn day(number: i32) -> Date {
    date(2025, 1, 1) + number.days()
}

#[test]
fn an_entry_holds_from_its_day_on() {
    let a = [department("d", None, None), department("e", None, None)];
    let users = vec![user("a", UserKind::Member, &["e"], Some(day(31))), user("a", UserKind::Guest, &["d"], None)];
    let directory = directory(a.into(), users).unwrap();
    assert_eq!(directory.kind_on("a", || day(30)), Some(UserKind::Guest));
    assert_eq!(directory.kind_on("a", || day(31)), Some(UserKind::Member));
    assert_eq!(directory.departments_on("a", || day(30)), ["d"]);
    assert_eq!(directory.departments_on("a", || day(31)), ["e"]);
    assert_eq!(directory.user("a").unwrap().kind, UserKind::Member);
    assert!(directory.user("b").is_none() && directory.departments_on("b", || day(0)).is_empty());
}

#[test]
fn before_the_first_day_there_is_a_kind_but_no_department() {
    let directory = directory(vec![department("d", None, Some(day(3)))], vec![user("a", UserKind::Room, &["d"], Some(day(5)))]).unwrap();
    assert_eq!(directory.kind_on("a", || day(4)), Some(UserKind::Room));
    assert!(directory.departments_on("a", || day(4)).is_empty());
    assert_eq!(directory.departments_on("a", || day(5)), ["d"]);
    assert!(directory.users_on(day(4)).is_empty());
    assert!(!directory.tree_on(day(2)).contains("d") && directory.tree_on(day(3)).contains("d"));
    assert!(directory.has_department("d") && !directory.has_department("a"));
    assert_eq!(
        [directory.next_change(Date::MIN), directory.next_change(day(3)), directory.next_change(day(5))],
        [Some(day(3)), Some(day(5)), None]
    );
}

#[test]
fn the_day_is_not_asked_for_where_it_does_not_matter() {
    let no_day = || -> Date { panic!("the day was asked for") };
    let directory = directory(vec![department("d", None, None)], vec![user("a", UserKind::Room, &["d"], None)]).unwrap();
    assert_eq!(directory.departments_on("a", no_day), ["d"]);
    assert_eq!(directory.kind_on("a", no_day), Some(UserKind::Room));
    assert!(directory.departments_on("b", no_day).is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_entry_and_day() {
    let member = |departments: &[&str], from| vec![user("u", UserKind::Member, departments, from)];
    let root = || department("a", None, None);
    assert_eq!(refused(vec![root(), department("b", Some("b"), None)], vec![]), "department b is below itself");
    assert_eq!(refused(vec![department("a", Some("x"), None)], vec![]), "department a names the unknown department x");
    assert_eq!(refused(vec![root(), root()], vec![]), "department a has two entries from the same day");
    let late = |parent| department("b", parent, Some(day(9)));
    assert_eq!(refused(vec![late(None), late(None)], vec![]), "department b has two entries from the same day (2025-01-10)");
    assert_eq!(
        refused(vec![late(None), department("c", Some("b"), None)], vec![]),
        "department c names the department b, which begins later, on 2025-01-10"
    );
    assert_eq!(
        refused(vec![late(None), department("c", Some("b"), Some(day(8)))], vec![]),
        "department c (from 2025-01-09) names the department b, which begins later, on 2025-01-10"
    );
    assert_eq!(refused(vec![], [member(&[], None), member(&[], None)].concat()), "user u has two entries from the same day");
    assert_eq!(refused(vec![], member(&["x"], Some(day(0)))), "user u (from 2025-01-01) names the unknown department x");
    assert_eq!(refused(vec![late(None)], member(&["b"], None)), "user u names the department b, which begins later, on 2025-01-10");
    assert_eq!(refused(vec![root()], member(&["a", "a"], None)), "user u names the department a twice");
    assert_eq!(
        refused(vec![department("", None, None)], vec![]),
        "department : id must be a string of 1 to 256 bytes without control characters"
    );
}

#[test]
fn a_loop_that_is_there_between_two_days_only_is_refused() {
    let departments = |b_from: i32, c_from: i32| {
        vec![
            department("a", None, None),
            department("b", Some("a"), None),
            department("c", Some("a"), None),
            department("b", Some("c"), Some(day(b_from))),
            department("b", Some("a"), Some(day(b_from + 5))),
            department("c", Some("b"), Some(day(c_from))),
            department("c", Some("a"), Some(day(c_from + 5))),
        ]
    };
    assert_eq!(refused(departments(10, 14), vec![]), "department c is below itself on 2025-01-15");
    assert_eq!(refused(departments(14, 10), vec![]), "department b is below itself on 2025-01-15");
    assert!(directory(departments(10, 15), vec![]).is_ok());
}

#[test]
fn two_departments_may_change_places_on_one_day() {
    let departments = vec![
        department("a", None, None),
        department("b", Some("a"), None),
        department("b", None, Some(day(1))),
        department("a", Some("b"), Some(day(1))),
    ];
    let directory = directory(departments, vec![]).unwrap();
    assert_eq!(directory.tree_on(day(0)).subtree("a"), ["a", "b"]);
    assert_eq!(directory.tree_on(day(1)).subtree("a"), ["a"]);
    assert_eq!(directory.tree_on(day(1)).subtree("b"), ["a", "b"]);
    assert_eq!(directory.tree_on(day(1)).subtree("x"), ["x"]);
}

/// Departments 0 to `length`, each below the next.
fn chain(prefix: &str, length: usize, from: Option<Date>) -> Vec<Department> {
    let name = |number| format!("{prefix}{number}");
    (0..length).map(|number| department(&name(number), (number + 1 < length).then(|| name(number + 1)).as_deref(), from)).collect()
}

#[test]
fn a_tree_has_at_most_so_many_levels_on_any_day() {
    assert!(directory(chain("a", MOST_LEVELS, None), vec![]).is_ok());
    assert!(refused(chain("a", MOST_LEVELS + 1, None), vec![]).ends_with("makes the tree deeper than 100 levels"));
    // Two chains that together are too long, put together for two days.
    let joined = |length| {
        let mut departments = [chain("a", 60, None), chain("b", length, None)].concat();
        departments.push(department("a59", Some("b0"), Some(day(7))));
        departments.push(department("a59", None, Some(day(9))));
        departments
    };
    assert!(directory(joined(40), vec![]).is_ok());
    assert_eq!(refused(joined(41), vec![]), "department a59 makes the tree deeper than 100 levels on 2025-01-08");
}

#[test]
fn a_user_belongs_to_at_most_so_many_departments() {
    let ids: Vec<String> = (0..=MOST_DEPARTMENTS).map(|number| number.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let departments = || ids.iter().map(|id| department(id, None, None)).collect::<Vec<_>>();
    assert!(directory(departments(), vec![user("u", UserKind::Member, &ids[1..], None)]).is_ok());
    assert_eq!(refused(departments(), vec![user("u", UserKind::Member, &ids, None)]), "user u names more than 100 departments");
}

#[test]
fn many_moves_of_deep_trees_take_time_in_proportion() {
    // A leaf under a chain of the deepest kind moves every day, so that every level above changes every time.
    let mut departments = chain("a", MOST_LEVELS - 1, None);
    departments.push(department("leaf", None, None));
    departments
        .extend((0..50_000).map(|number| department("leaf", (number % 2 == 0).then_some("a0"), Some(date(1, 1, 1) + number.days()))));
    assert!(directory(departments, vec![]).is_ok());
}

#[test]
fn what_was_uploaded_is_read_back_by_id_and_day() {
    let b = [department("b", None, Some(day(1))), department("b", None, None)];
    let directory = directory([b.to_vec(), vec![department("a", None, None)]].concat(), vec![]).unwrap();
    let read: Vec<_> = directory.document().departments.into_iter().map(|entry| (entry.id, entry.from)).collect();
    assert_eq!(read, [("a".to_owned(), None), ("b".to_owned(), None), ("b".to_owned(), Some(day(1)))]);
}

const DAYS: i32 = 12;

prop_compose! {
    fn from_day()(day_number in prop::option::of(0..DAYS)) -> Option<Date> { day_number.map(day) }
}

prop_compose! {
    fn departments()(
        moves in prop::collection::vec((0..8u8, prop::option::of(0..8u8), from_day()), 1..24),
        complete in any::<bool>(),
    ) -> Vec<Department> {
        let mut found = BTreeMap::new();
        if complete {
            found.extend((0..8u8).map(|id| ((id, None), None)));
        }
        found.extend(moves.into_iter().map(|(id, parent, from)| ((id, from), parent)));
        found.into_iter().map(|((id, from), parent): ((u8, _), Option<u8>)| {
            department(&format!("d{id}"), parent.map(|parent| format!("d{parent}")).as_deref(), from)
        }).collect()
    }
}

prop_compose! {
    fn users()(entries in prop::collection::btree_map((0..4u8, from_day()), prop::collection::btree_set(0..8u8, 0..4), 0..10)) -> Vec<User> {
        entries.into_iter().map(|((id, from), departments)| {
            let departments: Vec<String> = departments.into_iter().map(|id| format!("d{id}")).collect();
            let departments: Vec<&str> = departments.iter().map(String::as_str).collect();
            user(&format!("u{id}"), UserKind::Member, &departments, from)
        }).collect()
    }
}

/// The latest entry of an id that has begun.
fn latest<'a, E: Entry>(entries: &'a [E], id: &str, day: Date) -> Option<&'a E> {
    entries.iter().filter(|entry| entry.id() == id && entry.from().is_none_or(|from| from <= day)).max_by_key(|entry| entry.from())
}

/// Whether a department is below another, or the other itself; none where the way up has no end.
fn is_below(departments: &[Department], id: &str, above: &str, day: Date) -> Option<bool> {
    let mut at = id.to_owned();
    let mut found = false;
    for _ in 0..=8 {
        found |= at == above;
        match latest(departments, &at, day)?.parent_id.clone() {
            None => return Some(found),
            Some(parent) => at = parent,
        }
    }
    None
}

fn is_sound(departments: &[Department], users: &[User], day: Date) -> bool {
    let exists = |id: &String| latest(departments, id, day).is_some();
    departments.iter().all(|entry| !exists(&entry.id) || is_below(departments, &entry.id, &entry.id, day).is_some())
        && users.iter().all(|entry| latest(users, &entry.id, day).is_none_or(|user| user.departments.iter().all(exists)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_day_is_as_a_walk_over_the_entries_has_it(departments in departments(), users in users()) {
        let days: Vec<Date> = (-1..=DAYS).map(day).collect();
        let made = directory(departments.clone(), users.clone());
        prop_assert_eq!(made.is_ok(), days.iter().all(|&day| is_sound(&departments, &users, day)), "{:?}", made.err());
        let Ok(made) = made else { return Ok(()) };
        for &day in &days {
            let tree = made.tree_on(day);
            let mut exist: Vec<&str> = departments.iter().map(|entry| entry.id.as_str()).filter(|id| latest(&departments, id, day).is_some()).collect();
            exist.sort_unstable();
            exist.dedup();
            prop_assert_eq!(tree.departments().iter().map(|department| department.id.as_str()).collect::<Vec<_>>(), exist.clone());
            for department in tree.departments() {
                prop_assert_eq!(Some(*department), latest(&departments, &department.id, day));
                let below: Vec<&str> = exist.iter().copied().filter(|id| is_below(&departments, id, &department.id, day) == Some(true)).collect();
                prop_assert_eq!(tree.has_below(&department.id), below.len() > 1);
                prop_assert_eq!(tree.subtree(&department.id), below);
            }
            for id in ["u0", "u1", "u2", "u3"] {
                let held = latest(&users, id, day);
                prop_assert_eq!(made.departments_on(id, || day), held.map(|user| user.departments.clone()).unwrap_or_default());
                prop_assert_eq!(made.users_on(day).into_iter().find(|user| user.id == id), held);
            }
            prop_assert!(made.users_on(day).is_sorted_by(|a, b| a.id < b.id));
            let begins = departments.iter().map(|entry| entry.from).chain(users.iter().map(|entry| entry.from)).flatten();
            prop_assert_eq!(made.next_change(day), begins.filter(|&from| from > day).min());
        }
    }
}
