//! What watches the server asks: is it alive, is it ready, which version is it.

use super::refusal::Refusal;
use super::state::App;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The process answers.
pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// Facts can be ingested now. What is wrong with the storage is listed in `problems`, also while it does not stop that.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_closing() {
        return Refusal::unavailable("shutting down").into_response();
    }
    let problems = app.storage.problems();
    let what: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
    let stopped: Vec<&str> = problems.iter().filter(|problem| problem.stops_ingest).map(|problem| problem.what.as_str()).collect();
    if !stopped.is_empty() {
        return Refusal::unavailable(stopped.join("; ")).with("ready", false).with("problems", what).into_response();
    }
    let told = if what.is_empty() { json!({ "ready": true }) } else { json!({ "ready": true, "problems": what }) };
    Json(told).into_response()
}

/// What is running.
pub async fn version() -> Json<Value> {
    Json(json!({ "name": "rollcall", "version": env!("CARGO_PKG_VERSION") }))
}
