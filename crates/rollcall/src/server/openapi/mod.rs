//! `GET /v1/openapi.json`: the native API as an OpenAPI 3.1 document, made of the routes ([`super::routes`]) and of what each of them says of itself.
//!
//! # Layout
//! - [`said`]: what the document says of one route
//! - `schemas.json`: the shapes of bodies
//! - `tests`: the document is what the router does, and a snapshot holds it

pub mod said;
#[cfg(test)]
mod tests;

use super::routes::{Route, routes};
use super::tags;
use crate::problem;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use said::{Parameter, Said, reference};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as it is sent: it does not change while the process runs.
static WRITTEN: LazyLock<(Bytes, HeaderValue)> = LazyLock::new(|| {
    let bytes = serde_json::to_vec(&document()).unwrap_or_default();
    let tag = tags::of_bytes(&bytes);
    (bytes.into(), tag)
});

/// The document.
pub async fn get(headers: HeaderMap) -> Response {
    let (bytes, tag) = &*WRITTEN;
    tags::unchanging(&headers, tag, || ([(header::CONTENT_TYPE, "application/json")], bytes.clone()).into_response())
}

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_ascii_lowercase(), operation(&route));
        }
    }
    let schemas: Value = serde_json::from_str(include_str!("schemas.json")).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Usage reports that an organization owns: facts in, exact reports out. Whatever is refused is a problem of RFC 9457.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "A key of an organization. Its scopes say what it may do." } },
        },
    })
}

fn operation(route: &Route) -> Value {
    let Route { needs, said, .. } = route;
    let [english, chinese] = &said.about;
    let mut operation = json!({ "operationId": said.id, "summary": english, "x-summary-zh": chinese, "responses": responses(route) });
    let Some(object) = operation.as_object_mut() else { return operation };
    if !said.parameters.is_empty() {
        object.insert("parameters".into(), said.parameters.iter().map(parameter).collect());
    }
    if !said.body.is_empty() {
        let content: Map<String, Value> =
            said.body.iter().map(|(content_type, schema)| ((*content_type).to_owned(), json!({ "schema": reference(schema) }))).collect();
        object.insert("requestBody".into(), json!({ "required": true, "content": content }));
    }
    let scopes: Option<Vec<_>> = needs.map(|needs| needs.scopes.iter().map(|scope| scope.name()).collect());
    object.insert(
        "security".into(),
        scopes.map_or_else(|| json!([]), |scopes| scopes.iter().map(|scope| json!({ "key": [scope] })).collect()),
    );
    operation
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { name, about: [english, chinese], schema, is_required, in_path } = parameter;
    let place = if *in_path { "path" } else { "query" };
    json!({ "name": name, "in": place, "required": is_required, "description": english, "x-description-zh": chinese, "schema": schema })
}

/// The statuses with which a route may refuse.
pub fn refusals(route: &Route) -> Vec<u16> {
    let Said { parameters, body, refusals, is_negotiated, .. } = &route.said;
    let mut all = refusals.clone();
    if route.needs.is_some() {
        all.extend([400, 401, 403, 429, 500, 503]);
    }
    if !parameters.is_empty() {
        all.push(400);
    }
    if !body.is_empty() {
        all.extend([408, 413]);
        if body.iter().all(|(content_type, schema)| *content_type != "application/json" || schema.starts_with("Directory"))
            || body.len() > 1
        {
            all.push(415);
        }
    }
    if *is_negotiated {
        all.push(406);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn responses(route: &Route) -> Value {
    let said = &route.said;
    let mut responses = Map::new();
    let content: Map<String, Value> =
        said.content.iter().map(|(content_type, schema)| ((*content_type).to_owned(), json!({ "schema": schema }))).collect();
    let mut headers = json!({ "X-Request-Id": header("The id of the request.") });
    if let Some(headers) = headers.as_object_mut() {
        if said.is_tagged {
            headers.insert("ETag".into(), header("Stands for this answer."));
        }
        if said.has_links {
            headers.insert("Link".into(), header("rel=\"next\": the next page."));
        }
    }
    let described = StatusCode::from_u16(said.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("OK");
    responses.insert(said.status.to_string(), json!({ "description": described, "headers": headers, "content": content }));
    if said.is_tagged {
        responses.insert("304".into(), json!({ "description": "The client has this answer: If-None-Match names its ETag." }));
    }
    for status in refusals(route) {
        let kinds: Vec<_> = problem::Kind::ALL.iter().filter(|kind| kind.status == status).map(|kind| kind.title).collect();
        let content = json!({ problem::CONTENT_TYPE: { "schema": reference("Problem") } });
        responses.insert(status.to_string(), json!({ "description": kinds.join("; "), "content": content }));
    }
    responses.into()
}

fn header(about: &str) -> Value {
    json!({ "description": about, "schema": { "type": "string" } })
}
