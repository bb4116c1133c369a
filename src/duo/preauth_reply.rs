//! What Duo says that a user may do.

use serde::Deserialize;

use super::device::{Device, DeviceShape};
use super::envelope::Object;
use super::error::Malformed;
use super::id::Txid;
use super::text::Text;
use crate::clock::UnixTime;
use crate::secret::Secret;

/// What a user may do.
#[derive(Clone, Debug)]
pub enum PreauthReply {
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
        /// Duo's words.
        message: Text,
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
    /// Until when the two are good; Duo gives a minute.
    pub expires: Option<UnixTime>,
}

/// The members as they come. `result` is a plain string for the reason that
/// [`AuthStatusShape`](super::auth_status::AuthStatusShape) tells.
#[derive(Deserialize)]
pub(super) struct PreauthShape {
    result: String,
    status_msg: Option<Text>,
    devices: Option<Vec<Object<DeviceShape>>>,
    enroll_portal_url: Option<String>,
    txid: Option<String>,
    verification_code: Option<Text>,
    expiration: Option<u64>,
}

impl TryFrom<PreauthShape> for PreauthReply {
    type Error = Malformed;

    fn try_from(mut shape: PreauthShape) -> Result<Self, Malformed> {
        let message = shape.status_msg.take().unwrap_or_default();
        match shape.result.as_str() {
            "auth" => {
                let devices = shape.devices.take().unwrap_or_default();
                Ok(Self::Auth {
                    devices: devices.into_iter().map(|Object(device)| device.into()).collect(),
                    verification: shape.verification()?,
                })
            }
            "allow" => Ok(Self::Allow { message }),
            "deny" => Ok(Self::Deny { message }),
            "enroll" => Ok(Self::Enroll {
                message,
                portal_url: shape.enroll_portal_url.and_then(https_url),
            }),
            _ => Err(Malformed::UnknownResult),
        }
    }
}

impl PreauthShape {
    /// The verified push, which is one where there is a code to show.
    fn verification(self) -> Result<Option<Verification>, Malformed> {
        let Some(code) = self.verification_code.filter(|code| !code.is_empty()) else {
            return Ok(None);
        };
        let txid = self.txid.ok_or(Malformed::Members)?;
        Ok(Some(Verification {
            txid: Txid::try_from(txid).map_err(|_not_an_id| Malformed::Members)?,
            code,
            expires: self.expiration.map(UnixTime::from_seconds),
        }))
    }
}

/// A URL that can stand in a link: https, and nothing but visible ASCII.
pub(super) fn https_url(url: String) -> Option<Secret<String>> {
    let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && url.starts_with("https://")).then(|| Secret::new(url))
}
