//! Who sees what.

use crate::canned::Seat;
use crate::{STAGE, administrator, every_page, session};
use rollcall_model::UserKind;
use rollcall_web::{Lang, Role, page};

fn viewer(sees_people: bool) -> Seat<'static> {
    Seat::new(&STAGE, Role::Viewer { department: "d-sales".into() }, sees_people)
}

#[test]
fn a_concealed_page_has_no_name_and_no_id_anywhere_in_its_bytes() {
    let concealed = Seat::new(&STAGE, Role::Analyst, false);
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    for lang in Lang::ALL {
        for (name, page) in every_page(&concealed, lang) {
            for person in &STAGE.people {
                for text in [&person.name, &person.id] {
                    assert!(!page.body.contains(text.as_str()) && !page.body.contains(&escaped(text)), "{name} has {text}");
                }
            }
            assert_eq!(page.looked_at, None, "{name}");
        }
    }
    for (path, query) in [("/people/u-1x", ""), ("/sessions", "user=u-1x"), ("/people", "user=u-1x")] {
        assert_eq!(page(path, query, &concealed, Lang::En).status, 403, "{path}?{query}");
    }
    let picture = page(&session(), "panel=stays", &concealed, Lang::En);
    assert!(picture.status == 200 && STAGE.people.iter().all(|person| !picture.body.contains(&person.name)));
}

#[test]
fn a_pseudonym_is_the_same_everywhere_and_each_has_their_own() {
    let concealed = Seat::new(&STAGE, Role::Analyst, false);
    let pseudonyms = |html: &str| {
        html.split("Person ")
            .skip(1)
            .map(|rest| rest[..9].to_owned())
            .filter(|text| text.as_bytes()[4] == b'-')
            .collect::<std::collections::BTreeSet<_>>()
    };
    let people = pseudonyms(&page("/people", "range=quarter", &concealed, Lang::En).body);
    let shown = page("/people", "range=quarter", &administrator(), Lang::En).body.matches("<th scope=\"row\">").count();
    assert_eq!(people.len(), shown);
    let session = pseudonyms(&page(&session(), "", &concealed, Lang::En).body);
    assert!(!session.is_empty() && session.is_subset(&people), "{session:?}");
}

#[test]
fn a_viewer_of_a_department_sees_nobody_and_nothing_beyond_it() {
    let (seat, whole) = (viewer(true), administrator());
    let tree = STAGE.directory.tree_on(jiff::civil::date(2026, 9, 16));
    let below: Vec<_> = tree.subtree("d-sales").into_iter().map(ToOwned::to_owned).collect();
    let inside = |user: &rollcall_model::directory::User| user.departments.iter().any(|one| below.contains(one));
    for ((name, page), (_, all)) in every_page(&seat, Lang::En).into_iter().zip(every_page(&whole, Lang::En)) {
        for user in STAGE.people.iter().filter(|user| !inside(user)) {
            let text = format!(">{}<", user.id);
            assert!(!page.body.contains(&text), "{name} has {}", user.id);
            if user.kind != UserKind::Phone {
                assert!(!page.body.contains(&format!("<bdi>{}</bdi>", user.name)), "{name} has {}", user.name);
            }
        }
        for department in ["d-rd", "d-hr", "d-rd-core"] {
            assert!(!page.body.contains(&format!("/departments/{department}")), "{name} has {department}");
        }
        assert!(page.status == 403 || page.status == 404 || page.body != all.body, "{name} is as for everybody");
    }
    for (path, query) in [
        ("/data", ""),
        ("/access", ""),
        ("/departments/d-rd", ""),
        ("/departments/d-root", ""),
        ("/", "department=d-rd"),
        ("/people/u-2x", ""),
        ("/sessions", "user=u-2x"),
        ("/sessions", "user=u-50x"),
    ] {
        assert_eq!(page(path, query, &seat, Lang::En).status, 403, "{path}?{query}");
    }
    for behind in ["meetings", "place:CN-SH", "place:", "no-department", "instant:2026-09-15T02:00:00Z", "developers:d-rd"] {
        let html = page("/people", &format!("behind={behind}"), &seat, Lang::En).body;
        assert!(!html.contains("<table>"), "{behind}");
    }
    for path in ["/departments/d-sales", "/departments/d-sales-east", "/people/u-0x"] {
        assert_eq!(page(path, "", &seat, Lang::En).status, 200, "{path}");
    }
}

#[test]
fn only_an_administrator_sees_accounts_and_only_who_looks_at_a_person_is_told_of() {
    let analyst = Seat::new(&STAGE, Role::Analyst, true);
    assert_eq!(page("/access", "", &analyst, Lang::En).status, 403);
    assert_eq!(page("/data", "", &analyst, Lang::En).status, 200);
    assert!(!page("/data", "", &analyst, Lang::En).body.contains("/data/withdraw"));
    assert_eq!(page("/people/u-1x", "", &analyst, Lang::En).looked_at.as_deref(), Some("u-1x"));
    assert_eq!(page("/people/nobody", "", &analyst, Lang::En).looked_at, None);
    assert_eq!(page("/people", "", &analyst, Lang::En).looked_at, None);
}

#[test]
fn a_share_link_leads_nowhere_else() {
    let link = Seat::new(&STAGE, Role::Link { department: None }, false);
    let html = page("/meetings", "range=last-month", &link, Lang::En).body;
    assert!(!html.contains("<nav") && !html.contains("/sign-out"));
    let embedded = page("/meetings", "range=last-month&embed=1&theme=dark&lang=zh", &link, Lang::En).body;
    assert!(embedded.contains("data-theme=\"dark\"") && embedded.contains("lang=\"zh-CN\"") && !embedded.contains("<form"));
}
