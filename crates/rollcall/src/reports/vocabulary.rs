//! What the parameters of reports mean and which values they take, for those who read what the API offers.

use super::Report;
use rollcall_model::{Device, Medium, SessionKind, UserKind};
use serde_json::{Value, json};

/// A parameter of a report, as it is described.
#[derive(Debug, Clone)]
pub struct Described {
    /// What it means, in English and in Chinese.
    pub about: [&'static str; 2],
    /// The JSON schema of its values.
    pub schema: Value,
}

impl Described {
    /// The words that it takes, where it takes no others.
    pub fn words(&self) -> Option<Vec<String>> {
        let words = self.schema.get("enum")?.as_array()?;
        Some(words.iter().filter_map(|word| word.as_str().map(Into::into)).collect())
    }
}

/// What a parameter of a report means; none where nobody has said so.
pub fn describe(report: &dyn Report, parameter: &str) -> Option<Described> {
    let text = || json!({ "type": "string" });
    let time = || json!({ "type": "string", "examples": ["2026-09-01", "2026-09", "2026-q3", "2026", "2026-09-01T08:00:00+08:00", "1788192000000"] });
    let (about, usual) = match parameter {
        "from" => (["The first day, month, quarter or year, or an instant.", "起始的日、月、季、年，或时刻。"], time()),
        "to" => (
            [
                "The last day, month, quarter or year, or the instant after; without it, the range is that of from.",
                "最后的日、月、季、年（含），或其后的时刻（不含）；缺省时范围即 from 所指的那段。",
            ],
            time(),
        ),
        "compare" => (
            [
                "The range that numbers are compared with: previous, year, or a range such as 2026-01-01..2026-03-31.",
                "对比的范围：previous（前一段）、year（上一年），或如 2026-01-01..2026-03-31 的一段。",
            ],
            json!({ "type": "string", "examples": ["previous", "year", "2026-01-01..2026-03-31"] }),
        ),
        "medium" => (
            ["Media of which one was used, joined by commas.", "用过其中之一的媒体，以逗号分隔。"],
            among(Medium::ALL.iter().map(|medium| medium.name())),
        ),
        "cursor" => (["Where the page begins: next of the page before.", "本页从何处开始：上一页的 next。"], text()),
        "of" => (["The report whose row is opened.", "要展开的报表。"], text()),
        "date" => (
            ["A day in the period of the row.", "该行周期中的一天。"],
            json!({ "type": "string", "examples": ["2026-09-01", "2026-09", "2026-q3", "2026"] }),
        ),
        "row" => (["What tells the row, where it is no period.", "非周期行的标识。"], text()),
        "session_id" => (["The id of the session.", "会话的 id。"], text()),
        "started_at" => (["When the session started.", "会话的开始时刻。"], time()),
        "zone" => (
            ["The IANA time zone of the days; that of the organization, unless given.", "日期所属的 IANA 时区；缺省为组织的时区。"],
            json!({ "type": "string", "examples": ["Asia/Shanghai"] }),
        ),
        "app" => (["Of one app of the organization.", "仅限组织的某个应用。"], text()),
        "unit" => (["Of one residency of data.", "仅限某个数据驻留地。"], json!({ "type": "integer", "minimum": 0, "maximum": 3 })),
        "order" => (["By what rows are ordered.", "排序依据。"], text()),
        "limit" => (["The most rows.", "最多行数。"], json!({ "type": "integer", "minimum": 1 })),
        "by" => (["What has a row of its own.", "按什么分行。"], text()),
        "week_start" => {
            let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
            (["The first day of weeks; Sunday, unless given.", "一周的第一天；缺省为星期日。"], json!({ "enum": days }))
        }
        "user_kind" => {
            (["Kinds of users, joined by commas.", "用户类型，以逗号分隔。"], among(UserKind::ALL.iter().map(|kind| kind.name())))
        }
        "device" => {
            let names = Device::ALL.iter().map(|device| device.name()).chain(["computer"]);
            (["Devices, joined by commas; computer is desktop and web.", "设备，以逗号分隔；computer 指 desktop 与 web。"], among(names))
        }
        "session_kind" => {
            (["Kinds of sessions, joined by commas.", "会话类型，以逗号分隔。"], among(SessionKind::ALL.iter().map(|kind| kind.name())))
        }
        "country" => (
            ["Of one country, by its ISO 3166-1 code.", "仅限某个国家（ISO 3166-1 代码）。"],
            json!({ "type": "string", "examples": ["CN"] }),
        ),
        "department" => (["Of one department and those below it.", "仅限某个部门及其下级。"], text()),
        "subtree" => (["Whether departments below it count too.", "是否计入下级部门。"], json!({ "enum": ["true", "false"] })),
        "user" => (["Of one user.", "仅限某个用户。"], text()),
        "breakdown" => (["Which part of the use has rows.", "按哪类使用细分。"], text()),
        _ => return None,
    };
    let schema = report.words(parameter).map_or(usual, |words| {
        let is_plain = words.chars().all(|letter| letter.is_ascii_alphanumeric() || "|_-".contains(letter));
        if is_plain {
            json!({ "enum": words.split('|').collect::<Vec<_>>() })
        } else {
            json!({ "type": "string", "pattern": format!("^({words})$") })
        }
    });
    Some(Described { about, schema })
}

/// Words joined by commas.
fn among<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    let words: Vec<_> = words.collect();
    let any = words.join("|");
    json!({ "type": "string", "pattern": format!("^({any})(,({any}))*$") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::{REPORTS, parameters_of};

    #[test]
    fn every_parameter_of_every_report_is_described() {
        for report in REPORTS {
            for parameter in parameters_of(*report) {
                assert!(describe(*report, parameter).is_some(), "{} {parameter}: add it to vocabulary.rs", report.name());
            }
            let [english, chinese] = report.about();
            assert!(english.ends_with('.') && chinese.ends_with('。'), "{}", report.name());
        }
    }
}
