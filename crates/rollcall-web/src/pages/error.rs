//! When there is no page.

use crate::Page;
use crate::lang::Lang;
use crate::parts::frame;
use crate::words::Word;
use maud::html;

/// The page of a status that the server itself came to, such as 429 or 500.
pub fn error(status: u16, lang: Lang, said: &str) -> Page {
    trouble(status, lang, lang.say(Word::FailedTitle), said)
}

/// The page that says why there is none.
pub(crate) fn trouble(status: u16, lang: Lang, title: &str, said: &str) -> Page {
    let content = html! { p { (said) } p { a href="/" { (lang.say(Word::ToOverview)) } } };
    Page::html(status, frame::alone(lang, "", title, &content))
}
