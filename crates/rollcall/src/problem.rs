//! Errors of the native API as they travel: RFC 9457, `application/problem+json`. The server writes them, our own clients read them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The content type.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A kind of problem. What its `type` leads to, `/v1/docs#problem-NAME`, says what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in `type`.
    pub name: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The same for every problem of the kind.
    pub title: &'static str,
    /// The same in Chinese.
    pub title_zh: &'static str,
}

macro_rules! kinds {
    ($($constant:ident $name:literal $status:literal $title:literal $title_zh:literal)*) => {
        impl Kind {
            $(
                #[doc = $title]
                pub const $constant: &'static Self = &Self { name: $name, status: $status, title: $title, title_zh: $title_zh };
            )*

            /// Every kind; of those with the same status the most general first.
            pub const ALL: &[&'static Self] = &[$(Self::$constant),*];
        }
    };
}

kinds! {
    BAD_REQUEST "bad-request" 400 "the request cannot be read" "无法读取请求"
    BAD_PARAMETER "bad-parameter" 400 "a parameter is wrong" "参数有误"
    REFUSED_FACTS "refused-facts" 400 "facts are wrong, and nothing was stored" "事实有误，未存储任何内容"
    UNAUTHORIZED "unauthorized" 401 "a key is needed" "需要密钥"
    FORBIDDEN "forbidden" 403 "the key may not do this" "该密钥无权执行此操作"
    MISSING_SCOPE "missing-scope" 403 "the key lacks a scope" "该密钥缺少权限范围"
    OUTSIDE_DEPARTMENT "outside-department" 403 "the key is of one department and those below it" "该密钥仅限某部门及其下级"
    NOT_FOUND "not-found" 404 "there is no such thing" "不存在"
    METHOD_NOT_ALLOWED "method-not-allowed" 405 "the path does not take this method" "该路径不支持此方法"
    NOT_ACCEPTABLE "not-acceptable" 406 "there is no such format of the answer" "没有这种应答格式"
    TIMEOUT "timeout" 408 "the request took too long to arrive" "请求到达过慢"
    CONFLICT "conflict" 409 "this does not fit what is there" "与现状冲突"
    TOO_LARGE "too-large" 413 "the request is too large" "请求过大"
    UNSUPPORTED "unsupported" 415 "the body is in no format that can be read" "无法读取请求体的格式"
    TOO_MANY "too-many" 429 "the key asks too often" "该密钥请求过于频繁"
    INTERNAL "internal" 500 "internal error" "内部错误"
    UNAVAILABLE "unavailable" 503 "not now" "暂不可用"
    LIMIT "limit" 507 "a limit of the organization is reached" "已达到组织的上限"
}

impl Kind {
    /// The general kind of a status.
    pub fn of_status(status: u16) -> &'static Self {
        Self::ALL.iter().copied().find(|kind| kind.status == status).unwrap_or(Self::INTERNAL)
    }

    /// Its `type`.
    pub fn reference(&self) -> String {
        format!("/v1/docs#problem-{}", self.name)
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The parameter.
    pub parameter: String,
    /// The value that was given, shortened; null where there was none.
    pub value: Option<String>,
    /// What was expected.
    pub expected: String,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The reference of its [`Kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The title of its [`Kind`].
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// The path that was asked, where it is not too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The id of the request, as in `X-Request-Id` and in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What else it says: `errors`, a list of [`Wrong`] or of what is wrong with facts; the counts of a receipt; what `/readyz` found.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind, of which nothing else is known.
    pub fn new(kind: &Kind, detail: String) -> Self {
        let Kind { status, title, .. } = *kind;
        Self { kind: kind.reference(), title: title.into(), status, detail, instance: None, request_id: None, more: Map::new() }
    }
}

/// What the body of a native answer says is wrong; none if it is no problem.
pub fn detail_in(body: &[u8]) -> Option<String> {
    Some(serde_json::from_slice::<Problem>(body).ok()?.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_the_general_one_of_a_status_comes_first() {
        let names: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert_eq!([400, 403, 999].map(|status| Kind::of_status(status).name), ["bad-request", "forbidden", "internal"]);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut problem = Problem::new(Kind::BAD_PARAMETER, "limit x: expected a number".into());
        problem.more.insert("errors".into(), serde_json::json!([{ "parameter": "limit", "value": "x", "expected": "a number" }]));
        let json = serde_json::to_string(&problem).unwrap();
        assert_eq!(
            json,
            "{\"type\":\"/v1/docs#problem-bad-parameter\",\"title\":\"a parameter is wrong\",\"status\":400,\
             \"detail\":\"limit x: expected a number\",\"errors\":[{\"expected\":\"a number\",\"parameter\":\"limit\",\"value\":\"x\"}]}"
        );
        assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
        assert_eq!(detail_in(json.as_bytes()).as_deref(), Some("limit x: expected a number"));
        assert_eq!(detail_in(b"<html>"), None);
    }
}
