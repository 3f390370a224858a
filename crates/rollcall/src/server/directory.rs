//! `/v1/directory`: the people and departments of an organization, put whole as JSON or half by half as CSV.

use super::body::Arriving;
use super::refusal::Refusal;
use super::state::App;
use super::{credentials, ingest, native};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use csv::StringRecord;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::{OrgId, Reports, UserKind};
use std::sync::Arc;

/// Which half a CSV file replaces.
#[derive(Debug, Clone, Copy)]
enum Half {
    Users,
    Departments,
}

pub async fn get(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let org = credentials::organization(&app.live(), &headers)?.id;
    let work = move |reports: &dyn Reports| Ok(Json(reports.directory(org)?.document()).into_response());
    app.site.work(native::task(org), work).await
}

pub async fn put(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, request, None).await
}

pub async fn put_users(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, request, Some(Half::Users)).await
}

pub async fn put_departments(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, request, Some(Half::Departments)).await
}

async fn answer(app: &Arc<App>, request: Request, half: Option<Half>) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = Arriving::new(&parts.headers, body);
    let answer = replace(app, &parts, &mut body, half).await;
    body.discard();
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn replace(app: &Arc<App>, parts: &Parts, body: &mut Arriving<'_>, half: Option<Half>) -> Result<Response, Refusal> {
    let live = app.live();
    let organization = credentials::organization(&live, &parts.headers)?;
    let expected = if half.is_some() { "text/csv" } else { "application/json" };
    let given = ingest::essence(&parts.headers, header::CONTENT_TYPE).unwrap_or_else(|| "is missing".into());
    if given != expected {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-type {given}: expected {expected}")));
    }
    if let Some(encoding) = ingest::essence(&parts.headers, header::CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content-encoding {encoding}: expected none")));
    }
    let collected = body.collect(&live, 1).await?;
    let _turn = app.directory_turn.lock().await;
    let app = app.clone();
    tokio::task::spawn_blocking(move || put_document(&app, organization.id, &collected.bytes, half)).await?
}

fn put_document(app: &App, org: OrgId, bytes: &[u8], half: Option<Half>) -> Result<Response, Refusal> {
    let document = match half {
        None => serde_json::from_slice(bytes).map_err(|error| Refusal::bad_request(format!("the directory: {error}")))?,
        Some(half) => {
            let mut document = app.engine.directory(org).document();
            match half {
                Half::Users => document.users = records(bytes, user)?,
                Half::Departments => document.departments = records(bytes, department)?,
            }
            document
        }
    };
    let DirectoryDocument { departments, users } = &document;
    let counts = serde_json::json!({ "departments": departments.len(), "users": users.len() });
    app.engine.put_directory(org, document)?;
    Ok(Json(counts).into_response())
}

/// One record of a CSV file, column by column. Reading takes a value out, so that what is left over was not expected.
struct Record<'a> {
    values: Vec<(&'a str, &'a str)>,
}

impl Record<'_> {
    fn optional(&mut self, column: &str) -> Option<String> {
        let position = self.values.iter().position(|(name, _)| *name == column)?;
        let (_, value) = self.values.swap_remove(position);
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn required(&mut self, column: &str) -> Result<String, String> {
        self.optional(column).ok_or_else(|| format!("{column} is missing"))
    }

    fn day(&mut self) -> Result<Option<jiff::civil::Date>, String> {
        let Some(text) = self.optional("from") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("from {text}: expected a day such as 2025-03-01"))
    }
}

fn user(record: &mut Record<'_>) -> Result<User, String> {
    let kind = record.optional("kind");
    let kind = match &kind {
        None => UserKind::Member,
        Some(name) => UserKind::from_name(name).ok_or_else(|| format!("kind {name}: expected member, guest, room or phone"))?,
    };
    let departments = record.optional("departments");
    Ok(User {
        id: record.required("id")?,
        open_id: record.optional("open_id"),
        union_id: record.optional("union_id"),
        user_id: record.optional("user_id"),
        name: record.required("name")?,
        kind,
        departments: departments.iter().flat_map(|joined| joined.split('|')).map(Into::into).collect(),
        from: record.day()?,
    })
}

fn department(record: &mut Record<'_>) -> Result<Department, String> {
    Ok(Department {
        id: record.required("id")?,
        parent_id: record.optional("parent_id"),
        name: record.required("name")?,
        from: record.day()?,
    })
}

fn records<T>(bytes: &[u8], read: impl Fn(&mut Record<'_>) -> Result<T, String>) -> Result<Vec<T>, Refusal> {
    // Spreadsheets begin UTF-8 with a byte order mark.
    let mut csv = csv::Reader::from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let head = csv.headers().map_err(|error| Refusal::bad_request(format!("the header: {error}")))?.clone();
    let mut found = Vec::new();
    let mut line = StringRecord::new();
    loop {
        match csv.read_record(&mut line) {
            Ok(false) => return Ok(found),
            Err(error) => return Err(Refusal::bad_request(error.to_string())),
            Ok(true) => {}
        }
        let at = line.position().map_or(0, csv::Position::line);
        let mut record = Record { values: head.iter().zip(line.iter()).collect() };
        found.push(read(&mut record).map_err(|message| Refusal::bad_request(format!("line {at}: {message}")))?);
        if let Some((column, _)) = record.values.first() {
            return Err(Refusal::bad_request(format!("column {column}: no such column")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_from_two_csv_files() {
        let users = "\u{feff}id,name,kind,departments,from\nu1,Ann,,a|b,2025-03-01\nr1,Room,room,,\n";
        let users = records(users.as_bytes(), user).unwrap();
        assert_eq!(users[0].departments, ["a", "b"]);
        assert_eq!(users[1].kind, UserKind::Room);
        assert_eq!((users[0].from, users[1].from), (Some(jiff::civil::date(2025, 3, 1)), None));
        let departments = records(b"id,parent_id,name,from\na,,A,\nb,a,B,2025-03-01\n", department).unwrap();
        assert_eq!(departments[1].parent_id.as_deref(), Some("a"));
        assert_eq!(departments[1].from, users[0].from);
    }

    #[test]
    fn what_is_wrong_in_a_csv_file_is_named_with_its_line() {
        let refused = |text: &str| format!("{:?}", records(text.as_bytes(), user).unwrap_err());
        assert!(refused("id,name\nu1,\n").contains("line 2: name is missing"));
        assert!(refused("id,name,kind\nu1,A,member\nu2,B,boss\n").contains("line 3: kind boss: expected member"));
        assert!(refused("id,name,from\nu1,A,\nu1,A,2025-02-30\n").contains("line 3: from 2025-02-30: expected a day such as 2025-03-01"));
        assert!(refused("id,name\nu1,A\nu2\n").contains("line: 3"));
        assert!(refused("id,name,color\nu1,A,red\n").contains("column color: no such column"));
    }
}
