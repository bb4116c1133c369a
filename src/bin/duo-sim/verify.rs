//! The server's half of Duo's request signing, written only for the simulator.
//!
//! In go the values of one request, the application's keys and the time. Out comes the signature
//! version, or the refusal that Duo would send. Nothing here uses a socket or a clock, and nothing
//! is shared with the filter's signer. Both are tested with the same vectors
//! (`tests/data/duo-signature-vectors.json`).

mod date;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;

use crate::fail::Fail;
use crate::params::{self, Pairs};

/// How far a request's date may be from the server's clock, in seconds.
const MAX_SKEW: i64 = 300;

/// All bytes except `A-Z a-z 0-9 - . _ ~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The signature version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    #[value(name = "v5")]
    V5,
    #[value(name = "v2-sha512")]
    V2Sha512,
    #[value(name = "v2-sha1")]
    V2Sha1,
}

impl Form {
    const ALL: [Self; 3] = [Self::V5, Self::V2Sha512, Self::V2Sha1];
}

/// The keys of the simulated application.
pub(crate) struct Keys {
    pub(crate) integration_key: String,
    pub(crate) secret_key: String,
}

/// A request as it was received: the target with its query, headers in order.
pub(crate) struct Presented<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [(String, Vec<u8>)],
    pub(crate) body: &'a [u8],
}

impl Presented<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    fn has_body_parameters(&self) -> bool {
        ["POST", "PUT", "PATCH"].iter().any(|method| self.method.eq_ignore_ascii_case(method))
    }
}

/// Checks a request's signature at `now` (Unix seconds).
///
/// `accepted` restricts the check to one version. The host is tried with and without its port,
/// since official clients sign either.
pub(crate) fn verify(
    request: &Presented<'_>,
    keys: &Keys,
    accepted: Option<Form>,
    now: i64,
) -> Result<Form, Fail> {
    let authorization = request.header("authorization").ok_or(Fail::MissingCredentials)?;
    let (integration_key, signature) =
        credentials(authorization).ok_or(Fail::MissingCredentials)?;
    if integration_key != keys.integration_key {
        return Err(Fail::InvalidIntegrationKey);
    }
    let date = request
        .header("x-duo-date")
        .or_else(|| request.header("date"))
        .ok_or(Fail::MissingTimestamp)?;
    let date = std::str::from_utf8(date).map_err(|_| Fail::BadTimestamp)?;
    let signed_at = date::seconds(date).ok_or(Fail::BadTimestamp)?;
    if now.abs_diff(signed_at) > MAX_SKEW.unsigned_abs() {
        return Err(Fail::BadTimestamp);
    }
    let carried = carried(request)?;
    Form::ALL
        .into_iter()
        .filter(|form| accepted.is_none_or(|only| only == *form))
        .filter(|form| carried.admits(*form))
        .find(|form| {
            hosts(request.host).iter().any(|host| {
                let canonical = canonical(*form, request, host, date, &carried);
                expected(*form, keys, &canonical).as_bytes().ct_eq(signature.as_bytes()).into()
            })
        })
        .ok_or(Fail::InvalidSignature)
}

/// `Basic base64(integration key ":" signature)`.
fn credentials(authorization: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(authorization).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (integration_key, signature) = decoded.split_once(':')?;
    Some((integration_key.to_owned(), signature.to_owned()))
}

/// Where a request has its parameters.
enum Carried {
    Query(Pairs),
    Form(Pairs),
    Json,
}

impl Carried {
    /// A GET may have any version; a form body is of version 2, a JSON body of version 5.
    fn admits(&self, form: Form) -> bool {
        match self {
            Self::Query(_) => true,
            Self::Form(_) => form != Form::V5,
            Self::Json => form == Form::V5,
        }
    }
}

fn carried(request: &Presented<'_>) -> Result<Carried, Fail> {
    if !request.has_body_parameters() {
        return Ok(Carried::Query(params::pairs(request.query().as_bytes())));
    }
    match params::content_type(request.header("content-type")) {
        params::ContentType::Json => Ok(Carried::Json),
        params::ContentType::Form => Ok(Carried::Form(params::pairs(request.body))),
        params::ContentType::Absent if request.body.is_empty() => Ok(Carried::Form(Vec::new())),
        params::ContentType::Absent | params::ContentType::Other => Err(Fail::InvalidContentType),
    }
}

/// The possible host lines: as sent, and without the port.
fn hosts(host: &str) -> Vec<String> {
    let host = host.to_ascii_lowercase();
    let bare = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(name, _)| name.to_owned());
    bare.into_iter().chain([host]).collect()
}

fn canonical(
    form: Form,
    request: &Presented<'_>,
    host: &str,
    date: &str,
    carried: &Carried,
) -> String {
    let parameters = match carried {
        Carried::Query(pairs) | Carried::Form(pairs) => parameter_line(pairs),
        Carried::Json => String::new(),
    };
    let method = request.method.to_ascii_uppercase();
    let common = format!("{date}\n{method}\n{host}\n{}\n{parameters}", request.path());
    match form {
        Form::V2Sha1 | Form::V2Sha512 => common,
        Form::V5 => {
            let body = if request.has_body_parameters() { request.body } else { b"" };
            let headers = duo_headers(request.headers);
            format!("{common}\n{}\n{}", hex(&Sha512::digest(body)), hex(&Sha512::digest(headers)))
        }
    }
}

/// Escaped pairs, sorted by key and then by value.
fn parameter_line(pairs: &Pairs) -> String {
    let escape = |bytes: &[u8]| percent_encode(bytes, ESCAPED).to_string();
    let mut escaped: Vec<(String, String)> =
        pairs.iter().map(|(key, value)| (escape(key), escape(value))).collect();
    escaped.sort();
    let joined: Vec<String> =
        escaped.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    joined.join("&")
}

/// Names and values of all `X-Duo-` headers, sorted by name and joined by NUL.
fn duo_headers(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut named: Vec<(String, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_slice()))
        .filter(|(name, _)| name.starts_with("x-duo-"))
        .collect();
    named.sort();
    let parts: Vec<&[u8]> =
        named.iter().flat_map(|(name, value)| [name.as_bytes(), value]).collect();
    parts.join(&0)
}

fn expected(form: Form, keys: &Keys, canonical: &str) -> String {
    let key = keys.secret_key.as_bytes();
    // HMAC accepts keys of any length. If it did not, no signature would match the empty text.
    match form {
        Form::V5 | Form::V2Sha512 => Hmac::<Sha512>::new_from_slice(key)
            .map(|mac| hex(&mac.chain_update(canonical).finalize().into_bytes()))
            .unwrap_or_default(),
        Form::V2Sha1 => Hmac::<Sha1>::new_from_slice(key)
            .map(|mac| hex(&mac.chain_update(canonical).finalize().into_bytes()))
            .unwrap_or_default(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
