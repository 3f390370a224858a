//! The router: the native API, as [`super::routes`] lists it, and every dialect.

use super::gate::{self, Gate};
use super::refusal::Refusal;
use super::routes::{REPORTS_NEED, routes};
use super::state::App;
use super::{access, client, cors, native};
use crate::problem::Kind;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, options};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use rollcall_dialects::{DIALECTS, Dialect};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The routes of the native API, of what watches the server, and of every dialect.
pub fn router(app: Arc<App>) -> Router {
    let gated = |methods: MethodRouter<Arc<App>>, needs| {
        let gate = Gate { app: app.clone(), needs };
        methods.route_layer(from_fn_with_state(gate, gate::pass))
    };
    let mut native = Router::new().route("/v1/reports/{name}", gated(get(native::named), REPORTS_NEED));
    let mut allowed: BTreeMap<Cow<'static, str>, Vec<Method>> = BTreeMap::from([("/v1/reports/{name}".into(), vec![Method::GET])]);
    for route in routes() {
        allowed.entry(route.path.clone()).or_default().push(route.method);
        let methods = match route.needs {
            Some(needs) => gated(route.handler, needs),
            None => route.handler,
        };
        native = native.route(&route.path, methods);
    }
    for (path, methods) in allowed {
        native = native.route(&path, options(async move || said(&methods)));
    }
    let native = native
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), cors::tell))
        .fallback(not_found)
        .with_state(app.clone());
    let mount = |router, dialect: &&dyn Dialect| dialect.mount(router, app.site.clone());
    DIALECTS.iter().fold(native, mount).layer(from_fn_with_state(app.clone(), access::log)).layer(from_fn_with_state(app, client::identify))
}

/// The answer to `OPTIONS` on a path: which methods it takes.
fn said(methods: &[Method]) -> Response {
    let head = methods.contains(&Method::GET).then_some("HEAD");
    let names: Vec<_> = methods.iter().map(Method::as_str).chain(head).chain(["OPTIONS"]).collect();
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(names) = HeaderValue::from_str(&names.join(",")) {
        response.headers_mut().insert(header::ALLOW, names);
    }
    response
}

async fn not_found(uri: Uri) -> Refusal {
    Refusal::of(Kind::NOT_FOUND, format!("no such path: {}", access::cut(uri.path())))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    Refusal::of(Kind::METHOD_NOT_ALLOWED, format!("{} is not possible on {}", access::cut(method.as_str()), access::cut(uri.path())))
}
