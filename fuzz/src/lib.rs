//! The dialects' routes with one organization and no facts: what targets send requests to.

use axum::body::Body;
use http::{HeaderValue, Method, Request, StatusCode};
use jiff::tz::TimeZone;
use rollcall_dialects::office365::{Role, User};
use rollcall_dialects::volcengine::signature::SecretKey;
use rollcall_dialects::yunxiao::{Scope, Token};
use rollcall_dialects::{DIALECTS, Secret, Site, Tenant, feishu, volcengine};
use rollcall_model::{OrgId, Organization, Reports};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// A password of the account `admin@example.com`, hashed with the least work that argon2id can be.
const PASSWORD: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiB0aGUgdGVzdHM$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A secret that no input comes to by chance.
const SECRET: &str = "c3a1f0d2-5b7e-4e0c-9a64-1f8d2b7c6e95";

/// Every report refuses: targets are about what comes before one is asked.
struct NoReports;

impl Reports for NoReports {}

/// The dialects' routes, and what drives them.
pub struct Service {
    runtime: Runtime,
    router: axum::Router,
}

impl Service {
    /// One organization with a credential for each dialect.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let site = Site::new(Arc::new(NoReports), || 1_772_000_000_000, [7; 32], vec![tenant()]);
        let site = Arc::new(site);
        let router = DIALECTS.iter().fold(axum::Router::new(), |router, dialect| dialect.mount(router, site.clone()));
        Self { runtime, router }
    }

    /// The status of an answer. A header whose value HTTP does not allow is left out.
    pub fn status(&self, path: &str, headers: &[(&'static str, &[u8])]) -> StatusCode {
        let mut request = Request::builder().method(Method::GET).uri(path);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request = request.header(*name, value);
            }
        }
        let request = request.body(Body::empty()).expect("targets give paths that are URIs");
        let answer = self.runtime.block_on(self.router.clone().oneshot(request));
        answer.map(|answer| answer.status()).unwrap_or_else(|never| match never {})
    }
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

fn tenant() -> Tenant {
    let mut tenant = Tenant::new(Organization::new(OrgId(uuid::Uuid::from_u128(1)), "example", TimeZone::UTC));
    tenant.feishu.apps.push(feishu::App { app_id: "cli_0000000000000001".into(), secret: Secret::of(SECRET) });
    tenant.office365.users.push(User { name: "admin@example.com".into(), role: Role::ViewOnlyRecipients, password: PASSWORD.into() });
    tenant.volcengine.access_keys.push(volcengine::AccessKey { id: "AKLTexample".into(), secret: SecretKey::new(SECRET) });
    let scopes = Scope::ALL.to_vec();
    tenant.yunxiao.tokens.push(Token { name: "fuzz".into(), secret: Secret::of(SECRET), scopes, expires: None });
    tenant
}
