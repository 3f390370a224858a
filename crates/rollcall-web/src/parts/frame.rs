//! The document around a page.

use crate::assets;
use crate::lang::Lang;
use crate::state::Theme;
use crate::view::View;
use crate::words::Word;
use maud::{DOCTYPE, Markup, html};

/// Pages that have a link in the navigation.
const PAGES: [(&str, Word); 9] = [
    ("/", Word::Overview),
    ("/meetings", Word::Meetings),
    ("/people", Word::People),
    ("/departments", Word::Departments),
    ("/places", Word::Places),
    ("/assistant", Word::Assistant),
    ("/sessions", Word::Sessions),
    ("/data", Word::Data),
    ("/access", Word::Access),
];

/// The document of a page that has a range, filters and navigation.
pub(crate) fn page(view: &View<'_>, title: &str, controls: bool, content: &Markup) -> Markup {
    let organization = &view.host.organization().name;
    let viewer = view.host.viewer();
    let linked = matches!(viewer.role, crate::host::Role::Link { .. });
    let shown = |path: &str| match path {
        "/data" => viewer.sees_data(),
        "/access" => viewer.administers(),
        "/places" => viewer.department().is_none(),
        _ => true,
    };
    let here = |path: &str| path == view.path || (path != "/" && view.path.starts_with(&format!("{path}/")));
    let body = html! {
        @if view.state.embed {
            main class="embedded" id="content" { h1 { (title) } p class="about" { (view.about()) } (content) }
        } @else {
            a class="skip" href="#content" { (view.say(Word::SkipToContent)) }
            header class="top" {
                p class="brand" { @if linked { (organization) } @else { a href=(view.shared().at("/")) { (organization) } } }
                @if !linked {
                    nav aria-label=(view.say(Word::Pages)) {
                        ul { @for (path, word) in PAGES.iter().filter(|(path, _)| shown(path)) {
                            li { a href=(view.shared().at(path)) aria-current=[here(path).then_some("page")] { (view.say(*word)) } }
                        } }
                    }
                }
                ul class="look" {
                    @let (href, tag) = (view.state.with(view.path, |state| state.lang = Some(other(view.lang))), other(view.lang).tag());
                    li { a href=(href) lang=(tag) hreflang=(tag) { (view.say(Word::OtherLanguage)) } }
                    li { (theme_link(view)) }
                    @if !linked {
                        li { form method="post" action="/sign-out" {
                            button class="plain" { (view.say(Word::SignOut)) " " bdi { (viewer.name) } }
                        } }
                    }
                }
            }
            main id="content" {
                div class="title" { h1 { (title) } p class="about" { (view.about()) } }
                @if controls { (super::controls::controls(view)) }
                @if !viewer.sees_people { p class="note strong" { (view.say(Word::ConcealedNote)) } }
                (content)
            }
            footer class="end" {
                p { (view.say(Word::Footer)) }
                @if controls { (super::controls::keys(view)) }
                @if let (Some(receipt), Some(at)) = (view.complete.receipt, view.complete.received_at) {
                    @let at = crate::when::instant_text(view.lang, view.zone(), at);
                    p { (view.fill(Word::Position, &[("receipt", &receipt.to_string()), ("at", &at)])) }
                }
            }
        }
    };
    document(view.lang, view.state.theme, &format!("{title} · {organization}"), &body)
}

const fn other(lang: Lang) -> Lang {
    match lang {
        Lang::En => Lang::Zh,
        Lang::Zh => Lang::En,
    }
}

fn theme_link(view: &View<'_>) -> Markup {
    let (theme, word) = match view.state.theme {
        Some(Theme::Dark) => (Theme::Light, Word::Light),
        _ => (Theme::Dark, Word::Dark),
    };
    html! { a href=(view.state.with(view.path, |state| state.theme = Some(theme))) { (view.say(word)) } }
}

/// The document of a page that stands by itself: sign-in, first start, an error. In the other language it is at `query` with `lang`.
pub(crate) fn alone(lang: Lang, query: &str, title: &str, content: &Markup) -> Markup {
    let to_other = format!("?{query}lang={}", other(lang).tag());
    let body = html! {
        main class="alone" id="content" {
            h1 { (title) }
            (content)
            p { a href=(to_other) lang=(other(lang).tag()) hreflang=(other(lang).tag()) { (lang.say(Word::OtherLanguage)) } }
        }
    };
    document(lang, None, title, &body)
}

fn document(lang: Lang, theme: Option<Theme>, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) data-theme=[theme.map(Theme::name)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="icon" href=(assets::icon().path) type="image/svg+xml";
                link rel="stylesheet" href=(assets::style().path);
                script src=(assets::script().path) defer {}
            }
            body data-copy=(lang.say(Word::Copy)) { (body) }
        }
    }
}
