//! A user created by enroll, and how a device is activated for them.

use super::error::Malformed;
use super::id::{MalformedId, UserId};
use super::members::Members;
use super::preauth_response::https_url;
use crate::clock::UnixTime;
use crate::secret::Secret;

/// A user without a device yet. Anyone with the code, the link or the QR content can activate one.
#[derive(Clone, Debug)]
pub struct Enrollment {
    /// The user's id, for enroll_status.
    pub user_id: UserId,
    /// The activation code, `duo://...`, for enroll_status.
    pub activation_code: Secret<String>,
    /// The link that opens Duo Mobile on the phone itself. Always https.
    pub activation_url: Option<Secret<String>>,
    /// The content of the QR code. It is the `value` of the URL of Duo's picture, so no page has to
    /// load that picture.
    pub qr_content: Secret<String>,
    /// When the code expires.
    pub expires: UnixTime,
}

/// Whether an activation code was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentState {
    /// The user has a device.
    Success,
    /// The code was used, has expired, or is wrong.
    Invalid,
    /// The code was not used yet.
    Waiting,
}

impl TryFrom<&str> for EnrollmentState {
    type Error = Malformed;

    fn try_from(word: &str) -> Result<Self, Malformed> {
        match word {
            "success" => Ok(Self::Success),
            "invalid" => Ok(Self::Invalid),
            "waiting" => Ok(Self::Waiting),
            _ => Err(Malformed::UnknownResult),
        }
    }
}

impl Enrollment {
    pub(super) fn read(members: Members<'_>) -> Result<Self, Malformed> {
        let user_id = members.required_text("user_id")?.parse();
        let activation_code = members.required_text("activation_code")?.to_owned();
        let in_picture = members.text("activation_barcode")?.and_then(qr_content);
        let qr_content = in_picture.unwrap_or_else(|| activation_code.clone());
        Ok(Self {
            user_id: user_id.map_err(|MalformedId| Malformed::Members)?,
            activation_code: Secret::new(activation_code),
            activation_url: members.text("activation_url")?.and_then(https_url),
            qr_content: Secret::new(qr_content),
            expires: UnixTime::from_seconds(members.required_whole("expiration")?),
        })
    }
}

/// The parameter `value` of the picture's URL.
fn qr_content(picture: &str) -> Option<String> {
    let (_, query) = picture.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "value").map(|(_, value)| value.into_owned())
}
