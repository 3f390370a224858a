//! One log line a request: method, path, status and time; no query, no header, no address, for those may hold secrets or
//! say who asks.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

pub async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let duration_ms = begun.elapsed().as_millis();
    if matches!(path.as_str(), "/livez" | "/readyz") {
        tracing::debug!(%method, path, status, duration_ms, "request");
    } else {
        tracing::info!(%method, path, status, duration_ms, "request");
    }
    response
}
