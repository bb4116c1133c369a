//! The cookies: keys, names, and lifetimes.

use crate::clock::UnixTime;
use crate::config::duration::{Bounds, spelled};
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::reader::{Entry, Section};
use crate::config::secrets::Secrets;
use crate::config::{Application, DuoSettings};
use crate::secret::Secret;
use crate::session::{
    Attempts, COOKIES, CookieOwner, KeyFault, KeyRing, MasterKey, Pendings, PerRequestApprovals,
    Preferences, RememberedDevices, SessionSettings, Sessions,
};
use std::time::Duration;

const DEFAULT_COOKIE: &str = "__Host-duo_mfa";
const DEFAULT_APPLICATION: &str = "default";
const DEFAULT_EXPIRATION: Duration = Duration::from_secs(8 * 60 * 60);
const DEFAULT_INACTIVITY: Duration = Duration::from_secs(30 * 60);

/// A day: a second factor less often than once a day would hardly deserve the name.
const LIFETIME: Bounds = Bounds::up_to(24 * 60 * 60);
/// The prefix by which browsers bind a cookie to one host, TLS and the path `/`.
const HOST_PREFIX: &str = "__Host-";
/// Duo's policy determines how long a device is remembered: at most a year.
const DEVICE_MAX_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const MAX_COOKIE_NAME_BYTES: usize = 64;
const MAX_APPLICATION_BYTES: usize = 64;
/// The year 2106. A larger number is in milliseconds.
const MAX_NOT_BEFORE: u64 = 0xffff_ffff;

/// The settings of all cookies, with one ring of keys.
pub(super) struct Browser {
    settings: SessionSettings,
    keys: KeyRing,
}

impl Browser {
    /// The name under which approvals by the `duo` section at the root are valid.
    pub(super) fn application(&self) -> &str {
        &self.settings.application
    }

    /// The longest pause between two requests of one approval.
    pub(super) const fn inactivity(&self) -> Duration {
        self.settings.inactivity
    }

    /// Builds the application of this name; without a name, the main one. `approves` is the name
    /// under which its approvals are valid, if it differs.
    #[inline(never)]
    pub(super) fn build(
        &self,
        name: Option<&str>,
        approves: Option<&str>,
        duo: DuoSettings,
        remembers_devices: bool,
    ) -> Application {
        let Self { settings, keys } = self;
        let of_root = self.application();
        let owner = name.map_or(CookieOwner::Main(of_root), CookieOwner::Beside);
        let not_before = settings.not_before;
        // Duo's page keeps its own cookie for a device.
        let remembers_devices = remembers_devices && duo.universal().is_none();
        let devices = remembers_devices
            .then(|| RememberedDevices::new(owner, DEVICE_MAX_AGE, not_before, keys));
        let settings = match approves.or(name) {
            Some(own) if own != of_root => settings.apart(own),
            Some(_) | None => settings.clone(),
        };
        Application {
            name: name.map(str::to_owned),
            duo,
            per_request: PerRequestApprovals::new(name.unwrap_or(of_root), not_before, keys),
            sessions: Sessions::new(settings, keys),
            pendings: Pendings::new(owner, keys),
            attempts: Attempts::new(owner, keys),
            preferences: Preferences::new(owner, keys),
            remembered_devices: devices,
        }
    }
}

/// `secret_keys` are the secret keys of all Duo applications.
#[inline(never)]
pub(super) fn browser(
    session: &Section<'_>,
    secrets: &Secrets<'_>,
    secret_keys: &[&Secret<String>],
    faults: &mut Faults,
) -> Option<Browser> {
    let cookie = session.read("cookie", faults, cookie);
    let keys = keys(session, secrets, secret_keys, faults);
    let application = session.read("application", faults, application);
    let expiration = session.read("expiration", faults, |entry| entry.duration(&LIFETIME));
    let expiration = expiration.unwrap_or(DEFAULT_EXPIRATION);
    let inactivity = session.read("inactivity", faults, |entry| inactivity(entry, expiration));
    let not_before = session.read("not_before", faults, not_before);
    let settings = SessionSettings {
        cookie: cookie.unwrap_or(DEFAULT_COOKIE).to_owned(),
        application: application.unwrap_or(DEFAULT_APPLICATION).to_owned(),
        expiration,
        inactivity: inactivity.unwrap_or_else(|| DEFAULT_INACTIVITY.min(expiration)),
        not_before: not_before.unwrap_or_default(),
    };
    Some(Browser { settings, keys: keys? })
}

fn cookie<'v>(entry: &Entry<'v>) -> Result<&'v str, Fault> {
    let name = entry.text()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let problem = match name.strip_prefix(HOST_PREFIX) {
        None => "does not begin with \"__Host-\"",
        Some("") => "has no name after \"__Host-\"",
        Some(_) if is_taken(name) => "is another cookie of the filter",
        Some(_) if name.len() > MAX_COOKIE_NAME_BYTES => "is longer than 64 characters",
        Some(rest) if !rest.bytes().all(is_plain) => {
            "has a character other than letters, digits, \"_\", \"-\" and \".\""
        }
        Some(_) => return Ok(name),
    };
    let fix = format!("write a name as in \"{DEFAULT_COOKIE}\"");
    Err(entry.fault(Code::InvalidCookieName, format!("{} {problem}", echo(name)), fix))
}

/// Whether the name belongs to another cookie of the filter, or to one of a further application.
fn is_taken(name: &str) -> bool {
    let behind = |taken| name.strip_prefix(taken);
    COOKIES.into_iter().filter_map(behind).any(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Reads `application`, the name under which approvals are valid.
pub(super) fn application<'v>(entry: &Entry<'v>) -> Result<&'v str, Fault> {
    let name = entry.text()?;
    plain_name(entry, name).map(|()| name)
}

/// Checks that an application can have this name, which is the key or the value of `entry`.
pub(super) fn plain_name(entry: &Entry<'_>, name: &str) -> Result<(), Fault> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if (1..=MAX_APPLICATION_BYTES).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    let problem = format!("{} is not a plain name", echo(name));
    let fix = "write 1 to 64 letters, digits, \"_\", \"-\" and \".\"";
    Err(entry.fault(Code::InvalidApplication, problem, fix))
}

fn inactivity(entry: &Entry<'_>, expiration: Duration) -> Result<Duration, Fault> {
    let inactivity = entry.duration(&LIFETIME)?;
    if inactivity <= expiration {
        return Ok(inactivity);
    }
    let problem = format!(
        "{} is longer than session.expiration, {}",
        spelled(inactivity.as_secs()),
        spelled(expiration.as_secs())
    );
    Err(entry.fault(Code::InvalidDuration, problem, "make it as long or shorter"))
}

fn not_before(entry: &Entry<'_>) -> Result<UnixTime, Fault> {
    let seconds = entry.whole_number()?;
    if seconds <= MAX_NOT_BEFORE {
        return Ok(UnixTime::from_seconds(seconds));
    }
    let problem = format!("{seconds} is after the year 2106");
    Err(entry.fault(Code::InvalidNumber, problem, "write seconds since 1970, not milliseconds"))
}

fn keys(
    session: &Section<'_>,
    secrets: &Secrets<'_>,
    secret_keys: &[&Secret<String>],
    faults: &mut Faults,
) -> Option<KeyRing> {
    let fix = "name at least one, as in [{\"env\": \"DUO_MFA_COOKIE_KEY\"}]";
    let ring = session.require("keys", fix, faults, |entry| Ok(entry.clone()))?;
    let list = faults.keep(ring.filled_list(fix))?;

    let keys = each_key(&list, secrets, faults, |entry, text, before| {
        key(entry, text, before, secret_keys)
    })?;
    faults.keep(KeyRing::new(keys).map_err(|fault| key_fault(&ring, fault)))
}

/// Reads the keys of a list. `read` gets each entry, its text, and the texts of the keys before it.
/// `None` if one is at fault.
pub(super) fn each_key<'v, K>(
    list: &[Entry<'v>],
    secrets: &Secrets<'_>,
    faults: &mut Faults,
    mut read: impl FnMut(&Entry<'v>, &Secret<String>, &[Secret<String>]) -> Result<K, Fault>,
) -> Option<Vec<K>> {
    let mut texts: Vec<Secret<String>> = Vec::new();
    let mut keys = Vec::new();
    for entry in list {
        let Some(text) = secrets.read(entry, faults) else { continue };
        if let Some(key) = faults.keep(read(entry, &text, &texts)) {
            keys.push(key);
            texts.push(text);
        }
    }
    (keys.len() == list.len()).then_some(keys)
}

/// The texts of the cookie keys, as far as they can be read. Faults are reported elsewhere.
pub(super) fn texts(session: &Section<'_>, secrets: &Secrets<'_>) -> Vec<Secret<String>> {
    let list = session.find("keys").and_then(|entry| entry.list().ok()).unwrap_or_default();
    list.iter().filter_map(|entry| secrets.read(entry, &mut Faults::default())).collect()
}

/// The text of the limits' own key, if there is one and it can be read.
pub(super) fn limits_text(limits: &Section<'_>, secrets: &Secrets<'_>) -> Option<Secret<String>> {
    secrets.read(&limits.find("key")?, &mut Faults::default())
}

/// The key of the limits; `None` if it is derived from the secret key of the main application.
#[inline(never)]
pub(super) fn limits_key(
    entry: &Entry<'_>,
    secrets: &Secrets<'_>,
    secret_keys: &[&Secret<String>],
    faults: &mut Faults,
) -> Option<MasterKey> {
    let text = secrets.read(entry, faults)?;
    faults.keep(key(entry, &text, &[], secret_keys))
}

/// Reads a key of the filter. It must not be one of Duo's secret keys, nor repeat a key before it.
pub(super) fn key(
    entry: &Entry<'_>,
    text: &Secret<String>,
    before: &[Secret<String>],
    secret_keys: &[&Secret<String>],
) -> Result<MasterKey, Fault> {
    let reused = || {
        let fix = "make a separate key: openssl rand -base64 32";
        entry.fault(Code::ReusedKey, "is Duo's secret key", fix)
    };
    if secret_keys.iter().any(|secret_key| text.expose().trim() == secret_key.expose()) {
        return Err(reused());
    }
    let key = MasterKey::from_base64(text.expose()).map_err(|fault| key_fault(entry, fault))?;
    if secret_keys.iter().any(|secret_key| key.is_same_as(secret_key.expose().as_bytes())) {
        return Err(reused());
    }
    if before.iter().any(|other| key.is_same_as(other.expose().as_bytes())) {
        let problem = "is the same key as one before it";
        return Err(entry.fault(Code::DuplicateEntry, problem, "keep one of them"));
    }
    Ok(key)
}

fn key_fault(entry: &Entry<'_>, fault: KeyFault) -> Fault {
    let (code, fix) = match fault {
        KeyFault::NotBase64
        | KeyFault::TooShort { .. }
        | KeyFault::Patterned
        | KeyFault::Placeholder => (Code::InvalidCookieKey, "make one: openssl rand -base64 32"),
        KeyFault::NoKey => (Code::EmptyList, "name at least one"),
        KeyFault::TooManyKeys { .. } => (Code::TooManyKeys, "remove the oldest"),
    };
    entry.fault(code, fault.to_string(), fix)
}
