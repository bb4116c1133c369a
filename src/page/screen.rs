//! The states in which a person can find a sign-in, as values.

use super::display_text::DisplayText;
use super::link::Link;
use crate::clock::UnixTime;
use crate::http::ReturnPath;
use crate::signal::Code;
use std::time::Duration;

/// A way to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// A push to Duo Mobile.
    Push,
    /// A telephone call.
    Phone,
    /// Passcodes by text message.
    Sms,
    /// A passcode that is typed in.
    Passcode,
}

impl Factor {
    /// Its name in addresses and JSON, as Duo spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Passcode => "passcode",
        }
    }
}

/// A device to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What `POST auth` wants as `device`.
    pub id: String,
    /// What the person calls it.
    pub name: DisplayText,
    /// `phone` or `token`, as Duo says.
    pub kind: DisplayText,
    /// What it can do and the configuration allows, in the order to offer it.
    pub factors: Vec<Factor>,
    /// Whether it is the one to offer first.
    pub is_preferred: bool,
}

/// What a person can choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The devices with something to offer.
    pub devices: Vec<Device>,
    /// Every factor that is offered on some device, and whether a passcode may be typed in.
    pub factors: Vec<Factor>,
}

impl Choices {
    /// Whether a passcode may be typed in.
    #[must_use]
    pub fn takes_passcode(&self) -> bool {
        self.factors.contains(&Factor::Passcode)
    }
}

/// What a sign-in waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The answer to a push.
    Push,
    /// The answer to a push that asks for a code.
    VerifiedPush {
        /// The code to type into Duo Mobile.
        code: DisplayText,
    },
    /// That somebody takes the call.
    Call,
    /// That a key is pressed on the telephone.
    Key,
    /// The answer to a push that has not reached the device.
    UndeliveredPush,
    /// Something that only Duo has words for.
    Other {
        /// Duo's words.
        message: DisplayText,
    },
}

/// A sign-in that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub awaited: Awaited,
    /// The name of the device, where it is known.
    pub device: Option<DisplayText>,
    /// How long it goes on waiting.
    pub left: Duration,
    /// How long it waits in all.
    pub total: Duration,
}

/// Where a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Waiting(Waiting),
    /// Passcodes went out by text message; one of them is to be typed in.
    CodesSent {
        /// Id and name of the telephone, where they are known.
        device: Option<(String, DisplayText)>,
    },
    /// The person is who they say.
    Approved,
    /// Denied on the device.
    Denied,
    /// Nobody answered.
    TimedOut,
    /// Denied and reported as fraud.
    Fraud,
    /// Duo has locked the account.
    LockedOut,
}

/// How somebody without a device can get one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrollment {
    /// Not here: the help desk does it.
    Off,
    /// At Duo's portal.
    Portal(Link),
    /// On a page of ours, which is made on request.
    Inline,
}

/// An enrollment that has begun on a page of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// What the QR code holds and Duo Mobile takes: `duo://...`.
    pub code: DisplayText,
    /// What opens Duo Mobile on the same telephone.
    pub open: Option<Link>,
    /// Until when the code is good.
    pub expires: UnixTime,
}

/// A page's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Duo has not been asked: the script asks as soon as the page is seen, or a button does.
    Start,
    /// The same, at an address that another site's form was sent to: its names and values. They are
    /// sent again from this page as soon as there is an approval.
    Resend(Vec<(String, String)>),
    /// The devices and factors.
    Choose(Choices),
    /// A sign-in that has begun.
    SignIn(Standing),
    /// A passcode that was not right, to be typed in again.
    WrongPasscode,
    /// No device, and how to get one.
    Enroll(Enrollment),
    /// The QR code of an enrollment.
    Activate(Activation),
    /// Duo itself says no.
    DuoDenied {
        /// Its reason, in its words.
        message: DisplayText,
    },
    /// Duo does not accept the chosen factor; others may do.
    FactorRefused {
        /// What that means in the person's language, and Duo's reason.
        message: DisplayText,
    },
    /// A refusal that its code says everything about.
    Refused {
        /// Which.
        code: Code,
        /// For how long another try is useless.
        wait: Option<Duration>,
    },
    /// Whether to sign out; nothing has happened yet.
    SignOut {
        /// Where to go on afterwards.
        next: Option<ReturnPath>,
    },
    /// The approval is gone.
    SignedOut {
        /// Where the page goes on by itself.
        next: Option<ReturnPath>,
    },
}

impl Standing {
    /// The refusal that this is, if it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<Code> {
        match self {
            Self::Waiting(_) | Self::CodesSent { .. } | Self::Approved => None,
            Self::Denied => Some(Code::MfaDenied),
            Self::TimedOut => Some(Code::MfaTimeout),
            Self::Fraud => Some(Code::MfaFraud),
            Self::LockedOut => Some(Code::MfaLockedOut),
        }
    }
}

impl Screen {
    /// The refusal that this is, if it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<Code> {
        match self {
            Self::Start | Self::Resend(_) | Self::Choose(_) => Some(Code::MfaRequired),
            Self::SignIn(standing) => standing.refusal(),
            Self::WrongPasscode => Some(Code::PasscodeIncorrect),
            Self::Enroll(_) | Self::Activate(_) => Some(Code::EnrollmentRequired),
            Self::DuoDenied { .. } => Some(Code::DuoDenied),
            Self::FactorRefused { .. } => Some(Code::FactorRefused),
            Self::Refused { code, .. } => Some(*code),
            Self::SignOut { .. } | Self::SignedOut { .. } => None,
        }
    }
}
