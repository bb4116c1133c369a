//! Signs, checks and deletes pending sign-ins.

use std::time::Duration;

use super::pending::{TOKEN_BYTES, TOKEN_CHARACTERS};
use super::sessions::CLOCK_TOLERANCE;
use super::set_cookie::{SameSite, set_cookie};
use super::token::{Purpose, Sealer};
use super::token_fields::TokenFields;
use super::vault::Vault;
use super::{CookieOwner, Enrollment, KeyRing, Pending, PendingKind, Refusal, Subject};
use crate::clock::UnixTime;
use crate::http::HeaderValue;
use crate::secret::Secret;

pub(super) const COOKIE: &str = "__Host-duo_txn";

/// The pending sign-ins of one application under one ring of keys.
#[derive(Clone, Debug)]
pub struct Pendings {
    cookie: String,
    sealer: Sealer,
    enrollments: Vault,
}

/// A pending sign-in, or the approval of a single request. A browser has it in a cookie, a client
/// without cookies as text.
#[derive(Clone, Debug)]
pub struct Token(pub(super) Secret<String>);

impl Token {
    /// The text, for `transaction` and `x-duo-mfa-transaction`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }
}

impl Pendings {
    /// Derives all keys and tags that do not depend on a request.
    #[must_use]
    pub fn new(owner: CookieOwner<'_>, keys: &KeyRing) -> Self {
        let (cookie, application) = (owner.cookie(COOKIE), owner.application());
        Self {
            sealer: Sealer::new(keys, Purpose::TRANSACTION, &cookie, application),
            enrollments: Vault::new(keys, Purpose::ENROLLMENT, &cookie, application),
            cookie,
        }
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// Writes a pending sign-in of a user: a new one, or an updated one.
    #[must_use]
    pub fn seal(&self, pending: &Pending, subject: &Subject<'_>) -> Token {
        let key = self.sealer.first();
        let mut fields = Vec::with_capacity(TOKEN_BYTES);
        fields.extend_from_slice(&pending.created().seconds().to_be_bytes());
        fields.extend_from_slice(&key.bound_user(subject));
        fields.extend_from_slice(key.application());
        let enrollment = match &pending.kind {
            PendingKind::Enrollment(enrollment) => self.seal_enrollment(enrollment, subject),
            PendingKind::Push | PendingKind::Phone | PendingKind::Sms | PendingKind::Passcode => {
                Vec::new()
            }
        };
        pending.write(&mut fields, &enrollment);
        Token(Secret::new(self.sealer.seal(&fields)))
    }

    /// Checks the value of the only pending cookie of a request, or of the header that replaces it.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn open(
        &self,
        token: &[u8],
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<Pending, Refusal> {
        if token.len() > TOKEN_CHARACTERS {
            return Err(Refusal::Length);
        }
        let mut buffer = [0; TOKEN_BYTES];
        let opened = self.sealer.open(token, &mut buffer)?;
        let mut fields = TokenFields::new(opened.fields);
        let created = fields.time()?;
        let (user, application) = (fields.array()?, fields.array()?);
        if created > now.plus(CLOCK_TOLERANCE) {
            return Err(Refusal::Future);
        }
        opened.key.check_bound(&application, &user, subject)?;
        let pending = Pending::read(created, fields, |sealed| {
            Enrollment::decode(self.enrollments.open(sealed, subject)?.expose())
        })?;
        if now > pending.expires() { Err(Refusal::Expired) } else { Ok(pending) }
    }

    /// The `Set-Cookie` value that gives a pending sign-in to a browser.
    #[must_use]
    pub fn set_cookie(&self, token: &Token, pending: &Pending) -> HeaderValue {
        set_cookie(&self.cookie, token.as_str(), SameSite::Strict, Some(pending.lifetime()))
    }

    /// The `Set-Cookie` value that deletes it.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(&self.cookie, "", SameSite::Strict, Some(Duration::ZERO))
    }

    /// Each update of a sign-in writes the same bytes.
    fn seal_enrollment(&self, enrollment: &Enrollment, subject: &Subject<'_>) -> Vec<u8> {
        let plain = enrollment.encode();
        let nonce = self.enrollments.nonce("enroll nonce", &[], plain.expose(), subject);
        self.enrollments.seal(plain.expose(), subject, nonce)
    }
}
