//! What all routes share, and what a reload replaces.

use super::room::Room;
use super::tags::Tags;
use crate::config::{Config, Limits};
use crate::operations::erase::Retention;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use rollcall_dialects::rate::PerMinute;
use rollcall_dialects::turns::{Turns, Words};
use rollcall_dialects::{Site, work};
use rollcall_engine::access::KeyHash;
use rollcall_engine::{Engine, EngineError, PlaceFiles, Supervisor};
use rollcall_model::{Millis, OrgId, Organization};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// What all routes share.
#[derive(Debug)]
pub struct App {
    /// The engine, and who opens it again when its storage failed.
    pub storage: Arc<Supervisor>,
    /// What resolves the addresses of facts.
    pub places: Arc<PlaceFiles>,
    /// What the dialects are lent.
    pub site: Arc<Site>,
    /// What tells the tags of answers.
    pub tags: Tags,
    /// How often keys of the native API asked.
    pub rates: PerMinute<(KeyHash, &'static str)>,
    /// Whose turn it is to change the directory of an organization.
    directory_turns: std::sync::Mutex<HashMap<OrgId, Arc<Mutex<()>>>>,
    live: RwLock<Arc<Live>>,
    closing: AtomicBool,
}

/// What a reload replaces. Requests hold it from their beginning to their end.
#[derive(Debug)]
pub struct Live {
    /// What requests may take.
    pub limits: Limits,
    /// Room for bodies.
    pub room: Arc<Room>,
    /// Turns to decode a body.
    pub decoding: Arc<Turns>,
    /// Turns to export.
    pub exports: Arc<Turns>,
    /// Turns to withdraw facts.
    pub withdrawals: Arc<Turns>,
    /// Whether lines of failed sign-ins have the client's address.
    pub log_client_addresses: bool,
    /// The origins whose pages may use the native API from a browser.
    pub origins: Vec<String>,
    /// The proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    organizations: HashMap<OrgId, Arc<Organization>>,
    retentions: Vec<Retention>,
    /// Those whose ingest keys may withdraw facts.
    withdrawing: HashSet<OrgId>,
    /// The keys of the configuration, by their hashes.
    keys: HashMap<KeyHash, ConfiguredKey>,
}

/// A key of the configuration.
#[derive(Debug)]
pub struct ConfiguredKey {
    /// For whom it speaks.
    pub organization: Arc<Organization>,
    /// What people call it.
    pub name: String,
}

impl App {
    /// What routes share, over an open engine.
    pub fn new(config: &Config, storage: Arc<Supervisor>, places: PlaceFiles, signing_key: [u8; 32]) -> Self {
        let site = Site::new(storage.clone(), now, signing_key, config.tenants());
        site.guesses.set_limits(config.sign_in);
        site.share(reports(config));
        site.bound(config.limits.report_cells, config.limits.answer_bytes);
        storage.make_ahead_for(zones(config));
        Self {
            storage,
            places: Arc::new(places),
            site: Arc::new(site),
            tags: Tags::default(),
            rates: PerMinute::default(),
            directory_turns: std::sync::Mutex::default(),
            live: RwLock::new(Arc::new(Live::new(config))),
            closing: AtomicBool::new(false),
        }
    }

    /// The turn to change an organization's directory: one at a time does.
    pub fn directory_turn(&self, org: OrgId) -> Arc<Mutex<()>> {
        self.directory_turns.lock().unwrap_or_else(PoisonError::into_inner).entry(org).or_default().clone()
    }

    /// The engine, for one request. Waits while it is opened again: call this from a thread that may block.
    ///
    /// # Errors
    /// It could not be opened again, or that takes too long.
    pub fn engine(&self) -> Result<Arc<Engine>, EngineError> {
        self.storage.engine()
    }

    /// What holds now.
    pub fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force: organizations, credentials and limits.
    pub fn reload(&self, config: &Config) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Live::new(config));
        self.site.guesses.set_limits(config.sign_in);
        self.site.reload(config.tenants());
        self.site.share(reports(config));
        self.site.bound(config.limits.report_cells, config.limits.answer_bytes);
        self.storage.make_ahead_for(zones(config));
    }

    /// Refuses new work from now on.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether the server is shutting down.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

impl Live {
    fn new(config: &Config) -> Self {
        let organizations: Vec<_> =
            config.organizations.iter().map(|organization| Arc::new(organization.tenant.organization.clone())).collect();
        let configured = organizations.iter().zip(&config.organizations);
        let keys = configured.flat_map(|(organization, of)| {
            of.ingest_keys.iter().map(|key| {
                let found = ConfiguredKey { organization: organization.clone(), name: key.name.clone() };
                (*key.secret.hash(), found)
            })
        });
        let keys = keys.collect();
        let (limits, alone) = (&config.limits, config.is_for_one());
        let decoding = Words { things: "bodies", are: "are being decoded", setting: "limits.decoders" };
        let exports = Words { things: "exports", are: "are under way", setting: "limits.exports" };
        let withdrawals = Words { things: "withdrawals", are: "are under way", setting: "one at a time" };
        let withdrawing = config.organizations.iter().filter(|organization| organization.allow_withdraw);
        Self {
            limits: config.limits.clone(),
            room: Room::new(limits, alone),
            // Decoding is all computing, so an organization has half of the turns at most, one for each processor, also where it is alone.
            decoding: Turns::new(decoding, limits.decoders, false, limits.patience()),
            // Each has the lake for itself: who waits too long is told so.
            withdrawals: Turns::new(withdrawals, 1, false, limits.patience()),
            exports: Turns::new(exports, limits.exports, alone, limits.patience()),
            log_client_addresses: config.log_client_addresses,
            origins: config.origins.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            organizations: organizations.into_iter().map(|organization| (organization.id, organization)).collect(),
            retentions: config.retentions(),
            withdrawing: withdrawing.map(|organization| organization.tenant.organization.id).collect(),
            keys,
        }
    }

    /// How long those of them keep their facts that do not keep them for ever.
    pub fn retentions(&self) -> &[Retention] {
        &self.retentions
    }

    /// Whether ingest keys of an organization may withdraw facts.
    pub fn may_withdraw(&self, organization: OrgId) -> bool {
        self.withdrawing.contains(&organization)
    }

    /// The key of the configuration with a hash.
    pub fn configured_key(&self, hash: &KeyHash) -> Option<&ConfiguredKey> {
        self.keys.get(hash)
    }

    /// An organization of the configuration.
    pub fn organization(&self, id: OrgId) -> Option<Arc<Organization>> {
        self.organizations.get(&id).cloned()
    }
}

/// Turns to compute reports.
fn reports(config: &Config) -> Arc<Turns> {
    work::turns(config.limits.reports, config.is_for_one(), config.limits.patience())
}

/// The organizations, with the zones that they are likely to ask in.
fn zones(config: &Config) -> Vec<(OrgId, TimeZone)> {
    let organizations = config.organizations.iter().map(|organization| &organization.tenant.organization);
    organizations.map(|organization| (organization.id, organization.zone.clone())).collect()
}

/// The present instant.
pub fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}
