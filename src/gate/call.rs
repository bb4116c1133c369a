//! A signed call to Duo, for the host to send.

use super::configured::Gate;
use super::env::Env;
use super::key_pair::{Api, KeyPair};
use super::room::Seat;
use crate::clock::UnixTime;
use crate::config::Keys;
use crate::duo::universal::{Code, Jti, RedirectUri, WebSdk};
use crate::duo::{Credentials, Request, SignedCall};
use crate::signal::Counter;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time between two polls of a transaction.
pub(super) const POLL_PACE: Duration = Duration::from_secs(1);

/// A question to Duo, with the keys that sign it. So no question can be asked of an application
/// that has no keys for it.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// A call of the Auth API.
    AuthApi(Arc<Credentials>, Request),
    /// Whether Duo responds and accepts the Web SDK application.
    HealthCheck(WebSdk, Jti),
    /// Whether the Auth API accepts the keys of the Web SDK application.
    CheckAsAuthApi(WebSdk),
    /// The user of a code.
    Token(WebSdk, Code, RedirectUri, Jti),
}

impl Question {
    /// The question for Duo's time, to a Duo application. `ping` is not signed; without keys for the
    /// Auth API, a health check has the time too, also if Duo refuses it.
    pub(super) fn of_time(application: usize, env: &Env<'_>) -> Self {
        match &env.gate.config().applications.get(application).duo.keys {
            Keys::AuthApi(credentials) | Keys::Both(credentials, _) => {
                Self::AuthApi(Arc::clone(credentials), Request::Ping)
            }
            Keys::WebSdk(universal) => Self::HealthCheck(universal.web_sdk.clone(), env.jti()),
        }
    }

    /// The call, signed for the time `now` on Duo's clock.
    pub(super) fn sign(&self, now: UnixTime) -> SignedCall {
        match self {
            Self::AuthApi(credentials, request) => request.sign(credentials, now),
            Self::HealthCheck(web_sdk, jti) => web_sdk.health_check(now, jti),
            Self::CheckAsAuthApi(web_sdk) => Request::Check.sign(&web_sdk.as_auth_api(), now),
            Self::Token(web_sdk, code, redirect_uri, jti) => {
                web_sdk.token(code, redirect_uri, now, jti)
            }
        }
    }
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number of the Duo application; the call goes to its cluster.
    pub application: usize,
    /// The signed call.
    pub signed: SignedCall,
    /// The timeout.
    pub timeout: Duration,
    /// When to send it; at once if that time has passed.
    pub due: UnixTime,
    /// The room that it takes. `None` for a call of the background check, which is always sent.
    pub seat: Option<Seat>,
}

impl Call {
    /// Whether it is time to send the call: see [`is_due`].
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        is_due(self.due, now)
    }

    /// The keys that sign the call.
    #[must_use]
    pub const fn keys(&self) -> KeyPair {
        KeyPair { application: self.application, api: Api::of(self.signed.endpoint) }
    }

    /// The counter of a call that is sent for a request.
    #[must_use]
    pub const fn counter(&self) -> Counter {
        Counter::DuoCalls(self.signed.endpoint.name())
    }

    /// A call of the background check, to be sent at once. `now` is the time on Duo's clock.
    pub(super) fn at_once(
        gate: &Gate,
        application: usize,
        question: &Question,
        now: UnixTime,
    ) -> Self {
        let timeout = gate.config().applications.get(application).duo.timeout;
        let due = UnixTime::default();
        Self { application, signed: question.sign(now), timeout, due, seat: None }
    }
}

/// Whether the time has come at which a call or a permit is due.
#[must_use]
pub fn is_due(due: UnixTime, now: UnixTime) -> bool {
    due.has_come(now, POLL_PACE)
}
