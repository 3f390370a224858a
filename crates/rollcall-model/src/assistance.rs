//! The assistance fact: a coding assistant served a user with a chat turn, a completion or an edit.

use crate::calendar::Millis;
use crate::fact::AssistanceKind;
use crate::identity::FactId;
use std::borrow::Cow;

crate::fields::fields! {
    /// A field of an assistance. What each means is said at [`Assistance`].
    Field of "an assistance":
    Id "id", UserId "user_id", DepartmentId "department_id", DepartmentIds "department_ids", At "at", Kind "kind", ChatType "chat_type", Ide "ide", Language "language",
    Turns "turns", Suggested "suggested", Accepted "accepted", LinesAccepted "lines_accepted", LinesChanged "lines_changed",
}

/// A valid assistance with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistance<'a> {
    /// What makes the fact one and the same when it is sent again.
    pub id: FactId,
    /// The id as the source gave it; none where the default stands.
    pub given_id: Option<Cow<'a, str>>,
    /// A hash of everything else that the source gave: with a known id, another hash is a conflict.
    pub content: u32,
    /// The id that the source uses for the user.
    pub user_id: Cow<'a, str>,
    /// The ids of the departments that it is booked on, ascending by bytes, each once: `department_id` alone if it was given, else
    /// `department_ids`, else every department that the directory gave the user on the day of `at` in the organization's zone. The second
    /// is what an export says of the third: like it, it makes no other fact.
    pub departments: Vec<Cow<'a, str>>,
    /// Whether `department_id` was given: then it is the one department.
    pub department_given: bool,
    /// When.
    pub at: Millis,
    /// What the assistant did.
    pub kind: AssistanceKind,
    /// The type of chat, or the name of a custom command; there if `kind` is a chat.
    pub chat_type: Option<Cow<'a, str>>,
    /// The development environment, in lower case.
    pub ide: Option<Cow<'a, str>>,
    /// The programming language, in lower case.
    pub language: Option<Cow<'a, str>>,
    /// Chat turns; 0 if `kind` is no chat.
    pub turns: u32,
    /// Completions suggested; 0 if `kind` is no completion.
    pub suggested: u32,
    /// Chat turns or completions accepted; 0 for edits.
    pub accepted: u32,
    /// Accepted lines.
    pub lines_accepted: u32,
    /// Changed lines, whoever or whatever wrote them.
    pub lines_changed: u32,
}
