//! Sign-in.

use crate::Page;
use crate::lang::Lang;
use crate::parts::frame;
use crate::state::encoded;
use crate::words::Word;
use maud::html;

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct SignInAsk<'a> {
    /// What is signed in to: an organization's name, or the server's.
    pub organization: &'a str,
    /// The page to go to afterwards: a path and query of this server.
    pub next: &'a str,
    /// Whether the attempt before failed.
    pub failed: bool,
    /// After how many seconds another attempt is allowed, if not now.
    pub wait: Option<u64>,
}

/// The page of sign-in.
pub fn sign_in(ask: SignInAsk<'_>, lang: Lang) -> Page {
    let title = lang.fill(Word::SignInTo, &[("organization", ask.organization)]);
    let (status, said) = match (ask.wait, ask.failed) {
        (Some(seconds), _) => (429, Some(lang.fill(Word::SignInWait, &[("seconds", &seconds.to_string())]))),
        (None, true) => (401, Some(lang.say(Word::SignInFailed).to_owned())),
        (None, false) => (200, None),
    };
    let content = html! {
        @if let Some(said) = &said { p class="bad" role="alert" { (said) } }
        form class="sheet" method="post" action="/sign-in" {
            input type="hidden" name="next" value=(ask.next);
            label { (lang.say(Word::AccountName)) " " input name="account" autocomplete="username" required maxlength="64" autofocus; }
            label { (lang.say(Word::Password)) " "
                input type="password" name="password" autocomplete="current-password" required maxlength="1000";
            }
            button { (lang.say(Word::SignIn)) }
        }
    };
    let mut page = Page::html(status, frame::alone(lang, &format!("next={}&", encoded(ask.next)), &title, &content));
    page.headers.extend(ask.wait.map(|seconds| ("retry-after", seconds.to_string())));
    page
}
