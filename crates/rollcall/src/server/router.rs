//! Every route, once.

use super::refusal::Refusal;
use super::state::App;
use super::{access, client, directory, export, health, ingest, native, withdraw};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};
use http::{Method, StatusCode, Uri};
use rollcall_dialects::{DIALECTS, Dialect};
use rollcall_engine::for_each_kind;
use rollcall_engine::kinds::{BlockOf, ColumnsOf, Kind};
use std::sync::Arc;

/// The routes of the native API, of what watches the server, and of every dialect.
pub fn router(app: Arc<App>) -> Router {
    let facts = for_each_kind!(K => (K::KIND, get(export::facts::<BlockOf<K>>).post(ingest::facts::<ColumnsOf<K>>)));
    let facts = facts.into_iter().fold(Router::new(), |router, (kind, methods)| router.route(&format!("/v1/{}", kind.name()), methods));
    let native = facts
        .route("/v1/directory", get(directory::get).put(directory::put).patch(directory::patch))
        .route("/v1/directory/users", put(directory::put_users).patch(directory::patch_users))
        .route("/v1/directory/departments", put(directory::put_departments).patch(directory::patch_departments))
        .route("/v1/directory/history", get(directory::history))
        .route("/v1/directory/restore", post(directory::restore))
        .route("/v1/receipts", get(withdraw::receipts))
        .route("/v1/withdraw", post(withdraw::withdraw))
        .route("/v1/reports/{name}", get(native::report))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/version", get(health::version))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(app.clone());
    let mount = |router, dialect: &&dyn Dialect| dialect.mount(router, app.site.clone());
    DIALECTS.iter().fold(native, mount).layer(from_fn_with_state(app.clone(), access::log)).layer(from_fn_with_state(app, client::identify))
}

async fn not_found(uri: Uri) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("no such path: {}", access::cut(uri.path())))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not possible on {}", access::cut(method.as_str()), access::cut(uri.path())))
}
