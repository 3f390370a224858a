//! Assistances as columns.

use crate::kinds;
use crate::kinds::block::AssistanceRow;
use crate::kinds::columns::{Columns, Cost, Dictionary, Numbered, number_of};
use rollcall_model::identity::FactId;
use rollcall_model::{Assistance, AssistanceDraft, AssistanceKind, Directory, FactError, Millis, Organization, Places, assistance};

/// Valid assistances of one organization, in the order they came, not yet known to the ledger.
#[derive(Debug, Clone, Default)]
pub struct Assistances {
    /// The identity of each fact.
    pub ids: Vec<FactId>,
    /// The hash of the rest of each fact, as given.
    pub contents: Vec<u32>,
    /// The id as given; empty where the default stands.
    pub given_ids: Dictionary,
    /// See [`Assistance::user_id`].
    pub user_ids: Dictionary,
    /// The *booking* of each fact: its [`Assistance::departments`] joined by newlines, which no id holds; empty for none.
    pub bookings: Dictionary,
    /// See [`Assistance::department_given`].
    pub departments_given: Vec<bool>,
    /// The *use* of each fact: what [`Use`] reads.
    pub uses: Dictionary,
    /// See [`Assistance::at`].
    pub at: Vec<Millis>,
    /// Turns of a chat, suggestions of a completion, 0 for edits.
    pub counts: Vec<u32>,
    /// See [`Assistance::accepted`].
    pub accepted: Vec<u32>,
    /// See [`Assistance::lines_accepted`].
    pub lines_accepted: Vec<u32>,
    /// See [`Assistance::lines_changed`].
    pub lines_changed: Vec<u32>,
    /// See [`Columns::cost`].
    cost: Cost,
}

/// What the assistant was used for: the words of a fact, which few facts have of their own, so that together they have a number. As
/// text they are joined by newlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use<'a> {
    /// What the assistant did.
    pub kind: AssistanceKind,
    /// The type of chat; empty if it was none.
    pub chat_type: &'a str,
    /// The development environment; empty if unknown.
    pub ide: &'a str,
    /// The programming language; empty if unknown.
    pub language: &'a str,
}

impl<'a> Use<'a> {
    /// Reads what [`Use::words`] gives, joined by newlines.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split('\n');
        let kind = AssistanceKind::from_name(words.next()?)?;
        Some(Self { kind, chat_type: words.next()?, ide: words.next()?, language: words.next()? })
    }

    /// Its words.
    pub const fn words(&self) -> [&'a str; 4] {
        [self.kind.name(), self.chat_type, self.ide, self.language]
    }
}

impl Columns for Assistances {
    type Field = assistance::Field;
    type Kind = kinds::Assistance;

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn size(&self) -> usize {
        let texts = [&self.given_ids, &self.user_ids, &self.bookings, &self.uses];
        texts.into_iter().map(Dictionary::size).sum::<usize>() + self.ids.len() * 61
    }

    fn cost(&self) -> &Cost {
        &self.cost
    }

    fn time(&self, row: usize) -> Millis {
        self.at[row]
    }

    fn group(&self, row: usize) -> u32 {
        self.user_ids.keys()[row]
    }

    fn row(&self, row: usize, numbered: &Numbered) -> AssistanceRow<'_> {
        AssistanceRow {
            at: self.at[row],
            user: number_of(&numbered.users, &self.user_ids, row),
            booking: number_of(&numbered.bookings, &self.bookings, row),
            department_given: self.departments_given[row],
            usage: number_of(&numbered.uses, &self.uses, row),
            count: self.counts[row],
            accepted: self.accepted[row],
            lines_accepted: self.lines_accepted[row],
            lines_changed: self.lines_changed[row],
            given_id: self.given_ids.get(row),
            receipt: numbered.receipt,
        }
    }

    fn take(
        &mut self,
        draft: AssistanceDraft<'_>,
        organization: &Organization,
        directory: &Directory,
        _: Option<&dyn Places>,
    ) -> Result<(), Vec<FactError>> {
        self.push(&draft.finish(organization, directory)?);
        Ok(())
    }
}

impl Assistances {
    /// Adds a fact at the end.
    pub fn push(&mut self, fact: &Assistance<'_>) {
        let [chat_type, ide, language] = [&fact.chat_type, &fact.ide, &fact.language].map(|word| word.as_deref().unwrap_or_default());
        self.ids.push(fact.id);
        self.contents.push(fact.content);
        self.given_ids.push(fact.given_id.as_deref().unwrap_or_default());
        self.user_ids.push(&fact.user_id);
        self.bookings.push_joined(fact.departments.iter().map(AsRef::as_ref));
        self.departments_given.push(fact.department_given);
        self.uses.push_joined(Use { kind: fact.kind, chat_type, ide, language }.words());
        self.at.push(fact.at);
        self.counts.push(fact.turns.max(fact.suggested));
        self.accepted.push(fact.accepted);
        self.lines_accepted.push(fact.lines_accepted);
        self.lines_changed.push(fact.lines_changed);
        self.cost.add(1, [fact.at; 2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_reads_back_as_it_was_written() {
        let chat = Use { kind: AssistanceKind::Chat, chat_type: "My Command", ide: "", language: "c++" };
        assert_eq!(Use::read(&chat.words().join("\n")), Some(chat));
        assert_eq!(Use::read("chat\nx\ny"), None);
        assert_eq!(Use::read("party\nx\ny\nz"), None);
    }
}
