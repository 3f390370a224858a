//! The two languages, and how each writes numbers and lengths of time.

use crate::words::Word;
use rollcall_model::Millis;

/// A language of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese, 简体中文.
    Zh,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// As the `lang` of a query and of HTML has it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The language of a tag: whatever begins with `zh` or `en`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        match () {
            () if primary.eq_ignore_ascii_case("zh") => Some(Self::Zh),
            () if primary.eq_ignore_ascii_case("en") => Some(Self::En),
            () => None,
        }
    }

    /// The language that an `Accept-Language` likes best; English where it names neither.
    pub fn of_accept(header: &str) -> Self {
        let mut best = (0.0, Self::En);
        for part in header.split(',') {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let weight = rest.trim().strip_prefix("q=").map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            if let Some(lang) = Self::of_tag(tag).filter(|_| weight > best.0) {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The words.
    pub(crate) const fn say(self, word: Word) -> &'static str {
        match self {
            Self::En => word.english(),
            Self::Zh => word.chinese(),
        }
    }

    /// The words, with each `{name}` in them replaced.
    pub(crate) fn fill(self, word: Word, parts: &[(&str, &str)]) -> String {
        parts.iter().fold(self.say(word).to_owned(), |text, (name, part)| text.replace(&format!("{{{name}}}"), part))
    }

    /// A sentence after a sentence: English has a space between them.
    pub(crate) const fn gap(self) -> &'static str {
        match self {
            Self::En => " ",
            Self::Zh => "",
        }
    }

    /// Between the parts of a list.
    pub(crate) const fn comma(self) -> &'static str {
        match self {
            Self::En => ", ",
            Self::Zh => "、",
        }
    }
}

/// A count with its digits grouped by three.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with one decimal.
pub(crate) fn decimal(number: f64) -> String {
    let tenths = (number * 10.0).round().max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and far below 2^53")]
    let tenths = tenths as u64;
    format!("{}.{}", count(tenths / 10), tenths % 10)
}

/// A part of a whole in percent, with one decimal; nothing of nothing is a dash.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".into() } else { format!("{}%", decimal(part as f64 * 100.0 / whole as f64)) }
}

/// A difference with its sign.
pub(crate) fn signed(difference: i128) -> String {
    let size = count(u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX));
    match difference {
        0 => "±0".into(),
        1.. => format!("+{size}"),
        _ => format!("−{size}"),
    }
}

/// A length of time: hours from ten on, else hours and minutes, else minutes, else seconds. Cut off and not rounded.
pub(crate) fn length(lang: Lang, millis: Millis) -> String {
    let seconds = u64::try_from(millis / 1000).unwrap_or(0);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let (h, min, s) = match lang {
        Lang::En => (" h", " min", " s"),
        Lang::Zh => (" 小时", " 分钟", " 秒"),
    };
    match (hours, minutes) {
        (10.., _) | (1.., 0) => format!("{}{h}", count(hours)),
        (1.., _) => format!("{hours}{h} {minutes}{min}"),
        (0, 0) if seconds > 0 => format!("{seconds}{s}"),
        (0, _) => format!("{minutes}{min}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_of_the_two_languages_is_spoken() {
        for (header, lang) in [
            ("", Lang::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en-GB,en;q=0.9,zh;q=0.1", Lang::En),
            ("fr, zh-Hans;q=0.5, en;q=0.4", Lang::Zh),
            ("de", Lang::En),
            ("zh;q=0, en;q=0.1", Lang::En),
            ("en;q=x, zh;q=0.2", Lang::Zh),
        ] {
            assert_eq!(Lang::of_accept(header), lang, "{header}");
        }
    }

    #[test]
    fn numbers_are_grouped_signed_and_cut() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(count), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.04, 12.25, 1234.56].map(decimal), ["0.0", "0.0", "12.3", "1,234.6"]);
        assert_eq!([signed(0), signed(25), signed(-1200)], ["±0", "+25", "−1,200"]);
        assert_eq!([percent(1, 3), percent(0, 0), percent(5, 5)], ["33.3%", "–", "100.0%"]);
        let hour = 3_600_000;
        assert_eq!(
            [0, 59_999, 60_000, hour, hour * 3 / 2, hour * 1234 + 59_000].map(|millis| length(Lang::En, millis)),
            ["0 min", "59 s", "1 min", "1 h", "1 h 30 min", "1,234 h"]
        );
        assert_eq!(length(Lang::Zh, hour * 3 / 2), "1 小时 30 分钟");
    }
}
