//! The directory against a walk, day by day, over entries as they were uploaded.

use super::*;
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn user(id: &str, kind: UserKind, departments: &[&str], from: Option<Date>) -> User {
    let departments = departments.iter().map(|id| (*id).to_owned()).collect();
    User { id: id.into(), open_id: None, union_id: None, user_id: None, name: id.into(), kind, departments, from, until: None }
}

fn department(id: &str, parent: Option<&str>, from: Option<Date>) -> Department {
    Department { id: id.into(), parent_id: parent.map(Into::into), name: id.into(), from, until: None }
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
fn an_entry_ends_after_its_last_day_and_no_older_one_comes_back() {
    let until = |entry: Department, last| Department { until: Some(day(last)), ..entry };
    let departments = vec![department("a", None, None), until(department("d", Some("a"), None), 9)];
    let users =
        vec![user("u", UserKind::Guest, &["d"], None), User { until: Some(day(7)), ..user("u", UserKind::Member, &["d"], Some(day(3))) }];
    let directory = directory(departments.clone(), users).unwrap();
    assert_eq!((directory.departments_on("u", || day(7)).len(), directory.departments_on("u", || day(8)).len()), (1, 0));
    assert_eq!(directory.kind_on("u", || day(8)), Some(UserKind::Member));
    assert!(directory.users_on(day(8)).is_empty());
    assert!(directory.tree_on(day(9)).contains("d") && !directory.tree_on(day(10)).contains("d"));
    assert_eq!(
        (directory.next_tree(day(0)), directory.next_tree(day(10)), directory.next_change(day(7))),
        (Some(day(10)), None, Some(day(8)))
    );
    let member = |last: Option<i32>| vec![User { until: last.map(day), ..user("u", UserKind::Member, &["d"], None) }];
    assert_eq!(refused(departments.clone(), member(None)), "user u names the department d, which ends before, on 2025-01-10");
    assert!(self::directory(departments.clone(), member(Some(9))).is_ok());
    let below = vec![department("a", None, None), until(department("d", Some("a"), None), 9), department("e", Some("d"), None)];
    assert_eq!(refused(below, vec![]), "department e names the department d, which ends before, on 2025-01-10");
    let backwards = vec![until(department("d", None, Some(day(4))), 3)];
    assert_eq!(refused(backwards, vec![]), "department d (from 2025-01-05) ends before it begins, on 2025-01-04");
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
    /// Nearly always none; now and then before the entry begins.
    fn until_day()(day_number in prop::option::weighted(0.2, -1..DAYS)) -> Option<Date> { day_number.map(day) }
}

prop_compose! {
    fn departments()(
        moves in prop::collection::vec((0..8u8, prop::option::of(0..8u8), from_day(), until_day()), 1..24),
        complete in any::<bool>(),
    ) -> Vec<Department> {
        let mut found = BTreeMap::new();
        if complete {
            found.extend((0..8u8).map(|id| ((id, None), (None, None))));
        }
        found.extend(moves.into_iter().map(|(id, parent, from, until)| ((id, from), (parent, until))));
        found.into_iter().map(|((id, from), (parent, until)): ((u8, _), (Option<u8>, _))| {
            let entry = department(&format!("d{id}"), parent.map(|parent| format!("d{parent}")).as_deref(), from);
            Department { until, ..entry }
        }).collect()
    }
}

prop_compose! {
    fn users()(
        entries in prop::collection::btree_map((0..4u8, from_day()), (prop::collection::btree_set(0..8u8, 0..4), until_day()), 0..10),
    ) -> Vec<User> {
        entries.into_iter().map(|((id, from), (departments, until))| {
            let departments: Vec<String> = departments.into_iter().map(|id| format!("d{id}")).collect();
            let departments: Vec<&str> = departments.iter().map(String::as_str).collect();
            User { until, ..user(&format!("u{id}"), UserKind::Member, &departments, from) }
        }).collect()
    }
}

/// The latest entry of an id that has begun, if it has not ended.
fn latest<'a, E: Entry>(entries: &'a [E], id: &str, day: Date) -> Option<&'a E> {
    let begun = entries.iter().filter(|entry| entry.id() == id && entry.from().is_none_or(|from| from <= day));
    begun.max_by_key(|entry| entry.from()).filter(|entry| entry.until().is_none_or(|until| day <= until))
}

fn is_forwards(entry: &impl Entry) -> bool {
    entry.until().is_none_or(|until| entry.from().is_none_or(|from| from <= until))
}

/// Which departments exist on a day, and below which.
fn shape(departments: &[Department], day: Date) -> BTreeMap<String, Option<String>> {
    let held = departments.iter().filter(|entry| latest(departments, &entry.id, day) == Some(entry));
    held.map(|entry| (entry.id.clone(), entry.parent_id.clone())).collect()
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
        let days: Vec<Date> = (-2..=DAYS + 1).map(day).collect();
        let made = directory(departments.clone(), users.clone());
        let is_sound = departments.iter().all(is_forwards) && users.iter().all(is_forwards)
            && days.iter().all(|&day| is_sound(&departments, &users, day));
        prop_assert_eq!(made.is_ok(), is_sound, "{:?}", made.err());
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
            let ends = departments.iter().map(|entry| entry.until).chain(users.iter().map(|entry| entry.until)).flatten();
            let changes = begins.chain(ends.map(|until| until.tomorrow().unwrap()));
            prop_assert_eq!(made.next_change(day), changes.filter(|&from| from > day).min());
            let next = day.tomorrow().unwrap();
            let is_another = shape(&departments, day) != shape(&departments, next);
            prop_assert_eq!(made.next_tree(day) == Some(next), is_another);
        }
    }
}
