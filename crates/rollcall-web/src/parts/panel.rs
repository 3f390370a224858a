//! A panel: a title, what is drawn, the same numbers as a table, what they cover, exports, and the call that gives them.

use crate::calls::Call;
use crate::lang::Lang;
use crate::trouble::failed;
use crate::view::View;
use crate::when;
use crate::words::Word;
use maud::{Markup, PreEscaped, html};
use rollcall_model::{Covers, ReportError};

/// A table with the numbers of a panel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// What its columns are called, and whether they hold numbers. The first names the row.
    pub(crate) head: Vec<(String, bool)>,
    /// Its rows.
    pub(crate) rows: Vec<Vec<Markup>>,
    /// Whether it is folded away, since a chart above shows the same.
    pub(crate) folded: bool,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(view: &View<'_>, first: Word, others: &[Word]) -> Self {
        let column = |word: &Word| (view.say(*word).to_owned(), true);
        Self {
            head: std::iter::once((view.say(first).to_owned(), false)).chain(others.iter().map(column)).collect(),
            rows: Vec::new(),
            folded: false,
        }
    }

    /// The same, with a column (from 0) that is text.
    pub(crate) fn text(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some((_, numeric)) = self.head.get_mut(*column) {
                *numeric = false;
            }
        }
        self
    }

    /// The same, with rows.
    pub(crate) fn of(mut self, rows: impl IntoIterator<Item = Vec<Markup>>) -> Self {
        self.rows = rows.into_iter().collect();
        self
    }

    /// The same, folded.
    pub(crate) fn folded(mut self) -> Self {
        self.folded = true;
        self
    }

    fn markup(&self, view: &View<'_>, caption: &str) -> Markup {
        let numeric = |column: usize| self.head.get(column).is_some_and(|(_, numeric)| *numeric);
        let table = html! {
            table {
                caption { (caption) }
                thead { tr { @for (name, numeric) in &self.head {
                    // Above a bar there is nothing to say.
                    @if name.is_empty() { td {} } @else { th scope="col" class=[numeric.then_some("n")] { (name) } }
                } } }
                tbody {
                    @for row in &self.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 { th scope="row" { (cell) } } @else { td class=[numeric(column).then_some("n")] { (cell) } }
                            }
                        }
                    }
                }
            }
        };
        let scrolled = html! { div class="scroll" tabindex="0" role="region" aria-label=(caption) { (table) } };
        html! {
            @if self.folded { details class="fold" { summary { (view.say(Word::TableFolded)) } (scrolled) } } @else { (scrolled) }
        }
    }
}

/// A panel.
#[derive(Debug, Clone)]
pub(crate) struct Panel<'p> {
    /// Its id in the page.
    pub(crate) id: &'static str,
    /// Its title.
    pub(crate) title: String,
    /// The number that it is about.
    pub(crate) headline: Option<Markup>,
    /// What is drawn.
    pub(crate) chart: Option<Markup>,
    /// What is drawn in an exported picture, where the page's table shows it already.
    pub(crate) picture: Option<Markup>,
    /// The numbers.
    pub(crate) table: Table,
    /// What is said about them.
    pub(crate) notes: Vec<String>,
    /// What they cover.
    pub(crate) covers: Option<&'p Covers>,
    /// The calls that give them: the first is exported.
    pub(crate) calls: Vec<Call>,
    /// Filters that are set and do not count here.
    pub(crate) unfiltered: Vec<Word>,
    /// How much room it takes: `tile`, `half`, or all of it.
    pub(crate) size: &'static str,
    /// Whether its rows name people, so that only who sees them exports them.
    pub(crate) names_people: bool,
    /// Links below the table: to the next page.
    pub(crate) links: Option<Markup>,
}

impl<'p> Panel<'p> {
    /// A panel with a table.
    pub(crate) fn new(id: &'static str, title: impl Into<String>, table: Table) -> Self {
        Self {
            id,
            title: title.into(),
            headline: None,
            chart: None,
            picture: None,
            table,
            notes: Vec::new(),
            covers: None,
            calls: Vec::new(),
            unfiltered: Vec::new(),
            size: "whole",
            names_people: false,
            links: None,
        }
    }

    /// What its numbers cover, and the call that gives them.
    pub(crate) fn from(mut self, covers: &'p Covers, call: Call) -> Self {
        self.covers = Some(covers);
        self.calls.push(call);
        self
    }
}

impl View<'_> {
    /// A panel of an answer; why there is none, if there is none.
    pub(crate) fn panel_of<A>(
        &self,
        id: &'static str,
        title: Word,
        answer: Result<A, ReportError>,
        panel: impl FnOnce(A) -> Markup,
    ) -> Markup {
        match answer {
            Ok(answer) => panel(answer),
            Err(error) => self.notice(id, self.say(title), &failed(self.lang, &error)),
        }
    }

    /// A panel that says why there is nothing.
    pub(crate) fn notice(&self, id: &str, title: &str, said: &str) -> Markup {
        let heading = format!("{id}-title");
        html! {
            section class="panel half" id=(id) aria-labelledby=(heading) {
                header { h2 id=(heading) { (title) } }
                p class="note" { (said) }
            }
        }
    }

    /// A panel in a page; if its picture alone is wanted, the picture is kept.
    pub(crate) fn panel(&self, panel: &Panel<'_>) -> Markup {
        let drawn = panel.chart.as_ref().or(panel.picture.as_ref());
        if self.picture_of.as_deref() == Some(panel.id)
            && let Some(drawn) = drawn
        {
            *self.picture.borrow_mut() = Some(crate::export::picture(self, panel, drawn));
        }
        let title = format!("{}-title", panel.id);
        let about = self.about();
        html! {
            section class={ "panel " (panel.size) } id=(panel.id) aria-labelledby=(title) {
                header {
                    h2 id=(title) { (panel.title) }
                    @if !panel.calls.is_empty() && !self.state.embed { (self.exports(panel, drawn.is_some())) }
                }
                @if let Some(headline) = &panel.headline { p class="headline" { (headline) } }
                figure {
                    figcaption { (panel.title) ": " (about) }
                    @if let Some(chart) = &panel.chart { (chart) }
                    @if panel.table.rows.is_empty() { p class="note" { (self.say(Word::NothingYet)) } }
                    (panel.table.markup(self, &format!("{}: {about}", panel.title)))
                }
                @if let Some(links) = &panel.links { (links) }
                @for note in &panel.notes { p class="note" { (note) } }
                @if let Some(note) = self.unfiltered(&panel.unfiltered) { p class="note strong" { (note) } }
                @if let Some(covers) = panel.covers { (self.covers(covers)) }
                @if !panel.calls.is_empty() && !self.state.embed { (self.calls(&panel.calls)) }
            }
        }
    }

    /// What a panel is about: range, zone, filters.
    pub(crate) fn about(&self) -> String {
        let filters: Vec<_> = self.chips().into_iter().map(|(said, _)| said).collect();
        let mut about = self.range_and_zone(&self.span);
        if !filters.is_empty() {
            about.push_str(if self.lang == Lang::En { "; " } else { "；" });
            about.push_str(&filters.join(self.lang.comma()));
        }
        about
    }

    fn unfiltered(&self, words: &[Word]) -> Option<String> {
        let names: Vec<_> = words.iter().map(|word| self.say(*word)).collect();
        (!names.is_empty()).then(|| self.fill(Word::NotFiltered, &[("filters", &names.join(self.lang.comma()))]))
    }

    /// What a number covers.
    fn covers(&self, covers: &Covers) -> Markup {
        let range = self.words_of(covers);
        let zone = when::zone_name(&covers.zone);
        let instant = |at| when::instant_text(self.lang, &covers.zone, at);
        let mut said = vec![self.fill(Word::Covers, &[("range", &range), ("zone", zone)])];
        said.push(match covers.seen {
            Some((first, last)) => self.fill(Word::Seen, &[("first", &instant(first)), ("last", &instant(last))]),
            None => self.say(Word::SeenNone).to_owned(),
        });
        if covers.range.contains(self.now) {
            said.push(self.fill(Word::Running, &[("now", &instant(self.now))]));
        } else if covers.range.from > self.now {
            said.push(self.say(Word::Ahead).to_owned());
        }
        said.extend(self.failing());
        html! { p class="covers" { (said.join(self.lang.gap())) } }
    }

    /// The range that an answer covers, in words.
    fn words_of(&self, covers: &Covers) -> String {
        let calendar = rollcall_model::Calendar::new(covers.zone.clone());
        let (first, last) = (calendar.date_of(covers.range.from), calendar.date_of((covers.range.to - 1).max(covers.range.from)));
        let whole_days = calendar.start_of(first) == covers.range.from && calendar.day(last).to == covers.range.to;
        self.range_words(&crate::state::span::Span { range: covers.range, first, last, whole_days, running: false })
    }

    /// Sources because of which numbers of this range may be incomplete.
    pub(crate) fn failing(&self) -> Option<String> {
        let failing = self.data.sources.iter().filter_map(|source| {
            let since = source.failing_since.filter(|since| *since < self.span.range.to)?;
            let since = when::instant_text(self.lang, self.zone(), since);
            Some(self.fill(Word::SourceSince, &[("source", &source.name), ("since", &since)]))
        });
        let failing: Vec<_> = failing.collect();
        (!failing.is_empty()).then(|| self.fill(Word::SourcesFailing, &[("sources", &failing.join(self.lang.comma()))]))
    }

    fn exports(&self, panel: &Panel<'_>, drawn: bool) -> Markup {
        let Some(call) = panel.calls.first() else { return PreEscaped(String::new()) };
        let path = call.path();
        let bom = if self.lang == Lang::Zh { "&bom=1" } else { "" };
        let table = !panel.names_people || self.host.viewer().sees_people;
        let picture = format!("{}&panel={}", self.state.with(self.path, |state| state.lang = Some(self.lang)), panel.id);
        html! {
            ul class="exports" aria-label=(self.fill(Word::Exports, &[("title", &panel.title)])) {
                @if table {
                    li { a href=(format!("{path}&format=csv{bom}")) download { "CSV" } }
                    li { a href=(format!("{path}&format=xlsx")) download { "XLSX" } }
                }
                @if drawn {
                    li { a href=(picture) download=(self.file_name(panel.id, "svg")) { "SVG" } }
                    li { a class="png" href=(picture) download=(self.file_name(panel.id, "png")) hidden { "PNG" } }
                }
            }
        }
    }

    /// What an exported file is called.
    pub(crate) fn file_name(&self, panel: &str, kind: &str) -> String {
        format!("rollcall-{panel}-{}-{}.{kind}", self.span.first, self.span.last)
    }

    fn calls(&self, calls: &[Call]) -> Markup {
        let base = self.host.base_url();
        html! {
            details class="call" {
                summary { (self.say(Word::ShowTheCall)) }
                p { (self.say(Word::CallFor)) }
                @for call in calls {
                    h3 { (self.say(Word::CallNative)) }
                    @let url = format!("{base}{}", call.path());
                    pre tabindex="0" { code { "curl -H \"Authorization: Bearer $ROLLCALL_KEY\" '" (url) "'" } }
                    h3 { (self.say(Word::CallCommand)) }
                    pre tabindex="0" { code { (call.command(base)) } }
                    @if let Some(vendor) = call.vendor.as_ref().filter(|vendor| self.configured(vendor.vendor)) {
                        h3 { (self.say(vendor.vendor)) }
                        pre tabindex="0" { code { "curl " (vendor.arguments) " " (quoted_url(base, &vendor.request)) } }
                    }
                }
            }
        }
    }

    fn configured(&self, vendor: Word) -> bool {
        let vendors = self.host.vendors();
        match vendor {
            Word::Feishu => vendors.feishu,
            Word::Office365 => vendors.office365,
            Word::Volcengine => vendors.volcengine,
            Word::Yunxiao => vendors.yunxiao,
            _ => false,
        }
    }
}

/// A URL as a word of a shell's command: a variable in it stays one.
fn quoted_url(base: &str, request: &str) -> String {
    if request.contains("$PRESIGNED") { format!("\"{base}{request}\"") } else { format!("'{base}{request}'") }
}
