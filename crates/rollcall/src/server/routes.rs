//! Every native route, once: its method and path, what it needs of a key, who handles it, and what the OpenAPI document says of it. The router and the document are both
//! made of this, so they cannot differ.

use super::gate::{Needs, Rate};
use super::openapi::said::{Said, bodies, capital, flag, text};
use super::state::App;
use super::{directory, docs, export, health, ingest, keys, native, openapi, paging, withdraw};
use crate::reports::{REPORTS, Report};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use http::Method;
use rollcall_engine::access::Scope;
use rollcall_engine::for_each_kind;
use rollcall_engine::kinds::{BlockOf, ColumnsOf, Kind};
use rollcall_model::FactKind;
use std::borrow::Cow;
use std::sync::Arc;

/// A native route.
pub struct Route {
    pub method: Method,
    /// With parameters in braces.
    pub path: Cow<'static, str>,
    /// None: nobody is asked for a key.
    pub needs: Option<Needs>,
    pub handler: MethodRouter<Arc<App>>,
    pub said: Said,
}

/// Keys for reports; what else one needs, it says itself.
pub const REPORTS_NEED: Needs = Needs { scopes: &[Scope::Read], of_department: true, rate: Rate::Requests };

const FACTS: Option<Needs> = Some(Needs { scopes: &[Scope::Ingest], of_department: false, rate: Rate::Facts });

const fn needs(scopes: &'static [Scope]) -> Option<Needs> {
    Some(Needs { scopes, of_department: false, rate: Rate::Requests })
}

const INGEST: Option<Needs> = needs(&[Scope::Ingest]);
const READ: Option<Needs> = needs(&[Scope::Read]);
const PEOPLE: Option<Needs> = needs(&[Scope::ReadPeople]);
const ADMIN: Option<Needs> = needs(&[Scope::Admin]);
const LISTED: Option<Needs> = needs(&[Scope::Ingest, Scope::Read]);
const WITHDRAW: Option<Needs> = needs(&[Scope::Ingest, Scope::Admin]);

type Methods = MethodRouter<Arc<App>>;

/// Every native route.
pub fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    let of_kinds = for_each_kind!(K => (K::KIND, post(ingest::facts::<ColumnsOf<K>>), get(export::facts::<BlockOf<K>>)));
    for (kind, send, read) in of_kinds {
        let path = || Cow::from(format!("/v1/{}", kind.name()));
        routes.push(Route { method: Method::POST, path: path(), needs: FACTS, handler: send, said: sent(kind) });
        routes.push(Route { method: Method::GET, path: path(), needs: PEOPLE, handler: read, said: exported(kind) });
    }
    let mut add = |method: Method, path: &'static str, needs, handler: Methods, said: Said| {
        routes.push(Route { method, path: path.into(), needs, handler, said });
    };
    let whole = Said::new("getDirectory", "The directory that holds, or one that it replaced.", "当前通讯录，或某个历史版本。");
    let whole = whole.parameter("version", "Of one that was replaced.", "历史版本号。", text(r#"{"type":"integer","minimum":0}"#));
    add(
        Method::GET,
        "/v1/directory",
        PEOPLE,
        get(directory::get),
        whole.tagged().answers(200, &[("application/json", "Directory")]).or(&[404]),
    );
    let replaced = Said::new("replaceDirectory", "Replaces the directory.", "替换整个通讯录。").takes(&[("application/json", "Directory")]);
    add(Method::PUT, "/v1/directory", INGEST, put(directory::put), guarded(replaced));
    let changed = Said::new("changeDirectory", "Adds, replaces and removes entries.", "增加、替换或删除条目。");
    add(Method::PATCH, "/v1/directory", INGEST, patch(directory::patch), guarded(changed.takes(&[("application/json", "DirectoryPatch")])));
    let csv: &[(&str, &str)] = &[("text/csv", "Csv")];
    let half = |id, en: &'static str, zh| guarded(Said::new(id, en, zh).takes(csv));
    let said = half("replaceUsers", "Replaces the users.", "替换全部用户。");
    add(Method::PUT, "/v1/directory/users", INGEST, put(directory::put_users), said);
    let said = half("changeUsers", "Adds and replaces users.", "增加或替换用户。");
    add(Method::PATCH, "/v1/directory/users", INGEST, patch(directory::patch_users), said);
    let said = half("replaceDepartments", "Replaces the departments.", "替换全部部门。");
    add(Method::PUT, "/v1/directory/departments", INGEST, put(directory::put_departments), said);
    let said = half("changeDepartments", "Adds and replaces departments.", "增加或替换部门。");
    add(Method::PATCH, "/v1/directory/departments", INGEST, patch(directory::patch_departments), said);
    let said = Said::new(
        "listDirectoryVersions",
        "The directory that holds and those that it replaced, without their entries.",
        "当前及历史通讯录的版本，不含条目。",
    );
    add(
        Method::GET,
        "/v1/directory/history",
        READ,
        get(directory::history),
        said.tagged().answers(200, &[("application/json", "DirectoryVersions")]),
    );
    let said = Said::new("restoreDirectory", "A directory that was replaced holds again.", "恢复某个历史版本的通讯录。");
    let said = said.required("version", "Which.", "版本号。", text(r#"{"type":"integer","minimum":0}"#)).or(&[404]);
    add(Method::POST, "/v1/directory/restore", INGEST, post(directory::restore), guarded(said));
    let said = Said::new("listReceipts", "The last receipts, the newest first.", "最近的回执，新的在前。");
    add(Method::GET, "/v1/receipts", LISTED, get(withdraw::receipts), paged(said.tagged(), "Receipts"));
    let said = Said::new("withdrawFacts", "Takes facts back, or says how many would go.", "撤回事实，或说明将撤回多少。");
    let said = said.takes(&[("application/json", "Withdrawal")]).answers(200, &[("application/json", "Withdrawn")]).or(&[409]);
    add(Method::POST, "/v1/withdraw", WITHDRAW, post(withdraw::withdraw), said);
    let said = Said::new("listKeys", "The keys that were made at run time, the newest first.", "运行时创建的密钥，新的在前。");
    add(Method::GET, "/v1/keys", ADMIN, get(keys::list), paged(said, "Keys"));
    let said =
        Said::new("makeKey", "Makes a key. Its secret is in this answer and nowhere else.", "创建密钥。密钥内容只在此应答中出现一次。");
    let said = said.takes(&[("application/json", "NewKey")]).answers(201, &[("application/json", "MadeKey")]).or(&[507]);
    add(Method::POST, "/v1/keys", ADMIN, post(keys::make), said);
    let said = Said::new("revokeKey", "Revokes a key: from now on nobody knows it.", "吊销密钥，立即生效。");
    let said = said.in_path("key", "Its number.", "密钥编号。", text(r#"{"type":"integer","minimum":0}"#)).answers(204, &[]).or(&[404]);
    add(Method::DELETE, "/v1/keys/{key}", ADMIN, delete(keys::revoke), said);
    let said = Said::new("readAudit", "Who did what, the newest first.", "谁做了什么，新的在前。");
    add(Method::GET, "/v1/audit", ADMIN, get(keys::audit), paged(said, "Events"));
    let said = Said::new("getOpenApi", "This document.", "本文档。").tagged();
    add(Method::GET, "/v1/openapi.json", None, get(openapi::get), said.answers(200, &[("application/json", "Object")]));
    let said = Said::new("getDocs", "This document, for people.", "供人阅读的本文档。").tagged();
    let said = said.parameter(
        "lang",
        "The language; without it, Accept-Language decides.",
        "语言；缺省由 Accept-Language 决定。",
        text(r#"{"enum":["en","zh"]}"#),
    );
    add(Method::GET, "/v1/docs", None, get(docs::get), said.answers(200, &[("text/html; charset=utf-8", "Text")]));
    let said = Said::new("isAlive", "The process answers.", "进程存活。").answers(200, &[("application/json", "Object")]);
    add(Method::GET, "/livez", None, get(health::live), said);
    let said = Said::new("isReady", "Facts can be sent now.", "现在可以接收事实。").answers(200, &[("application/json", "Object")]);
    add(Method::GET, "/readyz", None, get(health::ready), said.or(&[503]));
    let said = Said::new("getVersion", "What is running.", "版本。").answers(200, &[("application/json", "Object")]);
    add(Method::GET, "/version", None, get(health::version), said);
    routes.extend(REPORTS.iter().map(|report| of_report(*report)));
    routes
}

fn of_report(report: &'static dyn Report) -> Route {
    let handler = get(move |app, caller, id, uri, headers| native::report(report, (app, caller, id, uri, headers)));
    let (path, said) = (format!("/v1/reports/{}", report.name()).into(), Said::of_report(report));
    let needs = Needs { scopes: if report.names_people() { &[Scope::ReadPeople] } else { &[Scope::Read] }, ..REPORTS_NEED };
    Route { method: Method::GET, path, needs: Some(needs), handler, said }
}

/// Facts of a kind that are sent.
fn sent(kind: FactKind) -> Said {
    let [english, chinese] = plural(kind);
    let said = Said::new(
        operation("send", kind),
        format!("Stores {english}, all or none of them."),
        format!("存储{chinese}，要么全部，要么全不。"),
    );
    said.parameter("on_error", "skip stores the good ones.", "skip：存储无误的部分。", text(r#"{"enum":["refuse","skip"]}"#))
        .parameter(
            "zone",
            "Of times without an offset.",
            "不带偏移的时间所属时区。",
            text(r#"{"type":"string","examples":["Asia/Shanghai"]}"#),
        )
        .takes(&bodies(ingest::CONTENT_TYPES))
        .answers(200, &[("application/json", "Receipt")])
        .or(&[507])
}

/// Facts of a kind that are given.
fn exported(kind: FactKind) -> Said {
    let [english, chinese] = plural(kind);
    let about = [
        format!("Every one of the {english} of a range, as they can be sent again."),
        format!("一段时间内的全部{chinese}，可原样再次发送。"),
    ];
    let [english, chinese] = about;
    Said::new(operation("export", kind), english, chinese)
        .parameter("from", "The first day or instant.", "起始日或时刻。", time())
        .parameter("to", "The day or instant after.", "结束日或时刻（不含）。", time())
        .formats(export::FORMATS.iter().map(|(name, content_type, _)| (*name, *content_type, "Facts")))
}

/// The name of an operation on facts of a kind: `sendAttendance`.
fn operation(verb: &str, kind: FactKind) -> String {
    format!("{verb}{}", capital(kind.name()))
}

/// Facts of a kind, in English and in Chinese.
const fn plural(kind: FactKind) -> [&'static str; 2] {
    match kind {
        FactKind::Attendance => ["attendances", "出席事实"],
        FactKind::Assistance => ["assistances", "使用编码助手的事实"],
    }
}

/// A change of the directory, with what keeps a mistake from emptying it.
fn guarded(said: Said) -> Said {
    said.parameter("allow_empty", "All users, or all departments, may go.", "允许清空全部用户或部门。", flag())
        .parameter("force", "More than half of them may go.", "允许删除超过一半。", flag())
        .answers(200, &[("application/json", "DirectoryChanged")])
        .or(&[409, 507])
}

/// A list that is read page by page.
fn paged(said: Said, schema: &'static str) -> Said {
    let [_, most] = paging::SIZE;
    said.parameter("limit", "Entries of a page.", "每页条数。", text(&format!(r#"{{"type":"integer","minimum":1,"maximum":{most}}}"#)))
        .parameter("cursor", "The next of the page before.", "上一页的 next。", text(r#"{"type":"string","maxLength":2048}"#))
        .links()
        .answers(200, &[("application/json", schema)])
}

/// A day or an instant.
pub fn time() -> serde_json::Value {
    text(r#"{"type":"string","examples":["2026-09-01","2026-09-01T08:00:00+08:00"]}"#)
}
