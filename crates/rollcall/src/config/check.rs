//! From the file to a [`Config`]: every value is checked, and every problem found on the way is kept.

use super::file::{self, File, line_of};
use super::{Config, IngestKey, OrganizationConfig, Overrides, Problem, TlsFiles, lake, secrets};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use rollcall_dialects::volcengine::signature::SecretKey;
use rollcall_dialects::{Tenant, feishu, office365, volcengine, yunxiao};
use rollcall_model::{Calendar, Millis, OrgId, Organization, instant};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use toml::Spanned;

const EXPECTED_LISTEN: &str = "expected ADDRESS:PORT such as 127.0.0.1:7070";
const EXPECTED_PROXY: &str = "expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8";
const EXPECTED_ORIGIN: &str =
    "expected an origin as browsers send it, such as https://reports.example.com: scheme, host in lower case and port, without a path";
const EXPECTED_TEXT: &str = "expected 1 to 256 bytes without control characters";

/// The problems found so far, and what is needed to place them.
pub(super) struct Checks<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    /// Where each value that must be unique was seen first.
    seen: HashMap<String, String>,
}

impl Checks<'_> {
    pub(super) fn refuse<T>(&mut self, value: &Spanned<T>, key: &str, message: &str) {
        self.problems.push(Problem { line: Some(line_of(self.text, &value.span())), key: key.into(), message: message.into() });
    }

    pub(super) fn refuse_unplaced(&mut self, key: &str, message: &str) {
        self.problems.push(Problem { line: None, key: key.into(), message: message.into() });
    }

    /// The place where the same value of the same kind was seen before.
    fn seen_at(&mut self, kind: &str, value: &str, at: &str) -> Option<String> {
        match self.seen.entry(format!("{kind} {value}")) {
            std::collections::hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(at.into());
                None
            }
        }
    }

    fn text(&mut self, value: &Spanned<String>, key: &str) -> String {
        let text = value.get_ref();
        if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            self.refuse(value, key, EXPECTED_TEXT);
        }
        text.clone()
    }
}

pub(super) fn check(file: File, text: &str, folder: &Path, overrides: &Overrides) -> Result<Config, Vec<Problem>> {
    let mut checks = Checks { text, problems: Vec::new(), seen: HashMap::new() };
    let listen = listen(&mut checks, file.listen.as_ref());
    let trusted_proxies = file.trusted_proxies.iter().filter_map(|given| proxy(&mut checks, given)).collect();
    let origins = file.cors.origins.iter().filter_map(|given| origin(&mut checks, given)).collect();
    let organizations: Vec<_> = file
        .organizations
        .iter()
        .enumerate()
        .filter_map(|(position, given)| organization(&mut checks, &format!("organizations[{position}]"), given, folder))
        .collect();
    let mut storage = file.storage.settings();
    lake::read(&mut checks, &file.lake, &mut storage, folder);
    let backup_key = file.backup.key.as_ref().and_then(|key| secrets::read_backup_key(&mut checks, "backup.key", key, folder));
    if !checks.problems.is_empty() {
        return Err(checks.problems);
    }
    Ok(Config {
        listen: overrides.listen.unwrap_or(listen),
        data: overrides.data.clone().unwrap_or_else(|| folder.join(file.data.as_deref().unwrap_or(Path::new("data")))),
        allow_plaintext_auth: file.allow_plaintext_auth,
        trusted_proxies,
        origins,
        log_client_addresses: file.log_client_addresses.unwrap_or(true),
        tls: file.tls.map(|tls| TlsFiles { certificate: folder.join(tls.certificate), key: folder.join(tls.key) }),
        places: file.places.files().into_iter().map(|path| folder.join(path)).collect(),
        limits: file.limits,
        sign_in: file.sign_in,
        storage,
        backup_key,
        organizations,
    })
}

fn listen(checks: &mut Checks<'_>, given: Option<&Spanned<String>>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 7070));
    let Some(given) = given else { return default };
    given.get_ref().parse().unwrap_or_else(|_| {
        checks.refuse(given, "listen", EXPECTED_LISTEN);
        default
    })
}

fn proxy(checks: &mut Checks<'_>, given: &Spanned<String>) -> Option<IpNet> {
    let text = given.get_ref();
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    match network {
        None => checks.refuse(given, "trusted_proxies", &format!("{text}: {EXPECTED_PROXY}")),
        Some(network) if network.prefix_len() == 0 => {
            checks.refuse(given, "trusted_proxies", "would believe every client whatever it says; list the addresses of the proxies");
        }
        Some(_) => {}
    }
    network
}

/// An origin as browsers send it.
fn origin(checks: &mut Checks<'_>, given: &Spanned<String>) -> Option<String> {
    let text = given.get_ref();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_authority = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte))
    };
    if rest.is_some_and(is_authority) {
        return Some(text.clone());
    }
    checks.refuse(given, "cors.origins", &format!("{text}: {EXPECTED_ORIGIN}"));
    None
}

fn organization(checks: &mut Checks<'_>, at: &str, given: &file::Organization, folder: &Path) -> Option<OrganizationConfig> {
    let id = id(checks, at, &given.id);
    let name = checks.text(&given.name, &format!("{at}.name"));
    let zone = zone(checks, at, &given.time_zone);
    let apps = apps(checks, at, given.apps.as_ref());
    let units = units(checks, at, given.units.as_ref());
    let ingest_keys = given
        .ingest_keys
        .iter()
        .enumerate()
        .filter_map(|(position, key)| ingest_key(checks, &format!("{at}.ingest_keys[{position}]"), key, folder))
        .collect();
    let feishu = feishu(checks, at, &given.feishu, folder);
    let office365 = office365(checks, at, &given.office365, folder);
    let volcengine = volcengine(checks, at, &given.volcengine, folder);
    let yunxiao = yunxiao(checks, at, &given.yunxiao, zone.as_ref(), folder);
    let organization = Organization { id: id?, name, zone: zone?, apps, units };
    Some(OrganizationConfig {
        tenant: Tenant { organization, feishu, office365, volcengine, yunxiao },
        ingest_keys,
        retention_days: given.retention_days,
        allow_withdraw: given.allow_withdraw,
    })
}

fn id(checks: &mut Checks<'_>, at: &str, given: &Spanned<String>) -> Option<OrgId> {
    let key = format!("{at}.id");
    let Ok(id) = given.get_ref().parse() else {
        checks.refuse(given, &key, "expected a GUID such as 6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11");
        return None;
    };
    let id = OrgId(id);
    if let Some(first) = checks.seen_at("organization", &id.to_string(), at) {
        checks.refuse(given, &key, &format!("is already that of {first}"));
    }
    Some(id)
}

fn zone(checks: &mut Checks<'_>, at: &str, given: &Spanned<String>) -> Option<TimeZone> {
    let zone = TimeZone::get(given.get_ref()).ok();
    if zone.is_none() {
        checks.refuse(given, &format!("{at}.time_zone"), "expected an IANA time zone such as Asia/Shanghai");
    }
    zone
}

fn apps(checks: &mut Checks<'_>, at: &str, given: Option<&Spanned<Vec<String>>>) -> Vec<String> {
    let Some(given) = given else { return vec!["default".into()] };
    let apps = given.get_ref();
    let distinct: std::collections::HashSet<_> = apps.iter().collect();
    if apps.is_empty() || distinct.len() < apps.len() || apps.iter().any(|app| app.is_empty() || app.len() > 256) {
        checks.refuse(given, &format!("{at}.apps"), "expected one or more names, each once");
    }
    apps.clone()
}

fn units(checks: &mut Checks<'_>, at: &str, given: Option<&Spanned<Vec<u8>>>) -> Vec<u8> {
    let Some(given) = given else { return vec![0] };
    let units = given.get_ref();
    let distinct: std::collections::HashSet<_> = units.iter().collect();
    if units.is_empty() || distinct.len() < units.len() || units.iter().any(|unit| *unit > 3) {
        checks.refuse(given, &format!("{at}.units"), "expected one or more of 0, 1, 2, 3, each once");
    }
    units.clone()
}

fn ingest_key(checks: &mut Checks<'_>, at: &str, given: &file::IngestKey, folder: &Path) -> Option<IngestKey> {
    let name = checks.text(&given.name, &format!("{at}.name"));
    let secret = secrets::read(checks, at, &secrets::INGEST_KEY, given.hash.as_ref(), given.secret.as_ref(), folder)?;
    if let Some(first) = checks.seen_at("key", &secret.to_string(), at) {
        checks.refuse(&given.name, at, &format!("the same key is used at {first}; make another with `rollcall key new`"));
    }
    Some(IngestKey { name, secret })
}

fn feishu(checks: &mut Checks<'_>, at: &str, given: &file::Feishu, folder: &Path) -> feishu::Settings {
    let defaults = feishu::Settings::default();
    let apps = given.apps.iter().enumerate();
    feishu::Settings {
        numbers_as_numbers: given.numbers.map_or(defaults.numbers_as_numbers, |numbers| numbers == file::Numbers::Number),
        history_days: given.history_days.unwrap_or(defaults.history_days),
        span_days: given.span_days.unwrap_or(defaults.span_days),
        top_limit: given.top_limit.unwrap_or(defaults.top_limit),
        requests_per_minute: given.requests_per_minute.unwrap_or(defaults.requests_per_minute),
        apps: apps.filter_map(|(position, app)| feishu_app(checks, &format!("{at}.feishu.apps[{position}]"), app, folder)).collect(),
    }
}

fn feishu_app(checks: &mut Checks<'_>, at: &str, given: &file::FeishuApp, folder: &Path) -> Option<feishu::App> {
    let app_id = checks.text(&given.app_id, &format!("{at}.app_id"));
    if let Some(first) = checks.seen_at("app", &app_id, at) {
        checks.refuse(&given.app_id, &format!("{at}.app_id"), &format!("is already that of {first}"));
    }
    let secret = secrets::read(checks, at, &secrets::APP_SECRET, given.secret_hash.as_ref(), given.secret.as_ref(), folder)?;
    Some(feishu::App { app_id, secret })
}

fn office365(checks: &mut Checks<'_>, at: &str, given: &file::Office365, folder: &Path) -> office365::Settings {
    let defaults = office365::Settings::default();
    let users = given.users.iter().enumerate();
    office365::Settings {
        date_is_start: given.date.map_or(defaults.date_is_start, |date| date == file::DateOf::Start),
        history_months: given.history_months.unwrap_or(defaults.history_months),
        page_size: given.page_size.unwrap_or(defaults.page_size),
        public_base_url: given.public_base_url.as_ref().map(|url| base_url(checks, at, url)),
        users: users
            .filter_map(|(position, user)| office365_user(checks, &format!("{at}.office365.users[{position}]"), user, folder))
            .collect(),
    }
}

fn base_url(checks: &mut Checks<'_>, at: &str, given: &Spanned<String>) -> String {
    let url = given.get_ref();
    let is_base = url.parse::<http::Uri>().is_ok_and(|url| {
        let authority = url.authority().is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
        matches!(url.scheme_str(), Some("http" | "https")) && authority && url.path() == "/" && url.query().is_none()
    });
    if !is_base || url.contains('#') {
        let key = format!("{at}.office365.public_base_url");
        checks.refuse(given, &key, "expected scheme and authority such as https://reports.example.com");
    }
    url.clone()
}

fn office365_user(checks: &mut Checks<'_>, at: &str, given: &file::Office365User, folder: &Path) -> Option<office365::User> {
    let name = checks.text(&given.name, &format!("{at}.name"));
    if name.contains(':') {
        checks.refuse(&given.name, &format!("{at}.name"), "expected a name without a colon: HTTP Basic ends the name there");
    }
    // The name selects the organization, so it is unique in the whole server.
    if let Some(first) = checks.seen_at("user", &name.to_lowercase(), at) {
        checks.refuse(&given.name, &format!("{at}.name"), &format!("is already that of {first}"));
    }
    let role = office365::Role::from_name(given.role.get_ref());
    if role.is_none() {
        let known = office365::Role::ALL.map(office365::Role::name).join(", ");
        checks.refuse(&given.role, &format!("{at}.role"), &format!("expected one of {known}"));
    }
    let password = secrets::read(checks, at, &secrets::PASSWORD, given.password_hash.as_ref(), given.password.as_ref(), folder)?;
    Some(office365::User { name, role: role?, password })
}

fn volcengine(checks: &mut Checks<'_>, at: &str, given: &file::Volcengine, folder: &Path) -> volcengine::Settings {
    let defaults = volcengine::Settings::default();
    let keys = given.access_keys.iter().enumerate();
    volcengine::Settings {
        show_unknown: given.show_unknown.unwrap_or(defaults.show_unknown),
        max_age_days: given.max_age_days.unwrap_or(defaults.max_age_days),
        max_span_days: given.max_span_days.unwrap_or(defaults.max_span_days),
        requests_per_second: given.requests_per_second.unwrap_or(defaults.requests_per_second),
        clock_skew_seconds: given.clock_skew_seconds.unwrap_or(defaults.clock_skew_seconds),
        access_keys: keys
            .filter_map(|(position, key)| access_key(checks, &format!("{at}.volcengine.access_keys[{position}]"), key, folder))
            .collect(),
    }
}

fn access_key(checks: &mut Checks<'_>, at: &str, given: &file::VolcengineAccessKey, folder: &Path) -> Option<volcengine::AccessKey> {
    let (id, key) = (given.id.get_ref(), format!("{at}.id"));
    if id.is_empty() || id.len() > 256 || !id.bytes().all(|byte| byte.is_ascii_graphic() && !b"/,".contains(&byte)) {
        checks.refuse(&given.id, &key, "expected 1 to 256 visible ASCII characters without / and comma, which end it in a signature");
    }
    // It selects the organization, so it is unique in the whole server.
    if let Some(first) = checks.seen_at("access key", id, at) {
        checks.refuse(&given.id, &key, &format!("is already that of {first}"));
    }
    let secret = secrets::read_itself(checks, at, &given.secret, folder)?;
    Some(volcengine::AccessKey { id: id.clone(), secret: SecretKey::new(&secret) })
}

fn yunxiao(checks: &mut Checks<'_>, at: &str, given: &file::Yunxiao, zone: Option<&TimeZone>, folder: &Path) -> yunxiao::Settings {
    let defaults = yunxiao::Settings::default();
    let tokens = given.tokens.iter().enumerate();
    yunxiao::Settings {
        organization_id: given.organization_id.as_ref().map(|id| checks.text(id, &format!("{at}.yunxiao.organization_id"))),
        include_subdepartments: given.include_subdepartments.unwrap_or(defaults.include_subdepartments),
        requests_per_minute: given.requests_per_minute.unwrap_or(defaults.requests_per_minute),
        tokens: tokens
            .filter_map(|(position, token)| yunxiao_token(checks, &format!("{at}.yunxiao.tokens[{position}]"), token, zone, folder))
            .collect(),
    }
}

fn yunxiao_token(
    checks: &mut Checks<'_>,
    at: &str,
    given: &file::YunxiaoToken,
    zone: Option<&TimeZone>,
    folder: &Path,
) -> Option<yunxiao::Token> {
    let name = checks.text(&given.name, &format!("{at}.name"));
    let scopes: Vec<_> = given.scopes.get_ref().iter().filter_map(|name| yunxiao::Scope::from_name(name)).collect();
    if scopes.is_empty() || scopes.len() < given.scopes.get_ref().len() {
        let known = yunxiao::Scope::ALL.map(yunxiao::Scope::name).join(", ");
        checks.refuse(&given.scopes, &format!("{at}.scopes"), &format!("expected one or more of {known}"));
    }
    let expires = given.expires.as_ref().and_then(|expires| {
        let instant = expiry(expires.get_ref(), zone);
        if instant.is_none() {
            let expected = "expected a day such as \"2027-01-01\", or an instant such as \"2027-01-01T08:00:00Z\"";
            checks.refuse(expires, &format!("{at}.expires"), expected);
        }
        instant
    });
    let secret = secrets::read(checks, at, &secrets::TOKEN, given.hash.as_ref(), given.secret.as_ref(), folder)?;
    // The token selects the organization, so it is unique in the whole server.
    if let Some(first) = checks.seen_at("token", &secret.to_string(), at) {
        checks.refuse(&given.name, at, &format!("the same token is used at {first}; make another with `rollcall key new --for yunxiao`"));
    }
    Some(yunxiao::Token { name, secret, scopes, expires })
}

/// The instant at which a token ends: where a day is given, at its beginning.
fn expiry(given: &toml::Value, zone: Option<&TimeZone>) -> Option<Millis> {
    let text = match given {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(time) => time.to_string(),
        _ => return None,
    };
    let of_day = |day| Calendar::new(zone.cloned().unwrap_or(TimeZone::UTC)).start_of(day);
    if text.len() == 10 { text.parse().ok().map(of_day) } else { instant::parse_time(&text) }
}
