//! Who the user is: the source, the steps to one spelling, Duo's name of him.

use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::raw::{Entry, Section};
use crate::identity::{Domain, IdentityRules, Source, SourceFault, Step, UsernameTemplate};

const HEADER_FIX: &str =
    "name the header that the first factor's filter sets, as in \"x-basic-user\"";
const METADATA_FIX: &str =
    "write it as in [\"envoy.filters.http.jwt_authn\", \"jwt_payload\", \"email\"]";

#[derive(Clone, Copy)]
enum Kind {
    Header,
    Jwt,
}

pub(super) fn rules(identity: &Section<'_>, faults: &mut Faults) -> Option<IdentityRules> {
    let source = source(identity, faults);
    let steps = steps(identity, faults);
    let username = identity.read("username", faults, username);
    Some(IdentityRules::new(source?, steps, username.unwrap_or_default()))
}

/// There is no default: whose word is trusted is the operator's to say.
fn source(identity: &Section<'_>, faults: &mut Faults) -> Option<Source> {
    let kinds = [("header", Kind::Header), ("jwt", Kind::Jwt)];
    let fix = "write \"header\" or \"jwt\", by what the first factor's filter sets";
    let kind = identity
        .require("source", fix, faults, |entry| entry.choice(&kinds, &["mtls", "metadata"]));
    let Some(kind) = kind else {
        identity.read("header", faults, header);
        identity.read("metadata", faults, metadata);
        return None;
    };
    let unread = match kind {
        Kind::Header => identity.find("metadata"),
        Kind::Jwt => identity.find("header"),
    };
    if let Some(entry) = unread {
        let problem = "is not read from this source";
        faults.push(entry.fault(Code::ConflictingKeys, problem, "remove it, or change the source"));
    }
    match kind {
        Kind::Header => identity.require("header", HEADER_FIX, faults, header),
        Kind::Jwt => identity.require("metadata", METADATA_FIX, faults, metadata),
    }
}

fn header(entry: &Entry<'_>) -> Result<Source, Fault> {
    let name = entry.text()?;
    Source::header(name).map_err(|fault| {
        let fix = match fault {
            SourceFault::UpperCase => format!("use {}", echo(&name.to_ascii_lowercase())),
            SourceFault::NotAHeaderName
            | SourceFault::NeverAnIdentity
            | SourceFault::PathTooShort
            | SourceFault::PathPart => HEADER_FIX.to_owned(),
        };
        entry.fault(Code::InvalidHeader, format!("{} {fault}", echo(name)), fix)
    })
}

fn metadata(entry: &Entry<'_>) -> Result<Source, Fault> {
    let parts = entry.list()?;
    let parts = parts.iter().map(|part| part.text().map(str::to_owned));
    Source::jwt(&parts.collect::<Result<Vec<_>, _>>()?)
        .map_err(|fault| entry.fault(Code::InvalidMetadataPath, fault.to_string(), METADATA_FIX))
}

fn steps(identity: &Section<'_>, faults: &mut Faults) -> Vec<Step> {
    let Some(list) = identity.read("normalize", faults, Entry::list) else {
        return vec![Step::Trim, Step::Lowercase];
    };
    list.iter().filter_map(|entry| step(entry, faults)).collect()
}

fn step(entry: &Entry<'_>, faults: &mut Faults) -> Option<Step> {
    if entry.is_text() {
        let words = [("trim", false), ("lowercase", true)];
        let lowers = faults.keep(entry.choice(&words, &[]))?;
        return Some(if lowers { Step::Lowercase } else { Step::Trim });
    }
    let fix = "write \"trim\", \"lowercase\" or {\"strip_domain\": [\"corp.example.com\"]}";
    let section = Section::open(entry, keys::STEP, faults);
    let list = section.require("strip_domain", fix, faults, |entry| entry.filled_list(fix))?;
    let domains = list.iter().filter_map(|entry| faults.keep(domain(entry)));
    Some(Step::StripDomain(domains.collect()))
}

fn domain(entry: &Entry<'_>) -> Result<Domain, Fault> {
    let text = entry.text()?;
    Domain::new(text).map_err(|fault| {
        let fix = "write it as in \"corp.example.com\" or \"CORP\"";
        entry.fault(Code::InvalidDomain, format!("{} {fault}", echo(text)), fix)
    })
}

fn username(entry: &Entry<'_>) -> Result<UsernameTemplate, Fault> {
    let text = entry.text()?;
    text.parse().map_err(|fault| {
        let fix = "write a template as in \"{user}\", \"{local}\" or \"{local}@{domain}\"";
        entry.fault(Code::InvalidUsername, format!("{} {fault}", echo(text)), fix)
    })
}
