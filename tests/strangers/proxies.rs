//! Who a client is behind a proxy.

use super::{PASSWORD, SERVICE, Server, USER, configuration, reload};

/// The root of the URLs in the service's answer to who asks in this way.
fn root(server: &Server, headers: &[(&str, &str)]) -> String {
    let request = server.request("GET", SERVICE).basic_auth(USER, Some(PASSWORD));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let text = server.send(request).unwrap().text();
    let (_, behind) = text.split_once("xml:base=\"").unwrap_or_else(|| panic!("{text}"));
    behind.split("/ecp/").next().unwrap().to_owned()
}

#[test]
fn links_have_the_scheme_that_a_listed_proxy_says_and_nobody_else() {
    let server = Server::new();
    let (plain, secure) = (server.url().to_owned(), server.url().replacen("http://", "https://", 1));
    let https = [("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.7")];
    assert_eq!(root(&server, &https), plain, "nobody is believed by default");
    server.await_log("a proxy that is not in trusted_proxies");
    reload(&server, &configuration("trusted_proxies = [\"192.0.2.0/24\", \"127.0.0.1\"]"));
    assert_eq!(root(&server, &https), secure);
    assert_eq!(root(&server, &[("x-forwarded-proto", "http")]), plain);
    assert_eq!(root(&server, &[]), plain);
    reload(&server, &configuration("trusted_proxies = [\"192.0.2.0/24\"]"));
    assert_eq!(root(&server, &https), plain);
}
