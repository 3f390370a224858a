//! The routes.

use crate::{Dialect, Site};
use std::sync::Arc;

/// The dialect.
#[derive(Debug)]
pub struct Feishu;

impl Dialect for Feishu {
    fn name(&self) -> &'static str {
        "feishu"
    }

    fn routes(&self, _site: Arc<Site>) -> axum::Router {
        axum::Router::new()
    }
}
