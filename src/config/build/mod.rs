//! The parts of a [`Config`], each built from its object of the configuration.
//!
//! A part at fault is left out and the others are still built, so that one log shows every fault.

mod access_control;
mod applications;
mod approvers;
mod assertion;
mod binding;
mod branding;
mod duo;
mod forms;
mod identity;
mod logout;
mod per_client;
mod rate_limit_service;
mod session;
mod text;
mod universal;

use super::duration::Bounds;
use super::error::{Code, Fault, Faults, echo};
use super::fingerprint::fingerprint;
use super::keys;
use super::reader::{Entry, Section};
use super::secrets::Secrets;
use super::{Api, ApiMode, Capacity, Config, DuoSettings, Limits, Mode, PushDetails};
use crate::json::Json;
use crate::page::Site;
use crate::policy::{Criterion, Policies};
use crate::session::{PENDING_LIFETIME, SharedKey};
use applications::Written;
use assertion::Others;
use per_client::Clients;
use std::time::Duration;
use text::{check_printable, printable};

const DEFAULT_PATH_PREFIX: &str = "/.duo-mfa";
const DEFAULT_HOLD_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_PUSH_TITLE: &str = "Sign-in";
const DEFAULT_PUSHES: usize = 3;
const DEFAULT_PASSCODE_TRIES: usize = 5;
const DEFAULT_STARTS: usize = 9;
const DEFAULT_USERS: usize = 16_384;
const DEFAULT_WINDOW: Duration = Duration::from_secs(10 * 60);
const DEFAULT_DENY_COOLDOWN: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)];

/// The bounds of `api.hold_timeout`: a request is held no longer than a pending sign-in lives.
const HOLD_TIMEOUT: Bounds = Bounds::up_to(PENDING_LIFETIME.as_secs());
/// The bounds of times in the table of limits.
const LIMIT: Bounds = Bounds::up_to(Limits::MAX_TIME.as_secs());
const MAX_CALLS: usize = 10_000;
const MAX_USER_RATE: usize = 6_000;
const MAX_HELD: usize = 100_000;
const MAX_PREFIX_BYTES: usize = 128;
const MAX_TITLE: usize = 64;
const MAX_INFO: usize = 200;
const MAX_INFO_PAIRS: usize = 20;

/// Builds all parts; `None` if one of them is at fault.
pub(super) fn config(
    value: &Json,
    environment: &dyn Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> Option<Config> {
    let root = Section::open(&Entry::new("", value), keys::ROOT, faults);
    root.read("version", faults, version);
    let mode = root.read("mode", faults, mode);
    let path_prefix = root.read("path_prefix", faults, path_prefix);
    let inline = root.read("allow_inline_secrets", faults, Entry::flag);
    let secrets = Secrets { environment, inline_is_allowed: inline.unwrap_or(false) };
    let written = Written::read(&root, &secrets, faults);
    let identity_section = root.section("identity", keys::IDENTITY, faults);
    let identity = identity::rules(&identity_section, faults);
    let session = root.section("session", keys::SESSION, faults);
    let secret_keys: Vec<_> = written.settings().flat_map(DuoSettings::secrets).collect();
    let browser = session::browser(&session, &secrets, &secret_keys, faults);
    let bindings = binding::bindings(&session, faults);
    let limits_section = root.section("limits", keys::LIMITS, faults);
    let limits_key = limits_section
        .find("key")
        .filter(|entry| !matches!(entry.text(), Ok("duo")))
        .map(|entry| session::limits_key(&entry, &secrets, &secret_keys, faults));
    let others = Others { secret_keys: &secret_keys, own: [&session, &limits_section] };
    let assertion = assertion::Written::read(&root, &secrets, &others, faults);
    let access_control = root.section("access_control", keys::ACCESS_CONTROL, faults);
    let clients = Clients {
        bindings: &bindings,
        session: &session,
        identity: identity.as_ref(),
        inactivity: browser.as_ref().map(session::Browser::inactivity),
    };
    let policies = access_control::policies(&access_control, &written, &clients, faults);
    let applications = browser.and_then(|browser| written.build(&browser, faults));
    groups_have_a_place(&policies, &identity_section, faults);
    let api = api(&root.section("api", keys::API, faults), faults);
    let request_bodies = root.read("request_bodies", faults, Entry::flag);
    let cross_site_forms = forms::cross_site(&root, request_bodies, faults);
    let filter_state = root.read("filter_state", faults, Entry::flag);
    let push = push(&root.section("push", keys::PUSH, faults), &policies, faults);
    let limits = limits(&limits_section, faults);
    let capacity = capacity(&limits_section, faults);
    let rate_limit_service = rate_limit_service::service(&limits_section, faults);
    let has_auth_api = applications.as_ref().is_none_or(|it| it.main.duo.credentials().is_some());
    let section = root.section("branding", keys::BRANDING, faults);
    let branding = branding::look(&section, has_auth_api, faults);

    let path_prefix = path_prefix.unwrap_or(DEFAULT_PATH_PREFIX);
    let logout_paths = logout::paths(&session, path_prefix, faults);
    let (applications, request_bodies) = (applications?, request_bodies.unwrap_or(false));
    let shared = match limits_key {
        Some(key) => SharedKey::of_master(&key?),
        None => applications.main.duo.shared_key(),
    };
    let assertion = assertion.ok()?.map(|written| written.build(&policies));
    Some(Config {
        hash: fingerprint(value),
        mode: mode.unwrap_or_default(),
        path_prefix: path_prefix.to_owned(),
        shared,
        applications,
        identity: identity?,
        bindings,
        assertion,
        logout_paths,
        policies,
        api,
        request_bodies,
        cross_site_forms,
        filter_state: filter_state.unwrap_or(false),
        push,
        limits,
        rate_limit_service,
        capacity,
        site: Site::new(branding, path_prefix).with_request_bodies(request_bodies),
    })
}

/// Reports rules that name groups where no key says which groups a user has.
fn groups_have_a_place(policies: &Policies, identity: &Section<'_>, faults: &mut Faults) {
    if policies.mentions(Criterion::Groups) && identity.find("groups").is_none() {
        let fix =
            "name the place where the first factor puts them, as in {\"header\": \"x-groups\"}";
        let problem = "is missing, and a rule names groups";
        faults.push(Fault::new(Code::MissingKey, "identity.groups", problem, fix));
    }
}

fn version(entry: &Entry<'_>) -> Result<(), Fault> {
    match entry.whole_number()? {
        1 => Ok(()),
        other => {
            let problem = format!("version {other} is not known");
            Err(entry.fault(Code::UnknownVersion, problem, "write 1"))
        }
    }
}

fn mode(entry: &Entry<'_>) -> Result<Mode, Fault> {
    if entry.is_false() {
        // A bare `off` in YAML arrives as `false`.
        return Ok(Mode::Off);
    }
    let modes = [("enforce", Mode::Enforce), ("report_only", Mode::ReportOnly), ("off", Mode::Off)];
    entry.choice(&modes)
}

fn path_prefix<'v>(entry: &Entry<'v>) -> Result<&'v str, Fault> {
    let prefix = entry.text()?;
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~');
    let problem = if !prefix.starts_with('/') {
        "does not start with a slash"
    } else if prefix.ends_with('/') {
        "ends with a slash"
    } else if prefix.len() > MAX_PREFIX_BYTES {
        "is longer than 128 characters"
    } else if !prefix.bytes().all(is_plain) {
        "has a character other than letters, digits, \"/\", \".\", \"-\", \"_\" and \"~\""
    } else if prefix.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
        "has an empty segment, \".\" or \"..\""
    } else {
        return Ok(prefix);
    };
    let fix = format!("write a plain path, as in \"{DEFAULT_PATH_PREFIX}\"");
    Err(entry.fault(Code::InvalidPathPrefix, format!("{} {problem}", echo(prefix)), fix))
}

fn api_mode(entry: &Entry<'_>) -> Result<ApiMode, Fault> {
    entry.choice(&[("hold", ApiMode::Hold), ("refuse", ApiMode::Refuse)])
}

#[inline(never)]
fn api(section: &Section<'_>, faults: &mut Faults) -> Api {
    let mode = section.read("mode", faults, api_mode);
    let hold_timeout = section.read("hold_timeout", faults, |entry| entry.duration(&HOLD_TIMEOUT));
    Api {
        mode: mode.unwrap_or(ApiMode::Hold),
        hold_timeout: hold_timeout.unwrap_or(DEFAULT_HOLD_TIMEOUT),
    }
}

#[inline(never)]
fn push(section: &Section<'_>, policies: &Policies, faults: &mut Faults) -> PushDetails {
    let title = section.read("title", faults, |entry| printable(entry, MAX_TITLE));
    let info = section.read("info", faults, Entry::members).unwrap_or_default();
    if let (Some(entry), true) = (section.find("info"), info.len() > MAX_INFO_PAIRS) {
        let problem = format!("has {} entries; the limit is {MAX_INFO_PAIRS}", info.len());
        faults.push(entry.fault(Code::InvalidText, problem, "remove some"));
    }
    let info = info.iter().filter_map(|(name, value)| {
        let pair = printable(value, MAX_INFO).and_then(|text| {
            check_printable(value, name, MAX_INFO)?;
            Ok(((*name).to_owned(), text.to_owned()))
        });
        faults.keep(pair)
    });
    let info = info.collect();
    let hosts = section.read("hosts", faults, Entry::list);
    let hosts = match hosts {
        Some(hosts) => {
            let named = |entry| faults.keep(access_control::pattern(Criterion::Hosts, entry));
            hosts.iter().filter_map(named).collect()
        }
        None => policies.hosts().cloned().collect(),
    };
    PushDetails { title: title.unwrap_or(DEFAULT_PUSH_TITLE).to_owned(), info, hosts }
}

#[inline(never)]
fn limits(section: &Section<'_>, faults: &mut Faults) -> Limits {
    let pushes = section.read("pushes", faults, |entry| count(entry, Limits::MAX_PUSHES));
    let window = section.read("window", faults, |entry| entry.duration(&LIMIT));
    let waits = section.read("deny_cooldown", faults, |entry| {
        entry.filled_list("write one or more times, as in [\"60s\", \"5m\", \"30m\"]")
    });
    let waits = waits
        .map(|waits| waits.iter().filter_map(|wait| faults.keep(wait.duration(&LIMIT))).collect());
    let tries = |entry: &Entry<'_>| count(entry, Limits::MAX_PASSCODE_TRIES);
    let passcode_tries = section.read("passcode_tries", faults, tries);
    let starts = section.read("starts", faults, |entry| count(entry, Limits::MAX_STARTS));
    let users = section.read("users", faults, |entry| count(entry, Limits::MAX_USERS));
    Limits {
        pushes: pushes.unwrap_or(DEFAULT_PUSHES),
        window: window.unwrap_or(DEFAULT_WINDOW),
        deny_cooldown: waits.unwrap_or_else(|| DEFAULT_DENY_COOLDOWN.to_vec()),
        passcode_tries: passcode_tries.unwrap_or(DEFAULT_PASSCODE_TRIES),
        starts: starts.unwrap_or(DEFAULT_STARTS),
        users: users.unwrap_or(DEFAULT_USERS),
    }
}

#[inline(never)]
fn capacity(section: &Section<'_>, faults: &mut Faults) -> Capacity {
    let usual = Capacity::USUAL;
    let rate = |entry: &Entry<'_>| {
        count(entry, MAX_USER_RATE).map(|rate| u32::try_from(rate).unwrap_or(u32::MAX))
    };
    let user_rate = section.read("user_rate", faults, rate);
    let mut number = |name, most| section.read(name, faults, |entry| count(entry, most));
    let capacity = Capacity {
        user_calls: number("user_calls", MAX_CALLS).unwrap_or(usual.user_calls),
        user_rate: user_rate.unwrap_or(usual.user_rate),
        calls: number("calls", MAX_CALLS).unwrap_or(usual.calls),
        held: number("held", MAX_HELD).unwrap_or(usual.held),
    };
    if let (Some(entry), true) = (section.find("user_calls"), capacity.user_calls > capacity.calls)
    {
        let problem = format!("is more than limits.calls, {}", capacity.calls);
        faults.push(entry.fault(
            Code::ConflictingKeys,
            problem,
            "write a small part of limits.calls",
        ));
    }
    capacity
}

/// A number from 1 to `most`.
fn count(entry: &Entry<'_>, most: usize) -> Result<usize, Fault> {
    let count = usize::try_from(entry.whole_number()?).unwrap_or(usize::MAX);
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    let problem = format!("{count} is out of bounds");
    Err(entry.fault(Code::InvalidNumber, problem, format!("write 1 to {most}")))
}
