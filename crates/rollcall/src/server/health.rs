//! What watches the server asks: is it alive, is it ready, which version is it.

use super::refusal::Refusal;
use super::state::App;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// The process answers.
pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// Facts can be ingested now.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    if app.is_closing() {
        Err(Refusal::unavailable("shutting down"))
    } else if !app.engine.is_writable() {
        Err(Refusal::unavailable("storage failed; the cause is in the server's log"))
    } else {
        Ok(Json(json!({ "ready": true })))
    }
}

/// What is running.
pub async fn version() -> Json<Value> {
    Json(json!({ "name": "rollcall", "version": env!("CARGO_PKG_VERSION") }))
}
