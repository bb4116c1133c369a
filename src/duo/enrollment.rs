//! A user made by enroll, and how a device is activated.

use serde::Deserialize;

use super::error::Malformed;
use super::id::UserId;
use super::preauth_reply::https_url;
use super::text::Text;
use crate::clock::UnixTime;
use crate::secret::Secret;

/// A user that waits for a device. Whoever has code, link or QR content can activate one.
#[derive(Clone, Debug)]
pub struct Enrollment {
    /// The user, for enroll_status.
    pub user_id: UserId,
    /// The user's name.
    pub username: Text,
    /// The activation code, `duo://...`, for enroll_status.
    pub activation_code: Secret<String>,
    /// The link that opens Duo Mobile on the phone itself. Always https.
    pub activation_url: Option<Secret<String>>,
    /// What the QR code says: the `value` of Duo's picture, so that no page has to load that.
    pub qr_content: Secret<String>,
    /// Until when the code is good.
    pub expires: UnixTime,
}

/// Whether an activation code was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentState {
    /// The user has a device.
    Success,
    /// The code is used up, too old or wrong.
    Invalid,
    /// Not yet.
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

/// The members as they come.
#[derive(Deserialize)]
pub(super) struct EnrollmentShape {
    user_id: UserId,
    username: Text,
    activation_code: String,
    activation_barcode: Option<String>,
    activation_url: Option<String>,
    expiration: u64,
}

impl From<EnrollmentShape> for Enrollment {
    fn from(shape: EnrollmentShape) -> Self {
        let in_picture = shape.activation_barcode.as_deref().and_then(qr_content);
        let qr_content = in_picture.unwrap_or_else(|| shape.activation_code.clone());
        Self {
            user_id: shape.user_id,
            username: shape.username,
            activation_code: Secret::new(shape.activation_code),
            activation_url: shape.activation_url.and_then(https_url),
            qr_content: Secret::new(qr_content),
            expires: UnixTime::from_seconds(shape.expiration),
        }
    }
}

/// The parameter `value` of the picture's URL.
fn qr_content(picture: &str) -> Option<String> {
    let (_, query) = picture.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "value").map(|(_, value)| value.into_owned())
}
