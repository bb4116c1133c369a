//! How the user is identified: the source, the steps to one spelling, and the name at Duo.

use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::identity::{
    CertificateField, Domain, Groups, IdentityRules, MapFault, Mapping, Source, SourceFault, Step,
    UsernameTemplate,
};

const HEADER_FIX: &str =
    "name the header that the first factor's filter sets, as in \"x-basic-user\"";
const METADATA_FIX: &str =
    "write it as in [\"envoy.filters.http.jwt_authn\", \"jwt_payload\", \"email\"]";

const USERS_FIX: &str =
    "write a name in lower case, as in \"auth0|507f\", or \"*@partner.example.com\"";
const MAPPED_FIX: &str = "write the user's name at Duo; if the entry matches several users, write {user} or {local} in it";

const CERTIFICATE_FIX: &str = "write subject, san_uri or san_dns";
const GROUPS_FIX: &str = "write it as in {\"header\": \"x-groups\"} or \
                          {\"metadata\": [\"envoy.filters.http.jwt_authn\", ...]}";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header,
    Jwt,
    Metadata,
    Mtls,
}

impl Kind {
    /// The key that names the place in the source.
    const fn key(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Jwt | Self::Metadata => "metadata",
            Self::Mtls => "certificate",
        }
    }
}

#[inline(never)]
pub(super) fn rules(identity: &Section<'_>, faults: &mut Faults) -> Option<IdentityRules> {
    let source = source(identity, faults);
    let steps = steps(identity, faults);
    let username = identity.read("username", faults, username);
    let map = map(identity, faults);
    let groups = groups(identity, faults);
    let rules = IdentityRules::new(source?, steps, username.unwrap_or_default());
    Some(rules.with_map(map).with_groups(groups))
}

/// The names of some users at Duo, in the order in which they are compared.
fn map(identity: &Section<'_>, faults: &mut Faults) -> Vec<Mapping> {
    let list = identity.read("map", faults, Entry::list).unwrap_or_default();
    list.iter().filter_map(|entry| mapping(entry, faults)).collect()
}

fn mapping(entry: &Entry<'_>, faults: &mut Faults) -> Option<Mapping> {
    let section = Section::open(entry, keys::MAPPING, faults);
    let users = section.require("user", USERS_FIX, faults, Entry::text);
    let username = section.require("username", MAPPED_FIX, faults, Entry::text);
    let (users, username) = (users?, username?);
    let fault = match Mapping::new(users, username) {
        Ok(mapping) => return Some(mapping),
        Err(fault) => fault,
    };
    let (key, code, text, fix) = match fault {
        MapFault::User => ("user", Code::InvalidPattern, users, USERS_FIX),
        MapFault::Username(_) => ("username", Code::InvalidUsername, username, MAPPED_FIX),
    };
    let problem = format!("{} {fault}", echo(text));
    if let Some(entry) = section.find(key) {
        faults.push(entry.fault(code, problem, fix));
    }
    None
}

/// There is no default: the operator has to choose the source that is trusted.
fn source(identity: &Section<'_>, faults: &mut Faults) -> Option<Source> {
    let kinds = [
        ("header", Kind::Header),
        ("jwt", Kind::Jwt),
        ("mtls", Kind::Mtls),
        ("metadata", Kind::Metadata),
    ];
    let fix = "write header, jwt, mtls or metadata, depending on what the first factor sets";
    let kind = identity.require("source", fix, faults, |entry| entry.choice(&kinds));
    let Some(kind) = kind else {
        identity.read("header", faults, header);
        identity.read("metadata", faults, |entry| metadata(entry, Source::metadata));
        identity.read("certificate", faults, certificate);
        return None;
    };
    for key in [Kind::Header, Kind::Metadata, Kind::Mtls].map(Kind::key) {
        if let Some(entry) = identity.find(key).filter(|_| key != kind.key()) {
            let problem = "has no effect with this identity.source";
            let fix = "remove it, or change the source";
            faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
        }
    }
    match kind {
        Kind::Header => identity.require("header", HEADER_FIX, faults, header),
        Kind::Jwt => {
            identity.require("metadata", METADATA_FIX, faults, |entry| metadata(entry, Source::jwt))
        }
        Kind::Metadata => identity
            .require("metadata", METADATA_FIX, faults, |entry| metadata(entry, Source::metadata)),
        Kind::Mtls => identity.require("certificate", CERTIFICATE_FIX, faults, certificate),
    }
}

fn certificate(entry: &Entry<'_>) -> Result<Source, Fault> {
    let fields = [
        ("subject", CertificateField::Subject),
        ("san_uri", CertificateField::SanUri),
        ("san_dns", CertificateField::SanDns),
    ];
    entry.choice(&fields).map(Source::certificate)
}

fn groups(identity: &Section<'_>, faults: &mut Faults) -> Option<Groups> {
    let entry = identity.find("groups")?;
    let section = Section::open(&entry, keys::GROUPS, faults);
    let separator = section.read("separator", faults, separator).unwrap_or(',');
    let source = match (section.find("header"), section.find("metadata")) {
        (Some(_), Some(second)) => {
            let problem = "is a second source of groups, and only one is allowed";
            faults.push(second.fault(Code::ConflictingKeys, problem, "keep one of them"));
            None
        }
        (None, Some(entry)) => faults.keep(metadata(&entry, Source::metadata)),
        (Some(_), None) | (None, None) => section.require("header", GROUPS_FIX, faults, header),
    };
    Some(Groups::new(source?, separator))
}

fn separator(entry: &Entry<'_>) -> Result<char, Fault> {
    let mut characters = entry.text()?.chars();
    match (characters.next(), characters.next()) {
        (Some(separator), None) if !separator.is_control() => Ok(separator),
        _ => {
            let problem = "is not one character";
            Err(entry.fault(Code::InvalidText, problem, "write it as in \",\" or \";\""))
        }
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

pub(super) fn metadata(
    entry: &Entry<'_>,
    source: fn(&[String]) -> Result<Source, SourceFault>,
) -> Result<Source, Fault> {
    let parts = entry.list()?;
    let parts = parts.iter().map(|part| part.text().map(str::to_owned));
    source(&parts.collect::<Result<Vec<_>, _>>()?)
        .map_err(|fault| entry.fault(Code::InvalidMetadataPath, fault.to_string(), METADATA_FIX))
}

fn steps(identity: &Section<'_>, faults: &mut Faults) -> Vec<Step> {
    let Some(list) = identity.read("normalize", faults, Entry::list) else {
        return vec![Step::Trim, Step::Lowercase];
    };
    list.iter().filter_map(|entry| step(entry, faults)).collect()
}

/// The steps that are a single word.
#[derive(Clone, Copy)]
enum Word {
    Trim,
    Lowercase,
    Nfkc,
    Nfc,
}

fn step(entry: &Entry<'_>, faults: &mut Faults) -> Option<Step> {
    if entry.is_text() {
        let words = [
            ("trim", Word::Trim),
            ("lowercase", Word::Lowercase),
            ("nfkc", Word::Nfkc),
            ("nfc", Word::Nfc),
        ];
        return Some(match faults.keep(entry.choice(&words))? {
            Word::Trim => Step::Trim,
            Word::Lowercase => Step::Lowercase,
            Word::Nfkc => Step::Nfkc,
            Word::Nfc => Step::Nfc,
        });
    }
    let fix = "write \"trim\", \"lowercase\", \"nfkc\", \"nfc\" or {\"strip_domain\": [\"corp.example.com\"]}";
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
