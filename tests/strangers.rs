//! What somebody without a credential, or behind a proxy, can and cannot do to the server.

use crate::harness::{
    ACCESS_KEY, APP_ID, APP_SECRET, Answer, KEY, OTHER_PASSWORD, OTHER_USER, PASSWORD, SERVICE, Server, TOKEN, USER, configuration,
    password_hash,
};

mod log;
mod passwords;
mod proxies;
mod routes;

/// The path of Feishu's tokens.
const TOKENS: &str = "/open-apis/auth/v3/tenant_access_token/internal";

/// A sign-in to Office 365, by a proxy on behalf of an address.
fn sign_in(server: &Server, user: &str, password: &str, address: &str) -> Answer {
    server.send(server.request("GET", SERVICE).basic_auth(user, Some(password)).header("x-forwarded-for", address)).unwrap()
}

/// A request for a token of Feishu, by a proxy on behalf of an address.
fn token(server: &Server, app_id: &str, secret: &str, address: &str) -> Answer {
    let body = serde_json::json!({ "app_id": app_id, "app_secret": secret });
    server.send(server.request("POST", TOKENS).json(&body).header("x-forwarded-for", address)).unwrap()
}

/// Writes a configuration and waits until it is in force.
fn reload(server: &Server, configuration: &str) {
    let before = server.log().matches("configuration reloaded").count();
    std::fs::write(server.home().join("rollcall.toml"), configuration).unwrap();
    server.signal("HUP");
    server.await_count("configuration reloaded", before + 1);
}
