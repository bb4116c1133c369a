//! How Duo is called: credentials, cluster, times, factors.

use super::universal::{self, Prompt};
use crate::config::duration::Bounds;
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::reader::{Entry, Section};
use crate::config::secrets::Secrets;
use crate::config::{DuoSettings, Enrollment, Keys};
use crate::duo::{ApiHost, Credentials, Signature};
use crate::factor::{AcceptedFactors, Factor};
use crate::policy::FailMode;
use crate::secret::Secret;
use crate::session::{ApprovedBy, PENDING_LIFETIME};
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_CLUSTER: &str = "duo_api";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_STATUS_TIMEOUT: Duration = Duration::from_secs(25);
const DEFAULT_PUSH_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_CHECK_INTERVAL: Duration = Duration::from_secs(60);

const TIMEOUT: Bounds = Bounds::up_to(60);
const STATUS_TIMEOUT: Bounds = Bounds::up_to(2 * 60);
/// The answer must arrive within the lifetime of a pending sign-in.
const PUSH_TIMEOUT: Bounds = Bounds::up_to(PENDING_LIFETIME.as_secs());
const CHECK_INTERVAL: Bounds = Bounds::up_to(60 * 60);

const INTEGRATION_KEY_BYTES: usize = 20;
/// Duo's keys have 40 characters. A text of less than half of that is something else.
const MIN_SECRET_KEY_BYTES: usize = 20;
const MAX_SECRET_KEY_BYTES: usize = 256;
const MAX_CLUSTER_BYTES: usize = 256;

/// The keys that only calls of the Auth API need.
const OF_AUTH_API: [&str; 3] = ["signature", "status_timeout", "push_timeout"];

/// The parts of the configuration around a `duo` section.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// For a named application, the `duo` section at the root.
    pub(super) root: Option<&'a Section<'a>>,
    /// The settings of that section, which are the defaults of named applications.
    pub(super) main: Option<&'a DuoSettings>,
    /// Whether the application may be without keys of the Auth API if browsers are sent to Duo's
    /// page. For a named one, its rules decide that.
    pub(super) may_lack_keys: bool,
    /// Whether named applications take their defaults from this section.
    pub(super) is_inherited: bool,
}

/// Reads a `duo` section. A named application must have its own host and keys, and its own cluster,
/// unless it has the same host.
pub(super) fn settings(
    duo: &Section<'_>,
    around: Around<'_>,
    secrets: &Secrets<'_>,
    faults: &mut Faults,
) -> Option<DuoSettings> {
    let Around { root, main, .. } = around;
    let fix = "copy \"API hostname\" from the application's page in Duo's admin panel";
    let api_host = duo.require("api_host", fix, faults, api_host);
    let host = api_host.as_ref();
    // Its faults are recorded below, in the order of the documented keys.
    let is_universal = universal::prompt(duo, root, &mut Faults::default()) == Prompt::Universal;
    let is_keyless = is_universal
        && around.may_lack_keys
        && duo.find("integration_key").is_none()
        && duo.find("secret_key").is_none();
    let credentials =
        (!is_keyless).then(|| credentials(duo, (host, usual_signature(root)), secrets, faults));
    if is_keyless && !around.is_inherited {
        for entry in OF_AUTH_API.iter().filter_map(|key| duo.find(key)) {
            let problem = "has no effect without integration_key and secret_key";
            faults.push(entry.fault(Code::ConflictingKeys, problem, "remove it"));
        }
    }
    let is_elsewhere = main.zip(host).is_some_and(|(main, host)| main.api_host() != host);
    let cluster = if is_elsewhere {
        let fix = "name the cluster for this api_host; the api_host of the duo section differs";
        duo.require("cluster", fix, faults, cluster)
    } else {
        let usual = main.map_or(DEFAULT_CLUSTER, |main| &main.cluster);
        Some(duo.read("cluster", faults, cluster).unwrap_or(usual))
    };
    let mut time = |name, default, bounds: &Bounds| {
        duo.read(name, faults, |entry| entry.duration(bounds)).unwrap_or(default)
    };
    let [timeout, status_timeout, push_timeout, check_interval] = main.map_or(
        [DEFAULT_TIMEOUT, DEFAULT_STATUS_TIMEOUT, DEFAULT_PUSH_TIMEOUT, DEFAULT_CHECK_INTERVAL],
        |main| [main.timeout, main.status_timeout, main.push_timeout, main.check_interval],
    );
    let timeout = time("timeout", timeout, &TIMEOUT);
    let status_timeout = time("status_timeout", status_timeout, &STATUS_TIMEOUT);
    let push_timeout = time("push_timeout", push_timeout, &PUSH_TIMEOUT);
    let check_interval = time("check_interval", check_interval, &CHECK_INTERVAL);
    let fail_mode = duo.read("fail_mode", faults, fail_mode).or_else(|| Some(main?.fail_mode));
    let enrollment = duo.read("enrollment", faults, enrollment).or_else(|| Some(main?.enrollment));
    universal::prompt(duo, root, faults);
    let accepted = factors(duo, is_universal, faults).or_else(|| {
        let accepted = main?.accepted.as_ref()?;
        if !is_universal && accepted.factors.is_empty() {
            faults.push(no_factor(duo));
        }
        Some(accepted.clone())
    });
    let usual = main.and_then(DuoSettings::universal);
    let universal = is_universal.then(|| universal::universal(duo, host, usual, secrets, faults));
    let enrollment = enrollment.filter(|_| !is_universal);
    let keys = match (credentials, universal) {
        (Some(credentials), Some(universal)) => Keys::Both(Arc::new(credentials?), universal?),
        (Some(credentials), None) => Keys::AuthApi(Arc::new(credentials?)),
        (None, universal) => Keys::WebSdk(universal??),
    };
    Some(DuoSettings {
        keys,
        cluster: cluster?.to_owned(),
        timeout,
        status_timeout,
        push_timeout,
        check_interval,
        enrollment: enrollment.unwrap_or(Enrollment::Off),
        fail_mode: fail_mode.unwrap_or_default(),
        accepted,
    })
}

/// The fault of an application with the filter's own page that would inherit a list of factors
/// which only Duo's page can ask for.
fn no_factor(duo: &Section<'_>) -> Fault {
    let problem = "is missing, and the list of duo at the root has only webauthn, which this \
                   application with prompt: own cannot ask for";
    let fix = "name at least one of push, passcode, phone, sms";
    Fault::new(Code::MissingKey, duo.path_of("factors"), problem, fix)
}

fn enrollment(entry: &Entry<'_>) -> Result<Enrollment, Fault> {
    if entry.is_false() {
        // A bare `off` in YAML arrives as `false`.
        return Ok(Enrollment::Off);
    }
    let ways =
        [("off", Enrollment::Off), ("portal", Enrollment::Portal), ("inline", Enrollment::Inline)];
    entry.choice(&ways)
}

const SIGNATURES: [(&str, Signature); 3] =
    [("v5", Signature::V5), ("v2-sha512", Signature::V2Sha512), ("v2-sha1", Signature::V2Sha1)];

/// The signature of an application that names none: that of the `duo` section at the root.
fn usual_signature(root: Option<&Section<'_>>) -> Signature {
    let written = root.and_then(|root| root.find("signature")?.choice(&SIGNATURES).ok());
    written.unwrap_or_default()
}

fn credentials(
    duo: &Section<'_>,
    (api_host, usual): (Option<&ApiHost>, Signature),
    secrets: &Secrets<'_>,
    faults: &mut Faults,
) -> Option<Credentials> {
    let fix = "copy \"Integration key\" from the page of the \"Auth API\" application in Duo's admin \
               panel. Or let only browsers in, at Duo's page: write \"prompt\": \"universal\", leave \
               out integration_key and secret_key, and set api.mode to \"refuse\"";
    let integration_key = duo.require("integration_key", fix, faults, integration_key);
    let fix = "name the environment variable that holds it, as in {\"env\": \"DUO_SECRET_KEY\"}";
    let entry = duo.require("secret_key", fix, faults, |entry| Ok(entry.clone()));
    let secret_key = entry.and_then(|entry| {
        let secret = secrets.read(&entry, faults)?;
        faults.keep(secret_key(&entry, secret))
    });
    let signature = duo.read("signature", faults, |entry| entry.choice(&SIGNATURES));
    Some(Credentials {
        api_host: api_host?.clone(),
        integration_key: integration_key?,
        secret_key: secret_key?,
        signature: signature.unwrap_or(usual),
    })
}

fn api_host(entry: &Entry<'_>) -> Result<ApiHost, Fault> {
    let text = entry.text()?;
    text.parse().map_err(|_| {
        let fix = match bare_host(text) {
            Some(host) => format!("use {}", echo(host.as_str())),
            None => "use a name as in \"api-xxxxxxxx.duosecurity.com\"".to_owned(),
        };
        entry.fault(Code::InvalidApiHost, format!("{} must be a bare host name", echo(text)), fix)
    })
}

/// The host name in a URL, or before a port.
fn bare_host(text: &str) -> Option<ApiHost> {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, behind)| behind);
    text.split(['/', '?', '#', ':']).next()?.trim_end_matches('.').parse().ok()
}

/// Messages never repeat the key: if the two keys were swapped, it is the secret one.
fn integration_key(entry: &Entry<'_>) -> Result<String, Fault> {
    let text = entry.text()?;
    if is_integration_key(text) {
        return Ok(text.to_owned());
    }
    Err(entry.fault(
        Code::InvalidIntegrationKey,
        format!("is not an integration key: it has {} characters", text.chars().count()),
        "write 20 upper-case letters and digits that begin with \"DI\"",
    ))
}

fn is_integration_key(text: &str) -> bool {
    text.len() == INTEGRATION_KEY_BYTES
        && text.starts_with("DI")
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn secret_key(entry: &Entry<'_>, secret: Secret<String>) -> Result<Secret<String>, Fault> {
    let text = secret.expose();
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'');
    let problem = if !text.bytes().all(is_fit) {
        "has a space, a line break, a quote or another character that no secret key has"
    } else if is_integration_key(text) {
        "is an integration key"
    } else if !(MIN_SECRET_KEY_BYTES..=MAX_SECRET_KEY_BYTES).contains(&text.len()) {
        "is too short or too long"
    } else {
        return Ok(secret);
    };
    let fix = "copy \"Secret key\", of 40 characters, from the application's page at Duo";
    Err(entry.fault(Code::InvalidSecretKey, problem, fix))
}

fn cluster<'v>(entry: &Entry<'v>) -> Result<&'v str, Fault> {
    let fix = "write the name of Envoy's cluster for the API host; in Istio \
               outbound|443||api-xxxxxxxx.duosecurity.com";
    cluster_name(entry, fix)
}

/// The name of a cluster.
pub(super) fn cluster_name<'v>(entry: &Entry<'v>, fix: &'static str) -> Result<&'v str, Fault> {
    let name = entry.text()?;
    let problem = if name.trim() != name || name.is_empty() {
        "is empty, or begins or ends with a space"
    } else if name.len() > MAX_CLUSTER_BYTES || name.chars().any(char::is_control) {
        "is not the name of a cluster"
    } else {
        return Ok(name);
    };
    Err(entry.fault(Code::InvalidCluster, problem, fix))
}

pub(super) fn fail_mode(entry: &Entry<'_>) -> Result<FailMode, Fault> {
    entry.choice(&[("secure", FailMode::Secure), ("safe", FailMode::Safe)])
}

/// The word for codes of every kind, even if no text messages are offered.
const ANY_PASSCODE: &str = "any_passcode";

/// The factors in the key of that name; `None` if it is absent.
///
/// Duo's response to a code does not say what kind it was. So a list with `passcode` and without
/// `sms` would promise more than the filter can check, and is a fault.
pub(super) fn factors(
    section: &Section<'_>,
    has_universal: bool,
    faults: &mut Faults,
) -> Option<AcceptedFactors> {
    let fix = "name at least one of push, passcode, phone, sms, webauthn";
    let list = section.read("factors", faults, |entry| entry.filled_list(fix))?;
    let [first, second, third, fourth] = Factor::ALL.map(|factor| (factor.name(), Some(factor)));
    let any_passcode = (ANY_PASSCODE, Some(Factor::Passcode));
    // `None` is a passkey or security key, which only Duo's page can ask for.
    let words = [first, second, third, fourth, any_passcode, (ApprovedBy::Webauthn.name(), None)];
    let mut accepted = AcceptedFactors::default();
    let mut passcode = None;
    for entry in list {
        let Some(factor) = faults.keep(entry.choice(&words)) else { continue };
        let (name, is_double) = match factor {
            Some(factor) => (factor.name(), accepted.factors.contains(&factor)),
            None => (ApprovedBy::Webauthn.name(), accepted.webauthn),
        };
        if is_double {
            let problem = format!("{} is in the list twice", echo(name));
            faults.push(entry.fault(Code::DuplicateEntry, problem, "keep one of them"));
            continue;
        }
        accepted.factors.extend(factor);
        accepted.webauthn |= factor.is_none();
        if factor.is_none() && !has_universal {
            let problem = "needs Duo's page, and this application has prompt: own";
            let fix = "set prompt to \"universal\", name an application that has it, or remove it";
            faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
        }
        if entry.text() == Ok(Factor::Passcode.name()) {
            passcode = Some(entry);
        }
    }
    if let Some(entry) = passcode
        && !accepted.factors.contains(&Factor::Sms)
    {
        let problem = "also accepts codes from text messages, since Duo does not tell the filter what \
                       kind a code is";
        let fix = "write \"any_passcode\" to accept codes of every kind, add \"sms\" to offer \
                   texts as well, or remove it";
        faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
    }
    Some(accepted)
}
