//! A device that Duo remembers: its token, encrypted in a cookie.
//!
//! Duo's `trusted_device_token` lets its bearer pass without a second factor. So only the filter
//! can read it: it is encrypted, and can only be decrypted for the same user, with the same values
//! that approvals are bound to.
//!
//! ```text
//! kept u64 | trusted_device_token
//! ```

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::sessions::CLOCK_TOLERANCE;
use super::set_cookie::{SameSite, set_cookie};
use super::token::Purpose;
use super::token_fields::TokenFields;
use super::vault::{OVERHEAD_BYTES, Vault};
use super::{CookieOwner, KeyRing, LengthFault, Nonce, Refusal, Subject};
use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::secret::Secret;

pub(super) const COOKIE: &str = "__Host-duo_device";
/// The longest token that is stored; browsers limit a cookie to 4,096 bytes.
const MAX_TOKEN_BYTES: usize = 2048;
const MAX_COOKIE_CHARACTERS: usize = ((OVERHEAD_BYTES + 8 + MAX_TOKEN_BYTES) * 8).div_ceil(6);

/// The remembered devices of one application under one ring of keys.
#[derive(Clone, Debug)]
pub struct RememberedDevices {
    cookie: String,
    vault: Vault,
    max_age: Duration,
    not_before: UnixTime,
}

impl RememberedDevices {
    /// Derives all keys and tags that do not depend on a request. A device is forgotten `max_age`
    /// after it was stored, whatever the browser does. A device stored before `not_before` is
    /// forgotten at once.
    #[must_use]
    pub fn new(
        owner: CookieOwner<'_>,
        max_age: Duration,
        not_before: UnixTime,
        keys: &KeyRing,
    ) -> Self {
        let (cookie, application) = (owner.cookie(COOKIE), owner.application());
        let vault = Vault::new(keys, Purpose::DEVICE, &cookie, application);
        Self { cookie, vault, max_age, not_before }
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// The `Set-Cookie` value that stores Duo's `trusted_device_token` for a user. `nonce` must be
    /// random.
    ///
    /// # Errors
    ///
    /// The token is empty, or longer than a cookie can be.
    pub fn remember(
        &self,
        token: &Secret<String>,
        subject: &Subject<'_>,
        now: UnixTime,
        nonce: Nonce,
    ) -> Result<HeaderValue, LengthFault> {
        let bytes = token.expose().len();
        if bytes == 0 || bytes > MAX_TOKEN_BYTES {
            return Err(LengthFault { bytes, most: MAX_TOKEN_BYTES });
        }
        let kept = now.seconds().to_be_bytes();
        let plain = Secret::new([kept.as_slice(), token.expose().as_bytes()].concat());
        let sealed = self.vault.seal(plain.expose(), subject, nonce);
        let value = URL_SAFE_NO_PAD.encode(sealed);
        Ok(set_cookie(&self.cookie, &value, SameSite::Lax, Some(self.max_age)))
    }

    /// Reads the value of the only such cookie of a request: Duo's `trusted_device_token` for this
    /// user in this browser.
    ///
    /// # Errors
    ///
    /// The first check that fails. A value of another user or application is [`Refusal::Forged`],
    /// since the decryption does not distinguish these cases.
    pub fn open(
        &self,
        value: &[u8],
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<Secret<String>, Refusal> {
        if value.len() > MAX_COOKIE_CHARACTERS {
            return Err(Refusal::Length);
        }
        let sealed = URL_SAFE_NO_PAD.decode(value).map_err(|_| Refusal::Encoding)?;
        let plain = self.vault.open(&sealed, subject)?;
        let mut fields = TokenFields::new(plain.expose());
        let kept = fields.time()?;
        if kept > now.plus(CLOCK_TOLERANCE) {
            return Err(Refusal::Future);
        }
        if now > kept.plus(self.max_age) {
            return Err(Refusal::Expired);
        }
        if kept < self.not_before {
            return Err(Refusal::Void);
        }
        let token = str::from_utf8(fields.rest()).map_err(|_| Refusal::Layout)?;
        Ok(Secret::new(token.to_owned()))
    }
}
