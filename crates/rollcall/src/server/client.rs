//! Who asks: the client's address, and whether it spoke TLS, also behind proxies.
//!
//! A proxy says in `X-Forwarded-For` and `X-Forwarded-Proto` for whom it asks. Anybody can send these headers, so they are believed only when they come from an
//! address in `trusted_proxies`. Each proxy adds the address that it saw on the right, so the right-most address that is not a listed proxy's is the client's;
//! what stands to the left of it is only what that client claims.

use super::state::App;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use ipnet::IpNet;
use rollcall_dialects::site::Channel;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Puts what listed proxies say of the client in place of what is known of the connection.
pub async fn identify(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if request.headers().contains_key(FORWARDED_FOR) || request.headers().contains_key(FORWARDED_PROTO) {
        let channel = request.extensions().get().copied().unwrap_or_default();
        let seen = seen_through(&app.live().trusted_proxies, channel, request.headers());
        request.extensions_mut().insert(seen);
    }
    next.run(request).await
}

fn seen_through(proxies: &[IpNet], channel: Channel, headers: &HeaderMap) -> Channel {
    let Some(peer) = channel.client else { return channel };
    if !is_listed(proxies, peer) {
        hint_at_list(peer);
        return channel;
    }
    Channel { client: Some(client(proxies, peer, headers)), is_tls: spoke_tls(headers).unwrap_or(channel.is_tls), ..channel }
}

fn is_listed(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// The right-most address that is not a listed proxy's; where there is none, the left-most that can be read.
fn client(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut client = peer;
    for entry in values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(',')) {
        let Some(address) = address(entry.trim()) else { break };
        client = address;
        if !is_listed(proxies, client) {
            break;
        }
    }
    client
}

/// An address, which some proxies write with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// What the last proxy says; none where it says nothing that is known.
fn spoke_tls(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get_all(FORWARDED_PROTO).iter().next_back()?.to_str().ok()?;
    match value.rsplit(',').next()?.trim().to_ascii_lowercase().as_str() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

/// Says once that there seems to be a proxy that is not listed. Only what comes from nearby can be the operator's own proxy.
fn hint_at_list(peer: IpAddr) {
    static SAID: Once = Once::new();
    let is_near = match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
    };
    if is_near {
        SAID.call_once(|| {
            tracing::warn!("requests come through a proxy that is not in trusted_proxies, so all of its clients count as one")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address and the scheme of a request by way of 10.0.0.1 or another peer.
    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "fd00::/16"].iter().map(|network| network.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let channel = Channel { client: Some(peer.parse().unwrap()), ..Channel::default() };
        let seen = seen_through(&proxies, channel, &map);
        assert_eq!(seen.carries_credentials, channel.carries_credentials);
        (seen.client.unwrap().to_string(), seen.is_tls)
    }

    #[test]
    fn only_a_listed_proxy_is_believed() {
        let claims = [(FORWARDED_FOR, "203.0.113.7"), (FORWARDED_PROTO, "https")];
        assert_eq!(seen("10.0.0.1", &claims), ("203.0.113.7".into(), true));
        assert_eq!(seen("fd00::1", &claims), ("203.0.113.7".into(), true));
        assert_eq!(seen("192.0.2.1", &claims), ("192.0.2.1".into(), false));
        assert_eq!(seen("::1", &claims), ("::1".into(), false));
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_clients_whatever_it_claims() {
        for (lines, expected) in [
            (vec!["203.0.113.7"], "203.0.113.7"),
            (vec!["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
            (vec!["1.2.3.4,203.0.113.7 , 10.9.9.9"], "203.0.113.7"),
            (vec!["1.2.3.4", "203.0.113.7, 10.9.9.9", "fd00::5"], "203.0.113.7"),
            (vec!["203.0.113.7:4711"], "203.0.113.7"),
            (vec!["[2001:db8::7]:4711, 10.1.1.1:80"], "2001:db8::7"),
            (vec!["[2001:db8::7]"], "2001:db8::7"),
            (vec!["::ffff:203.0.113.7"], "203.0.113.7"),
            // Everybody is a proxy: the first of them asks for itself.
            (vec!["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            // What cannot be read hides who is behind it.
            (vec!["203.0.113.7, unknown, 10.2.2.2"], "10.2.2.2"),
            (vec!["unknown"], "10.0.0.1"),
            (vec![""], "10.0.0.1"),
            (vec![], "10.0.0.1"),
        ] {
            let headers: Vec<_> = lines.iter().map(|line| (FORWARDED_FOR, *line)).collect();
            assert_eq!(seen("10.0.0.1", &headers).0, expected, "{lines:?}");
        }
    }

    #[test]
    fn the_scheme_is_what_the_last_proxy_says() {
        for (values, expected) in [
            (vec!["https"], true),
            (vec!["HTTPS"], true),
            (vec!["https, http"], false),
            (vec!["http", "https"], true),
            (vec!["ftp"], false),
        ] {
            let headers: Vec<_> = values.iter().map(|value| (FORWARDED_PROTO, *value)).collect();
            assert_eq!(seen("10.0.0.1", &headers).1, expected, "{values:?}");
        }
    }
}
