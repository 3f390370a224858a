//! What the document says of one route.

use crate::reports::{Ends, Report, describe, parameters_of};
use crate::server::native;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A text, in English and in Chinese.
pub type Texts = [Cow<'static, str>; 2];

/// A parameter of a route.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: &'static str,
    pub about: Texts,
    /// A JSON schema.
    pub schema: Value,
    pub is_required: bool,
    /// Whether it is a part of the path, and not of the query.
    pub in_path: bool,
}

/// What a route answers to.
#[derive(Debug, Clone)]
pub struct Said {
    /// The name of the operation.
    pub id: Cow<'static, str>,
    pub about: Texts,
    pub parameters: Vec<Parameter>,
    /// Content types of the body, each with the schema it is by; none: it takes no body.
    pub body: Vec<(&'static str, &'static str)>,
    /// The status of a good answer.
    pub status: u16,
    /// Its content types, each with the schema it is by.
    pub content: Vec<(&'static str, Value)>,
    /// The statuses of refusals, beside those of every route.
    pub refusals: Vec<u16>,
    /// Whether answers have an `ETag`.
    pub is_tagged: bool,
    /// Whether answers may have a `Link` to the next page.
    pub has_links: bool,
    /// Whether `Accept` is asked.
    pub is_negotiated: bool,
}

impl Said {
    pub fn new(id: impl Into<Cow<'static, str>>, english: impl Into<Cow<'static, str>>, chinese: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: id.into(),
            about: [english.into(), chinese.into()],
            parameters: Vec::new(),
            body: Vec::new(),
            status: 200,
            content: Vec::new(),
            refusals: Vec::new(),
            is_tagged: false,
            has_links: false,
            is_negotiated: false,
        }
    }

    /// A report.
    pub fn of_report(report: &'static dyn Report) -> Self {
        let id = report.name().split('-').map(capital).collect::<String>();
        let [english, chinese] = report.about();
        let mut said = Self::new(format!("report{id}"), english, chinese);
        for name in parameters_of(report) {
            let Some(described) = describe(report, name) else { continue };
            let (about, is_required) = (described.about.map(Cow::from), name == "from" && report.ends() == Ends::Needed);
            said.parameters.push(Parameter { name, about, schema: described.schema, is_required, in_path: false });
        }
        let rows = rows(report);
        let mut said = said.tagged().formats(native::FORMATS.iter().map(|(name, content_type, _)| (*name, *content_type, "Text")));
        for (content_type, schema) in &mut said.content {
            match *content_type {
                "application/json" => schema.clone_from(&rows),
                content_type if !content_type.starts_with("text/") => *schema = reference("Bytes"),
                _ => {}
            }
        }
        let said = if report.own_parameters().contains(&"cursor") { said.links() } else { said };
        if report.own_parameters().contains(&"department") { said.or(&[404]) } else { said }
    }

    pub fn parameter(self, name: &'static str, english: &'static str, chinese: &'static str, schema: Value) -> Self {
        self.with(Parameter { name, about: [english.into(), chinese.into()], schema, is_required: false, in_path: false })
    }

    pub fn required(self, name: &'static str, english: &'static str, chinese: &'static str, schema: Value) -> Self {
        self.with(Parameter { name, about: [english.into(), chinese.into()], schema, is_required: true, in_path: false })
    }

    pub fn in_path(self, name: &'static str, english: &'static str, chinese: &'static str, schema: Value) -> Self {
        self.with(Parameter { name, about: [english.into(), chinese.into()], schema, is_required: true, in_path: true })
    }

    fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes a body of one of these content types.
    pub fn takes(mut self, body: &[(&'static str, &'static str)]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Answers with one of these content types.
    pub fn answers(mut self, status: u16, content: &[(&'static str, &'static str)]) -> Self {
        self.status = status;
        self.content = content.iter().map(|(content_type, schema)| (*content_type, reference(schema))).collect();
        self
    }

    /// Answers in one of these formats: `format` or `Accept` says which.
    pub fn formats(mut self, formats: impl Iterator<Item = (&'static str, &'static str, &'static str)>) -> Self {
        let mut names = Vec::new();
        for (name, content_type, schema) in formats {
            names.push(name);
            self.content.push((content_type, reference(schema)));
        }
        self.is_negotiated = true;
        self.parameter("format", "The format; without it, Accept decides.", "格式；缺省由 Accept 决定。", json!({ "enum": names }))
            .parameter(
                "bom",
                "1: a CSV begins with a byte order mark, as Excel wants it.",
                "1：CSV 以字节顺序标记开头，供 Excel 识别。",
                json!({ "enum": ["0", "1"] }),
            )
    }

    /// Answers have an `ETag`, and one that the client has is not sent again.
    pub fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    /// Answers may have a `Link` to the next page.
    pub fn links(mut self) -> Self {
        self.has_links = true;
        self
    }

    /// May be refused with these statuses too.
    pub fn or(mut self, refusals: &[u16]) -> Self {
        self.refusals.extend(refusals);
        self
    }
}

/// The schema of a report's JSON.
fn rows(report: &dyn Report) -> Value {
    let columns = report.columns(&[]);
    let properties: Map<String, Value> = columns.iter().map(|column| ((*column).to_owned(), reference("Value"))).collect();
    // With other parameters there are other columns, and compared ones beside them.
    let row = json!({ "type": "object", "properties": properties, "additionalProperties": reference("Value") });
    let properties = json!({ "covers": reference("Covers"), "rows": { "type": "array", "items": row }, "next": { "type": "string" } });
    json!({ "type": "object", "required": ["covers", "rows"], "properties": properties })
}

/// A word with a capital letter.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// A schema of the document's.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A schema, written as JSON.
pub fn text(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// `true` or `false`.
pub fn flag() -> Value {
    json!({ "enum": ["true", "false"] })
}

/// The content types of facts: JSON as an array, all others as bytes.
pub fn bodies<F>(types: &[(&'static str, F)]) -> Vec<(&'static str, &'static str)> {
    types.iter().map(|(content_type, _)| (*content_type, if *content_type == "application/json" { "FactList" } else { "Bytes" })).collect()
}
