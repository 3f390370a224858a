//! `GET /v1/docs`: the OpenAPI document for people, in English or Chinese, as one page without a script.

use super::openapi::said::Texts;
use super::refusal::Refusal;
use super::routes::{Route, routes};
use super::{native, openapi, tags};
use crate::problem::Kind;
use crate::reports;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri, header};
use std::fmt::Write;
use std::sync::LazyLock;

const STYLE: &str = include_str!("docs.css");

/// A page as it is sent.
struct Page {
    html: Bytes,
    tag: HeaderValue,
}

/// The page in English and in Chinese.
static PAGES: LazyLock<[Page; 2]> = LazyLock::new(|| {
    [0, 1].map(|language| {
        let html = Bytes::from(html(language));
        Page { tag: tags::of_bytes(&html), html }
    })
});

/// Nothing is loaded but the page; its style is known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        STANDARD.encode(hash)
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The page.
pub async fn get(uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let given = native::parameters(&uri)?;
    reports::check_names(&given, &["lang"])?;
    let language = match given.first().map(|(_, value)| value.as_str()) {
        Some("en") => 0,
        Some("zh") => 1,
        Some(other) => return Err(reports::BadParameter::new("lang", Some(other), "en or zh").into()),
        None => usize::from(speaks_chinese(&headers)),
    };
    let [english, chinese] = &*PAGES;
    let page = if language == 0 { english } else { chinese };
    let mut response =
        tags::unchanging(&headers, &page.tag, || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.html.clone()).into_response());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    Ok(response)
}

/// Whether the first language of English and Chinese that is named is Chinese.
fn speaks_chinese(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let mut named = accepted.split(',').map(str::trim);
    named.find(|language| language.starts_with("zh") || language.starts_with("en")).is_some_and(|language| language.starts_with("zh"))
}

/// The page in a language: 0 is English, 1 Chinese.
fn html(language: usize) -> String {
    let say = |english: &'static str, chinese: &'static str| if language == 0 { english } else { chinese };
    let of = |texts: &Texts| escape(texts.get(language).map_or("", |text| text));
    let mut page = String::new();
    // Writing into memory does not fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>rollcall API</title>\
         <style>{STYLE}</style><main><h1>rollcall API {}</h1><p>{}</p><p><a href=\"/v1/openapi.json\">openapi.json</a> · <a href=\"?lang={}\">{}</a></p>",
        say("en", "zh-CN"),
        env!("CARGO_PKG_VERSION"),
        say(
            "Every route of the native API. Keys travel as Authorization: Bearer KEY; the scopes beside a route say which keys it takes.",
            "原生 API 的全部路径。密钥以 Authorization: Bearer 密钥 发送；路径旁的权限范围说明它接受哪些密钥。"
        ),
        say("zh", "en"),
        say("中文", "English"),
    );
    for route in routes() {
        section(&mut page, &route, &of, &say);
    }
    let _ = write!(
        page,
        "<h2>{}</h2><p>{}</p><dl>",
        say("Problems", "错误"),
        say(
            "What is refused is application/problem+json (RFC 9457). Its type leads here.",
            "被拒绝的请求以 application/problem+json（RFC 9457）应答，其 type 指向此处。"
        )
    );
    for kind in Kind::ALL {
        let title = if language == 0 { kind.title } else { kind.title_zh };
        let _ = write!(page, "<dt id=\"problem-{}\"><code>{}</code> {}<dd>{}", kind.name, kind.name, kind.status, escape(title));
    }
    page + "</dl></main></html>"
}

fn section(page: &mut String, route: &Route, of: &dyn Fn(&Texts) -> String, say: &dyn Fn(&'static str, &'static str) -> &'static str) {
    let Route { method, path, needs, said, .. } = route;
    let scopes: Vec<_> = needs.iter().flat_map(|needs| needs.scopes).map(|scope| scope.name()).collect();
    let _ = write!(
        page,
        "<section id=\"{}\"><h2><code>{method} {}</code></h2><p>{} <small>{}</small></p>",
        said.id,
        escape(path),
        of(&said.about),
        if scopes.is_empty() { say("no key", "无需密钥").to_owned() } else { scopes.join(say(" or ", " 或 ")) },
    );
    if !said.parameters.is_empty() {
        page.push_str("<dl>");
        for parameter in &said.parameters {
            let _ = write!(
                page,
                "<dt><code>{}</code>{}<dd>{}",
                parameter.name,
                if parameter.is_required { " *" } else { "" },
                of(&parameter.about)
            );
            if let Some(values) = values(&parameter.schema) {
                let _ = write!(page, " <code>{}</code>", escape(&values));
            }
        }
        page.push_str("</dl>");
    }
    let types =
        |types: Vec<&str>| types.iter().map(|content_type| format!("<code>{}</code>", escape(content_type))).collect::<Vec<_>>().join(", ");
    if !said.body.is_empty() {
        let _ =
            write!(page, "<p>{}: {}</p>", say("Body", "请求体"), types(said.body.iter().map(|(content_type, _)| *content_type).collect()));
    }
    let refusals: Vec<_> = openapi::refusals(route).iter().map(ToString::to_string).collect();
    let content = types(said.content.iter().map(|(content_type, _)| *content_type).collect());
    let _ = write!(page, "<p>{} {} {content}", say("Answer", "应答"), said.status);
    if !refusals.is_empty() {
        let _ = write!(page, "; {} {}", say("refusals", "拒绝"), refusals.join(", "));
    }
    page.push_str("</p></section>");
}

/// The values that a schema allows, as far as a few words say it.
fn values(schema: &serde_json::Value) -> Option<String> {
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" | "));
    }
    schema["pattern"].as_str().map(Into::into).or_else(|| schema["examples"][0].as_str().map(Into::into))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_route_and_problem_in_both_languages_and_loads_nothing() {
        let operations: Vec<String> = openapi::document()["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .map(|operation| operation["operationId"].as_str().unwrap().to_owned())
            .collect();
        for (language, own, other) in [(0, "no key", "无需密钥"), (1, "无需密钥", "no key")] {
            let page = html(language);
            assert!(operations.iter().all(|id| page.contains(&format!("<section id=\"{id}\">"))));
            assert!(Kind::ALL.iter().all(|kind| page.contains(&format!("id=\"problem-{}\"", kind.name))));
            assert!(page.contains(own) && !page.contains(other));
            assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("//"), "{page}");
            assert!(page.len() < 64 << 10, "{}", page.len());
        }
    }

    #[test]
    fn the_language_is_the_first_of_the_two_that_is_named() {
        let chinese =
            |accepted: &'static str| speaks_chinese(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]));
        assert!(chinese("zh-CN,zh;q=0.9,en;q=0.8") && chinese("de, ZH;q=0.5"));
        assert!(!chinese("en-US,zh;q=0.5") && !chinese("de") && !chinese("*"));
    }
}
