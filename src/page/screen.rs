//! The states of a sign-in that a page can show, as values.

use super::display_text::DisplayText;
use super::link::Link;
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::ReturnPath;
use crate::signal::Code;
use std::time::Duration;

/// A device to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The value of `device` in `POST auth`.
    pub id: String,
    /// The name to show.
    pub name: DisplayText,
    /// Its kind.
    pub kind: DeviceKind,
    /// The factors that it supports and the configuration allows, in the order in which they are
    /// offered.
    pub factors: Vec<Factor>,
    /// Whether it is offered first.
    pub is_preferred: bool,
}

/// The kind of something to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A device of the user: `phone` or `token`, as Duo says.
    Of(DisplayText),
    /// Another person, who approves by a push. The id is the canonical name.
    Approver,
}

impl DeviceKind {
    /// Its name in a document.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Of(word) => word.as_str(),
            Self::Approver => "approver",
        }
    }
}

/// The choices of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The devices with at least one factor.
    pub devices: Vec<Device>,
    /// Every factor that is offered on some device; also the passcode, if one can be typed.
    pub factors: Vec<Factor>,
}

impl Choices {
    /// Whether a passcode can be typed.
    #[must_use]
    pub fn takes_passcode(&self) -> bool {
        self.factors.contains(&Factor::Passcode)
    }

    /// Whether they are people who may approve the request, and not devices of the user.
    #[must_use]
    pub fn are_people(&self) -> bool {
        self.devices.iter().any(|device| device.kind == DeviceKind::Approver)
    }
}

/// The event that a sign-in waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The answer to a push.
    Push,
    /// The answer to a push that requires a code.
    VerifiedPush {
        /// The code to type into Duo Mobile.
        code: DisplayText,
    },
    /// The answer of another person to a push.
    Approver,
    /// Someone has to take the call.
    Call,
    /// The user has to press a key on the phone.
    Key,
    /// The answer to a push that has not reached the device.
    UndeliveredPush,
    /// A state that only Duo's message describes.
    Other {
        /// Duo's message.
        message: DisplayText,
    },
}

/// A sign-in that waits for the user's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The event that it waits for.
    pub awaited: Awaited,
    /// The name of the device, if known.
    pub device: Option<DisplayText>,
    /// The time that is left to answer.
    pub left: Duration,
    /// The whole time to answer.
    pub total: Duration,
}

/// The state of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the user's answer.
    Waiting(Waiting),
    /// Passcodes were sent by text message; the user has to type one of them.
    CodesSent {
        /// Id and name of the phone, if known.
        device: Option<(String, DisplayText)>,
    },
    /// The user is confirmed.
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

/// How a user without a device can get one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrollment {
    /// Not here: the help desk does it.
    Off,
    /// At Duo's portal.
    Portal(Link),
    /// On a page of the filter, which is made on request.
    Inline,
}

/// An enrollment that was started on a page of the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The content of the QR code, which Duo Mobile reads: `duo://...`.
    pub code: DisplayText,
    /// The link that opens Duo Mobile on the same phone.
    pub open: Option<Link>,
    /// When the code expires.
    pub expires: UnixTime,
}

/// A page's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Duo was not asked yet. The script asks as soon as the page is visible; without it, a button
    /// does.
    Start,
    /// Like `Start`, at an address that received a form from another site. It holds the names and
    /// values of the form, which this page sends again as soon as there is an approval.
    Resend(Vec<(String, String)>),
    /// The devices and factors.
    Choose(Choices),
    /// A sign-in that was started.
    SignIn(Standing),
    /// The passcode was incorrect; the user can type another one.
    WrongPasscode,
    /// The user has no device; the page shows how to get one.
    Enroll(Enrollment),
    /// The QR code of an enrollment.
    Activate(Activation),
    /// Duo denies access.
    DuoDenied {
        /// Duo's reason.
        message: DisplayText,
    },
    /// Duo does not accept the chosen factor, but may accept others.
    FactorRefused {
        /// An explanation in the user's language, and Duo's reason.
        message: DisplayText,
    },
    /// A refusal that its code describes completely.
    Refused {
        /// The code of the refusal.
        code: Code,
        /// The wait before another try may succeed.
        wait: Option<Duration>,
        /// Whether a passcode is accepted without that wait.
        accepts_passcode: bool,
    },
    /// The user is back from Duo's page and approved: the page continues automatically.
    Arrived,
    /// Asks whether to sign out; nothing has happened yet.
    SignOut {
        /// The path to continue at afterwards.
        next: Option<ReturnPath>,
    },
    /// The user is signed out.
    SignedOut {
        /// The path at which the page continues automatically.
        next: Option<ReturnPath>,
    },
}

impl Standing {
    /// The code of the refusal; `None` for another state.
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
    /// The code of the refusal; `None` for another state.
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
            Self::Arrived | Self::SignOut { .. } | Self::SignedOut { .. } => None,
        }
    }
}
