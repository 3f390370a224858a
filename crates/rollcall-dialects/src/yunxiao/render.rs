//! Rows in the vendor's words.

use super::wire::{Breakdown, Chatting, Coding, Completion, DepartmentUsage, DeveloperUsage, Totals};
use rollcall_model::Calendar;
use rollcall_model::reports::{DepartmentDay, DeveloperDay, Usage};

/// A row of `departmentUsage`.
pub(super) fn department(calendar: &Calendar, row: DepartmentDay) -> DepartmentUsage {
    let DepartmentDay { key, usage, .. } = row;
    DepartmentUsage {
        active_developer: usage.developers,
        active_developer_chat: usage.chat_developers,
        active_developer_completion: usage.completion_developers,
        date: calendar.start_of(key.date),
        department_id: key.id,
        totals: totals(&usage),
        breakdown: breakdown(&usage, Some),
    }
}

/// A row of `developerUsage`.
pub(super) fn developer(calendar: &Calendar, row: DeveloperDay) -> DeveloperUsage {
    let DeveloperDay { key, usage, .. } = row;
    DeveloperUsage {
        date: calendar.start_of(key.date),
        status_active: usage.developers > 0,
        status_active_chat: usage.chat_developers > 0,
        status_active_completion: usage.completion_developers > 0,
        status_active_lasted_time: usage.last_use.unwrap_or(0),
        totals: totals(&usage),
        user_id: key.id,
        breakdown: breakdown(&usage, |_| None),
    }
}

fn totals(usage: &Usage) -> Totals {
    Totals {
        total_chat_turns: usage.turns,
        total_chat_turns_accepted: Some(usage.turns_accepted),
        total_count_accepted_completion: Some(usage.accepted),
        total_count_suggested_completion: Some(usage.suggested),
        total_lines_accepted: usage.lines_accepted,
        total_lines_changed: usage.lines_changed,
    }
}

fn breakdown(usage: &Usage, developers: impl Fn(u64) -> Option<u64>) -> Breakdown {
    let chatting = usage.chatting.iter().map(|row| Chatting {
        active_developer: developers(row.developers),
        chat_turns: row.turns,
        chat_turns_accepted: row.accepted,
        chat_type: row.chat_type.clone(),
        ide: row.ide.clone(),
    });
    let coding = usage.coding.iter().map(|row| Coding {
        active_developer: developers(row.developers),
        language: row.language.clone(),
        lines_accepted: row.lines_accepted,
        lines_changed: row.lines_changed,
    });
    let completion = usage.completion.iter().map(|row| Completion {
        active_developer: developers(row.developers),
        count_accepted: row.accepted,
        count_suggested: row.suggested,
        ide: row.ide.clone(),
        language: row.language.clone(),
        lines_accepted: row.lines_accepted,
        lines_changed: row.lines_changed,
    });
    Breakdown { chatting: chatting.collect(), coding: coding.collect(), completion: completion.collect() }
}
