//! The calls to Duo as types, and their encoding.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::credentials::{Credentials, Signature};
use super::device::DeviceChoice;
use super::endpoint::Endpoint;
use super::id::{Txid, UserId};
use super::params::Params;
use super::push_info::PushInfo;
use super::sign::{self, Message};
use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::secret::Secret;

pub(super) const USER_AGENT: &str = concat!("duo-mfa/", env!("CARGO_PKG_VERSION"));

/// A call to Duo.
#[derive(Clone, Debug)]
pub enum Request {
    /// `GET /ping`.
    Ping,
    /// `GET /check`.
    Check,
    /// `GET /logo`.
    Logo,
    /// `POST /preauth`.
    Preauth(Preauth),
    /// `POST /auth`.
    Auth(Auth),
    /// `GET /auth_status`.
    AuthStatus {
        /// The transaction to ask about.
        txid: Txid,
    },
    /// `POST /enroll`.
    Enroll(Enroll),
    /// `POST /enroll_status`.
    EnrollStatus(EnrollStatus),
}

/// Asks whether a user may authenticate, and how. It always announces that verified pushes are
/// supported, so that a policy that requires them is not weakened.
#[derive(Clone, Debug)]
pub struct Preauth {
    /// The user's name or alias at Duo.
    pub username: String,
    /// The user's address, for Duo's policies.
    pub ipaddr: Option<IpAddr>,
    /// The token of a remembered device.
    pub trusted_device_token: Option<Secret<String>>,
}

/// Starts a factor, or decides one without waiting.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The user's name or alias at Duo.
    pub username: String,
    /// The factor.
    pub factor: AuthFactor,
    /// The user's address, the same as in preauth.
    pub ipaddr: Option<IpAddr>,
}

/// The factors. Push and phone are asynchronous: the response is a txid. The response to a passcode
/// or an SMS is final.
#[derive(Clone, Debug)]
pub enum AuthFactor {
    /// A push to Duo Mobile.
    Push {
        /// The device that receives it.
        device: DeviceChoice,
        /// The transaction of a verified push, as preauth gave it.
        txid: Option<Txid>,
        /// The purpose: Duo Mobile shows "`title` request".
        title: String,
        /// Further details that the push shows.
        info: PushInfo,
    },
    /// A phone call.
    Phone {
        /// The phone to call.
        device: DeviceChoice,
    },
    /// Passcodes by SMS. Duo always responds with deny and status `sent`.
    Sms {
        /// The phone that receives them.
        device: DeviceChoice,
    },
    /// A passcode from an app, a token, an SMS or an administrator.
    Passcode(Secret<String>),
}

/// Creates a user.
#[derive(Clone, Debug, Default)]
pub struct Enroll {
    /// The name; if it is absent, Duo chooses one.
    pub username: Option<String>,
    /// How long the activation code is valid, in whole seconds; a day if it is absent.
    pub valid_for: Option<Duration>,
}

/// Asks whether an activation code was used.
#[derive(Clone, Debug)]
pub struct EnrollStatus {
    /// The user, as enroll named it.
    pub user_id: UserId,
    /// The code, as enroll gave it.
    pub activation_code: Secret<String>,
}

/// A call ready to send, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCall {
    /// The endpoint that is called.
    pub endpoint: Endpoint,
    /// The HTTP method.
    pub method: &'static str,
    /// The API host.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Every header except the pseudo-headers and the length.
    pub headers: Vec<(&'static str, HeaderValue)>,
    /// The body, empty for a GET.
    pub body: Vec<u8>,
}

impl fmt::Debug for SignedCall {
    /// Leaves out query, headers and body, since they contain the txid, signature and passcode.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCall")
            .field("endpoint", &self.endpoint)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The endpoint that is called.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Ping => Endpoint::Ping,
            Self::Check => Endpoint::Check,
            Self::Logo => Endpoint::Logo,
            Self::Preauth(_) => Endpoint::Preauth,
            Self::Auth(_) => Endpoint::Auth,
            Self::AuthStatus { .. } => Endpoint::AuthStatus,
            Self::Enroll(_) => Endpoint::Enroll,
            Self::EnrollStatus(_) => Endpoint::EnrollStatus,
        }
    }

    /// The signed call. `now` is the time on Duo's clock: the caller has corrected the local clock
    /// by the offset that ping returned. Ping itself is not signed, since it must work while the
    /// clock is wrong.
    #[must_use]
    pub fn sign(&self, credentials: &Credentials, now: UnixTime) -> SignedCall {
        let endpoint = self.endpoint();
        let params = self.params();
        let carried = Carried::of(endpoint, credentials.signature, &params);
        let mut headers = Vec::with_capacity(4);
        if endpoint != Endpoint::Ping {
            let date = now.rfc2822();
            let message = Message {
                date: &date,
                method: endpoint.method(),
                host: credentials.api_host.as_str(),
                path: endpoint.path(),
                params: &params,
                body: &carried.body,
                x_duo_headers: &[],
            };
            let canonical = sign::canonical(credentials.signature, &message);
            let authorization = sign::authorization(
                credentials.signature,
                &credentials.integration_key,
                &credentials.secret_key,
                &canonical,
            );
            headers.push(("date", HeaderValue::lossy(date.as_bytes())));
            headers.push(("authorization", HeaderValue::lossy(authorization.as_bytes())));
        }
        if let Some(media_type) = carried.content_type {
            headers.push(("content-type", HeaderValue::from_static(media_type)));
        }
        headers.push(("user-agent", HeaderValue::from_static(USER_AGENT)));
        SignedCall {
            endpoint,
            method: endpoint.method(),
            authority: credentials.api_host.to_string(),
            path: carried.path,
            headers,
            body: carried.body,
        }
    }

    fn params(&self) -> Params<'_> {
        match self {
            Self::Ping | Self::Check | Self::Logo => Params::new(),
            Self::Preauth(preauth) => preauth.params(),
            Self::Auth(auth) => auth.params(),
            Self::AuthStatus { txid } => Params::new().with("txid", txid.as_str()),
            Self::Enroll(enroll) => Params::new()
                .with_some("username", enroll.username.as_deref())
                .with_some("valid_secs", enroll.valid_for.map(|span| span.as_secs().to_string())),
            Self::EnrollStatus(enrolled) => Params::new()
                .with("user_id", enrolled.user_id.as_str())
                .with("activation_code", enrolled.activation_code.expose().as_str()),
        }
    }
}

impl Preauth {
    fn params(&self) -> Params<'_> {
        let token = self.trusted_device_token.as_ref().map(|token| token.expose().as_str());
        Params::new()
            .with("username", &self.username)
            .with("client_supports_verified_push", "1")
            .with_some("ipaddr", self.ipaddr.map(address))
            .with_some("trusted_device_token", token)
    }
}

impl Auth {
    fn params(&self) -> Params<'_> {
        let params = Params::new()
            .with("username", &self.username)
            .with_some("ipaddr", self.ipaddr.map(address));
        match &self.factor {
            AuthFactor::Push { device, txid, title, info } => params
                .with("factor", "push")
                .with("async", "1")
                .with("device", device.as_str())
                .with("type", title)
                .with_some("txid", txid.as_ref().map(Txid::as_str))
                .with_some("pushinfo", info.encoded()),
            AuthFactor::Phone { device } => {
                params.with("factor", "phone").with("async", "1").with("device", device.as_str())
            }
            AuthFactor::Sms { device } => {
                params.with("factor", "sms").with("device", device.as_str())
            }
            AuthFactor::Passcode(passcode) => {
                params.with("factor", "passcode").with("passcode", passcode.expose().as_str())
            }
        }
    }
}

/// An address in the form that Duo accepts: an IPv4 address inside an IPv6 one becomes plain IPv4.
fn address(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// Where a call carries its parameters.
struct Carried {
    path: String,
    content_type: Option<&'static str>,
    body: Vec<u8>,
}

impl Carried {
    /// Parameters are in the query of a GET or in the body of a POST: as JSON in version 5, as a
    /// form in version 2. Query and form equal the signed line.
    fn of(endpoint: Endpoint, signature: Signature, params: &Params<'_>) -> Self {
        let path = endpoint.path().to_owned();
        if endpoint.method() == "GET" {
            let query = params.canonical();
            let path = if query.is_empty() { path } else { format!("{path}?{query}") };
            return Self { path, content_type: None, body: Vec::new() };
        }
        let (media_type, body) = match signature {
            Signature::V5 => ("application/json", params.json()),
            Signature::V2Sha512 | Signature::V2Sha1 => {
                ("application/x-www-form-urlencoded", params.canonical())
            }
        };
        Self { path, content_type: Some(media_type), body: body.into_bytes() }
    }
}

#[cfg(test)]
mod tests;
