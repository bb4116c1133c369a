//! The activation of a first device, as a pending sign-in stores it.
//!
//! ```text
//! expires u64 | user id | activation code | activation link | QR content
//! ```

use super::token_fields::{TokenFields, write_text};
use super::vault::OVERHEAD_BYTES;
use super::{Bounded, Refusal};
use crate::clock::UnixTime;
use crate::secret::Secret;
use std::time::Duration;

/// How long a first device may take: its user has to install Duo Mobile first, and Duo gives no second
/// code for a name.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The most bytes of an enrollment after encryption.
pub(super) const MAX_SEALED_BYTES: usize = OVERHEAD_BYTES + 8 + 4 * 2 + 64 + 3 * 192;

/// A user who has to activate a first device at Duo. Anyone who has one of the three secrets can
/// activate a device, so the secrets leave the filter encrypted.
#[derive(Clone, Debug)]
pub struct Enrollment {
    /// Duo's id of the user, for enroll_status.
    pub user_id: Bounded<64>,
    /// The code, which enroll_status needs too.
    pub activation_code: Secret<Bounded<192>>,
    /// The link that opens Duo Mobile on the phone itself.
    pub activation_url: Option<Secret<Bounded<192>>>,
    /// The content of the QR code.
    pub qr_content: Secret<Bounded<192>>,
    /// When the activation expires.
    pub expires: UnixTime,
}

impl Enrollment {
    pub(super) fn encode(&self) -> Secret<Vec<u8>> {
        let mut fields = Vec::with_capacity(MAX_SEALED_BYTES);
        fields.extend_from_slice(&self.expires.seconds().to_be_bytes());
        write_text(&mut fields, Some(&self.user_id));
        write_text(&mut fields, Some(self.activation_code.expose()));
        write_text(&mut fields, self.activation_url.as_ref().map(Secret::expose));
        write_text(&mut fields, Some(self.qr_content.expose()));
        Secret::new(fields)
    }

    pub(super) fn decode(fields: &[u8]) -> Result<Self, Refusal> {
        let mut fields = TokenFields::new(fields);
        let expires = fields.time()?;
        let user_id = fields.text()?.ok_or(Refusal::Layout)?;
        let activation_code = fields.text()?.map(Secret::new).ok_or(Refusal::Layout)?;
        let activation_url = fields.text()?.map(Secret::new);
        let qr_content = fields.text()?.map(Secret::new).ok_or(Refusal::Layout)?;
        fields.end()?;
        Ok(Self { user_id, activation_code, activation_url, qr_content, expires })
    }
}
