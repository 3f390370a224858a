//! Which instants a state means now, and which come before.

use super::{Asked, Compare, Preset, State};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rollcall_model::calendar::timestamp;
use rollcall_model::{Calendar, Millis, Period, Range};

/// A range that is asked for, as days and as instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The instants.
    pub(crate) range: Range,
    /// The first day that it touches.
    pub(crate) first: Date,
    /// The last.
    pub(crate) last: Date,
    /// Whether it is whole days.
    pub(crate) whole_days: bool,
    /// Whether it has begun and not ended.
    pub(crate) running: bool,
}

impl Span {
    /// Whole days, both ends included.
    fn of_days(first: Date, last: Date, calendar: &Calendar, now: Millis) -> Self {
        let range = Range::new(calendar.start_of(first), calendar.day(last).to);
        Self { range, first, last, whole_days: true, running: range.contains(now) }
    }

    /// Instants.
    fn of_instants(range: Range, calendar: &Calendar, now: Millis) -> Self {
        let (first, last) = (calendar.date_of(range.from), calendar.date_of(range.to - 1));
        let whole_days = calendar.start_of(first) == range.from && calendar.day(last).to == range.to;
        Self { range, first, last, whole_days, running: range.contains(now) }
    }

    /// How many days it touches.
    pub(crate) fn days(&self) -> i64 {
        i64::from((self.last - self.first).get_days()) + 1
    }

    /// What suits its length: so that a line has neither too few points nor too many.
    pub(crate) fn usual_period(&self) -> Period {
        match self.days() {
            ..=92 => Period::Day,
            93..=400 => Period::Week,
            _ => Period::Month,
        }
    }
}

impl State {
    /// The zone of days.
    pub(crate) fn calendar(&self, home: &TimeZone) -> Calendar {
        Calendar { zone: self.zone.clone().unwrap_or_else(|| home.clone()), week_start: self.week_start }
    }

    /// The range that is meant now.
    pub(crate) fn span(&self, home: &TimeZone, now: Millis) -> Span {
        let calendar = self.calendar(home);
        match self.asked {
            Asked::Preset(preset) => {
                let (first, last) = preset_days(preset, &calendar, calendar.date_of(now));
                Span::of_days(first, last, &calendar, now)
            }
            Asked::Days(first, last) => Span::of_days(first, last, &calendar, now),
            Asked::Instants(from, to) => Span::of_instants(Range::new(from, to), &calendar, now),
        }
    }

    /// The range that `span` is compared with. While `span` runs, of what comes before only as much counts as has passed of it by the
    /// clocks.
    pub(crate) fn before(&self, span: &Span, home: &TimeZone, now: Millis) -> Option<Span> {
        let calendar = self.calendar(home);
        let before = match self.compare? {
            Compare::Days(first, last) => return Some(Span::of_days(first, last, &calendar, now)),
            Compare::Previous if !span.whole_days => {
                let length = span.range.to - span.range.from;
                return Some(Span::of_instants(Range::new(span.range.from - length, span.range.from), &calendar, now));
            }
            Compare::Previous => {
                let back = |day: Date| day.saturating_sub(span.days().days());
                Span::of_days(back(span.first), back(span.last), &calendar, now)
            }
            Compare::Year if !span.whole_days => {
                let back = |at: Millis| moved(at, &calendar.zone, |shown| shown.saturating_sub(364.days()));
                return Some(Span::of_instants(Range::new(back(span.range.from), back(span.range.to)), &calendar, now));
            }
            Compare::Year => {
                let back = |day: Date| if span.days() % 7 == 0 { day.saturating_sub(364.days()) } else { day.saturating_sub(1.year()) };
                Span::of_days(back(span.first), back(span.last), &calendar, now)
            }
        };
        let passed = || {
            let days = span.first - before.first;
            moved(now, &calendar.zone, |shown| shown.saturating_sub(days))
        };
        if span.running {
            let to = before.range.to.min(passed()).max(before.range.from + 1);
            Some(Span::of_instants(Range::new(before.range.from, to), &calendar, now))
        } else {
            Some(before)
        }
    }
}

/// The instant at which the clocks show what `change` makes of what they show at another.
fn moved(at: Millis, zone: &TimeZone, change: impl FnOnce(DateTime) -> DateTime) -> Millis {
    let shown = change(zone.to_datetime(timestamp(at)));
    zone.to_ambiguous_timestamp(shown).compatible().map_or(at, |at| at.as_millisecond())
}

/// The days of a preset, of which today is one or the day after the last.
fn preset_days(preset: Preset, calendar: &Calendar, today: Date) -> (Date, Date) {
    let before = |days: i64| today.saturating_sub(days.days());
    let this = |period| {
        let first = calendar.first_of(period, today);
        (first, calendar.next_after(period, first).saturating_sub(1.day()))
    };
    let last = |period| {
        let end = calendar.first_of(period, today).saturating_sub(1.day());
        (calendar.first_of(period, end), end)
    };
    match preset {
        Preset::Today => (today, today),
        Preset::Yesterday => (before(1), before(1)),
        Preset::Days7 => (before(7), before(1)),
        Preset::Days28 => (before(28), before(1)),
        Preset::Week => this(Period::Week),
        Preset::LastWeek => last(Period::Week),
        Preset::Month => this(Period::Month),
        Preset::LastMonth => last(Period::Month),
        Preset::Quarter => this(Period::Quarter),
        Preset::LastQuarter => last(Period::Quarter),
        Preset::Year => this(Period::Year),
        Preset::LastYear => last(Period::Year),
    }
}
