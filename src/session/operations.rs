//! Seals, checks and deletes the approvals of single operations.
//!
//! ```text
//! version u8 = 1 | key id u8 | issued u64 | authenticated u64 | factor u8
//!   | id [16] | user tag [16] | application tag [16] | operation [32]
//! ```
//!
//! The first two bytes belong to [`super::token`]. That such an approval is used once is not in it:
//! whoever takes it remembers its id for as long as it could come again.

use std::time::Duration;

use super::claims::Claims;
use super::pending::LIFETIME as PENDING_LIFETIME;
use super::sessions::CLOCK_TOLERANCE;
use super::set_cookie::{SameSite, set_cookie};
use super::token::{HEAD_BYTES, MAC_BYTES, Purpose, Sealer};
use super::{Factor, KeyRing, Operation, Refusal, Subject, Token};
use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::secret::Secret;

pub(super) const COOKIE: &str = "__Host-duo_operation";
const TOKEN_BYTES: usize = HEAD_BYTES + 2 * 8 + 1 + 3 * 16 + 32 + MAC_BYTES;
const TOKEN_CHARACTERS: usize = (TOKEN_BYTES * 8).div_ceil(6);

/// How long an approval waits for its operation.
const LIFETIME: Duration = Duration::from_secs(60);

/// The approvals of one application's operations under one ring of keys.
#[derive(Clone, Debug)]
pub struct Operations {
    sealer: Sealer,
    not_before: UnixTime,
}

/// A second factor that was passed for one operation.
#[derive(Clone, Copy, Debug)]
pub struct OperationApproval {
    /// How.
    pub factor: Factor,
    /// When the sign-in began that led to it.
    pub authenticated: UnixTime,
    /// Random bytes; the same for each approval that comes of one sign-in.
    pub id: [u8; 16],
}

impl Operations {
    /// No approval of one id is good so long after one was used.
    pub const REMEMBERED: Duration =
        PENDING_LIFETIME.saturating_add(LIFETIME).saturating_add(CLOCK_TOLERANCE);

    /// Derives all keys and tags that do not depend on a request. Approvals issued before
    /// `not_before` are void.
    #[must_use]
    pub fn new(application: &str, not_before: UnixTime, keys: &KeyRing) -> Self {
        Self { sealer: Sealer::new(keys, Purpose::OPERATION, COOKIE, application), not_before }
    }

    /// The name of the cookie.
    #[must_use]
    pub const fn cookie_name(&self) -> &'static str {
        COOKIE
    }

    /// Writes an approval of a user for one operation.
    #[must_use]
    pub fn seal(
        &self,
        approval: &OperationApproval,
        operation: &Operation,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Token {
        let key = self.sealer.first();
        let mut claims = Vec::with_capacity(TOKEN_BYTES);
        for time in [now, approval.authenticated.min(now)] {
            claims.extend_from_slice(&time.seconds().to_be_bytes());
        }
        claims.push(approval.factor.code());
        for part in [approval.id, key.bound_user(subject), *key.application()] {
            claims.extend_from_slice(&part);
        }
        claims.extend_from_slice(operation.as_bytes());
        Token(Secret::new(self.sealer.seal(&claims)))
    }

    /// Checks the value of the one such cookie of a request, or of the header that stands for it.
    ///
    /// # Errors
    ///
    /// The first reason found not to trust it for this operation.
    pub fn open(
        &self,
        token: &[u8],
        operation: &Operation,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<OperationApproval, Refusal> {
        if token.len() != TOKEN_CHARACTERS {
            return Err(Refusal::Length);
        }
        let mut buffer = [0; TOKEN_BYTES];
        let opened = self.sealer.open(token, &mut buffer)?;
        let mut claims = Claims::new(opened.claims);
        let (issued, authenticated) = (claims.time()?, claims.time()?);
        let [factor] = claims.array()?;
        let factor = Factor::from_code(factor).ok_or(Refusal::Layout)?;
        let (id, user, application) = (claims.array()?, claims.array()?, claims.array()?);
        let approved = Operation::from_bytes(claims.array()?);
        claims.end()?;
        if issued > now.plus(CLOCK_TOLERANCE) {
            return Err(Refusal::Future);
        }
        if now > issued.plus(LIFETIME) {
            return Err(Refusal::Expired);
        }
        opened.key.check_bound(&application, &user, subject)?;
        approved.check(operation)?;
        if issued < self.not_before {
            return Err(Refusal::Void);
        }
        Ok(OperationApproval { factor, authenticated, id })
    }

    /// The `Set-Cookie` value that hands an approval to a browser.
    #[must_use]
    pub fn set_cookie(&self, token: &Token) -> HeaderValue {
        set_cookie(COOKIE, token.as_str(), SameSite::Lax, Some(LIFETIME))
    }

    /// The `Set-Cookie` value that deletes it there.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(COOKIE, "", SameSite::Lax, Some(Duration::ZERO))
    }
}
