//! What is answered to a request that was admitted (wire sections 2.1 to 2.3 and 2.7).

use super::entity::Frame;
use super::errors::Refusal;
use super::json::{Light, Verbose};
use super::negotiate::{Choice, Format};
use super::options::Options;
use super::path::Resource;
use super::periods::{self, Row};
use super::rows::Ask;
use super::versions::Versions;
use super::wire::{Property, Set, header as names};
use super::{atom, metadata};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rollcall_model::calendar::timestamp;
use rollcall_model::{Millis, Organization, Reports};

/// A request that was admitted and understood, but for the values of its options.
pub(super) struct Admitted {
    pub(super) organization: Organization,
    /// See [`Settings`](super::Settings), as the next two.
    pub(super) date_is_start: bool,
    pub(super) history_months: u32,
    pub(super) page_size: u32,
    /// The sets that the user may read.
    pub(super) sets: &'static [Set],
    /// The URL of the service in its canonical spelling.
    pub(super) root: String,
    /// The URL of the request as typed, without its query.
    pub(super) url: String,
    pub(super) options: Options,
    pub(super) versions: Versions,
    pub(super) choice: Choice,
    pub(super) zone: TimeZone,
    pub(super) now: Millis,
}

impl Admitted {
    /// The answer, which may take as long as the report.
    pub(super) fn answer(&self, resource: &Resource, reports: &dyn Reports) -> Result<Response, Refusal> {
        match *resource {
            Resource::Service => self.body("1.0", self.service()),
            Resource::Metadata => self.body("1.0", metadata::document(self.sets)),
            Resource::Rows(set) => self.feed(set, reports),
            Resource::Count(set) => self.count(set, reports),
            Resource::Row(set, date) => self.entry(set, date, reports),
            Resource::Property(set, date, property) => self.property(set, date, property, false, reports),
            Resource::Value(set, date, property) => self.property(set, date, property, true, reports),
        }
    }

    /// All that the answer follows from, beside the organization and its facts; none where no report is asked. An answer that is given again
    /// says when it was made.
    pub(super) fn asked(&self, resource: &Resource) -> Option<String> {
        let question = periods::question(resource.set()?, self.zone.clone(), self.history_months, self.now);
        let Self { organization, date_is_start, page_size, root, url, options, versions, choice, .. } = self;
        let name = &organization.name;
        Some(format!("{resource:?} {question:?} {name:?} {date_is_start} {page_size} {root:?} {url:?} {options:?} {versions:?} {choice:?}"))
    }

    fn service(&self) -> String {
        match self.choice.0 {
            Format::Xml => metadata::service(&self.root, self.sets),
            Format::Verbose => Verbose::service(self.sets),
            Format::Light(kind) => Light(kind).service(&self.root, self.sets),
        }
    }

    fn feed(&self, set: Set, reports: &dyn Reports) -> Result<Response, Refusal> {
        if ["$select", "$inlinecount", "$skiptoken"].iter().any(|name| self.options.get(name).is_some()) {
            self.versions.check_request()?;
        }
        let (select, ask) = (self.options.select()?, Ask::parse(&self.options)?);
        self.versions.check_response("2.0")?;
        let page_size = match self.page_size {
            0 => usize::MAX,
            size => usize::try_from(size).unwrap_or(usize::MAX),
        };
        let frame = self.frame(set, select.as_deref());
        let picked = ask.pick(self.rows(set, reports)?, &frame, page_size, &self.url)?;
        let page = picked.page();
        let text = match self.choice.0 {
            Format::Xml => atom::feed(&frame, &page, &self.url, &self.updated()),
            Format::Verbose => Verbose::feed(&frame, &page),
            Format::Light(kind) => Light(kind).feed(&frame, &page),
        };
        self.body("2.0", text)
    }

    fn count(&self, set: Set, reports: &dyn Reports) -> Result<Response, Refusal> {
        self.versions.check_request()?;
        let ask = Ask::parse(&self.options)?;
        if self.options.inline_count()? {
            return Err(Refusal::InlineCountOfCount);
        }
        self.versions.check_response("2.0")?;
        let size = ask.size(self.rows(set, reports)?, &self.frame(set, None))?;
        self.body("2.0", size.to_string())
    }

    fn entry(&self, set: Set, date: DateTime, reports: &dyn Reports) -> Result<Response, Refusal> {
        self.options.check_single()?;
        let select = self.options.select()?;
        let version = if select.is_some() { "2.0" } else { "1.0" };
        if select.is_some() {
            self.versions.check_request()?;
        }
        self.versions.check_response(version)?;
        let (frame, row) = (self.frame(set, select.as_deref()), self.row(set, date, reports)?);
        let text = match self.choice.0 {
            Format::Xml => atom::entry(&frame, &row, &self.updated()),
            Format::Verbose => Verbose::entry(&frame, &row),
            Format::Light(kind) => Light(kind).entry(&frame, &row),
        };
        self.body(version, text)
    }

    fn property(&self, set: Set, date: DateTime, property: Property, bare: bool, reports: &dyn Reports) -> Result<Response, Refusal> {
        self.options.check_single()?;
        let (frame, row) = (self.frame(set, None), self.row(set, date, reports)?);
        let cell = frame.cell(&row, property);
        let text = match self.choice.0 {
            _ if bare => cell.text().into_owned(),
            Format::Xml => atom::property(property, &cell),
            Format::Verbose => Verbose::property(property, &cell),
            Format::Light(kind) => Light(kind).property(&self.root, property, &cell),
        };
        self.body("1.0", text)
    }

    fn frame<'f>(&'f self, set: Set, select: Option<&'f [Property]>) -> Frame<'f> {
        Frame { root: &self.root, set, organization: &self.organization, select }
    }

    /// The time of the answer.
    fn updated(&self) -> String {
        timestamp(self.now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn row(&self, set: Set, date: DateTime, reports: &dyn Reports) -> Result<Row, Refusal> {
        let rows = self.rows(set, reports)?;
        rows.into_iter().find(|row| row.date == date).ok_or_else(|| Refusal::NotFound(set.name().into()))
    }

    fn rows(&self, set: Set, reports: &dyn Reports) -> Result<Vec<Row>, Refusal> {
        let question = periods::question(set, self.zone.clone(), self.history_months, self.now);
        if question.range.is_empty() {
            return Ok(Vec::new());
        }
        let answer = reports.active_users(self.organization.id, &question)?;
        Ok(periods::rows(set, self.date_is_start, &answer.rows))
    }

    /// An answer; JSON light is of version 3.0, whatever it holds.
    fn body(&self, version: &'static str, text: String) -> Result<Response, Refusal> {
        let (format, content_type) = self.choice;
        let version = if matches!(format, Format::Light(_)) { "3.0" } else { version };
        self.versions.check_response(version)?;
        let version = HeaderValue::try_from(format!("{version};")).map_err(|_| Refusal::Internal)?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::HeaderName::from_static(names::DATA_SERVICE_VERSION), version),
        ];
        Ok((StatusCode::OK, headers, text).into_response())
    }
}
