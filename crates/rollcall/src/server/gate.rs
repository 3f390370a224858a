//! What stands before every native route that needs a key: whose it is, how often it may ask, and what it may do. A request that is refused here has cost
//! microseconds, whatever its body is.

use super::body::Arriving;
use super::credentials::Caller;
use super::refusal::Refusal;
use super::state::{App, now};
use crate::problem::Kind;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use rollcall_dialects::rate::Count;
use rollcall_engine::access::Scope;
use std::sync::Arc;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What a route asks of a key.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// One of these scopes.
    pub scopes: &'static [Scope],
    /// Whether keys of one department may ask; the route then looks what they ask.
    pub of_department: bool,
    /// By which limit its requests are counted.
    pub rate: Rate,
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// `limits.requests_per_minute`.
    Requests,
    /// `limits.fact_requests_per_minute`.
    Facts,
}

impl Rate {
    /// The name of the policy.
    const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Facts => "facts",
        }
    }
}

/// A gate before a route.
#[derive(Debug, Clone)]
pub struct Gate {
    pub app: Arc<App>,
    pub needs: Needs,
}

/// Lets a request pass if its key may do this, or answers.
pub async fn pass(State(Gate { app, needs }): State<Gate>, mut request: Request, next: Next) -> Response {
    let caller = match Caller::of(&app, request.headers()) {
        Ok(caller) => caller,
        Err(refusal) => return refuse(request, refusal, None),
    };
    let limits = &caller.live.limits;
    let per_minute = if needs.rate == Rate::Facts { limits.fact_requests_per_minute } else { limits.requests_per_minute };
    let count = app.rates.count((caller.key, needs.rate.name()), per_minute, now());
    let told = Told { policy: needs.rate.name(), per_minute, count };
    if let Some(Count { is_admitted: false, reset_seconds, .. }) = told.count {
        let setting = if needs.rate == Rate::Facts { "fact_requests_per_minute" } else { "requests_per_minute" };
        let detail = format!("more than {per_minute} requests a minute (limits.{setting}); try again in {reset_seconds} s");
        return refuse(request, Refusal::of(Kind::TOO_MANY, detail), Some(&told));
    }
    let checked = caller.check(needs.scopes).and_then(|()| if needs.of_department { Ok(()) } else { caller.check_whole() });
    if let Err(refusal) = checked {
        return refuse(request, refusal, Some(&told));
    }
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    told.write(response.headers_mut());
    response
}

/// How often the key has asked.
struct Told {
    policy: &'static str,
    per_minute: u32,
    /// None: nobody counts.
    count: Option<Count>,
}

impl Told {
    /// As the draft of RateLimit headers has it.
    fn write(&self, headers: &mut HeaderMap) {
        let Self { policy, per_minute, .. } = self;
        let Some(Count { left, reset_seconds, is_admitted }) = self.count else { return };
        let texts = [
            (RATE_LIMIT_POLICY, format!("\"{policy}\";q={per_minute};w=60")),
            (RATE_LIMIT, format!("\"{policy}\";r={left};t={reset_seconds}")),
        ];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
        if !is_admitted {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(reset_seconds));
        }
    }
}

fn refuse(request: Request, refusal: Refusal, told: Option<&Told>) -> Response {
    let (parts, body) = request.into_parts();
    Arriving::new(&parts.headers, body).discard();
    let mut response = refusal.into_response();
    if let Some(told) = told {
        told.write(response.headers_mut());
    }
    response
}
