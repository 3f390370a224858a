//! Pages, their headers, and the lists of rows that pages are cut from.
//!
//! A department or user that the directory does not know has rows from its first fact on. If that came between two pages, the rows after
//! it would shift, and the next page would repeat one. So the list that a first page was cut from is remembered, and the later pages
//! of the same question are cut from it too; what is in their rows is as new as can be. The first page always makes the list anew.

use super::usage::Question;
use super::wire::header;
use http::{HeaderMap, HeaderName, HeaderValue};
use rollcall_model::reports::RowKeys;
use rollcall_model::{Millis, OrgId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a list is remembered after its last page.
const KEPT: Millis = 10 * 60 * 1000;
/// How many lists are remembered of one token, and of all; the one whose last page is longest ago goes first.
const LISTS_OF_A_TOKEN: usize = 16;
const LISTS: usize = 1024;
/// How many ids and days the lists of one token may hold, and those of all. A longer list is not remembered.
const KEYS_OF_A_TOKEN: usize = 1_000_000;
const KEYS: usize = 4_000_000;

/// Which page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// Its number, from 1.
    pub(super) number: u64,
    /// How many rows it has.
    pub(super) length: u64,
}

impl Page {
    /// How many rows come before it, and how many it has.
    pub(super) fn cut(self) -> (usize, usize) {
        let skip = (self.number - 1).saturating_mul(self.length);
        (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(self.length).unwrap_or(usize::MAX))
    }

    /// Says of an answer which page of how many it is. Beyond the end the page before is the last one.
    pub(super) fn tell(self, total: usize, headers: &mut HeaderMap) {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let pages = total.div_ceil(self.length);
        let before = self.number.saturating_sub(1).min(pages);
        let after = if self.number < pages { self.number + 1 } else { 0 };
        for (name, number) in
            [(header::PAGE, self.number), (header::PER_PAGE, self.length), (header::TOTAL, total), (header::TOTAL_PAGES, pages)]
        {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        }
        for (name, number) in [(header::PREV_PAGE, before), (header::NEXT_PAGE, after)] {
            let value = if number == 0 { HeaderValue::from_static("") } else { HeaderValue::from(number) };
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Who asked what. A token that a reload gives to another organization does not find the lists of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asker {
    pub(super) organization: OrgId,
    /// The hash of the token.
    pub(super) token: [u8; 32],
    pub(super) question: Question,
}

#[derive(Debug)]
struct List {
    keys: Arc<RowKeys>,
    weight: usize,
    used: Millis,
}

impl List {
    /// A list from the future is of a clock that was set back since.
    const fn holds(&self, now: Millis) -> bool {
        self.used <= now && now - self.used < KEPT
    }
}

/// The lists that first pages were cut from.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Asker, List>>);

impl Lists {
    /// The list of an earlier page.
    pub(super) fn find(&self, asker: &Asker, now: Millis) -> Option<Arc<RowKeys>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let list = lists.get_mut(asker).filter(|list| list.holds(now))?;
        list.used = now;
        Some(list.keys.clone())
    }

    /// Remembers a list in place of an earlier one of the same question, if there is room.
    pub(super) fn remember(&self, asker: Asker, keys: Arc<RowKeys>, now: Millis) {
        let weight = weight(&keys);
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, list| list.holds(now));
        lists.remove(&asker);
        if weight > KEYS_OF_A_TOKEN {
            return;
        }
        let token = asker.token;
        make_room(&mut lists, |other| *other == token, LISTS_OF_A_TOKEN, KEYS_OF_A_TOKEN - weight);
        make_room(&mut lists, |_| true, LISTS, KEYS - weight);
        if let Entry::Vacant(place) = lists.entry(asker) {
            place.insert(List { keys, weight, used: now });
        }
    }
}

/// Forgets lists of some tokens, those longest unused first, until another one has room.
fn make_room(lists: &mut HashMap<Asker, List>, of: impl Fn(&[u8; 32]) -> bool, most: usize, most_keys: usize) {
    loop {
        let (mut count, mut held, mut oldest) = (0, 0, None::<(&Asker, Millis)>);
        for (asker, list) in lists.iter().filter(|(asker, _)| of(&asker.token)) {
            (count, held) = (count + 1, held + list.weight);
            if oldest.is_none_or(|(_, used)| list.used < used) {
                oldest = Some((asker, list.used));
            }
        }
        match oldest {
            Some((asker, _)) if count >= most || held > most_keys => {
                let asker = asker.clone();
                lists.remove(&asker);
            }
            _ => return,
        }
    }
}

/// What a list holds: days that share their ids count them once.
fn weight(keys: &RowKeys) -> usize {
    let mut weight = keys.days.len();
    let mut before: Option<&Arc<[Arc<str>]>> = None;
    for (_, ids) in &keys.days {
        if before.is_none_or(|before| !Arc::ptr_eq(before, ids)) {
            weight += ids.len();
        }
        before = Some(ids);
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::super::usage::Who;
    use super::*;
    use jiff::civil::date;

    fn asker(token: u8, user: usize) -> Asker {
        let day = date(2025, 1, 1);
        let question = Question { start: day, end: day, who: Who::Developer(user.to_string()), page_length: 100 };
        Asker { organization: OrgId(uuid::Uuid::from_u128(1)), token: [token; 32], question }
    }

    fn keys(ids: usize) -> Arc<RowKeys> {
        let ids: Arc<[Arc<str>]> = vec![Arc::from("u"); ids].into();
        Arc::new(RowKeys { days: vec![(date(2025, 1, 1), ids.clone()), (date(2025, 1, 2), ids)] })
    }

    #[test]
    fn a_list_is_kept_for_ten_minutes_after_its_last_page() {
        let lists = Lists::default();
        lists.remember(asker(1, 1), keys(1), 1000);
        assert!(lists.find(&asker(1, 2), 1000).is_none() && lists.find(&asker(2, 1), 1000).is_none());
        assert!(lists.find(&asker(1, 1), 1000 + KEPT - 1).is_some());
        assert!(lists.find(&asker(1, 1), 1000 + 2 * KEPT - 2).is_some());
        assert!(lists.find(&asker(1, 1), 1000 + 3 * KEPT - 2).is_none());
        assert!(lists.find(&asker(1, 1), 0).is_none(), "a clock that was set back");
    }

    #[test]
    fn a_token_that_another_organization_has_now_does_not_find_the_lists_of_the_one_before() {
        let lists = Lists::default();
        lists.remember(asker(1, 1), keys(1), 1000);
        assert!(lists.find(&Asker { organization: OrgId(uuid::Uuid::from_u128(2)), ..asker(1, 1) }, 1000).is_none());
        assert!(lists.find(&asker(1, 1), 1000).is_some());
    }

    #[test]
    fn a_token_has_so_many_lists_and_those_longest_unused_go_first() {
        let lists = Lists::default();
        for user in 0..LISTS_OF_A_TOKEN + 1 {
            lists.remember(asker(1, user), keys(1), 1000 + user as i64);
            assert!(lists.find(&asker(1, 0), 1000 + user as i64).is_some());
        }
        let found: Vec<usize> = (0..LISTS_OF_A_TOKEN + 1).filter(|user| lists.find(&asker(1, *user), 2000).is_some()).collect();
        assert_eq!(found.len(), LISTS_OF_A_TOKEN);
        assert!(!found.contains(&1) && found.contains(&0));
    }

    #[test]
    fn lists_and_their_keys_are_bounded_for_a_token_and_in_all() {
        let lists = Lists::default();
        for user in 0..10 {
            lists.remember(asker(1, user), keys(KEYS_OF_A_TOKEN / 4), user as i64);
        }
        assert_eq!(lists.0.lock().unwrap().len(), 3);
        lists.remember(asker(1, 9), keys(KEYS_OF_A_TOKEN), 10);
        assert!(lists.find(&asker(1, 9), 10).is_none(), "too long to be remembered, and the earlier one is out of date");
        for token in 0..=255 {
            for user in 0..8 {
                lists.remember(asker(token, user), keys(5), 11 + i64::from(token));
            }
            lists.remember(asker(token, 8), keys(KEYS_OF_A_TOKEN - 100), 11 + i64::from(token));
            let held = lists.0.lock().unwrap();
            assert!(held.len() <= LISTS && held.values().map(|list| list.weight).sum::<usize>() <= KEYS);
        }
        assert!(lists.find(&asker(255, 8), 300).is_some());
    }

    #[test]
    fn headers_say_where_a_page_is() {
        let told = |number, length, total| {
            let mut headers = HeaderMap::new();
            Page { number, length }.tell(total, &mut headers);
            let value = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
            [header::TOTAL_PAGES, header::PREV_PAGE, header::NEXT_PAGE].map(value).join("|")
        };
        assert_eq!(told(1, 100, 0), "0||");
        assert_eq!(told(1, 100, 100), "1||");
        assert_eq!(told(1, 100, 101), "2||2");
        assert_eq!(told(2, 100, 101), "2|1|");
        assert_eq!(told(9, 100, 101), "2|2|");
        assert_eq!(told(u64::MAX, 1, 3), "3|3|");
        assert_eq!(Page { number: u64::MAX, length: 100 }.cut().0, usize::MAX);
    }
}
