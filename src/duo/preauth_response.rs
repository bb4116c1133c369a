//! What Duo says that a user may do.

use super::device::Device;
use super::error::Malformed;
use super::id::{MalformedId, Txid};
use super::members::Members;
use super::text::Text;
use crate::secret::Secret;

/// What a user may do.
#[derive(Clone, Debug)]
pub enum PreauthResponse {
    /// Choose a factor.
    Auth {
        /// The devices to choose from.
        devices: Vec<Device>,
        /// The transaction and code of a verified push, where policy wants one.
        verification: Option<Verification>,
    },
    /// Go on without a second factor: bypass status, a policy, or a remembered device.
    Allow {
        /// Duo's words.
        message: Text,
    },
    /// Nothing: disabled, locked out, or a policy.
    Deny {
        /// Duo's words.
        message: Text,
    },
    /// Enroll a device first.
    Enroll {
        /// Duo's page for this user, good for 5 minutes. Always https; whoever has it can enroll.
        portal_url: Option<Secret<String>>,
    },
}

/// A verified push: the user types the code that is shown here into Duo Mobile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What auth has to be sent with.
    pub txid: Txid,
    /// The code to show, 3 to 6 digits.
    pub code: Text,
}

impl PreauthResponse {
    /// Reads the members, all of them whatever the result is: a response with one of a wrong type
    /// is none of Duo's.
    pub(super) fn read(members: Members<'_>) -> Result<Self, Malformed> {
        let devices = members.list("devices")?.iter();
        let devices = devices.map(|device| Members::of(device).and_then(Device::read));
        let devices = devices.collect::<Result<Vec<_>, _>>()?;
        let message = members.label("status_msg")?;
        let portal_url = members.text("enroll_portal_url")?.and_then(https_url);
        let push = VerifiedPush::read(members)?;
        match members.required_text("result")? {
            "auth" => Ok(Self::Auth { devices, verification: push.verification()? }),
            "allow" => Ok(Self::Allow { message }),
            "deny" => Ok(Self::Deny { message }),
            "enroll" => Ok(Self::Enroll { portal_url }),
            _ => Err(Malformed::UnknownResult),
        }
    }
}

/// The members that a verified push has.
struct VerifiedPush<'j> {
    txid: Option<&'j str>,
    code: Text,
}

impl<'j> VerifiedPush<'j> {
    fn read(members: Members<'j>) -> Result<Self, Malformed> {
        Ok(Self { txid: members.text("txid")?, code: members.label("verification_code")? })
    }

    /// The verified push, which is one where there is a code to show.
    fn verification(self) -> Result<Option<Verification>, Malformed> {
        if self.code.is_empty() {
            return Ok(None);
        }
        let txid = self.txid.ok_or(Malformed::Members)?;
        Ok(Some(Verification {
            txid: txid.parse().map_err(|MalformedId| Malformed::Members)?,
            code: self.code,
        }))
    }
}

/// A URL that can stand in a link: https, and nothing but visible ASCII.
pub(super) fn https_url(url: &str) -> Option<Secret<String>> {
    let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && url.starts_with("https://")).then(|| Secret::new(url.to_owned()))
}
