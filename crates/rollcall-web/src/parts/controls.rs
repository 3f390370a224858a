//! Range, comparison and filters: links and forms, so that all of it works without a script. A link with `data-key` is also a key.

use crate::lang::Lang;
use crate::state::{Asked, Compare, Preset, State, weekday_name};
use crate::view::View;
use crate::when;
use crate::words::Word;
use jiff::civil::Weekday;
use maud::{Markup, html};
use rollcall_model::{Device, Medium, Period, SessionKind, UserKind};

/// Zones that are offered; any other can be written.
const ZONES: [&str; 16] = [
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Taipei",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "UTC",
];

/// The names of presets.
pub(crate) const fn preset_word(preset: Preset) -> Word {
    match preset {
        Preset::Today => Word::Today,
        Preset::Yesterday => Word::Yesterday,
        Preset::Days7 => Word::Days7,
        Preset::Days28 => Word::Days28,
        Preset::Week => Word::ThisWeek,
        Preset::LastWeek => Word::LastWeek,
        Preset::Month => Word::ThisMonth,
        Preset::LastMonth => Word::LastMonth,
        Preset::Quarter => Word::ThisQuarter,
        Preset::LastQuarter => Word::LastQuarter,
        Preset::Year => Word::ThisYear,
        Preset::LastYear => Word::LastYear,
    }
}

/// The names of periods.
pub(crate) const fn period_word(period: Period) -> Word {
    match period {
        Period::Day => Word::Day,
        Period::Week => Word::Week,
        Period::Month => Word::Month,
        Period::Quarter => Word::Quarter,
        Period::Year => Word::Year,
    }
}

/// The names of kinds of session.
pub(crate) const fn session_word(kind: SessionKind) -> Word {
    match kind {
        SessionKind::Meeting => Word::KindMeeting,
        SessionKind::Call => Word::KindCall,
        SessionKind::Room => Word::KindRoom,
    }
}

/// The names of kinds of user.
pub(crate) const fn user_word(kind: UserKind) -> Word {
    match kind {
        UserKind::Member => Word::UserMember,
        UserKind::Guest => Word::UserGuest,
        UserKind::Room => Word::UserRoom,
        UserKind::Phone => Word::UserPhone,
    }
}

/// The names of devices.
pub(crate) const fn device_word(device: Device) -> Word {
    match device {
        Device::Desktop => Word::DeviceDesktop,
        Device::Web => Word::DeviceWeb,
        Device::Mobile => Word::DeviceMobile,
        Device::Tablet => Word::DeviceTablet,
        Device::Room => Word::DeviceRoom,
        Device::Phone => Word::DevicePhone,
        Device::Unknown => Word::DeviceUnknown,
    }
}

/// The names of media.
pub(crate) const fn medium_word(medium: Medium) -> Word {
    match medium {
        Medium::Audio => Word::MediumAudio,
        Medium::Video => Word::MediumVideo,
        Medium::Screen => Word::MediumScreen,
        Medium::Message => Word::MediumMessage,
        Medium::File => Word::MediumFile,
    }
}

/// The keys of all links that have one.
pub(crate) fn keys(view: &View<'_>) -> Markup {
    html! {
        details id="keys" {
            summary data-key="?" { (view.say(Word::Keys)) }
            p { (view.say(Word::KeysNote)) }
            dl class="facts" {
                @for (preset, _, key) in Preset::ALL { dt { kbd { (key.to_ascii_uppercase()) } } dd { (view.say(preset_word(preset))) } }
            }
        }
    }
}

impl View<'_> {
    /// The filters that are set: each in words, and where the page is without it.
    pub(crate) fn chips(&self) -> Vec<(String, String)> {
        let colon = if self.lang == Lang::En { ": " } else { "：" };
        let words = |words: Vec<Word>| words.iter().map(|word| self.say(*word)).collect::<Vec<_>>().join(self.lang.comma());
        let chip = |name: Word, value: String, clear: fn(&mut State)| {
            (format!("{}{colon}{value}", self.say(name)), self.state.with(self.path, clear))
        };
        let filters = &self.state.filters;
        let mut chips = Vec::new();
        if let Some(app) = &filters.app {
            chips.push(chip(Word::App, app.clone(), |state| state.filters.app = None));
        }
        if !filters.session_kinds.is_empty() {
            let value = words(filters.session_kinds.iter().map(|kind| session_word(*kind)).collect());
            chips.push(chip(Word::SessionKind, value, |state| state.filters.session_kinds.clear()));
        }
        if !filters.user_kinds.is_empty() {
            let value = words(filters.user_kinds.iter().map(|kind| user_word(*kind)).collect());
            chips.push(chip(Word::UserKind, value, |state| state.filters.user_kinds.clear()));
        }
        if !filters.devices.is_empty() {
            let value = words(filters.devices.iter().map(|device| device_word(*device)).collect());
            chips.push(chip(Word::Device, value, |state| state.filters.devices.clear()));
        }
        if !filters.media.is_empty() {
            let value = words(filters.media.iter().map(|medium| medium_word(*medium)).collect());
            chips.push(chip(Word::Medium, value, |state| state.filters.media.clear()));
        }
        if let Some(department) = &filters.department {
            chips.push(chip(Word::Department, self.department_name(department), |state| state.filters.department = None));
        }
        if let Some(user) = &filters.user {
            chips.push(chip(Word::User, self.directory.user(user).map_or_else(|| user.clone(), |user| user.name.clone()), |state| {
                state.filters.user = None
            }));
        }
        chips
    }
}

/// The bar of controls.
pub(crate) fn controls(view: &View<'_>) -> Markup {
    let chips = view.chips();
    // Where rows are periods, and where filters count.
    let over_time = matches!(view.path, "/" | "/meetings") || view.path.starts_with("/departments/");
    let filtered = view.path != "/data" && (view.path == "/people/silent" || !view.path.starts_with("/people/"));
    html! {
        section class="controls" aria-label=(view.say(Word::View)) {
            (range_menu(view))
            (compare_menu(view))
            @if over_time { (by_menu(view)) }
            @if filtered { (filter_menu(view)) }
            @if !chips.is_empty() {
                ul class="chips" {
                    @for (said, without) in &chips {
                        @let label = view.fill(Word::RemoveFilter, &[("filter", said)]);
                        li { a href=(without) aria-label=(label) { (said) span aria-hidden="true" { " ×" } } }
                    }
                    @let cleared = view.state.with(view.path, |state| state.filters = Default::default());
                    li { a class="clear" data-key="Escape" href=(cleared) { (view.say(Word::ClearFilters)) } }
                }
            }
            (said(view))
        }
    }
}

/// What is running, ahead, incomplete, and compared.
fn said(view: &View<'_>) -> Markup {
    let now = when::instant_text(view.lang, view.zone(), view.now);
    let mut said = Vec::new();
    if view.span.running {
        said.push(view.fill(Word::Running, &[("now", &now)]));
        said.push(view.fill(Word::AheadSome, &[("now", &now)]));
    } else if view.span.range.from > view.now {
        said.push(view.say(Word::Ahead).to_owned());
    }
    if let Some(before) = &view.before {
        let word = if view.span.running && !before.whole_days { Word::ComparedRunning } else { Word::ComparedWith };
        said.push(view.fill(word, &[("range", &view.range_words(before))]));
    }
    said.extend(view.failing());
    html! { @if !said.is_empty() { p class="note" role="status" data-running[view.span.running] { (said.join(view.lang.gap())) } } }
}

fn range_menu(view: &View<'_>) -> Markup {
    let name = match view.state.asked {
        Asked::Preset(preset) => view.say(preset_word(preset)),
        Asked::Days(..) | Asked::Instants(..) => view.say(Word::OwnRange),
    };
    let field = |name: &'static str, word: Word, value: String| {
        html! { label { (view.say(word)) " " input type="date" name=(name) value=(value) required min="1972-01-01" max="2199-12-31"; } }
    };
    html! {
        details class="menu" {
            summary data-key="c" { (name) }
            div {
                ul { @for (preset, _, key) in Preset::ALL {
                    @let href = view.state.with(view.path, |state| state.asked = Asked::Preset(preset));
                    @let current = (view.state.asked == Asked::Preset(preset)).then_some("true");
                    li { a href=(href) data-key=(key) aria-current=[current] {
                        (view.say(preset_word(preset))) " " kbd { (key.to_ascii_uppercase()) }
                    } }
                } }
                form method="get" action=(view.path) {
                    (hidden(view, &["range", "from", "to", "zone", "week_start", "after"]))
                    (field("from", Word::FirstDay, view.span.first.to_string()))
                    (field("to", Word::LastDay, view.span.last.to_string()))
                    label { (view.say(Word::Zone)) " "
                        input name="zone" list="zones" value=(when::zone_name(view.zone())) autocomplete="off" spellcheck="false";
                    }
                    datalist id="zones" { @for zone in ZONES { option value=(zone) {} } }
                    label { (view.say(Word::WeekStart)) " " select name="week_start" {
                        @for day in [Weekday::Monday, Weekday::Saturday, Weekday::Sunday] {
                            option value=(weekday_name(day)) selected[view.state.week_start == day] { (when::weekday(view.lang, day)) }
                        }
                    } }
                    button { (view.say(Word::Show)) }
                }
            }
        }
    }
}

/// What a form does not say stays as it is.
fn hidden(view: &View<'_>, but: &[&str]) -> Markup {
    let kept = view.state.parameters().into_iter().filter(|(name, _)| !but.contains(name));
    html! { @for (name, value) in kept { input type="hidden" name=(name) value=(value); } }
}

fn compare_menu(view: &View<'_>) -> Markup {
    let own = matches!(view.state.compare, Some(Compare::Days(..)));
    let options = [(None, Word::CompareOff), (Some(Compare::Previous), Word::ComparePrevious), (Some(Compare::Year), Word::CompareYear)];
    let current = options.iter().find(|(compare, _)| *compare == view.state.compare).map_or(Word::OwnRange, |(_, word)| *word);
    let key = |compare: &Option<Compare>| match (compare, view.state.compare) {
        (Some(Compare::Previous), None) | (None, Some(_)) => Some("x"),
        _ => None,
    };
    html! {
        details class="menu" {
            summary { (view.say(Word::Compare)) ": " (view.say(current)) }
            div {
                ul { @for (compare, word) in &options {
                    @let href = view.state.with(view.path, |state| state.compare = *compare);
                    @let current = (!own && *compare == view.state.compare).then_some("true");
                    li { a href=(href) data-key=[key(compare)] aria-current=[current] {
                        (view.say(*word)) @if key(compare).is_some() { " " kbd { "X" } }
                    } }
                } }
            }
        }
    }
}

fn by_menu(view: &View<'_>) -> Markup {
    let current = view.by();
    html! {
        ul class="by" aria-label=(view.say(Word::By)) {
            @for period in [Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year] {
                @let href = view.state.with(view.path, |state| state.by = Some(period));
                li { a href=(href) aria-current=[(period == current).then_some("true")] { (view.say(period_word(period))) } }
            }
        }
    }
}

fn filter_menu(view: &View<'_>) -> Markup {
    let filters = &view.state.filters;
    let boxes = |name: &'static str, legend: Word, options: Vec<(&'static str, Word, bool)>| {
        html! { fieldset { legend { (view.say(legend)) } @for (value, word, set) in options {
            label { input type="checkbox" name=(name) value=(value) checked[set]; " " (view.say(word)) }
        } } }
    };
    let kinds = SessionKind::ALL.iter().map(|kind| (kind.name(), session_word(*kind), filters.session_kinds.contains(kind)));
    let users = UserKind::ALL.iter().map(|kind| (kind.name(), user_word(*kind), filters.user_kinds.contains(kind)));
    let devices = Device::ALL.iter().map(|device| (device.name(), device_word(*device), filters.devices.contains(device)));
    let media =
        [Medium::Audio, Medium::Video, Medium::Screen].map(|medium| (medium.name(), medium_word(medium), filters.media.contains(&medium)));
    let apps = &view.host.organization().apps;
    html! {
        details class="menu" {
            summary { (view.say(Word::Filter)) }
            div {
                form method="get" action=(view.path) {
                    (hidden(view, &["app", "session_kind", "user_kind", "device", "medium", "after"]))
                    @if apps.len() > 1 {
                        label { (view.say(Word::App)) " " select name="app" {
                            option value="" { (view.say(Word::AnyApp)) }
                            @for app in apps { option value=(app) selected[filters.app.as_ref() == Some(app)] { (app) } }
                        } }
                    }
                    (boxes("user_kind", Word::UserKind, users.collect()))
                    (boxes("session_kind", Word::SessionKind, kinds.collect()))
                    (boxes("device", Word::Device, devices.collect()))
                    (boxes("medium", Word::Medium, media.into()))
                    p class="note" { a href=(view.shared().at("/departments")) { (view.say(Word::Department)) "…" } }
                    button { (view.say(Word::Show)) }
                }
            }
        }
    }
}

impl View<'_> {
    /// What a row over time is: what is asked for, else what suits the range.
    /// At least so coarse that a table has at most 800 rows.
    pub(crate) fn by(&self) -> Period {
        let asked = self.state.by.unwrap_or_else(|| self.span.usual_period());
        match (asked, self.span.days()) {
            (Period::Day, 801..=5600) => Period::Week,
            (Period::Day | Period::Week, 5601..) => Period::Month,
            (asked, _) => asked,
        }
    }

    /// The same in words, within a sentence.
    pub(crate) fn by_word(&self) -> String {
        self.say(period_word(self.by())).to_lowercase()
    }
}
