//! Lists that are read page by page, the newest first, by the number of their entries.

use super::native;
use super::refusal::Refusal;
use crate::cursor;
use crate::reports::{self, BadParameter};
use axum::Json;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::{Uri, header};
use rollcall_model::OrgId;
use serde::Serialize;

/// How many entries a page has, unless it is said, and at most.
pub const SIZE: [usize; 2] = [100, 1_000];

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct Page {
    path: &'static str,
    /// What its cursors are of.
    list: String,
    /// How many entries.
    pub limit: usize,
    /// Those with a smaller number; none: from the newest on.
    pub before: Option<u64>,
}

impl Page {
    /// The page that a query asks for, of a list of an organization.
    pub fn of(name: &str, path: &'static str, org: OrgId, uri: &Uri) -> Result<Self, Refusal> {
        let given = native::parameters(uri)?;
        reports::check_names(&given, &["limit", "cursor"])?;
        let value = |wanted: &str| given.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let [usual, most] = SIZE;
        let limit = value("limit").map_or(Some(usual), |limit| limit.parse().ok().filter(|limit| (1..=most).contains(limit)));
        let limit = limit.ok_or_else(|| BadParameter::new("limit", value("limit"), format!("a number from 1 to {most}")))?;
        let list = format!("{name} {org}");
        let before = cursor::read_number(&list, value("cursor"))?;
        Ok(Self { path, list, limit, before })
    }

    /// The page: its entries, and where the next begins.
    pub fn answer(&self, name: &str, entries: Vec<impl Serialize>, next: Option<u64>) -> Response {
        let Self { path, list, limit, .. } = self;
        let next = next.map(|next| cursor::write(list, &next.to_be_bytes()));
        let link = next.as_ref().map(|next| (header::LINK, format!("<{path}?limit={limit}&cursor={next}>; rel=\"next\"")));
        (AppendHeaders(link), Json(serde_json::json!({ name: entries, "next": next }))).into_response()
    }
}
