//! What the server lends to every dialect: the reports, the tenants as configured now, the clock and the signing key.

use crate::guesses::Guesses;
use crate::kept::Answers;
use crate::turns::{Patience, Turns};
use crate::{feishu, office365, volcengine, work, yunxiao};
use jiff::tz::{TimeZone, offset};
use rollcall_model::calendar::timestamp;
use rollcall_model::{Millis, Organization, Reports};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// An organization, with its settings and credentials for each dialect.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// What validation and reports know of it.
    pub organization: Organization,
    /// Its section `feishu`.
    pub feishu: feishu::Settings,
    /// Its section `office365`.
    pub office365: office365::Settings,
    /// Its section `volcengine`.
    pub volcengine: volcengine::Settings,
    /// Its section `yunxiao`.
    pub yunxiao: yunxiao::Settings,
}

impl Tenant {
    /// An organization without credentials for any dialect.
    pub fn new(organization: Organization) -> Self {
        Self {
            organization,
            feishu: Default::default(),
            office365: Default::default(),
            volcengine: Default::default(),
            yunxiao: Default::default(),
        }
    }
}

/// How a request came in. The server puts it among the extensions of each; without it the default holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// The address of the client; behind listed proxies, the one for which they ask. None: it is not known.
    pub client: Option<IpAddr>,
    /// Whether the client spoke TLS: the scheme of URLs in answers.
    pub is_tls: bool,
    /// Whether credentials may travel on it: over TLS, on loopback, or with `allow_plaintext_auth`.
    pub carries_credentials: bool,
}

impl Default for Channel {
    /// Plain text on which credentials may travel: the server does not start where they may not.
    fn default() -> Self {
        Self { client: None, is_tls: false, carries_credentials: true }
    }
}

/// What the server lends to every dialect.
pub struct Site {
    /// Answers every report.
    pub reports: Arc<dyn Reports>,
    /// The present instant. Dialects ask nothing else for the time, so tests can set it.
    pub clock: fn() -> Millis,
    /// A secret of the data directory, under which tokens are signed.
    pub signing_key: [u8; 32],
    /// The sign-ins that failed, and how many may.
    pub guesses: Guesses,
    /// Answers that may be given again.
    pub(crate) answers: Answers,
    tenants: RwLock<Arc<Vec<Tenant>>>,
    turns: RwLock<Arc<Turns>>,
    /// How many cells a question may take; 0: any number.
    cells: AtomicU64,
}

impl Site {
    /// A site of these tenants, on which any number of reports are computed at a time until [`Site::share`] says how many, each of any
    /// number of cells, and no answer is kept until [`Site::bound`] says how many bytes of them.
    pub fn new(reports: Arc<dyn Reports>, clock: fn() -> Millis, signing_key: [u8; 32], tenants: Vec<Tenant>) -> Self {
        let turns = work::turns(0, false, Patience { requests: 0, time: None });
        let (tenants, turns) = (RwLock::new(Arc::new(tenants)), RwLock::new(turns));
        let (guesses, answers) = (Guesses::default(), Answers::default());
        Self { reports, clock, signing_key, guesses, answers, tenants, turns, cells: AtomicU64::new(0) }
    }

    /// The tenants as configured now; hold them for the length of one request.
    pub fn tenants(&self) -> Arc<Vec<Tenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether an organization has what this looks for in its settings.
    pub fn has(&self, configured: fn(&Tenant) -> bool) -> bool {
        self.tenants().iter().any(configured)
    }

    /// An id for a request, as the gateways of several vendors have it: 14 digits of China's time, and 20 random hexadecimal digits.
    pub fn request_id(&self) -> String {
        let time = TimeZone::fixed(offset(8)).to_datetime(timestamp((self.clock)()));
        format!("{}{:020X}", time.strftime("%Y%m%d%H%M%S"), rand::random::<u128>() >> 48)
    }

    /// Turns to compute, as configured now.
    pub fn turns(&self) -> Arc<Turns> {
        self.turns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the tenants after the configuration was read again.
    pub fn reload(&self, tenants: Vec<Tenant>) {
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tenants);
    }

    /// From now on a question takes at most so many cells, and answers are kept within so many bytes; 0: any number, and none.
    pub fn bound(&self, cells: u64, answer_bytes: u64) {
        self.cells.store(cells, Ordering::Relaxed);
        self.answers.hold(answer_bytes);
    }

    /// How many cells a question may take now.
    pub(crate) fn cells_of_question(&self) -> u64 {
        self.cells.load(Ordering::Relaxed)
    }

    /// Replaces the turns to compute. Those taken before are not counted among the new ones.
    pub fn share(&self, turns: Arc<Turns>) {
        *self.turns.write().unwrap_or_else(PoisonError::into_inner) = turns;
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}
