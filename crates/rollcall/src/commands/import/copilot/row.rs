//! A row of a report, checked.

use crate::args::UserField;
use rollcall_model::FactError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const EXPECTED_OBJECT: &str = "a JSON object";
const EXPECTED_ARRAY: &str = "a JSON array of objects";
const EXPECTED_TEXT: &str = "a string";
const EXPECTED_DAY: &str = "a day such as 2025-10-01";
const EXPECTED_COUNT: &str = "an integer from 0 to 4294967295";

/// The command line of Copilot, as a feature.
pub(super) const CLI: &str = "copilot_cli";

/// The Copilot app, as a feature.
pub(super) const APP: &str = "copilot_app";

/// What has a field of its own in a row; its prompts count where no feature has the name.
const SURFACES: [(&str, &str); 2] = [("totals_by_cli", CLI), ("totals_by_copilot_app", APP)];

/// What one user did on one day.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// What stands for the user in facts.
    pub user: String,
    /// What stands for the user in ids: it outlives a change of name.
    pub identity: [String; 2],
    /// Such as `2025-10-01`.
    pub day: &'a str,
    /// The only IDE of the day.
    pub ide: Option<&'a str>,
    pub features: BTreeMap<&'a str, Feature>,
}

/// What one feature did for the user.
#[derive(Debug, Default)]
pub(super) struct Feature {
    pub turns: u64,
    total: Output,
    /// By language in lower case; the empty one is not known.
    languages: BTreeMap<String, Output>,
}

/// What came out.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Output {
    pub generated: u64,
    pub accepted: u64,
    pub added: u64,
    pub deleted: u64,
}

impl Output {
    fn add(&mut self, other: Self) {
        self.generated += other.generated;
        self.accepted += other.accepted;
        self.added += other.added;
        self.deleted += other.deleted;
    }

    /// What is left after `other`; none if there is less than that.
    fn less(self, other: Self) -> Option<Self> {
        Some(Self {
            generated: self.generated.checked_sub(other.generated)?,
            accepted: self.accepted.checked_sub(other.accepted)?,
            added: self.added.checked_sub(other.added)?,
            deleted: self.deleted.checked_sub(other.deleted)?,
        })
    }
}

impl Feature {
    /// What came out by language; it sums to the total.
    pub(super) fn by_language(mut self) -> BTreeMap<String, Output> {
        let mut split = Output::default();
        self.languages.values().for_each(|output| split.add(*output));
        match self.total.less(split) {
            Some(rest) => self.languages.entry(String::new()).or_default().add(rest),
            None => self.languages = BTreeMap::from([(String::new(), self.total)]),
        }
        self.languages
    }
}

impl<'a> Row<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// The first thing that is wrong with it, without the line.
    pub(super) fn read(row: &'a Value, user_field: UserField) -> Result<Self, FactError> {
        let row = Fields::of(row, String::new())?;
        let [login, id] = [row.name("user_login")?, row.name("user_id")?];
        let (field, user) = match user_field {
            UserField::UserLogin => ("user_login", &login),
            UserField::UserId => ("user_id", &id),
        };
        let user = user.clone().ok_or_else(|| FactError::new(field, None, "the user of a users-1-day or users-28-day report"))?;
        let identity = match (id, login) {
            (Some(id), _) => ["user_id".into(), id],
            (None, login) => ["user_login".into(), login.unwrap_or_default()],
        };
        let day = row.required("day", EXPECTED_DAY)?;
        if day.len() != 10 || day.parse::<jiff::civil::Date>().is_err() {
            return Err(FactError::new("day", Some(day), EXPECTED_DAY));
        }
        Ok(Self { user, identity, day, ide: only_ide(&row)?, features: features(&row)? })
    }
}

fn only_ide<'a>(row: &Fields<'a>) -> Result<Option<&'a str>, FactError> {
    let mut only = None;
    for entry in row.list("totals_by_ide")? {
        let ide = entry.required("ide", EXPECTED_TEXT)?;
        if only.is_some_and(|only| only != ide) {
            return Ok(None);
        }
        only = Some(ide);
    }
    Ok(only)
}

fn features<'a>(row: &Fields<'a>) -> Result<BTreeMap<&'a str, Feature>, FactError> {
    let mut features = BTreeMap::<_, Feature>::new();
    for entry in row.list("totals_by_feature")? {
        let feature = features.entry(entry.required("feature", EXPECTED_TEXT)?).or_default();
        feature.turns += entry.count("user_initiated_interaction_count")?;
        feature.total.add(entry.output()?);
    }
    let has_totals = !features.is_empty();
    for entry in row.list("totals_by_language_feature")? {
        let (name, output) = (entry.required("feature", EXPECTED_TEXT)?, entry.output()?);
        let language = entry.text("language")?.unwrap_or_default().to_lowercase();
        if has_totals && !features.contains_key(name) {
            continue;
        }
        let feature = features.entry(name).or_default();
        if !has_totals {
            feature.total.add(output);
        }
        feature.languages.entry(if language == "unknown" { String::new() } else { language }).or_default().add(output);
    }
    for (field, name) in SURFACES {
        let Some(value) = row.get(field) else { continue };
        let turns = Fields::of(value, format!("{field}."))?.count("prompt_count")?;
        features.entry(name).or_insert_with(|| Feature { turns, ..Feature::default() });
    }
    Ok(features)
}

/// An object of a row, and what stands in front of its fields' names in errors.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, path: String) -> Result<Self, FactError> {
        match value {
            Value::Object(object) => Ok(Self { object, path }),
            _ => Err(FactError::new(path.trim_end_matches('.'), Some(&value.to_string()), EXPECTED_OBJECT)),
        }
    }

    /// A value; `null` is none.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, value: &Value, expected: &'static str) -> FactError {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        FactError::new(&format!("{}{name}", self.path), Some(&shown), expected)
    }

    /// A text; an empty one is none.
    fn text(&self, name: &str) -> Result<Option<&'a str>, FactError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => Err(self.wrong(name, other, EXPECTED_TEXT)),
        }
    }

    fn required(&self, name: &str, expected: &'static str) -> Result<&'a str, FactError> {
        self.text(name)?.ok_or_else(|| FactError::new(&format!("{}{name}", self.path), None, expected))
    }

    /// A text, or an integer as text.
    fn name(&self, name: &str) -> Result<Option<String>, FactError> {
        match self.get(name) {
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            _ => Ok(self.text(name)?.map(str::to_owned)),
        }
    }

    fn count(&self, name: &str) -> Result<u64, FactError> {
        let Some(value) = self.get(name) else { return Ok(0) };
        value.as_u64().filter(|count| *count <= u64::from(u32::MAX)).ok_or_else(|| self.wrong(name, value, EXPECTED_COUNT))
    }

    fn output(&self) -> Result<Output, FactError> {
        Ok(Output {
            generated: self.count("code_generation_activity_count")?,
            accepted: self.count("code_acceptance_activity_count")?,
            added: self.count("loc_added_sum")?,
            deleted: self.count("loc_deleted_sum")?,
        })
    }

    fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, FactError> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong(name, other, EXPECTED_ARRAY)),
        };
        items.iter().enumerate().map(|(index, item)| Fields::of(item, format!("{name}[{index}]."))).collect()
    }
}
