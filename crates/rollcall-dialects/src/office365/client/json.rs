//! JSON answers, verbose and light, and errors in JSON.

use super::{Answer, Row};
use serde_json::{Map, Value};

/// The rows of a body; a single row is one.
pub(super) fn answer(body: &[u8]) -> Result<Answer, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let content = body.get("d").unwrap_or(&body);
    let rows = match content {
        Value::Array(rows) => rows.as_slice(),
        Value::Object(members) => match member(members, "results").or_else(|| member(members, "value")) {
            Some(Value::Array(rows)) => rows,
            _ if body.get("d").is_some() => std::slice::from_ref(content),
            _ => return Err("neither d nor value".into()),
        },
        _ => return Err("no object".into()),
    };
    let members = content.as_object();
    let next = members.and_then(|members| member(members, "__next").or_else(|| member(members, "odata.nextLink")));
    let rows = rows.iter().map(row).collect::<Result<_, _>>()?;
    Ok(Answer { rows, next: next.and_then(Value::as_str).map(Into::into) })
}

/// The text of an OData error or a service fault.
pub(super) fn message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error").or_else(|| body.get("odata.error"));
    let message = error.and_then(|error| error.get("message")).or_else(|| body.get("Message"))?;
    message.get("value").unwrap_or(message).as_str().map(Into::into)
}

/// Servers differ in the case of what begins with `odata.`.
fn member<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn row(value: &Value) -> Result<Row, String> {
    let mut row = Row::default();
    for (name, value) in value.as_object().ok_or("a row is no object")? {
        match value {
            Value::String(text) => row.set(name, text)?,
            // Int64 is a string by the protocol, and a number where a server is lax.
            Value::Number(number) => row.set(name, &number.to_string())?,
            _ => {}
        }
    }
    Ok(row)
}
