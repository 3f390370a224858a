//! Markup is a promise: other programs, screen readers and the reader's own styles go by it.

use crate::{administrator, between, every_page};
use rollcall_web::{Lang, SetupAsk, SignInAsk, assets, error, page, setup, sign_in};
use std::collections::HashSet;

/// Start tags of HTML, each with its attributes.
fn tags(html: &str) -> Vec<(&str, &str)> {
    let tag = |tag: &str| -> bool { tag.starts_with(|first: char| first.is_ascii_alphabetic()) };
    html.split('<')
        .skip(1)
        .filter(|rest| tag(rest))
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| tag.split_once(' ').unwrap_or((tag, "")))
        .collect()
}

/// The value of an attribute.
fn attribute<'t>(attributes: &'t str, name: &str) -> Option<&'t str> {
    let padded = attributes.find(&format!("{name}=\"")).filter(|at| *at == 0 || attributes.as_bytes()[at - 1] == b' ')?;
    attributes[padded + name.len() + 2..].split('"').next()
}

fn every_document() -> Vec<(String, String)> {
    let mut documents = Vec::new();
    for lang in Lang::ALL {
        let pages = every_page(&administrator(), lang);
        documents.extend(pages.into_iter().map(|(name, page)| {
            assert_eq!(page.status, 200, "{name}");
            (format!("{name} in {}", lang.tag()), page.body)
        }));
        for failed in [true, false] {
            documents.push((
                "sign-in".into(),
                sign_in(SignInAsk { organization: "o <&>", next: "/\"", failed, wait: failed.then_some(3) }, lang).body,
            ));
            documents.push(("setup".into(), setup(SetupAsk { link: "\"", failed }, lang).body));
        }
        documents.push(("error".into(), error(500, lang, "<b>").body));
    }
    documents
}

#[test]
fn each_chart_is_a_figure_with_a_caption_and_a_table_of_the_same_numbers() {
    for (name, html) in every_document() {
        let figures = between(&html, "<figure>", "</figure>");
        for figure in &figures {
            assert_eq!(figure.matches("<figcaption>").count(), 1, "{name}");
            assert!(figure.contains("<table><caption>"), "{name}");
        }
        let in_figures: usize = figures.iter().map(|figure| figure.matches("<svg").count()).sum();
        assert_eq!(in_figures, html.matches("<svg").count(), "{name} has a picture outside a figure");
        assert_eq!(html.matches("<table>").count(), html.matches("<caption>").count(), "{name}");
    }
}

#[test]
fn nothing_is_inline_and_nothing_is_asked_of_another_host() {
    for (name, html) in every_document() {
        for (tag, attributes) in tags(&html) {
            assert_eq!(attribute(attributes, "style"), None, "{name}: {tag}");
            let names = attributes.split('"').step_by(2).map(|name| name.trim().trim_end_matches('='));
            assert!(!names.into_iter().any(|name| name.starts_with("on")), "{name}: {tag} {attributes}");
            assert!(tag != "style", "{name}");
            assert!(tag != "script" || attribute(attributes, "src").is_some_and(|src| assets::find(src).is_some()), "{name}");
            for link in ["href", "src", "action"].iter().filter_map(|link| attribute(attributes, link)) {
                assert!(link.starts_with('/') && !link.starts_with("//") || link.starts_with(['#', '?']), "{name}: {link}");
            }
        }
    }
}

#[test]
fn ids_are_unique_and_labels_are_there() {
    for (name, html) in every_document() {
        let mut ids = HashSet::new();
        let mut depth_of_labels = 0_i32;
        for rest in html.split('<').skip(1) {
            let tag = rest.split('>').next().unwrap_or_default();
            let (element, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            depth_of_labels += match element {
                "label" => 1,
                "/label" => -1,
                _ => 0,
            };
            if let Some(id) = attribute(attributes, "id") {
                assert!(ids.insert(id.to_owned()), "{name}: {id} twice");
            }
            let hidden = attribute(attributes, "type") == Some("hidden");
            if ["input", "select", "textarea"].contains(&element) && !hidden {
                assert!(depth_of_labels > 0 || attribute(attributes, "aria-label").is_some(), "{name}: {tag} has no label");
            }
        }
        for reference in between(&html, "aria-labelledby=\"", "\"") {
            assert!(ids.contains(reference), "{name}: {reference}");
        }
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert!(html.contains("<html lang=\""), "{name}");
    }
}

#[test]
fn names_are_text_whatever_is_in_them() {
    for (name, html) in every_document() {
        assert!(!html.contains("<script>"), "{name}");
        assert!(!html.contains("<b>"), "{name}");
    }
    let people = page("/people", "", &administrator(), Lang::En).body;
    assert!(people.contains("Eve &lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn each_link_of_a_page_leads_to_a_page() {
    let mut followed = HashSet::new();
    for (name, page_of) in every_page(&administrator(), Lang::En) {
        for href in between(&page_of.body, " href=\"", "\"") {
            let href = href.replace("&amp;", "&");
            if href.starts_with("/v1/")
                || href.starts_with("/assets/")
                || !href.starts_with('/')
                || !followed.insert(href.clone())
                || followed.len() > 400
            {
                continue;
            }
            let (path, query) = href.split_once('?').unwrap_or((&href, ""));
            let found = page(path, query, &administrator(), Lang::En);
            assert_eq!(found.status, 200, "{name} leads to {href}");
        }
    }
    assert!(followed.len() > 300, "{}", followed.len());
}

#[test]
fn every_page_says_what_its_numbers_cover() {
    for (name, html) in every_document() {
        let calls = html.matches("<details class=\"call\">").count();
        let covers = html.matches("<p class=\"covers\">").count();
        assert!(calls <= covers || name.contains("embed"), "{name}: {calls} calls, {covers} covers");
    }
    let english = page("/meetings", "from=2026-09-01&to=2026-09-07", &administrator(), Lang::En).body;
    assert!(english.contains("Covers 1–7 Sep 2026, Asia/Shanghai."));
    let chinese = page("/meetings", "from=2026-09-01&to=2026-09-07", &administrator(), Lang::Zh).body;
    assert!(chinese.contains("覆盖 2026年9月1日至7日，Asia/Shanghai。"));
    assert!(english.contains("May be incomplete: livekit silent since 16 Sep 2026, 09:05.") == english.contains("Still running"));
}

#[test]
fn a_period_that_runs_is_dashed_and_worded() {
    let running = page("/meetings", "range=week", &administrator(), Lang::En).body;
    assert!(
        running.contains("class=\"running\"")
            && running.contains("(so far)")
            && running.contains("Still running: until 16 Sep 2026, 14:05.")
    );
    let over = page("/meetings", "range=last-week", &administrator(), Lang::En).body;
    assert!(!over.contains("class=\"running\"") && !over.contains("so far") && !over.contains("Still running"));
}

#[test]
fn a_page_travels_light() {
    for (name, html) in every_document() {
        // Markup of tables shrinks to less than a fifth: 400 kB are below 100 kB over the network.
        assert!(html.len() < 400_000, "{name} has {} bytes", html.len());
    }
}

#[test]
fn a_picture_alone_has_its_title_range_and_filters_in_it() {
    let seat = administrator();
    let file = page("/meetings", "range=last-week&user_kind=member&panel=active", &seat, Lang::Zh);
    assert_eq!((file.status, file.content_type), (200, "image/svg+xml"));
    assert!(
        file.headers
            .iter()
            .any(|(name, value)| *name == "content-disposition" && value.contains("rollcall-active-2026-09-07-2026-09-13.svg"))
    );
    for said in ["按日的活跃人数", "2026年9月7日至13日，Asia/Shanghai", "用户类型：成员", "Acme 极客"] {
        assert!(file.body.contains(said), "{said}");
    }
    assert_eq!(page("/meetings", "panel=nothing", &seat, Lang::En).status, 404);
    let header = page("/meetings", "panel=a\"b", &seat, Lang::En);
    assert!(header.headers.iter().all(|(name, _)| *name != "content-disposition"));
}

#[test]
fn what_is_wrong_with_a_link_is_said() {
    let seat = administrator();
    for (path, query, status, said) in [
        ("/meetings", "zone=Mars", 400, "zone is Mars, which is not known."),
        ("/nowhere", "", 404, "There is no such page."),
        ("/departments/d-none", "", 404, "There is no such department."),
        ("/people/nobody", "", 404, "No such person is known in this range."),
        ("/sessions/default/2026-09-01T00:00:00Z/none", "", 404, "There is no such session."),
    ] {
        let page = page(path, query, &seat, Lang::En);
        assert_eq!(page.status, status, "{path}");
        assert!(page.body.contains(said), "{path}: {}", page.body);
    }
}
