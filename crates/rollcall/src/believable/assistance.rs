//! What the coding assistant did for the members, as lines of NDJSON.

use super::Believable;
use super::chance::{Chance, mixed};
use super::day::HOURS;
use super::line::{number, time};
use super::people::People;
use rollcall_model::calendar::DAY_MILLIS;
use rollcall_model::{Millis, UserKind};

/// About how long a line is.
const USUAL_BYTES: usize = 220;

/// What the assistant is asked for, in proportion: the types of the vendor, and a command of the organization's own.
const CHAT_TYPES: [(&str, u32); 6] = [
    ("FREE_INPUT", 60),
    ("EXPLAIN_CODE", 12),
    ("GENERATE_TESTCASE", 10),
    ("CODE_GENERATE_COMMENT", 8),
    ("OPTIMIZE_CODE", 6),
    ("提交说明", 4),
];

const IDES: [(&str, u32); 4] = [("vscode", 48), ("jetbrains", 44), ("visual studio", 5), ("qoder", 3)];

const LANGUAGES: [(&str, u32); 12] = [
    ("java", 30),
    ("typescript", 16),
    ("python", 14),
    ("go", 12),
    ("javascript", 8),
    ("c++", 6),
    ("vue", 4),
    ("kotlin", 3),
    ("swift", 2),
    ("rust", 2),
    ("sql", 2),
    ("shell", 1),
];

/// The facts of one day, in the order of their times. With `teams`, by position of the member, each fact names its department.
pub(super) fn lines(of: &Believable, people: &People, day: u32, count: u64, teams: Option<&[String]>) -> Vec<u8> {
    let mut chance = Chance::new(of.seed, u64::from(day) | 1 << 41);
    let start = of.day_start(day);
    let mut times: Vec<(Millis, u32)> = (0..count).map(|_| (moment(start, &mut chance), chance.skewed(people.members))).collect();
    times.sort_unstable();
    let mut lines = Vec::with_capacity(times.len() * USUAL_BYTES);
    for (at, user) in times {
        lines.extend_from_slice(b"{\"user_id\":\"");
        people.write_id(user, UserKind::Member, &mut lines);
        if let Some(team) = teams.and_then(|teams| teams.get(user as usize)) {
            lines.extend_from_slice(b"\",\"department_id\":\"");
            lines.extend_from_slice(team.as_bytes());
        }
        lines.extend_from_slice(b"\",\"at\":\"");
        time(at, &mut lines);
        what(of.seed, user, &mut chance, &mut lines);
        lines.extend_from_slice(b"}\n");
    }
    lines
}

/// When in a day that begins at `start` somebody works.
fn moment(start: Millis, chance: &mut Chance) -> Millis {
    let hour = chance.weighted(&HOURS).unwrap_or(9);
    (start + hour * 3_600_000 + chance.between(0, 3_600_000)).min(start + DAY_MILLIS - 1)
}

/// Mostly completions; people keep to their IDE and, mostly, to their language.
fn what(seed: u64, user: u32, chance: &mut Chance, line: &mut Vec<u8>) {
    let mut habit = Chance::new(mixed(seed), u64::from(user));
    let (ide, own) = (habit.weighted(&IDES).unwrap_or("vscode"), habit.weighted(&LANGUAGES).unwrap_or("java"));
    let language = if chance.percent(85) { own } else { chance.weighted(&LANGUAGES).unwrap_or(own) };
    let kind = chance.weighted(&[("completion", 70), ("chat", 22), ("edit", 8)]).unwrap_or("completion");
    let text = |name: &str, value: &str, line: &mut Vec<u8>| {
        line.extend_from_slice(format!("\"{name}\":\"{value}\",").as_bytes());
    };
    line.extend_from_slice(b"\",");
    text("kind", kind, line);
    if kind == "chat" {
        text("chat_type", chance.weighted(&CHAT_TYPES).unwrap_or("FREE_INPUT"), line);
    }
    text("ide", ide, line);
    text("language", language, line);
    let mut count = |name: &str, value: i64| {
        line.extend_from_slice(b"\"");
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        number(value.unsigned_abs(), line);
        line.push(b',');
    };
    let accepted = match kind {
        "chat" => {
            let turns = chance.between(1, 4);
            count("turns", turns);
            chance.between(0, turns + 1)
        }
        "completion" => {
            let suggested = chance.between(1, 9);
            count("suggested", suggested);
            chance.between(0, suggested + 1) / 2
        }
        _ => 0,
    };
    if accepted > 0 {
        let lines = accepted * chance.between(1, 9);
        count("accepted", accepted);
        count("lines_accepted", lines);
        count("lines_changed", lines);
    } else if kind == "edit" {
        count("lines_changed", chance.between(1, 60));
    }
    line.pop();
}
