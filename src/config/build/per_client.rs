//! Reads a rule's `approval`. It applies to the session, to one request, or to the requests of one
//! client (`"approval": {"per": "client", "for": "5m"}`).

use crate::config::duration::{Bounds, spelled};
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::identity::IdentityRules;
use crate::json::Json;
use crate::policy::{PerClient, Terms};
use crate::session::Bindings;
use sha2::{Digest, Sha256};
use std::time::Duration;

const MAX_LIFETIME: u64 = 60 * 60;
/// A shorter duration would end while one command is still running.
const LIFETIME: Bounds = Bounds::between(10, MAX_LIFETIME);

const FIX: &str = "write {\"per\": \"client\", \"for\": \"5m\"}";

/// The requests that an approval applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Session,
    Request,
    Client,
}

/// The parts of the configuration that approvals per client depend on.
pub(super) struct Clients<'a> {
    pub(super) bindings: &'a Bindings,
    pub(super) session: &'a Section<'a>,
    /// `None` if it is at fault.
    pub(super) identity: Option<&'a IdentityRules>,
    /// `None` if `session` is at fault.
    pub(super) inactivity: Option<Duration>,
}

/// The kind of approval that a rule requires.
pub(super) fn reach(entry: &Entry<'_>) -> Result<Reach, Fault> {
    if entry.is_object() {
        return Ok(Reach::Client);
    }
    let text = entry.text().map_err(|fault| Fault { fix: FIX.into(), ..fault })?;
    if matches!(text, "client" | "per_client") {
        return Err(entry.fault(
            Code::UnknownValue,
            format!("{} has no duration", echo(text)),
            FIX,
        ));
    }
    entry.choice(&[("session", Reach::Session), ("per_request", Reach::Request)])
}

/// The lifetime of an approval per client, if the rule has such approvals.
pub(super) fn lasts(
    rule: &Section<'_>,
    terms: &Terms,
    clients: &Clients<'_>,
    faults: &mut Faults,
) -> Option<Duration> {
    let entry = rule.find("approval").filter(Entry::is_object)?;
    let section = Section::open(&entry, keys::APPROVAL, faults);
    section.require("per", FIX, faults, |entry| entry.choice(&[("client", ())]));
    let lasts = section.require("for", FIX, faults, |entry| entry.duration(&LIFETIME))?;
    clients.check(&entry, faults);
    let longest =
        [("the rule's max_age", terms.max_age), ("session.inactivity", clients.inactivity)];
    for (name, longest) in longest {
        if let Some(longest) = longest.filter(|longest| lasts > *longest)
            && let Some(entry) = section.find("for")
        {
            let [lasts, longest] = [lasts, longest].map(|time| spelled(time.as_secs()));
            let problem = format!("{lasts} is longer than {name}, {longest}");
            faults.push(entry.fault(Code::ConflictingKeys, problem, "make it as long or shorter"));
        }
    }
    Some(lasts)
}

impl Clients<'_> {
    /// Refuses approvals per client if nothing distinguishes clients: anyone with the user's
    /// password could use them.
    fn check(&self, approval: &Entry<'_>, faults: &mut Faults) {
        let fix = "name what distinguishes clients, as in [\"certificate\"], or [\"ip_prefix\"]";
        let named = self.identity.and_then(IdentityRules::attribute);
        if self.session.find("bind").is_none() && self.session.is_readable() {
            let problem = "is missing, but a rule has approvals per client";
            faults.push(Fault::new(Code::MissingKey, "session.bind", problem, fix));
        } else if !self.bindings.distinguish_clients(named) {
            let problem =
                "needs session.bind to name more than the user, who is the same on all clients";
            faults.push(approval.fault(Code::ConflictingKeys, problem, fix));
        }
    }
}

/// The approvals per client of a rule.
pub(super) fn of_rule(rule: &Entry<'_>, lasts: Duration) -> PerClient {
    let mut hash = Sha256::new();
    write(rule.json(), &mut hash);
    let mut tag = [0; 16];
    tag.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    PerClient { lasts, rule: tag }
}

/// Hashes a value. Different values give different inputs to the hash.
fn write(json: &Json, hash: &mut Sha256) {
    let mut part = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    match json {
        Json::Null => part(0, &[]),
        Json::Flag(flag) => part(1, &[u8::from(*flag)]),
        Json::Whole(number) => part(2, &number.to_be_bytes()),
        Json::OtherNumber(number) => part(3, &number.to_be_bytes()),
        Json::Text(text) => part(4, text.as_bytes()),
        Json::List(list) => {
            part(5, &list.len().to_be_bytes());
            list.iter().for_each(|json| write(json, hash));
        }
        Json::Object(members) => {
            part(6, &members.iter().len().to_be_bytes());
            for (name, json) in members.iter() {
                write_text(name, hash);
                write(json, hash);
            }
        }
    }
}

fn write_text(text: &str, hash: &mut Sha256) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(text);
}
