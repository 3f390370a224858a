//! What a page is made with: who looks, at what, in which language.

use crate::conceal::pseudonym;
use crate::host::{DataState, Host};
use crate::lang::Lang;
use crate::state::span::Span;
use crate::state::{Asked, Filters, State};
use crate::trouble::Trouble;
use crate::when;
use crate::words::Word;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rollcall_model::reports::{Completeness, InDepartment, StayFilter};
use rollcall_model::{Calendar, Directory, Millis, OrgId, Range, Reports};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// What a page is made with.
pub(crate) struct View<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) lang: Lang,
    pub(crate) state: State,
    /// The page's own path.
    pub(crate) path: &'a str,
    pub(crate) now: Millis,
    /// The zone asked for, with the first day of its weeks.
    pub(crate) calendar: Calendar,
    pub(crate) span: Span,
    /// The range that it is compared with.
    pub(crate) before: Option<Span>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) data: DataState,
    /// What came last, and what came late.
    pub(crate) complete: Completeness,
    /// The panel whose picture alone is wanted, and the picture once it was made.
    pub(crate) picture_of: Option<String>,
    pub(crate) picture: RefCell<Option<String>>,
    /// The viewer's departments by day, once they were asked for.
    below: RefCell<HashMap<Date, Rc<HashSet<String>>>>,
    /// The user whom the viewer looks at: for the audit log.
    pub(crate) looked_at: RefCell<Option<String>>,
}

impl<'a> View<'a> {
    /// Made of what is asked for.
    ///
    /// # Errors
    /// [`Trouble::Forbidden`] if the state names what the viewer may not see.
    pub(crate) fn new(host: &'a dyn Host, lang: Lang, path: &'a str, state: State, picture_of: Option<String>) -> Result<Self, Trouble> {
        let (home, now) = (&host.organization().zone, host.now());
        let span = state.span(home, now);
        let before = state.before(&span, home, now);
        let calendar = state.calendar(home);
        let directory = host.directory();
        let (picture, looked_at, below) = (RefCell::default(), RefCell::default(), RefCell::default());
        let data = host.data();
        // A page without it is as good, and says less.
        let complete = host.reports().completeness(host.organization().id, now).unwrap_or_default();
        let view =
            Self { host, lang, state, path, now, calendar, span, before, directory, data, complete, picture_of, picture, below, looked_at };
        if let Some(department) = &view.state.filters.department
            && !view.may_see(department)
        {
            return Err(Trouble::Forbidden);
        }
        // A user's id in a query is a question about a person.
        if view.state.filters.user.is_some() && !view.host.viewer().sees_people {
            return Err(Trouble::Forbidden);
        }
        if let Some(user) = &view.state.filters.user
            && !view.may_see_user(user)
        {
            return Err(Trouble::Forbidden);
        }
        Ok(view)
    }

    pub(crate) fn reports(&self) -> &dyn Reports {
        self.host.reports()
    }

    pub(crate) fn org(&self) -> OrgId {
        self.host.organization().id
    }

    /// The organization's zone.
    pub(crate) fn home(&self) -> &TimeZone {
        &self.host.organization().zone
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.calendar.zone
    }

    pub(crate) fn say(&self, word: Word) -> &'static str {
        self.lang.say(word)
    }

    pub(crate) fn fill(&self, word: Word, parts: &[(&str, &str)]) -> String {
        self.lang.fill(word, parts)
    }

    /// An instant in the zone asked for.
    pub(crate) fn instant(&self, at: Millis) -> Markup {
        when::instant(self.lang, self.zone(), at)
    }

    /// A range in words: days where it is whole days, else instants.
    pub(crate) fn range_words(&self, span: &Span) -> String {
        if span.whole_days {
            return when::days(self.lang, span.first, span.last);
        }
        let end = |at| when::instant_text(self.lang, self.zone(), at);
        match self.lang {
            Lang::En => format!("{} – {}", end(span.range.from), end(span.range.to)),
            Lang::Zh => format!("{}至{}", end(span.range.from), end(span.range.to)),
        }
    }

    /// A range with its zone: `1–7 Sep 2026, Asia/Shanghai`.
    pub(crate) fn range_and_zone(&self, span: &Span) -> String {
        let between = if self.lang == Lang::En { ", " } else { "，" };
        format!("{}{between}{}", self.range_words(span), when::zone_name(self.zone()))
    }

    /// The department that counts: the one asked for, else the viewer's.
    pub(crate) fn department(&self) -> Option<InDepartment> {
        let id = self.state.filters.department.as_deref().or_else(|| self.host.viewer().department())?;
        let below = self.host.viewer().department().map(ToOwned::to_owned);
        Some(InDepartment { id: id.to_owned(), with_subtree: true, below, home: self.home().clone() })
    }

    /// The viewer's department and those below it, by the tree of a day; none: the viewer sees all. Kept, since a page asks for each of its rows.
    fn below_on(&self, day: Date) -> Option<Rc<HashSet<String>>> {
        let own = self.host.viewer().department()?;
        let below = || Rc::new(self.directory.tree_on(day).subtree(own).into_iter().map(ToOwned::to_owned).collect());
        Some(self.below.borrow_mut().entry(day).or_insert_with(below).clone())
    }

    /// Whether the viewer may see a department: theirs, or one below it by the tree of today.
    pub(crate) fn may_see(&self, department: &str) -> bool {
        self.below_on(self.host.organization().day_of(self.now)).is_none_or(|below| below.contains(department))
    }

    /// Whether a user is, on a day, in the viewer's department or below it; none: in no department.
    pub(crate) fn is_below(&self, user: &str, day: Date) -> Option<bool> {
        let departments = self.directory.departments_on(user, || day);
        let below = self.below_on(day);
        let is_below = || below.is_none_or(|below| departments.iter().any(|department| below.contains(department)));
        (!departments.is_empty()).then(is_below)
    }

    /// Whether the viewer may see a user: whoever is, on every day of the range on which they are in any department, in the viewer's or
    /// below it.
    pub(crate) fn may_see_user(&self, user: &str) -> bool {
        if self.host.viewer().department().is_none() {
            return true;
        }
        let home = Calendar::new(self.home().clone());
        let (first, last) = (home.date_of(self.span.range.from), home.date_of(self.span.range.to - 1));
        let days = std::iter::successors(Some(first), |day| self.directory.next_change(*day)).take_while(|day| *day <= last);
        let mut known = days.filter_map(|day| self.is_below(user, day)).peekable();
        known.peek().is_some() && known.all(|is_below| is_below)
    }

    /// Which stays count.
    pub(crate) fn stays(&self) -> StayFilter {
        let Filters { app, session_kinds, user_kinds, devices, media, .. } = &self.state.filters;
        let some = |empty: bool| !empty;
        StayFilter {
            app: app.clone(),
            session_kinds: some(session_kinds.is_empty()).then(|| session_kinds.clone()),
            user_kinds: some(user_kinds.is_empty()).then(|| user_kinds.clone()),
            devices: some(devices.is_empty()).then(|| devices.clone()),
            media: some(media.is_empty()).then(|| media.clone()),
            department: self.department(),
        }
    }

    /// The newest name of a department; its id where the directory has none.
    pub(crate) fn department_name(&self, id: &str) -> String {
        let entries = self.directory.departments();
        let end = entries.partition_point(|entry| entry.id.as_str() <= id);
        let newest = end.checked_sub(1).and_then(|at| entries.get(at)).filter(|entry| entry.id == id);
        newest.map_or_else(|| id.to_owned(), |entry| entry.name.clone())
    }

    /// A department as a link to its page.
    pub(crate) fn department_link(&self, id: &str) -> Markup {
        let path = format!("/departments/{}", crate::state::segment(id));
        if self.may_see(id) {
            html! { a href=(self.shared().with(&path, |state| state.filters.department = None)) { bdi { (self.department_name(id)) } } }
        } else {
            html! { (self.say(Word::Unknown)) }
        }
    }

    /// A person's name, or a pseudonym.
    pub(crate) fn person_text(&self, id: &str, name: &str) -> String {
        if self.host.viewer().sees_people { name.to_owned() } else { pseudonym(self.lang, self.host.conceal_key(), self.org(), id) }
    }

    /// A person as a link to their page; a pseudonym leads nowhere.
    pub(crate) fn person(&self, id: &str, name: &str) -> Markup {
        let shown = self.person_text(id, name);
        if self.host.viewer().sees_people {
            let path = format!("/people/{}", crate::state::segment(id));
            html! { a href=(self.shared().with(&path, |state| state.filters = Filters::default())) { bdi { (shown) } } }
        } else {
            html! { (shown) }
        }
    }

    /// The state that goes along to other pages: range, zone, comparison, filters, language, colours.
    pub(crate) fn shared(&self) -> State {
        let usual = State::default();
        let mut state = State { find: None, order: usual.order, after: None, behind: usual.behind, by: None, ..self.state.clone() };
        state.filters.user = None;
        state
    }

    /// What of a period lies in the range, as a range of its own that can be asked for.
    pub(crate) fn part(&self, period: Range) -> Asked {
        let part = period.intersect(&self.span.range);
        if self.span.whole_days && period.from >= self.calendar.start_of(self.calendar.date_of(period.from)) {
            let (first, last) = (self.calendar.date_of(part.from), self.calendar.date_of(part.to - 1));
            if self.calendar.start_of(first) == part.from && self.calendar.day(last).to == part.to {
                return Asked::Days(first, last);
            }
        }
        Asked::Instants(part.from, part.to)
    }

    /// Where the people behind a part of the range are.
    pub(crate) fn people_of(&self, asked: Asked, change: impl FnOnce(&mut State)) -> String {
        self.shared().with("/people", |state| {
            state.asked = asked;
            state.compare = None;
            change(state);
        })
    }

    /// The day by which the organization's tree and departments are shown: the last of the range that has come.
    pub(crate) fn tree_day(&self) -> Date {
        let organization = self.host.organization();
        let last = self.span.range.to - 1;
        organization.day_of(last.min(self.now.max(self.span.range.from)))
    }
}
