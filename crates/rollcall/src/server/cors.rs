//! Pages of other origins that may use the native API from a browser: those listed in `[cors] origins`, and none unless there are any.
//!
//! A key travels in `Authorization`, which no browser adds by itself; so what is allowed here is that a page reads the answer to what it asked with a key that it has.

use super::state::App;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

/// What a page may send.
const SENT: &str = "authorization, content-type, content-encoding, if-none-match, x-request-id";

/// What a page may read, beside what every page may.
const READ: &str = "etag, link, ratelimit, ratelimit-policy, retry-after, x-request-id, x-rollcall-covers";

/// For how many seconds a browser need not ask again.
const MAX_AGE: &str = "600";

/// Says to browsers what pages of the request's origin may do.
pub async fn tell(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let live = app.live();
    if live.origins.is_empty() {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| live.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()));
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS).is_some();
    let mut response = next.run(request).await;
    // Caches must not give what one origin was told to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = allowed else { return response };
    if asked && response.status() == StatusCode::NO_CONTENT {
        let methods = response.headers().get(header::ALLOW).cloned();
        methods.map(|methods| response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods));
        add(response.headers_mut(), [(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT), (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)]);
    }
    add(response.headers_mut(), [(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ)]);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    response
}

fn add<const N: usize>(headers: &mut HeaderMap, added: [(header::HeaderName, &'static str); N]) {
    for (name, value) in added {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
