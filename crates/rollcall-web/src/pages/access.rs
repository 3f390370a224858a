//! Accounts, sign-ins, keys, links and the audit log.

use crate::host::Role;
use crate::parts::panel::{Panel, Table};
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::Word;
use maud::{Markup, html};
use rollcall_model::Millis;

pub(crate) fn content(view: &View<'_>) -> Result<Markup, Trouble> {
    if !view.host.viewer().administers() {
        return Err(Trouble::Forbidden);
    }
    let access = view.host.access();
    let at = |at: Option<Millis>| html! { @if let Some(at) = at { (view.instant(at)) } @else { "–" } };
    let yes = |yes: bool| html! { (view.say(if yes { Word::Yes } else { Word::No })) };
    let accounts = Table::new(view, Word::Account, &[Word::Role, Word::RightPeople, Word::LastUsed, Word::Remove]).text(&[1, 2, 3, 4]);
    let accounts = accounts.of(access.accounts.iter().map(|account| {
        let end = button(view, "/access/accounts/remove", "name", &account.name, Word::Remove, Word::RemoveOf, &account.name);
        vec![html! { bdi { (account.name) } }, role(view, &account.role), yes(account.people), at(account.last), end]
    }));
    let sign_ins = Table::new(view, Word::Account, &[Word::Began, Word::LastUsed, Word::Browser, Word::End]).text(&[1, 2, 3, 4]);
    let sign_ins = sign_ins.of(access.sign_ins.iter().map(|sign_in| {
        let end = button(view, "/access/sign-ins/end", "number", &sign_in.number.to_string(), Word::End, Word::EndOf, &sign_in.account);
        let browser = html! { (sign_in.browser) @if sign_in.this { " (" (view.say(Word::ThisBrowser)) ")" } };
        vec![html! { bdi { (sign_in.account) } }, view.instant(sign_in.began), view.instant(sign_in.used), browser, end]
    }));
    let keys =
        Table::new(view, Word::Name, &[Word::Scopes, Word::Department, Word::Expires, Word::LastUsed, Word::Revoke]).text(&[1, 2, 3, 4, 5]);
    let keys = keys.of(access.keys.iter().map(|key| {
        let end = button(view, "/access/keys/revoke", "number", &key.number.to_string(), Word::Revoke, Word::RevokeOf, &key.name);
        let department =
            html! { @if let Some(id) = &key.department { (view.department_link(id)) } @else { (view.say(Word::AllDepartments)) } };
        vec![html! { bdi { (key.name) } }, html! { (key.scopes.join(", ")) }, department, at(key.expires), at(key.used), end]
    }));
    let links = Table::new(view, Word::Page, &[Word::MadeBy, Word::Expires, Word::Password, Word::Revoke]).text(&[1, 2, 3, 4]);
    let links = links.of(access.links.iter().map(|link| {
        let end = button(view, "/access/links/revoke", "number", &link.number.to_string(), Word::Revoke, Word::RevokeOf, &link.page);
        vec![html! { (link.page) }, html! { bdi { (link.by) } }, at(link.expires), yes(link.password), end]
    }));
    let audit = Table::new(view, Word::When, &[Word::Who, Word::What, Word::Whom]).text(&[1, 2, 3]);
    let audit = audit.of(access.audit.iter().take(200).map(|line| {
        let whom = line.whom.as_deref().filter(|_| view.host.viewer().sees_people).unwrap_or("–");
        vec![view.instant(line.at), html! { bdi { (line.who) } }, html! { (line.what) }, html! { bdi { (whom) } }]
    }));
    let panel = |id, title: Word, table| view.panel(&Panel::new(id, view.say(title), table));
    Ok(html! {
        @if let Some(secret) = view.host.made() {
            section class="panel" role="status" { p { (view.say(Word::MadeOnce)) } pre tabindex="0" { code { (secret) } } }
        }
        div class="grid" {
            (panel("accounts", Word::Accounts, accounts)) (make_account(view))
            (panel("keys", Word::ApiKeys, keys)) (make_key(view))
            (panel("links", Word::Links, links)) (make_link(view))
            (panel("sign-ins", Word::SignIns, sign_ins))
            (panel("audit", Word::Audit, audit))
        }
    })
}

fn role(view: &View<'_>, role: &Role) -> Markup {
    html! { @match role {
        Role::Administrator => { (view.say(Word::RoleAdministrator)) }
        Role::Analyst => { (view.say(Word::RoleAnalyst)) }
        Role::Viewer { department } => { (view.say(Word::RoleViewer)) ": " (view.department_link(department)) }
        Role::Link { .. } => { (view.say(Word::RoleLink)) }
    } }
}

/// A form with one button.
fn button(view: &View<'_>, action: &str, field: &str, value: &str, word: Word, label: Word, name: &str) -> Markup {
    html! { form method="post" action=(action) {
        input type="hidden" name=(field) value=(value);
        button aria-label=(view.fill(label, &[("name", name)])) { (view.say(word)) }
    } }
}

/// A form that makes something.
fn make(view: &View<'_>, id: &str, action: &str, title: Word, fields: &Markup) -> Markup {
    let heading = format!("{id}-title");
    html! {
        section class="panel" id=(id) aria-labelledby=(heading) {
            header { h2 id=(heading) { (view.say(title)) } }
            form class="controls" method="post" action=(action) { (fields) button { (view.say(Word::Make)) } }
        }
    }
}

fn make_account(view: &View<'_>) -> Markup {
    let roles = [("viewer", Word::RoleViewer), ("analyst", Word::RoleAnalyst), ("administrator", Word::RoleAdministrator)];
    let fields = html! {
        label { (view.say(Word::AccountName)) " " input name="name" required maxlength="64" autocomplete="off"; }
        label { (view.say(Word::Role)) " " select name="role" {
            @for (value, word) in roles { option value=(value) { (view.say(word)) } }
        } }
        label { (view.say(Word::Department)) " (" (view.say(Word::Id)) ") " input name="department" maxlength="256"; }
        label { input type="checkbox" name="people" value="1"; " " (view.say(Word::RightPeople)) }
        label { (view.say(Word::NewPassword)) " "
            input type="password" name="password" required minlength="12" maxlength="1000" autocomplete="new-password";
        }
    };
    make(view, "make-account", "/access/accounts", Word::MakeAccount, &fields)
}

fn make_key(view: &View<'_>) -> Markup {
    let fields = html! {
        label { (view.say(Word::Name)) " " input name="name" required maxlength="64" autocomplete="off"; }
        fieldset { legend { (view.say(Word::Scopes)) }
            @for scope in ["read", "read:people", "ingest", "admin"] { label {
                input type="checkbox" name="scope" value=(scope); " " (scope) }
            }
        }
        label { (view.say(Word::Department)) " (" (view.say(Word::Id)) ", " (view.say(Word::Optional)) ") "
            input name="department" maxlength="256";
        }
        label { (view.say(Word::Expires)) " " input type="date" name="expires"; }
    };
    make(view, "make-key", "/access/keys", Word::MakeKey, &fields)
}

fn make_link(view: &View<'_>) -> Markup {
    let fields = html! {
        label { (view.say(Word::Page)) " "
            input name="page" value=(view.shared().at("/meetings")) required maxlength="2000" autocomplete="off";
        }
        label { (view.say(Word::Expires)) " " input type="date" name="expires" required; }
        label { (view.say(Word::Password)) " (" (view.say(Word::Optional)) ") "
            input type="password" name="password" maxlength="1000" autocomplete="new-password";
        }
    };
    make(view, "make-link", "/access/links", Word::MakeLink, &fields)
}
