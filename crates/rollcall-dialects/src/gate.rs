//! What keeps a dialect's routes unknown while no organization has credentials for it.

use crate::{Site, Tenant};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tower::ServiceExt;

/// Stands before the routes of a dialect.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    site: Arc<Site>,
    is_configured: fn(&Tenant) -> bool,
    /// The router without the dialect, to which its paths are unknown.
    without: Router,
}

impl Gate {
    pub(crate) fn new(site: Arc<Site>, is_configured: fn(&Tenant) -> bool, without: &Router) -> Self {
        Self { site, is_configured, without: without.clone() }
    }

    /// The routes, which from now on are there only while somebody has the dialect configured.
    pub(crate) fn before(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Whether somebody has the dialect configured now.
    pub(crate) fn is_open(&self) -> bool {
        self.site.has(self.is_configured)
    }
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if gate.is_open() {
        return next.run(request).await;
    }
    gate.without.oneshot(request).await.into_response()
}
