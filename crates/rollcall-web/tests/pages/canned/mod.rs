//! A small organization, held in memory, whose reports are naive loops: a stage for markup. That the engine's reports are right is tested
//! with the engine.

#![allow(clippy::unwrap_used, reason = "facts of this stage are what they are")]

mod facts;
mod reports;

pub(crate) use facts::{NOW, Stage};

use rollcall_model::{Directory, Millis, Organization, Reports};
use rollcall_web::host::{AccessState, Account, AuditLine, DataState, Key, Link, ReceiptLine, SignIn, Source, Table, Vendors};
use rollcall_web::{Host, Role, Viewer};
use std::sync::Arc;

/// Somebody who looks at the organization.
pub(crate) struct Seat<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) viewer: Viewer,
}

impl<'s> Seat<'s> {
    /// Somebody with a role.
    pub(crate) fn new(stage: &'s Stage, role: Role, sees_people: bool) -> Self {
        Self { stage, viewer: Viewer { name: "li.wei".into(), role, sees_people } }
    }
}

const HOUR: Millis = 3_600_000;

impl Host for Seat<'_> {
    fn reports(&self) -> &dyn Reports {
        self.stage
    }

    fn organization(&self) -> &Organization {
        &self.stage.organization
    }

    fn directory(&self) -> Arc<Directory> {
        self.stage.directory.clone()
    }

    fn now(&self) -> Millis {
        NOW
    }

    fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    fn conceal_key(&self) -> &[u8] {
        b"a key of this test alone"
    }

    fn base_url(&self) -> &str {
        "https://rollcall.example.org"
    }

    fn vendors(&self) -> Vendors {
        Vendors { feishu: true, office365: true, volcengine: true, yunxiao: true }
    }

    fn data(&self) -> DataState {
        let source = |name: &str, vendor: &str, failing: Option<Millis>| Source {
            name: name.into(),
            vendor: vendor.into(),
            last_event: Some(failing.unwrap_or(NOW - 40_000)),
            failing_since: failing,
            failure: failing.map(|_| "connection refused".into()),
            open: 3,
            refused: 0,
        };
        let receipt =
            |number: u64| ReceiptLine { number, at: NOW - HOUR * 2, accepted: 1234, times: Some((NOW - HOUR * 30, NOW - HOUR * 3)) };
        let table = |name: &str, facts| Table { name: name.into(), version: 41, facts, bytes: facts * 17 };
        DataState {
            sources: vec![source("feishu-main", "Feishu", None), source("livekit", "LiveKit", Some(NOW - HOUR * 5))],
            receipts: vec![receipt(917), receipt(911)],
            tables: vec![table("attendance", 123_456), table("assistance", 7_890)],
            backup: Some(NOW - HOUR * 9),
            verify: Some((NOW - HOUR * 33, 0)),
            disputed: vec!["standup-3".into()],
            ahead: 2,
        }
    }

    fn access(&self) -> AccessState {
        let account = |name: &str, role, people| Account { name: name.into(), role, people, last: Some(NOW - HOUR) };
        let sign_in = |number, account: &str, this| SignIn {
            number,
            account: account.into(),
            began: NOW - HOUR * 3,
            used: NOW - HOUR,
            browser: "Firefox 150".into(),
            this,
        };
        let key = |number, name: &str, department: Option<&str>| Key {
            number,
            name: name.into(),
            scopes: vec!["read".into()],
            department: department.map(Into::into),
            expires: None,
            used: Some(NOW - HOUR),
        };
        AccessState {
            accounts: vec![
                account("li.wei", Role::Administrator, true),
                account("sales-lead", Role::Viewer { department: "d-sales".into() }, false),
            ],
            sign_ins: vec![sign_in(1, "li.wei", true), sign_in(2, "sales-lead", false)],
            keys: vec![key(7, "spreadsheet", None), key(8, "sales", Some("d-sales"))],
            links: vec![Link {
                number: 1,
                page: "/meetings?range=last-month".into(),
                by: "li.wei".into(),
                expires: Some(NOW + HOUR * 240),
                password: true,
            }],
            audit: vec![AuditLine { at: NOW - HOUR, who: "li.wei".into(), what: "looked-at".into(), whom: Some("u-7".into()) }],
        }
    }
}
