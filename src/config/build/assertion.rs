//! `assertion`: signed proof of the second factor, for the application.

use super::session;
use super::text::printable;
use crate::assertion::{AssertionKey, AssertionSettings, Assertions};
use crate::config::duration::Bounds;
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::config::secrets::Secrets;
use crate::policy::Policies;
use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_HEADER: &str = "x-duo-mfa-assertion";
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// Nothing ends an assertion earlier, so it must not live for long.
const LIFETIME: Bounds = Bounds::between(10, 60 * 60);
const MAX_KEYS: usize = 4;
const MAX_TEXT: usize = 256;
const MAX_HEADER_BYTES: usize = 64;

/// The filter removes every header under this prefix from each request.
const PREFIX: &str = "x-duo-mfa-";
/// Headers with another meaning.
const TAKEN: [&str; 10] = [
    "approved-by",
    "approver",
    "body-sha256",
    "factor",
    "passcode",
    "result",
    "start-url",
    "time",
    "transaction",
    "user",
];

const KEYS_FIX: &str = "name at least one, as in [{\"env\": \"DUO_MFA_ASSERTION_KEY\"}]";

/// The section `assertion`, before the rules are known.
pub(super) struct Written {
    settings: AssertionSettings,
    key: AssertionKey,
    others: Vec<AssertionKey>,
}

impl Written {
    /// Reads the section, if there is one. The keys must differ from all others.
    ///
    /// # Errors
    ///
    /// [`Faulty`] if the section is at fault.
    pub(super) fn read(
        root: &Section<'_>,
        secrets: &Secrets<'_>,
        others: &Others<'_>,
        faults: &mut Faults,
    ) -> Result<Option<Self>, Faulty> {
        let Some(entry) = root.find("assertion") else { return Ok(None) };
        Self::section(&entry, secrets, others, faults).map(Some).ok_or(Faulty)
    }

    #[inline(never)]
    fn section(
        entry: &Entry<'_>,
        secrets: &Secrets<'_>,
        others: &Others<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let section = Section::open(entry, keys::ASSERTION, faults);
        let keys = keys(&section, secrets, others, faults);
        let fix =
            "write the URL of this Envoy or of your organisation, as the application expects it";
        let issuer = section.require("issuer", fix, faults, |entry| printable(entry, MAX_TEXT));
        let fix = "write the name of the application, as it expects it";
        let audience = section.require("audience", fix, faults, |entry| printable(entry, MAX_TEXT));
        let header = section.read("header", faults, header);
        let lifetime = section.read("lifetime", faults, |entry| entry.duration(&LIFETIME));
        let (key, others) = keys?;
        let settings = AssertionSettings {
            issuer: issuer?.to_owned(),
            audience: audience?.to_owned(),
            header: Arc::from(header.unwrap_or(DEFAULT_HEADER)),
            lifetime: lifetime.unwrap_or(DEFAULT_LIFETIME),
        };
        Some(Self { settings, key, others })
    }

    pub(super) fn build(self, policies: &Policies) -> Assertions {
        let rules = policies.rules.iter().map(|rule| rule.name.as_deref());
        Assertions::new(self.settings, self.key, &self.others, rules)
    }
}

/// The keys for other purposes.
pub(super) struct Others<'a> {
    /// Duo's.
    pub(super) secret_keys: &'a [&'a Secret<String>],
    /// The sections of cookies and of limits.
    pub(super) own: [&'a Section<'a>; 2],
}

/// The section is at fault, and the fault recorded.
pub(super) struct Faulty;

fn keys(
    section: &Section<'_>,
    secrets: &Secrets<'_>,
    others: &Others<'_>,
    faults: &mut Faults,
) -> Option<(AssertionKey, Vec<AssertionKey>)> {
    let written = section.require("keys", KEYS_FIX, faults, |entry| Ok(entry.clone()))?;
    let list = if written.is_object() || written.is_text() {
        vec![written.clone()]
    } else {
        faults.keep(written.filled_list(KEYS_FIX))?
    };
    if list.len() > MAX_KEYS {
        let problem = format!("there are {} keys; the limit is 4", list.len());
        faults.push(written.fault(Code::TooManyKeys, problem, "remove the oldest"));
        return None;
    }
    let keys = session::each_key(&list, secrets, faults, |entry, text, before| {
        key(entry, (text, before), others, secrets)
    })?;
    let mut keys = keys.into_iter();
    Some((keys.next()?, keys.collect()))
}

fn key(
    entry: &Entry<'_>,
    (text, before): (&Secret<String>, &[Secret<String>]),
    others: &Others<'_>,
    secrets: &Secrets<'_>,
) -> Result<AssertionKey, Fault> {
    let key = session::key(entry, text, before, others.secret_keys).map_err(named)?;
    let [session, limits] = others.own;
    let mut own = session::texts(session, secrets);
    own.extend(session::limits_text(limits, secrets));
    if own.iter().any(|other| key.is_same_as(other.expose().as_bytes())) {
        let fix = "make a separate key: openssl rand -base64 32";
        return Err(entry.fault(Code::ReusedKey, "is a key of cookies or limits", fix));
    }
    let seed = key.seed().ok_or_else(|| {
        let fix = "make one: openssl rand -base64 32";
        entry.fault(Code::InvalidAssertionKey, "has more than 32 bytes", fix)
    })?;
    Ok(AssertionKey::new(&seed))
}

/// The fault of a key, under the code for keys of assertions.
fn named(fault: Fault) -> Fault {
    if fault.code == Code::InvalidCookieKey {
        return Fault { code: Code::InvalidAssertionKey, ..fault };
    }
    fault
}

fn header<'v>(entry: &Entry<'v>) -> Result<&'v str, Fault> {
    let name = entry.text()?;
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let problem = match name.strip_prefix(PREFIX) {
        None => "does not begin with \"x-duo-mfa-\", so a client could send it",
        Some("") => "has no name after \"x-duo-mfa-\"",
        Some(rest) if TAKEN.contains(&rest) => "has another meaning",
        Some(_) if name.len() > MAX_HEADER_BYTES => "is longer than 64 characters",
        Some(rest) if !rest.bytes().all(is_plain) => {
            "has a character other than lower-case letters, digits and \"-\""
        }
        Some(_) => return Ok(name),
    };
    let fix = format!("write a name as in \"{DEFAULT_HEADER}\"");
    Err(entry.fault(Code::InvalidHeader, format!("{} {problem}", echo(name)), fix))
}
