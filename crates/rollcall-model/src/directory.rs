//! The directory: an organization's people and departments, with the days since which entries hold.

use crate::calendar::Millis;
use crate::fact::UserKind;
use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The directory as it is uploaded and stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectoryDocument {
    /// The department tree.
    pub departments: Vec<Department>,
    /// The people, rooms and telephones.
    pub users: Vec<User>,
}

/// A node of the department tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// The department above it; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The day since which this entry holds; absent: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
}

/// A user: the ids, the name and the kind behind the `user_id` of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The id that facts carry as `user_id`.
    pub id: String,
    /// The id of the user in one application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_id: Option<String>,
    /// The id of the user in all applications of one developer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<String>,
    /// The id of the user in the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What people call them.
    pub name: String,
    /// What they are; absent: a member.
    #[serde(default = "member")]
    pub kind: UserKind,
    /// The departments they belong to, by id.
    #[serde(default)]
    pub departments: Vec<String>,
    /// The day since which this entry holds; absent: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
}

const fn member() -> UserKind {
    UserKind::Member
}

/// What is wrong with an uploaded directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Two entries of one id hold since the same day.
    #[error("{what} {id} has two entries from the same day")]
    Twice {
        /// `user` or `department`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// An id or a name is empty, longer than 256 bytes or has control characters.
    #[error("{what} {id}: {field} must be a string of 1 to 256 bytes without control characters")]
    Text {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// A department that is named somewhere does not exist.
    #[error("{what} {id} names the unknown department {department}")]
    UnknownDepartment {
        /// `user` or `department`.
        what: &'static str,
        /// The id of the entry.
        id: String,
        /// The department it names.
        department: String,
    },
    /// A department is below itself.
    #[error("department {id} is below itself")]
    Cycle {
        /// The id.
        id: String,
    },
}

/// A checked directory, ready for look-ups.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    document: DirectoryDocument,
    /// Positions in `document.users` by user id, ascending by `from`.
    users: HashMap<String, Vec<usize>>,
}

impl Directory {
    /// Checks an uploaded directory.
    ///
    /// # Errors
    /// The first thing wrong, departments before users, in the order uploaded.
    pub fn new(document: DirectoryDocument) -> Result<Self, DirectoryError> {
        check_departments(&document.departments)?;
        check_users(&document)?;
        let mut users: HashMap<String, Vec<usize>> = HashMap::with_capacity(document.users.len());
        for (position, user) in document.users.iter().enumerate() {
            users.entry_ref(user.id.as_str()).or_default().push(position);
        }
        for (id, positions) in &mut users {
            positions.sort_by_key(|&position| document.users.get(position).and_then(|user| user.from));
            let from = |position: &usize| document.users.get(*position).and_then(|user| user.from);
            if positions.windows(2).any(|pair| pair.first().map(from) == pair.last().map(from)) {
                return Err(DirectoryError::Twice { what: "user", id: id.clone() });
            }
        }
        Ok(Self { document, users })
    }

    /// The directory as it was uploaded.
    pub const fn document(&self) -> &DirectoryDocument {
        &self.document
    }

    /// The newest entry of a user: for names and ids.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.document.users.get(*self.users.get(id)?.last()?)
    }

    /// The entry of a user that holds on `day`; before the first one's day, the first.
    pub fn user_on(&self, id: &str, day: impl FnOnce() -> Date) -> Option<&User> {
        let positions = self.users.get(id)?;
        if let [only] = positions.as_slice() {
            return self.document.users.get(*only);
        }
        let day = day();
        let held = positions
            .iter()
            .rev()
            .find(|&&position| self.document.users.get(position).is_some_and(|user| user.from.is_none_or(|from| from <= day)));
        self.document.users.get(*held.or_else(|| positions.first())?)
    }

    /// The kind that the directory gives a user at an instant (by its UTC day).
    pub fn kind_at(&self, id: &str, at: Millis) -> Option<UserKind> {
        self.user_on(id, || jiff::tz::TimeZone::UTC.to_datetime(crate::calendar::timestamp(at)).date()).map(|user| user.kind)
    }
}

fn check_users(document: &DirectoryDocument) -> Result<(), DirectoryError> {
    let departments: HashSet<&str> = document.departments.iter().map(|department| department.id.as_str()).collect();
    document.users.iter().try_for_each(|user| check_user(user, &departments))
}

fn check_user(user: &User, departments: &HashSet<&str>) -> Result<(), DirectoryError> {
    let what = "user";
    let texts = [
        ("id", Some(&user.id)),
        ("name", Some(&user.name)),
        ("open_id", user.open_id.as_ref()),
        ("union_id", user.union_id.as_ref()),
        ("user_id", user.user_id.as_ref()),
    ];
    for (field, text) in texts {
        if text.is_some_and(|text| !is_text(text)) {
            return Err(DirectoryError::Text { what, id: user.id.clone(), field });
        }
    }
    match user.departments.iter().find(|id| !departments.contains(id.as_str())) {
        Some(department) => Err(DirectoryError::UnknownDepartment { what, id: user.id.clone(), department: department.clone() }),
        None => Ok(()),
    }
}

fn check_departments(departments: &[Department]) -> Result<(), DirectoryError> {
    let what = "department";
    let mut entries = HashSet::with_capacity(departments.len());
    for department in departments {
        for (field, text) in [("id", &department.id), ("name", &department.name)] {
            if !is_text(text) {
                return Err(DirectoryError::Text { what, id: department.id.clone(), field });
            }
        }
        if !entries.insert((department.id.as_str(), department.from)) {
            return Err(DirectoryError::Twice { what, id: department.id.clone() });
        }
    }
    let newest: HashMap<&str, &Department> = {
        let mut newest: HashMap<&str, &Department> = HashMap::new();
        for department in departments {
            let entry = newest.entry(&department.id).or_insert(department);
            if entry.from <= department.from {
                *entry = department;
            }
        }
        newest
    };
    for department in departments {
        let mut above = department.parent_id.as_deref();
        for _ in 0..=newest.len() {
            let Some(id) = above else { break };
            let Some(parent) = newest.get(id) else {
                return Err(DirectoryError::UnknownDepartment { what, id: department.id.clone(), department: id.to_owned() });
            };
            above = parent.parent_id.as_deref();
        }
        if above.is_some() {
            return Err(DirectoryError::Cycle { id: department.id.clone() });
        }
    }
    Ok(())
}

/// Whether a string is 1 to 256 bytes without control characters, as every text of a fact or directory must be.
pub(crate) fn is_text(text: &str) -> bool {
    // Printable ASCII, which nearly all text of facts is, needs no decoding.
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    (1..=256).contains(&text.len()) && (text.bytes().all(printable) || !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn user(id: &str, kind: UserKind, from: Option<Date>) -> User {
        User { id: id.into(), open_id: None, union_id: None, user_id: None, name: id.into(), kind, departments: vec![], from }
    }

    fn department(id: &str, parent: Option<&str>) -> Department {
        Department { id: id.into(), parent_id: parent.map(Into::into), name: id.into(), from: None }
    }

    #[test]
    fn an_entry_holds_from_its_day_on() {
        let users = vec![user("a", UserKind::Member, Some(date(2025, 2, 1))), user("a", UserKind::Guest, None)];
        let directory = Directory::new(DirectoryDocument { departments: vec![], users }).unwrap();
        assert_eq!(directory.user_on("a", || date(2025, 1, 31)).unwrap().kind, UserKind::Guest);
        assert_eq!(directory.user_on("a", || date(2025, 2, 1)).unwrap().kind, UserKind::Member);
        assert_eq!(directory.user("a").unwrap().kind, UserKind::Member);
        assert!(directory.user("b").is_none());
    }

    #[test]
    fn cycles_orphans_and_repeats_are_refused() {
        let of = |departments: Vec<Department>, users: Vec<User>| {
            Directory::new(DirectoryDocument { departments, users }).unwrap_err().to_string()
        };
        assert_eq!(of(vec![department("a", Some("b")), department("b", Some("a"))], vec![]), "department a is below itself");
        assert_eq!(of(vec![department("a", Some("x"))], vec![]), "department a names the unknown department x");
        assert_eq!(of(vec![department("a", None), department("a", None)], vec![]), "department a has two entries from the same day");
        assert_eq!(
            of(vec![], vec![user("u", UserKind::Member, None), user("u", UserKind::Member, None)]),
            "user u has two entries from the same day"
        );
        let mut lost = user("u", UserKind::Member, None);
        lost.departments = vec!["x".into()];
        assert_eq!(of(vec![], vec![lost]), "user u names the unknown department x");
    }
}
