//! The four vendor APIs that rollcall speaks, each a folder with its wire types, its server routes and its client.
//!
//! A dialect keeps its vendor's words and oddities to itself: it reads requests, asks [`rollcall_model::Reports`], and renders.
//! `wire.rs` serves both sides of each: what the server writes the client reads, so they cannot drift.
//!
//! A fifth vendor is one folder here, and one line in [`DIALECTS`].

pub mod feishu;
#[cfg(feature = "server")]
mod gate;
#[cfg(feature = "server")]
pub mod guesses;
#[cfg(feature = "server")]
mod kept;
pub mod office365;
#[cfg(feature = "server")]
pub mod rate;
#[cfg(feature = "server")]
pub mod secret;
#[cfg(feature = "client")]
pub mod setup;
#[cfg(feature = "server")]
pub mod sign_in;
#[cfg(feature = "server")]
pub mod site;
#[cfg(feature = "server")]
pub mod turns;
pub mod volcengine;
#[cfg(feature = "server")]
pub mod work;
pub mod yunxiao;

#[cfg(feature = "server")]
pub use {secret::Secret, sign_in::FailedSignIn, site::Site, site::Tenant};

/// One vendor's API, as the server mounts it.
#[cfg(feature = "server")]
pub trait Dialect: Sync {
    /// Its name: that of its folder, and of its section in the configuration of an organization.
    fn name(&self) -> &'static str;

    /// What tells whether an organization has credentials for it. Where none has, nobody is told that there are such routes.
    fn is_configured(&self) -> fn(&Tenant) -> bool;

    /// Its routes, with absolute paths as the vendor has them.
    fn routes(&self, site: std::sync::Arc<Site>) -> axum::Router;

    /// Adds the dialect to a router that already knows what it answers to unknown paths, and answers that while nobody has the dialect configured.
    /// One whose vendor's clients ask at a path that belongs to nobody takes its requests from among those here.
    fn mount(&self, router: axum::Router, site: std::sync::Arc<Site>) -> axum::Router {
        let gate = gate::Gate::new(site.clone(), self.is_configured(), &router);
        router.merge(gate.before(self.routes(site)))
    }
}

/// Every dialect, one line each.
#[cfg(feature = "server")]
pub const DIALECTS: &[&dyn Dialect] =
    &[&feishu::server::Feishu, &office365::server::Office365, &volcengine::server::Volcengine, &yunxiao::server::Yunxiao];
