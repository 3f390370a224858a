//! The draft of an assistance.

use super::{Clock, Draft, DraftField, EXPECTED_ID, EXPECTED_TEXT, EXPECTED_TIME, Given, Time};
use crate::assistance::{Assistance, Field};
use crate::directory::{Directory, MOST_DEPARTMENTS, is_text};
use crate::fact::AssistanceKind;
use crate::fields::FactField;
use crate::identity::FactId;
use crate::organization::Organization;
use crate::receipt::FactError;
use std::borrow::Cow;

const EXPECTED_KIND: &str = "chat, completion or edit";
const EXPECTED_DEPARTMENTS: &str = "a list of at most 100 ids of departments, each 1 to 256 bytes without control characters";
const EXPECTED_COUNT: &str = "an integer from 0 to 4294967295";

/// An assistance being decoded.
pub type AssistanceDraft<'a> = Draft<'a, Field>;

/// The values of an assistance that were given and are right.
#[derive(Debug, Default)]
pub struct Values<'a> {
    id: Option<Cow<'a, str>>,
    user_id: Option<Cow<'a, str>>,
    department_id: Option<Cow<'a, str>>,
    department_ids: Option<Vec<Cow<'a, str>>>,
    at: Option<Time<'a>>,
    kind: Option<AssistanceKind>,
    chat_type: Option<Cow<'a, str>>,
    ide: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    turns: Option<u32>,
    suggested: Option<u32>,
    accepted: Option<u32>,
    lines_accepted: Option<u32>,
    lines_changed: Option<u32>,
}

impl DraftField for Field {
    type Values<'a> = Values<'a>;

    fn set<'a>(self, values: &mut Values<'a>, given: Given<'_, 'a>) -> Result<(), &'static str> {
        match self {
            Self::Id => values.id = Some(given.id().ok_or(EXPECTED_ID)?),
            Self::UserId => values.user_id = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::DepartmentId => values.department_id = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::DepartmentIds => values.department_ids = Some(departments(given).ok_or(EXPECTED_DEPARTMENTS)?),
            Self::At => values.at = Some(given.time().ok_or(EXPECTED_TIME)?),
            Self::Kind => values.kind = Some(given.word(AssistanceKind::from_name).ok_or(EXPECTED_KIND)?),
            Self::ChatType => values.chat_type = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::Ide => values.ide = Some(folded(given).ok_or(EXPECTED_TEXT)?),
            Self::Language => values.language = Some(folded(given).ok_or(EXPECTED_TEXT)?),
            Self::Turns => values.turns = Some(count(given).ok_or(EXPECTED_COUNT)?),
            Self::Suggested => values.suggested = Some(count(given).ok_or(EXPECTED_COUNT)?),
            Self::Accepted => values.accepted = Some(count(given).ok_or(EXPECTED_COUNT)?),
            Self::LinesAccepted => values.lines_accepted = Some(count(given).ok_or(EXPECTED_COUNT)?),
            Self::LinesChanged => values.lines_changed = Some(count(given).ok_or(EXPECTED_COUNT)?),
        }
        Ok(())
    }

    fn times<'v, 'a>(values: &'v mut Values<'a>) -> impl Iterator<Item = (&'static str, &'v mut Option<Time<'a>>)>
    where
        'a: 'v,
    {
        std::iter::once(("at", &mut values.at))
    }

    fn missing(given: &[Self]) -> Vec<&'static str> {
        let required = [Self::UserId, Self::At, Self::Kind];
        required.iter().filter(|field| !given.contains(field)).map(|field| field.name()).collect()
    }
}

/// A text in lower case.
fn folded<'a>(given: Given<'_, 'a>) -> Option<Cow<'a, str>> {
    let text = given.text()?;
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Some(text);
    }
    // A few letters take more bytes in lower case.
    Some(text.to_lowercase()).filter(|text| is_text(text)).map(Into::into)
}

/// Ids of departments, ascending, each once.
fn departments<'a>(given: Given<'_, 'a>) -> Option<Vec<Cow<'a, str>>> {
    let mut ids = given.list().filter(|ids| ids.len() <= MOST_DEPARTMENTS && ids.iter().all(|id| is_text(id)))?;
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

fn count(given: Given<'_, '_>) -> Option<u32> {
    given.integer().and_then(|number| u32::try_from(number).ok())
}

impl<'a> AssistanceDraft<'a> {
    /// Checks the fact as a whole and fills in what is absent.
    ///
    /// # Errors
    /// Everything wrong with the fact, without line numbers.
    pub fn finish<'d>(mut self, organization: &Organization, directory: &'d Directory) -> Result<Assistance<'d>, Vec<FactError>>
    where
        'a: 'd,
    {
        self.settle(Clock::default());
        let kind = self.values.kind;
        self.require(&[
            ("user_id", self.values.user_id.is_none(), EXPECTED_TEXT),
            ("at", self.values.at.is_none(), EXPECTED_TIME),
            ("kind", kind.is_none(), EXPECTED_KIND),
            ("chat_type", self.values.chat_type.is_none() && kind == Some(AssistanceKind::Chat), EXPECTED_TEXT),
        ]);
        self.check_kind();
        self.check_departments();
        let (values, errors) = (self.values, self.errors);
        let (Some(user_id), Some(at), Some(kind), true) = (values.user_id, values.at, kind, errors.is_empty()) else {
            return Err(errors);
        };
        let at = at.at;
        let count = |of: AssistanceKind, given: Option<u32>| given.unwrap_or(u32::from(kind == of));
        let mut fact = Assistance {
            id: FactId::Default(0),
            given_id: None,
            content: 0,
            user_id,
            // Hashed as given: so that a retry after the directory changed is still the same fact. What an export says that the
            // directory gave is no part of it either.
            department_given: values.department_id.is_some(),
            departments: values.department_id.into_iter().collect(),
            at,
            kind,
            chat_type: values.chat_type,
            ide: values.ide,
            language: values.language,
            turns: count(AssistanceKind::Chat, values.turns),
            suggested: count(AssistanceKind::Completion, values.suggested),
            accepted: values.accepted.unwrap_or(0),
            lines_accepted: values.lines_accepted.unwrap_or(0),
            lines_changed: values.lines_changed.unwrap_or(0),
        };
        let default_id = FactId::default_of_assistance(&fact);
        fact.id = FactId::of(values.id.as_deref(), default_id);
        fact.given_id = values.id.filter(|_| fact.id != default_id);
        // The default id is a hash of every field already.
        fact.content = default_id.content();
        if fact.departments.is_empty()
            && let Some(ids) = values.department_ids
        {
            fact.departments = ids;
        } else if fact.departments.is_empty() {
            let of_user = directory.departments_on(&fact.user_id, || organization.day_of(at));
            fact.departments.extend(of_user.iter().map(|id| Cow::Borrowed(id.as_str())));
            // The directory has each once.
            fact.departments.sort_unstable();
        }
        Ok(fact)
    }

    /// Whether `department_ids` says nothing else than `department_id`.
    fn check_departments(&mut self) {
        let (Some(one), Some(ids)) = (&self.values.department_id, &self.values.department_ids) else { return };
        if ids.iter().ne([one]) {
            self.errors.push(FactError::new(
                Field::DepartmentIds.name(),
                Some(&format!("[{}]", ids.join(","))),
                "the department_id alone, where both are given",
            ));
        }
    }

    /// Whether what was given fits the kind.
    fn check_kind(&mut self) {
        use AssistanceKind::{Chat, Completion};
        let values = &self.values;
        let Some(kind) = values.kind else { return };
        let chat_type = values.chat_type.as_deref().filter(|_| kind != Chat).map(str::to_owned);
        let count = |count: Option<u32>, of: &[AssistanceKind]| count.filter(|n| *n > 0 && !of.contains(&kind)).map(|n| n.to_string());
        let (turns, suggested) = (count(values.turns, &[Chat]), count(values.suggested, &[Completion]));
        for (field, wrong, expected) in [
            (Field::ChatType, chat_type, "none: only a chat has a type"),
            (Field::Turns, turns, "0 or none: only a chat has turns"),
            (Field::Suggested, suggested, "0 or none: only a completion is suggested"),
            (Field::Accepted, count(values.accepted, &[Chat, Completion]), "0 or none: an edit is not accepted"),
        ] {
            if let Some(value) = wrong {
                self.errors.push(FactError::new(field.name(), Some(&value), expected));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;
    use crate::directory::{Department, DirectoryDocument, User};
    use crate::fact::UserKind;
    use crate::organization::OrgId;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    /// 2025-03-01T17:00:00Z, the next day in Shanghai.
    const AT: i64 = 1_740_848_400_000;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::get("Asia/Shanghai").unwrap())
    }

    /// The user `u` moves from `d2` and `d1` to `d3` on 2025-03-02.
    fn directory() -> Directory {
        let department = |id: &str| Department { id: id.into(), parent_id: None, name: id.into(), from: None, until: None };
        let user = |departments: &[&str], from| User {
            id: "u".into(),
            open_id: None,
            union_id: None,
            user_id: None,
            name: "u".into(),
            kind: UserKind::Member,
            departments: departments.iter().map(|id| (*id).into()).collect(),
            from,
            until: None,
        };
        let departments = ["d1", "d2", "d3"].map(department).into();
        Directory::new(DirectoryDocument { departments, users: vec![user(&["d2", "d1"], None), user(&["d3"], Some(date(2025, 3, 2)))] })
            .unwrap()
    }

    fn draft<'a>(fields: &[(&'a str, Value<'a>)]) -> AssistanceDraft<'a> {
        let mut draft = AssistanceDraft::new();
        for (field, value) in fields {
            draft.set(field, value.clone());
        }
        draft
    }

    fn str(text: &str) -> Value<'_> {
        Value::Str(text.into())
    }

    fn chat<'a>(more: &[(&'a str, Value<'a>)]) -> Vec<(&'a str, Value<'a>)> {
        let mut fields = vec![("user_id", str("u")), ("at", Value::Int(AT)), ("kind", str("chat")), ("chat_type", str("EXPLAIN_CODE"))];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend_from_slice(more);
        fields
    }

    fn of_kind<'a>(kind: &'a str, more: &[(&'a str, Value<'a>)]) -> Vec<(&'a str, Value<'a>)> {
        let mut fields = chat(&[&[("kind", str(kind))], more].concat());
        fields.retain(|(name, value)| *name != "chat_type" || *value != str("EXPLAIN_CODE"));
        fields
    }

    fn errors(fields: &[(&str, Value<'_>)]) -> Vec<String> {
        let errors = draft(fields).finish(&organization(), &Directory::default()).unwrap_err();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn counts_have_their_defaults_where_they_apply() {
        let counts = |fields: &[(&str, Value<'_>)]| {
            let (organization, directory) = (organization(), Directory::default());
            let fact = draft(fields).finish(&organization, &directory).unwrap();
            (fact.turns, fact.suggested, fact.accepted, fact.lines_accepted, fact.lines_changed)
        };
        assert_eq!(counts(&chat(&[])), (1, 0, 0, 0, 0));
        assert_eq!(counts(&of_kind("completion", &[])), (0, 1, 0, 0, 0));
        assert_eq!(counts(&of_kind("edit", &[("lines_changed", Value::Int(9))])), (0, 0, 0, 0, 9));
        assert_eq!(counts(&chat(&[("turns", Value::Int(0)), ("accepted", Value::Int(4_294_967_295))])), (0, 0, u32::MAX, 0, 0));
        assert_eq!(counts(&of_kind("edit", &[("turns", Value::Int(0)), ("suggested", Value::Null), ("accepted", Value::Int(0))])).0, 0);
    }

    #[test]
    fn what_does_not_fit_the_kind_is_refused() {
        let edit = of_kind(
            "edit",
            &[("chat_type", str("X")), ("turns", Value::Int(1)), ("suggested", Value::Int(2)), ("accepted", Value::Int(3))],
        );
        assert_eq!(
            errors(&edit),
            [
                "chat_type X: expected none: only a chat has a type",
                "turns 1: expected 0 or none: only a chat has turns",
                "suggested 2: expected 0 or none: only a completion is suggested",
                "accepted 3: expected 0 or none: an edit is not accepted",
            ]
        );
        assert_eq!(errors(&chat(&[("suggested", Value::Int(1))])).len(), 1);
        assert_eq!(errors(&of_kind("completion", &[("turns", Value::Int(1))])).len(), 1);
        assert_eq!(
            errors(&chat(&[("chat_type", Value::Null)])),
            ["chat_type is missing: expected a string of 1 to 256 bytes without control characters"]
        );
    }

    #[test]
    fn every_error_of_a_fact_is_told() {
        assert_eq!(
            errors(&[
                ("at", str("noon")),
                ("kind", str("prayer")),
                ("turns", Value::Int(-1)),
                ("accepted", Value::Int(4_294_967_296)),
                ("lines_changed", str("3")),
                ("app", str("default")),
            ]),
            [
                "at noon: expected an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199",
                "kind prayer: expected chat, completion or edit",
                "turns -1: expected an integer from 0 to 4294967295",
                "accepted 4294967296: expected an integer from 0 to 4294967295",
                "lines_changed 3: expected an integer from 0 to 4294967295",
                "app default: expected no such field; see the fields of an assistance",
                "user_id is missing: expected a string of 1 to 256 bytes without control characters",
            ]
        );
    }

    #[test]
    fn names_of_ide_and_language_are_folded_and_those_of_commands_are_not() {
        let (organization, directory) = (organization(), Directory::default());
        let fields = chat(&[("ide", str("JetBrains")), ("language", str("ÇÖP")), ("chat_type", str("My Command"))]);
        let fact = draft(&fields).finish(&organization, &directory).unwrap();
        assert_eq!(
            (fact.ide.as_deref(), fact.language.as_deref(), fact.chat_type.as_deref()),
            (Some("jetbrains"), Some("çöp"), Some("My Command"))
        );
        let folded = draft(&chat(&[("ide", str("jetbrains")), ("language", str("çöp")), ("chat_type", str("My Command"))]));
        assert_eq!(folded.finish(&organization, &directory).unwrap().id, fact.id);
        // A capital that takes more room in lower case.
        let long = "İ".repeat(128);
        assert_eq!(errors(&chat(&[("ide", str(&long))])).len(), 1);
    }

    #[test]
    fn a_fact_is_booked_on_the_departments_of_its_day_or_on_the_one_it_names() {
        let (organization, directory) = (organization(), directory());
        let booked = |more: &[(&str, Value<'_>)]| {
            let fact = draft(&chat(more)).finish(&organization, &directory).unwrap();
            fact.departments.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(booked(&[]), ["d3"]);
        assert_eq!(booked(&[("at", Value::Int(AT - 3_600_001))]), ["d1", "d2"]);
        assert_eq!(booked(&[("department_id", str("elsewhere"))]), ["elsewhere"]);
        assert_eq!(booked(&[("user_id", str("stranger"))]), Vec::<String>::new());
    }

    #[test]
    fn departments_as_an_export_has_them_stand_for_the_directory() {
        let (organization, directory) = (organization(), directory());
        let list = |ids: &[&'static str]| Value::List(ids.iter().map(|id| (*id).into()).collect());
        let fact = |more: &[(&'static str, Value<'static>)]| draft(&chat(more)).finish(&organization, &directory).unwrap();
        let given = fact(&[("department_ids", list(&["d9", "d1", "d9"]))]);
        assert_eq!(given.departments, ["d1", "d9"]);
        assert_eq!(fact(&[("department_ids", list(&[]))]).departments, [""; 0]);
        let plain = fact(&[]);
        assert_eq!((given.id, given.content), (plain.id, plain.content));
        let both = fact(&[("department_id", str("d2")), ("department_ids", list(&["d2"]))]);
        assert_eq!((both.id, &both.departments[..]), (fact(&[("department_id", str("d2"))]).id, &["d2".into()][..]));
        for ids in [&["d1"][..], &[], &["d2", "d1"]] {
            let wrong = errors(&chat(&[("department_id", str("d2")), ("department_ids", list(ids))]));
            assert_eq!(
                wrong,
                [format!("department_ids [{}]: expected the department_id alone, where both are given", {
                    let mut ids = ids.to_vec();
                    ids.sort_unstable();
                    ids.join(",")
                })]
            );
        }
        let many: Vec<_> = (0..=100).map(|number| number.to_string().into()).collect();
        for wrong in [str("d1"), list(&[""]), Value::List(many)] {
            assert_eq!(errors(&chat(&[("department_ids", wrong)])).len(), 1);
        }
        let mut text = AssistanceDraft::text_only();
        for (field, value) in [("user_id", "u"), ("at", "1740848400000"), ("kind", "edit"), ("department_ids", "|")] {
            text.set(field, str(value));
        }
        assert_eq!(text.finish(&organization, &directory).unwrap().departments, [""; 0]);
    }

    #[test]
    fn a_retry_after_the_directory_changed_is_the_same_fact() {
        let organization = organization();
        let (before, after) = (Directory::default(), directory());
        let [first, again] = [&before, &after].map(|directory| draft(&chat(&[])).finish(&organization, directory).unwrap());
        assert_eq!((first.id, first.content), (again.id, again.content));
        assert_ne!(first.departments, again.departments);
        let named = draft(&chat(&[("department_id", str("d3"))])).finish(&organization, &after).unwrap();
        assert_ne!(named.id, first.id);
    }

    #[test]
    fn every_field_is_in_the_default_id_and_constant_defaults_are_filled_in() {
        let (organization, directory) = (organization(), Directory::default());
        let id = |fields: &[(&str, Value<'_>)]| draft(fields).finish(&organization, &directory).unwrap().id;
        let plain = id(&chat(&[]));
        assert_eq!(plain, id(&chat(&[("turns", Value::Int(1)), ("suggested", Value::Int(0)), ("lines_accepted", Value::Int(0))])));
        let others = [
            ("user_id", str("v")),
            ("department_id", str("d")),
            ("at", Value::Int(AT + 1)),
            ("chat_type", str("FREE_INPUT")),
            ("ide", str("x")),
            ("language", str("x")),
            ("turns", Value::Int(2)),
            ("accepted", Value::Int(1)),
            ("lines_accepted", Value::Int(1)),
            ("lines_changed", Value::Int(1)),
        ];
        let mut ids: Vec<_> = others.into_iter().map(|other| id(&chat(&[other]))).collect();
        ids.extend([
            plain,
            id(&of_kind("edit", &[])),
            id(&of_kind("completion", &[])),
            id(&of_kind("completion", &[("suggested", Value::Int(0))])),
        ]);
        let FactId::Default(hash) = plain else { panic!("{plain}") };
        assert_eq!(i64::from(FactId::day(hash)), AT / crate::calendar::DAY_MILLIS);
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        let text = plain.to_string();
        let exported = draft(&chat(&[("id", str(&text))])).finish(&organization, &directory).unwrap();
        assert_eq!((exported.id, exported.given_id), (plain, None));
        let of_another = draft(&chat(&[("id", str(&text)), ("turns", Value::Int(2))])).finish(&organization, &directory).unwrap();
        assert_eq!((of_another.id, of_another.given_id.as_deref()), (FactId::of_given(&text), Some(text.as_str())));
        assert!(matches!(of_another.id, FactId::Given(_)));
    }

    #[test]
    fn text_formats_read_counts_from_text_and_empty_is_absent() {
        let mut draft = AssistanceDraft::text_only();
        for (field, value) in
            [("user_id", "u"), ("at", "1740848400000"), ("kind", "completion"), ("chat_type", ""), ("turns", ""), ("suggested", "5")]
        {
            draft.set(field, str(value));
        }
        let (organization, directory) = (organization(), Directory::default());
        let fact = draft.finish(&organization, &directory).unwrap();
        assert_eq!((fact.suggested, fact.chat_type), (5, None));
    }
}
