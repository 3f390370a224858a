//! The first start: whoever has the link that the terminal printed makes the first administrator.

use crate::Page;
use crate::lang::Lang;
use crate::parts::frame;
use crate::state::encoded;
use crate::words::Word;
use maud::html;

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct SetupAsk<'a> {
    /// The secret of the link; the form sends it back.
    pub link: &'a str,
    /// Whether the password that was sent before is none.
    pub failed: bool,
}

/// The page of the first start.
pub fn setup(ask: SetupAsk<'_>, lang: Lang) -> Page {
    let content = html! {
        p { (lang.say(Word::SetupSay)) }
        @if ask.failed { p class="bad" role="alert" { (lang.say(Word::SetupFailed)) } }
        form class="sheet" method="post" action="/setup" {
            input type="hidden" name="link" value=(ask.link);
            label { (lang.say(Word::AccountName)) " " input name="account" autocomplete="username" required maxlength="64"; }
            label { (lang.say(Word::NewPassword)) " "
                input type="password" name="password" autocomplete="new-password" required minlength="12" maxlength="1000";
            }
            button { (lang.say(Word::SetupMake)) }
        }
    };
    let mut page = Page::html(
        if ask.failed { 422 } else { 200 },
        frame::alone(lang, &format!("link={}&", encoded(ask.link)), lang.say(Word::Setup), &content),
    );
    // The secret is in the address.
    page.headers.retain(|(name, _)| *name != "referrer-policy");
    page.headers.push(("referrer-policy", "no-referrer".into()));
    page
}
