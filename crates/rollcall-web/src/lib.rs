//! The dashboard: pages, charts and their words. Everything here is pure and synchronous: from a path, a query and a [`Host`] that answers
//! reports to a [`Page`]. The server looks after sign-in, accounts, keys and the audit log, and calls [`page`] on a thread that may block.
//!
//! # Layout
//! - [`host`]: what a page needs from whoever serves it
//! - `state`: what a page is asked for, all of it in the URL
//! - `view`: what a page is made with; who sees what is decided there
//! - `pages`: a page is one file
//! - `parts`: what pages are put together from
//! - `charts`: pure functions from a series to SVG
//! - `calls`: the request of the native API, and of a vendor's, that gives a number
//! - `words`, `lang`, `when`: both languages
//! - [`assets`]: stylesheet, script, icon
//!
//! # What a server does with a page
//! It sends [`Page::status`], [`Page::content_type`], [`Page::headers`] and the body; and writes [`Page::looked_at`] to the audit log
//! **before** it does so. It serves [`assets::all`], and answers the forms of [`routes`] with a redirect to a page.
//!
//! Every number of a report is in `<data value>`, every time in `<time datetime>`; each chart is a `<figure>` with a `<figcaption>` and a
//! `<table>` with a `<caption>` that has the same numbers. There is no inline script and no inline style.

pub mod assets;
mod calls;
mod charts;
mod conceal;
mod export;
pub mod host;
mod lang;
mod names;
mod pages;
mod parts;
pub mod routes;
mod state;
mod trouble;
mod view;
mod when;
mod words;

pub use host::{Host, Role, Viewer};
pub use lang::Lang;
pub use pages::{SetupAsk, SignInAsk, error, setup, sign_in};

use maud::Markup;
use state::State;
use trouble::Trouble;
use view::View;

/// What is sent to a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// Further headers, among them the `Content-Security-Policy`.
    pub headers: Vec<(&'static str, String)>,
    /// The document.
    pub body: String,
    /// The id of the user whom the viewer looks at: for the audit log.
    pub looked_at: Option<String>,
}

/// What a page may load and do. A server adds `frame-ancestors`.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'";

impl Page {
    /// A document of HTML.
    fn html(status: u16, body: Markup) -> Self {
        let headers = vec![
            ("content-security-policy", POLICY.to_owned()),
            ("referrer-policy", "same-origin".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("cache-control", "private, no-cache".to_owned()),
        ];
        Self { status, content_type: "text/html; charset=utf-8", headers, body: body.into_string(), looked_at: None }
    }

    /// A picture for download.
    fn picture(body: String, name: &str) -> Self {
        let headers = vec![
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("cache-control", "private, no-cache".to_owned()),
            ("content-disposition", format!("attachment; filename=\"{name}\"")),
        ];
        Self { status: 200, content_type: "image/svg+xml", headers, body, looked_at: None }
    }
}

/// The page at a path with a query, for the host's viewer, in the language that the reader likes (which the query may say otherwise).
pub fn page(path: &str, query: &str, host: &dyn Host, liked: Lang) -> Page {
    let lang = state::pairs(query).iter().rev().find(|(name, _)| name == "lang").and_then(|(_, tag)| Lang::of_tag(tag)).unwrap_or(liked);
    match answer(path, query, host, lang) {
        Ok(page) => page,
        Err(trouble) => {
            let (status, title, said) = trouble.said(lang);
            pages::trouble(status, lang, lang.say(title), &said)
        }
    }
}

fn answer(path: &str, query: &str, host: &dyn Host, lang: Lang) -> Result<Page, Trouble> {
    let state = State::parse(query, host.organization())?;
    let panel = state::pairs(query).into_iter().find(|(name, _)| name == "panel").map(|(_, panel)| panel);
    let view = View::new(host, lang, path, state, panel.clone())?;
    let content = pages::content(&view)?;
    let mut page = match panel {
        None => Page::html(200, content),
        Some(panel) => {
            let picture = view.picture.take().ok_or(Trouble::NotFound(words::Word::NotFound))?;
            // A panel was found, so its id is one of ours.
            Page::picture(picture, &view.file_name(&panel, "svg"))
        }
    };
    page.looked_at = view.looked_at.take();
    Ok(page)
}
