//! The response to preauth: whether a user may authenticate, and how.

use super::device::Device;
use super::error::Malformed;
use super::id::{MalformedId, Txid};
use super::members::Members;
use super::text::Text;
use crate::secret::Secret;

/// The result of preauth for a user.
#[derive(Clone, Debug)]
pub enum PreauthResponse {
    /// The user must choose a factor.
    Auth {
        /// The devices to choose from.
        devices: Vec<Device>,
        /// The transaction and code of a verified push, if the policy requires one.
        verification: Option<Verification>,
    },
    /// The user needs no second factor: bypass status, a policy, or a remembered device.
    Allow {
        /// Duo's message.
        message: Text,
    },
    /// The user may not authenticate: disabled, locked out, or a policy.
    Deny {
        /// Duo's message.
        message: Text,
    },
    /// The user must enroll a device first.
    Enroll {
        /// Duo's page for this user, valid for 5 minutes. Always https. Anyone who has the URL can
        /// enroll.
        portal_url: Option<Secret<String>>,
    },
}

/// Whether the message of a deny says that the user is locked out after failed attempts. Duo's
/// answer has no member for that (Duo, "Auth API", section "/preauth"); these are its words.
#[must_use]
pub fn is_lock_out(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["locked out", "excessive failures"].iter().any(|words| message.contains(words))
}

/// A verified push: the user types the code that is shown here into Duo Mobile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The transaction that auth must be sent with.
    pub txid: Txid,
    /// The code to show, 3 to 6 digits.
    pub code: Text,
}

impl PreauthResponse {
    /// Reads all members, whatever the result is. If one has a wrong type, the response is
    /// malformed.
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

/// The members of a verified push.
struct VerifiedPush<'j> {
    txid: Option<&'j str>,
    code: Text,
}

impl<'j> VerifiedPush<'j> {
    fn read(members: Members<'j>) -> Result<Self, Malformed> {
        Ok(Self { txid: members.text("txid")?, code: members.label("verification_code")? })
    }

    /// The verified push; `None` if there is no code to show.
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

/// A URL that is safe in a link: https, and only visible ASCII.
pub(super) fn https_url(url: &str) -> Option<Secret<String>> {
    let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && url.starts_with("https://")).then(|| Secret::new(url.to_owned()))
}
