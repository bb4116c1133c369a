//! Signs, checks and deletes the approvals of single requests.
//!
//! ```text
//! version u8 = 1 | key id u8 | issued u64 | authenticated u64 | factor u8
//!   | id [16] | user tag [16] | application tag [16] | request digest [32]
//! ```
//!
//! The first two bytes belong to [`super::token`]. The token itself does not limit its use to once.
//! The caller that accepts it has to remember its id for [`PerRequestApprovals::REMEMBERED`].

use std::time::Duration;

use super::pending::LIFETIME as PENDING_LIFETIME;
use super::sessions::CLOCK_TOLERANCE;
use super::set_cookie::{SameSite, set_cookie};
use super::token::{HEAD_BYTES, MAC_BYTES, Purpose, Sealer};
use super::token_fields::TokenFields;
use super::{ApprovedBy, KeyRing, Refusal, RequestDigest, Subject, Token};
use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::secret::Secret;

pub(super) const COOKIE: &str = "__Host-duo_operation";
const TOKEN_BYTES: usize = HEAD_BYTES + 2 * 8 + 1 + 3 * 16 + 32 + MAC_BYTES;
const TOKEN_CHARACTERS: usize = (TOKEN_BYTES * 8).div_ceil(6);

/// How long an approval can wait for its request.
const LIFETIME: Duration = Duration::from_secs(60);

/// The approvals of single requests of one application under one ring of keys.
#[derive(Clone, Debug)]
pub struct PerRequestApprovals {
    sealer: Sealer,
    not_before: UnixTime,
}

/// Proof of a second factor for one request.
#[derive(Clone, Copy, Debug)]
pub struct PerRequestApproval {
    /// The factor.
    pub factor: ApprovedBy,
    /// When the sign-in began.
    pub authenticated: UnixTime,
    /// Random bytes; the same for every approval from one sign-in.
    pub id: [u8; 16],
}

impl PerRequestApprovals {
    /// How long after the use of an approval another one with its id might still be valid.
    pub const REMEMBERED: Duration =
        PENDING_LIFETIME.saturating_add(LIFETIME).saturating_add(CLOCK_TOLERANCE);

    /// Derives all keys and tags that do not depend on a request. Approvals issued before
    /// `not_before` are refused.
    #[must_use]
    pub fn new(application: &str, not_before: UnixTime, keys: &KeyRing) -> Self {
        Self { sealer: Sealer::new(keys, Purpose::PER_REQUEST, COOKIE, application), not_before }
    }

    /// The name of the cookie.
    #[must_use]
    pub const fn cookie_name(&self) -> &'static str {
        COOKIE
    }

    /// Writes an approval of a user for one request.
    #[must_use]
    pub fn seal(
        &self,
        approval: &PerRequestApproval,
        request: &RequestDigest,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Token {
        let key = self.sealer.first();
        let mut fields = Vec::with_capacity(TOKEN_BYTES);
        for time in [now, approval.authenticated.min(now)] {
            fields.extend_from_slice(&time.seconds().to_be_bytes());
        }
        fields.push(approval.factor.code());
        for part in [approval.id, key.bound_user(subject), *key.application()] {
            fields.extend_from_slice(&part);
        }
        fields.extend_from_slice(request.as_bytes());
        Token(Secret::new(self.sealer.seal(&fields)))
    }

    /// Checks the value of the only such cookie of a request, or of the header that replaces it.
    ///
    /// # Errors
    ///
    /// The first check that fails for this request.
    pub fn open(
        &self,
        token: &[u8],
        request: &RequestDigest,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<PerRequestApproval, Refusal> {
        if token.len() != TOKEN_CHARACTERS {
            return Err(Refusal::Length);
        }
        let mut buffer = [0; TOKEN_BYTES];
        let opened = self.sealer.open(token, &mut buffer)?;
        let mut fields = TokenFields::new(opened.fields);
        let (issued, authenticated) = (fields.time()?, fields.time()?);
        let [factor] = fields.array()?;
        let factor = ApprovedBy::from_code(factor).ok_or(Refusal::Layout)?;
        let (id, user, application) = (fields.array()?, fields.array()?, fields.array()?);
        let approved = RequestDigest::from_bytes(fields.array()?);
        fields.end()?;
        if issued > now.plus(CLOCK_TOLERANCE) {
            return Err(Refusal::Future);
        }
        if now > issued.plus(LIFETIME) {
            return Err(Refusal::Expired);
        }
        opened.key.check_bound(&application, &user, subject)?;
        approved.check(request)?;
        if issued < self.not_before {
            return Err(Refusal::Void);
        }
        Ok(PerRequestApproval { factor, authenticated, id })
    }

    /// The `Set-Cookie` value that gives an approval to a browser.
    #[must_use]
    pub fn set_cookie(&self, token: &Token) -> HeaderValue {
        set_cookie(COOKIE, token.as_str(), SameSite::Lax, Some(LIFETIME))
    }

    /// The `Set-Cookie` value that deletes it.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(COOKIE, "", SameSite::Lax, Some(Duration::ZERO))
    }
}
