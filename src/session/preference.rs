//! The last choice of a user in this browser, which is offered first.
//!
//! ```text
//! version u8 = 1 | key id u8 | user tag [16] | application tag [16] | factor u8 | device
//! ```
//!
//! A device that Duo does not list is ignored: the cookie only orders the choices that preauth
//! returns.

use std::time::Duration;

use super::set_cookie::{SameSite, set_cookie};
use super::token::{HEAD_BYTES, MAC_BYTES, Purpose, Sealer};
use super::token_fields::{TokenFields, write_text};
use super::{ApprovedBy, Bounded, CookieOwner, KeyRing, Refusal, Subject};
use crate::http::HeaderValue;

pub(super) const COOKIE: &str = "__Host-duo_preferred";
const MAX_AGE: Duration = Duration::from_secs(365 * 24 * 3600);
const TOKEN_BYTES: usize = HEAD_BYTES + 2 * 16 + 1 + 2 + 64 + MAC_BYTES;

/// A device and a factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The factor.
    pub factor: ApprovedBy,
    /// Duo's id of the device; `None` for a passcode.
    pub device: Option<Bounded<64>>,
}

/// The preferences of one application's users under one ring of keys.
#[derive(Clone, Debug)]
pub struct Preferences {
    cookie: String,
    sealer: Sealer,
}

impl Preferences {
    /// Derives all keys and tags that do not depend on a request.
    #[must_use]
    pub fn new(owner: CookieOwner<'_>, keys: &KeyRing) -> Self {
        let (cookie, application) = (owner.cookie(COOKIE), owner.application());
        Self { sealer: Sealer::new(keys, Purpose::PREFERENCE, &cookie, application), cookie }
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// The `Set-Cookie` value that stores a user's preference for a year.
    #[must_use]
    pub fn remember(&self, preference: &Preference, subject: &Subject<'_>) -> HeaderValue {
        let key = self.sealer.first();
        let mut fields = [key.user(subject), *key.application()].concat();
        fields.push(preference.factor.code());
        write_text(&mut fields, preference.device.as_ref());
        set_cookie(&self.cookie, &self.sealer.seal(&fields), SameSite::Lax, Some(MAX_AGE))
    }

    /// Reads the value of the only such cookie of a request.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn open(&self, value: &[u8], subject: &Subject<'_>) -> Result<Preference, Refusal> {
        let mut buffer = [0; TOKEN_BYTES];
        let opened = self.sealer.open(value, &mut buffer)?;
        let mut fields = TokenFields::new(opened.fields);
        let (user, application) = (fields.array()?, fields.array()?);
        opened.key.check(&application, &user, subject)?;
        let [code] = fields.array()?;
        let factor = ApprovedBy::from_code(code).ok_or(Refusal::Layout)?;
        let device = fields.text()?;
        fields.end()?;
        Ok(Preference { factor, device })
    }

    /// The `Set-Cookie` value that deletes it.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(&self.cookie, "", SameSite::Lax, Some(Duration::ZERO))
    }
}
