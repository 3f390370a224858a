//! What the tests of several modules need.

use crate::kinds::columns::Attendances;
use rollcall_model::{AttendanceDraft, Directory, Millis, OrgId, Organization, Value};
use std::path::Path;

/// An organization whose days are those of UTC.
pub(crate) fn organization(number: u128) -> Organization {
    Organization::new(OrgId(uuid::Uuid::from_u128(number)), "o", jiff::tz::TimeZone::UTC)
}

/// Attendances: of each the session, the user, and when the session began, the user joined and left.
pub(crate) fn attendances<S: AsRef<str>, U: AsRef<str>>(
    organization: &Organization,
    facts: impl IntoIterator<Item = (S, U, [Millis; 3])>,
) -> Attendances {
    let mut columns = Attendances::default();
    for (session, user, times) in facts {
        let mut draft = AttendanceDraft::new();
        draft.set("session_id", Value::Str(session.as_ref().into()));
        draft.set("user_id", Value::Str(user.as_ref().into()));
        for (field, at) in ["session_started_at", "joined_at", "left_at"].into_iter().zip(times) {
            draft.set(field, Value::Int(at));
        }
        columns.push(&draft.finish(organization, &Directory::default(), None).unwrap());
    }
    columns
}

/// Copies a directory with everything in it. No test starts a process for that: between `fork` and `exec` the child would hold the lock of
/// every data directory that is open in this process.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
