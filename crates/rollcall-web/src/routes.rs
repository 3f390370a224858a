//! The paths of the dashboard. A server routes all of these here, and answers the forms itself.

/// Paths of pages, for a router; `{…}` are segments, percent-encoded.
pub const PAGES: &[&str] = &[
    "/",
    "/meetings",
    "/people",
    "/people/silent",
    "/people/{id}",
    "/departments",
    "/departments/{id}",
    "/places",
    "/assistant",
    "/sessions",
    "/sessions/{app}/{started_at}/{session_id}",
    "/data",
    "/access",
];

/// Paths of documents that stand by themselves: [`crate::setup`], [`crate::sign_in`].
pub const ALONE: &[&str] = &["/setup", "/sign-in"];

/// What forms send, by POST, and with which fields. Each is answered with 303 to the page that it is on.
pub const FORMS: &[(&str, &[&str])] = &[
    ("/sign-in", &["account", "password", "next"]),
    ("/sign-out", &[]),
    ("/setup", &["link", "account", "password"]),
    ("/data/withdraw", &["receipt"]),
    ("/access/accounts", &["name", "role", "department", "people", "password"]),
    ("/access/accounts/remove", &["name"]),
    ("/access/sign-ins/end", &["number"]),
    ("/access/keys", &["name", "scope", "department", "expires"]),
    ("/access/keys/revoke", &["number"]),
    ("/access/links", &["page", "expires", "password"]),
    ("/access/links/revoke", &["number"]),
];
