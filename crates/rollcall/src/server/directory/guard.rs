//! What keeps a mistake from emptying a directory: a missing file, a header without lines, half an export.

use crate::reports::BadParameter;
use crate::server::refusal::Refusal;
use http::StatusCode;
use rollcall_model::Directory;
use rollcall_model::directory::change::{Loss, Losses};

/// What a request says it means, by its query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Guard {
    /// All users, or all departments, may be removed.
    allow_empty: bool,
    /// More than half of the users, or of the departments, may be removed.
    force: bool,
}

impl Guard {
    /// What the parameters of a query say.
    pub(super) fn of(given: &[(String, String)]) -> Result<Self, BadParameter> {
        Ok(Self { allow_empty: flag(given, "allow_empty")?, force: flag(given, "force")? })
    }

    /// Refuses a change that removes more than the request says it means.
    pub(super) fn check(self, current: &Directory, next: &Directory) -> Result<(), Refusal> {
        let Losses { users, departments } = current.losses(next);
        let halves = [("users", users, next.users().is_empty()), ("departments", departments, next.departments().is_empty())];
        let of = |wanted: fn(Loss, bool) -> bool| -> Vec<String> {
            let halves = halves.iter().filter(|(_, loss, is_empty)| wanted(*loss, *is_empty));
            halves.map(|(name, Loss { removed, of }, _)| format!("{removed} of {of} {name}")).collect()
        };
        let refused = |removed: &[String], flag: &str| {
            let message = format!("this would remove {}; nothing was changed. If it is meant, add ?{flag}=true", removed.join(" and "));
            Err(Refusal::new(StatusCode::CONFLICT, message))
        };
        let emptied = of(|loss, is_empty| is_empty && loss.is_all());
        if !emptied.is_empty() && !self.allow_empty {
            return refused(&emptied, "allow_empty");
        }
        let most = of(|loss, is_empty| !is_empty && loss.is_most());
        if !most.is_empty() && !self.force { refused(&most, "force") } else { Ok(()) }
    }

    /// Refuses a body without an entry of what it is to replace, also where there is nothing to lose.
    pub(super) fn check_given(self, is_empty: bool, expected: &str) -> Result<(), Refusal> {
        if !is_empty || self.allow_empty {
            return Ok(());
        }
        Err(Refusal::bad_request(format!("the body has no entries: expected {expected}; to remove all there are, add ?allow_empty=true")))
    }
}

fn flag(given: &[(String, String)], name: &str) -> Result<bool, BadParameter> {
    let Some((_, value)) = given.iter().find(|(of, _)| of == name) else { return Ok(false) };
    value.parse().map_err(|_| BadParameter::new(name, Some(value), "true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(users: usize, departments: usize) -> Directory {
        let entries = |count| (0..count).map(|id| format!(r#"{{"id":"{id}","name":"n"}}"#)).collect::<Vec<_>>().join(",");
        let json = format!(r#"{{"users":[{}],"departments":[{}]}}"#, entries(users), entries(departments));
        Directory::new(serde_json::from_str(&json).unwrap()).unwrap()
    }

    #[test]
    fn what_is_lost_decides_which_word_is_wanted() {
        let current = directory(10, 4);
        let check = |guard: Guard, users, departments| guard.check(&current, &directory(users, departments));
        let (none, force) = (Guard::default(), Guard { force: true, ..Guard::default() });
        let empty = Guard { allow_empty: true, ..Guard::default() };
        for (users, departments) in [(10, 4), (5, 2), (20, 9)] {
            assert!(check(none, users, departments).is_ok(), "{users} {departments}");
        }
        for (guard, users, departments, told) in [
            (none, 4, 1, "remove 6 of 10 users and 3 of 4 departments; nothing was changed. If it is meant, add ?force=true"),
            (none, 0, 4, "remove 10 of 10 users; nothing was changed. If it is meant, add ?allow_empty=true"),
            (force, 0, 0, "remove 10 of 10 users and 4 of 4 departments; nothing was changed. If it is meant, add ?allow_empty=true"),
            (empty, 1, 0, "remove 9 of 10 users; nothing was changed. If it is meant, add ?force=true"),
        ] {
            let refusal = format!("{:?}", check(guard, users, departments).unwrap_err());
            assert!(refusal.contains("409") && refusal.contains(told), "{refusal}");
        }
        assert!(check(force, 1, 1).is_ok() && check(empty, 0, 0).is_ok());
        assert!(check(Guard { allow_empty: true, force: true }, 1, 0).is_ok());
        assert!(none.check(&Directory::default(), &directory(0, 0)).is_ok());
    }
}
