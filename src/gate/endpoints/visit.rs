//! The states of a request to an endpoint that waits for Duo. Each owns exactly the data to
//! continue.

use super::caller::{AuthApiCaller, Caller};
use crate::clock::UnixTime;
use crate::duo::universal::{Code, RedirectUri, WebSdk};
use crate::duo::{AuthStatus, DeviceChoice, EnrollStatus};
use crate::factor::Factor;
use crate::gate::env::Env;
use crate::gate::last_prompt::{Asking, Look};
use crate::gate::limit::{End, Permit, Settlement};
use crate::gate::prompt::Transaction;
use crate::secret::Secret;
use crate::session::{Attempt, Browser, Pending};

/// A request to an endpoint, by the event that it waits for.
#[derive(Debug)]
pub(in crate::gate) enum Visit {
    /// Preauth: whether the user may authenticate, and how.
    Preauth(AuthApiCaller, Wanted),
    /// The result of a passcode.
    Passcode(AuthApiCaller, Secret<String>, Permit),
    /// Whether passcodes were sent by text message.
    Codes(Asking<OpenedSignIn>),
    /// The transaction of the push or the call.
    Push(Asking<OpenedSignIn>),
    /// How the user's last prompt ended. Only then another one may be sent.
    Look(Look<OpenedSignIn>),
    /// The user's answer.
    Status(AuthApiCaller, Following),
    /// The creation of a user at Duo, and the activation code.
    Enroll(AuthApiCaller),
    /// Whether the activation code was used.
    Activation(AuthApiCaller, EnrollStatus),
    /// Whether Duo responds, so that the browser can be redirected to its page.
    HealthCheck(Box<Departure>),
    /// The user that Duo's page has confirmed.
    Token(Box<Return>),
}

/// A permit that a request to an endpoint waits for.
#[derive(Debug)]
pub(in crate::gate) enum VisitWants {
    /// To try a passcode.
    Passcode(AuthApiCaller, Secret<String>, Permit),
    /// To ring a phone, or to send a text message.
    Prompt(Asking<OpenedSignIn>),
    /// To give the approval of a sign-in.
    Approval(Allowed),
    /// To redirect the browser to Duo's page.
    Departure(Box<Departure>),
    /// To use a sign-in at Duo's page that has come back.
    Return(Box<Return>),
}

/// The next step after preauth.
#[derive(Debug)]
pub(in crate::gate) enum Wanted {
    /// The user gets the choices.
    Choices,
    /// This factor is started.
    Start(Choice),
    /// A first device is enrolled, if Duo requires one.
    Enrollment,
}

impl Wanted {
    /// Whether a factor is started if Duo permits it.
    pub(super) const fn is_start(&self) -> bool {
        matches!(self, Self::Start(_))
    }
}

/// The user's choice of a factor.
#[derive(Debug)]
pub(in crate::gate) enum Choice {
    /// A passcode, to be checked at once.
    Passcode(Secret<String>),
    /// A prompt on a device.
    Device { factor: Factor, device: DeviceChoice },
}

impl Choice {
    pub(super) const fn factor(&self) -> Factor {
        match self {
            Self::Passcode(_) => Factor::Passcode,
            Self::Device { factor, .. } => *factor,
        }
    }
}

/// A sign-in that begins with a prompt, before Duo has sent the prompt.
#[derive(Debug)]
pub(in crate::gate) struct OpenedSignIn {
    pub(super) caller: AuthApiCaller,
    pub(super) pending: Box<Pending>,
}

/// The transaction of a pending sign-in.
#[derive(Debug)]
pub(in crate::gate) struct Following {
    pub(super) transaction: Transaction,
    pub(super) permit: Permit,
}

/// A sign-in that Duo has allowed, before it is known whether it has given an approval already.
#[derive(Debug)]
pub(in crate::gate) struct Allowed {
    pub(super) caller: Box<Caller>,
    pub(super) factor: Factor,
    pub(super) origin: SignInOrigin,
    pub(super) status: AuthStatus,
}

/// The time and the id that all approvals from one sign-in share.
#[derive(Clone, Copy, Debug)]
pub(in crate::gate) struct SignInOrigin {
    /// When the sign-in began.
    pub(super) since: UnixTime,
    /// The id of the approvals. `None` if the host has no random bytes.
    pub(super) id: Option<[u8; 16]>,
}

impl SignInOrigin {
    /// A sign-in that begins and ends with this request.
    pub(super) const fn here(env: &Env<'_>) -> Self {
        Self { since: env.now, id: env.random }
    }
}

/// A browser before its redirect to Duo's page.
#[derive(Debug)]
pub(in crate::gate) struct Departure {
    pub(super) caller: Box<Caller>,
    pub(super) web_sdk: WebSdk,
    pub(super) redirect_uri: RedirectUri,
    /// The content of its cookie; `None` if it has none.
    pub(super) browser: Option<Browser>,
    pub(super) permit: Permit,
}

/// A browser that has come back from Duo's page.
#[derive(Debug)]
pub(in crate::gate) struct Return {
    pub(super) caller: Box<Caller>,
    pub(super) web_sdk: WebSdk,
    pub(super) code: Code,
    pub(super) redirect_uri: RedirectUri,
    pub(super) attempt: Attempt,
    pub(super) nonce: Secret<String>,
}

impl Departure {
    /// Takes the start back, since the browser was not redirected.
    pub(super) const fn unsent(&self) -> Settlement {
        Settlement { permit: self.permit, end: End::Unsent }
    }
}

impl Visit {
    pub(super) const fn caller(&self) -> &Caller {
        match self {
            Self::Preauth(caller, _)
            | Self::Passcode(caller, ..)
            | Self::Status(caller, _)
            | Self::Enroll(caller)
            | Self::Activation(caller, _) => &caller.caller,
            Self::HealthCheck(departure) => &departure.caller,
            Self::Token(back) => &back.caller,
            Self::Codes(asking) | Self::Push(asking) | Self::Look(Look { asking, .. }) => {
                &asking.waiter.caller.caller
            }
        }
    }

    /// Whether the response is needed even if the client leaves: it shows whether a phone rings,
    /// and under which transaction.
    pub(in crate::gate) const fn outlives_its_client(&self) -> bool {
        matches!(self, Self::Push(_) | Self::Codes(_))
    }
}
