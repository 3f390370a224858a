//! Shares by organization of what all of them need: how much one may hold, who waits, for how long, and what they are told.
//!
//! [`Shares`] is the rule; [`Turns`] are turns at work that takes a processor or a client's time.

use http::HeaderValue;
use rollcall_model::OrgId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What is shared, in words for errors: things, what they do, and the setting that limits them.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Such as `exports`.
    pub things: &'static str,
    /// Such as `are under way`.
    pub are: &'static str,
    /// Such as `limits.exports`.
    pub setting: &'static str,
}

/// What each organization holds of something of which there is so much in all.
///
/// An organization may hold half of what the others leave, rounded up: alone one half, two of them a third each. So whatever some of them
/// do, something is left for the next, and nobody has to set a number for each. Switches share their memory among ports by this rule
/// (dynamic thresholds: Choudhury and Hahne, 1998). Where there is one organization only, it may hold everything.
#[derive(Debug)]
pub struct Shares {
    words: Words,
    total: u64,
    alone: bool,
    sum: u64,
    held: HashMap<OrgId, u64>,
}

impl Shares {
    /// Shares of `total`; 0: of as much as anybody asks for. `alone`: there is one organization only.
    pub fn new(words: Words, total: u64, alone: bool) -> Self {
        Self { words, total: if total == 0 { u64::MAX } else { total }, alone, sum: 0, held: HashMap::new() }
    }

    /// How much an organization holds.
    pub fn held(&self, organization: OrgId) -> u64 {
        self.held.get(&organization).copied().unwrap_or(0)
    }

    /// How much an organization may hold now.
    pub fn share(&self, organization: OrgId) -> u64 {
        self.of_rest(self.total.saturating_sub(self.sum - self.held(organization)))
    }

    /// How much an organization may hold while no other holds anything.
    pub const fn largest(&self) -> u64 {
        self.of_rest(self.total)
    }

    const fn of_rest(&self, rest: u64) -> u64 {
        if self.alone { rest } else { rest.div_ceil(2) }
    }

    /// Takes so much if the organization may hold it; says whether.
    pub fn take(&mut self, organization: OrgId, amount: u64) -> bool {
        let fits = self.held(organization).saturating_add(amount) <= self.share(organization);
        if fits {
            *self.held.entry(organization).or_default() += amount;
            self.sum += amount;
        }
        fits
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, organization: OrgId, amount: u64) {
        let held = self.held(organization).saturating_sub(amount);
        if held == 0 {
            self.held.remove(&organization);
        } else {
            self.held.insert(organization, held);
        }
        self.sum = self.sum.saturating_sub(amount);
    }

    /// Why an organization gets no more: it has its own share, or all have everything.
    pub fn short(&self, organization: OrgId, amount: u64) -> String {
        let Words { things, are, setting } = self.words;
        let (held, largest) = (self.held(organization), self.largest());
        if held.saturating_add(amount) > largest && largest < self.total {
            format!("{held} {things} of this organization {are}, its share of {} ({setting})", self.total)
        } else {
            format!("{} {things} {are} ({setting})", self.sum)
        }
    }
}

/// After how many seconds whoever is [`Busy`] may try again, as a header says it.
pub const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why somebody got nothing: everything is taken, or stayed so for as long as they may wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; try again")]
pub struct Busy(String);

impl Busy {
    /// Nothing is left, and nobody waits.
    pub const fn now(short: String) -> Self {
        Self(short)
    }

    /// Nothing became free for so long.
    pub fn after(wait: Duration, short: &str) -> Self {
        Self(format!("{short}, and none was done within {} s (limits.wait_seconds)", wait.as_secs()))
    }
}

/// How many may wait, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Requests that may wait at a time; 0: any number.
    pub requests: u64,
    /// How long each waits; none: for ever.
    pub time: Option<Duration>,
}

impl Patience {
    /// The shares of the places to wait in.
    pub fn places(&self, alone: bool) -> Shares {
        let words = Words { things: "requests", are: "are waiting already", setting: "limits.waiting_requests" };
        Shares::new(words, self.requests, alone)
    }
}

/// So many turns in all. Each organization waits in a line of its own, first come, first served.
pub struct Turns {
    patience: Patience,
    queue: Mutex<Queue>,
}

struct Queue {
    turns: Shares,
    places: Shares,
    line: VecDeque<Waiting>,
    number: u64,
}

struct Waiting {
    number: u64,
    organization: OrgId,
    grant: oneshot::Sender<Turn>,
}

impl Turns {
    /// `total` turns; 0: any number.
    pub fn new(words: Words, total: u64, alone: bool, patience: Patience) -> Arc<Self> {
        let (turns, places) = (Shares::new(words, total, alone), patience.places(alone));
        Arc::new(Self { patience, queue: Mutex::new(Queue { turns, places, line: VecDeque::new(), number: 0 }) })
    }

    /// A turn, if there is one now.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn try_take(self: &Arc<Self>, organization: OrgId) -> Result<Turn, Busy> {
        let mut queue = self.lock();
        // Whoever waits already goes first.
        if queue.places.held(organization) > 0 || !queue.turns.take(organization, 1) {
            return Err(Busy::now(queue.turns.short(organization, 1)));
        }
        drop(queue);
        Ok(self.turn(organization))
    }

    /// A turn, as soon as there is one for the organization. Dropping the future leaves the line.
    ///
    /// # Errors
    /// [`Busy`], if too many wait already, or there is none in time.
    pub async fn take(self: &Arc<Self>, organization: OrgId) -> Result<Turn, Busy> {
        if let Ok(turn) = self.try_take(organization) {
            return Ok(turn);
        }
        let place = self.queue(organization)?;
        let granted = match self.patience.time {
            None => place.await,
            Some(time) => match tokio::time::timeout(time, place).await {
                Ok(granted) => granted,
                Err(_) => return Err(Busy::after(time, &self.lock().turns.short(organization, 1))),
            },
        };
        granted.ok_or_else(|| Busy::now(self.lock().turns.short(organization, 1)))
    }

    /// Waits in line. None is never: a place stays in line until it is granted or dropped.
    fn queue(self: &Arc<Self>, organization: OrgId) -> Result<impl Future<Output = Option<Turn>> + use<>, Busy> {
        let mut queue = self.lock();
        if !queue.places.take(organization, 1) {
            return Err(Busy::now(queue.places.short(organization, 1)));
        }
        let (grant, granted) = oneshot::channel();
        let number = queue.number;
        queue.number += 1;
        queue.line.push_back(Waiting { number, organization, grant });
        let place = Place { turns: self.clone(), number };
        // A turn may have become free since it was asked for.
        let free = queue.free();
        drop(queue);
        self.hand_over(free);
        Ok(async move {
            let _place = place;
            granted.await.ok()
        })
    }

    fn give_back(self: &Arc<Self>, organization: OrgId) {
        let mut queue = self.lock();
        queue.turns.give_back(organization, 1);
        let free = queue.free();
        drop(queue);
        self.hand_over(free);
    }

    /// Gives turns to those who wait. A turn whose waiter is gone comes back, and goes to the next.
    fn hand_over(self: &Arc<Self>, waiting: Vec<Waiting>) {
        for Waiting { organization, grant, .. } in waiting {
            drop(grant.send(self.turn(organization)));
        }
    }

    fn turn(self: &Arc<Self>, organization: OrgId) -> Turn {
        Turn { turns: self.clone(), organization }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes out of the line whoever may have a turn now, and counts it as taken.
    fn free(&mut self) -> Vec<Waiting> {
        let (mut free, mut left, mut blocked) = (Vec::new(), VecDeque::new(), HashSet::new());
        for waiting in self.line.drain(..) {
            let organization = waiting.organization;
            if !blocked.contains(&organization) && self.turns.take(organization, 1) {
                self.places.give_back(organization, 1);
                free.push(waiting);
            } else {
                blocked.insert(organization);
                left.push_back(waiting);
            }
        }
        self.line = left;
        free
    }
}

/// A place in line, left when it is dropped.
struct Place {
    turns: Arc<Turns>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = self.turns.lock();
        let position = queue.line.iter().position(|waiting| waiting.number == self.number);
        if let Some(waiting) = position.and_then(|position| queue.line.remove(position)) {
            queue.places.give_back(waiting.organization, 1);
        }
    }
}

/// A turn, given back when it is dropped.
pub struct Turn {
    turns: Arc<Turns>,
    organization: OrgId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.give_back(self.organization);
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turns").field("turns", &self.lock().turns).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("organization", &self.organization).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORTS: Words = Words { things: "exports", are: "are under way", setting: "limits.exports" };

    fn organization(number: u128) -> OrgId {
        OrgId(uuid::Uuid::from_u128(number))
    }

    fn turns(total: u64, alone: bool, requests: u64, time: Option<Duration>) -> Arc<Turns> {
        Turns::new(EXPORTS, total, alone, Patience { requests, time })
    }

    #[test]
    fn whatever_some_organizations_take_something_is_left_for_the_next() {
        let mut shares = Shares::new(EXPORTS, 1000, false);
        let mut greedy = |number| {
            let mut taken = 0;
            while shares.take(organization(number), 1) {
                taken += 1;
            }
            taken
        };
        assert_eq!([greedy(1), greedy(2), greedy(3), greedy(1)], [500, 250, 125, 0]);
        assert!(greedy(4) > 0);
        // Once they have given some back, those who want as much have as much.
        shares.give_back(organization(1), 300);
        assert!(shares.take(organization(2), 50));
    }

    #[test]
    fn one_organization_alone_may_hold_everything() {
        let alone = turns(2, true, 0, None);
        let held: Vec<_> = (0..2).map(|_| alone.try_take(organization(1)).unwrap()).collect();
        assert_eq!(alone.try_take(organization(1)).unwrap_err().to_string(), "2 exports are under way (limits.exports); try again");
        drop(held);
        assert!(alone.try_take(organization(1)).is_ok());
        let off = turns(0, false, 0, None);
        let held: Vec<_> = (0..100).map(|_| off.try_take(organization(1)).unwrap()).collect();
        assert_eq!(held.len(), 100);
    }

    #[test]
    fn who_is_refused_is_told_whose_things_are_in_the_way() {
        let turns = turns(4, false, 0, None);
        let held: Vec<_> = [1, 1, 2, 3].map(|number| turns.try_take(organization(number)).unwrap()).into();
        let told = |number| turns.try_take(organization(number)).unwrap_err().to_string();
        assert_eq!(told(1), "2 exports of this organization are under way, its share of 4 (limits.exports); try again");
        assert_eq!(told(4), "4 exports are under way (limits.exports); try again");
        drop(held);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let turns = turns(4, false, 0, Some(Duration::from_secs(1)));
        let _held: Vec<_> = (0..2).map(|_| turns.try_take(organization(1)).unwrap()).collect();
        let told = "2 exports of this organization are under way, its share of 4 (limits.exports), and none was done within 1 s \
                    (limits.wait_seconds); try again";
        assert_eq!(turns.take(organization(1)).await.unwrap_err().to_string(), told);
    }

    #[tokio::test]
    async fn each_organization_waits_in_a_line_of_its_own() {
        let turns = turns(4, false, 4, None);
        let held: Vec<_> = (0..2).map(|_| turns.try_take(organization(1)).unwrap()).collect();
        let wait = |number| {
            let turns = turns.clone();
            tokio::spawn(async move { turns.take(organization(number)).await })
        };
        let waiting = [wait(1), wait(1)];
        tokio::task::yield_now().await;
        // The third of them may not even wait; another organization needs not.
        let refused = turns.take(organization(1)).await.unwrap_err().to_string();
        assert_eq!(refused, "2 requests of this organization are waiting already, its share of 4 (limits.waiting_requests); try again");
        drop(turns.take(organization(2)).await.unwrap());
        // Who went away waits no more: those behind come next.
        let [gone, next] = waiting;
        gone.abort();
        assert!(gone.await.is_err());
        drop(held);
        drop(next.await.unwrap().unwrap());
        let queue = turns.lock();
        assert_eq!((queue.turns.sum, queue.places.sum, queue.line.len()), (0, 0, 0));
    }
}
