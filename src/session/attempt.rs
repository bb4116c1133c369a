//! A sign-in at Duo's page, and the browser in which it began: their values and their bytes.
//!
//! ```text
//! attempt = created u64 | id [16] | flags u8 | max_age u32 | reference [11] | return path
//! browser = used u64 | id [16] | attempt id [16] | return path of that
//! ```
//!
//! Flags: 1 for a `max_age`, 2 for a return path that is too long for the attempt and is in
//! the browser instead. A return path comes after its method and a space, unless that is GET. Numbers
//! are big-endian, times are seconds. Both are encrypted: see [`super::attempts`].

use std::borrow::Cow;
use std::time::Duration;

use super::Refusal;
use super::sessions::CLOCK_TOLERANCE;
use super::token_fields::TokenFields;
use crate::clock::UnixTime;
use crate::http::{ReturnPath, return_path};
use crate::reference::Reference;
use crate::secret::Secret;

/// How long a sign-in at Duo's page may take. The user may have to enroll there, or to find a
/// security key.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The longest return path in an attempt. With it, a `state` has 947 of the 1,024 characters that
/// Duo accepts.
const MAX_OWN_PATH_BYTES: usize = 640;
/// The most bytes of an attempt.
pub(super) const ATTEMPT_BYTES: usize = 8 + 16 + 1 + 4 + Reference::BYTES + MAX_OWN_PATH_BYTES;
/// The most bytes of a browser.
pub(super) const BROWSER_BYTES: usize = 8 + 16 + 16 + return_path::MAX_BYTES_IN_TOKEN;

const HAS_MAX_AGE: u8 = 1;
const PATH_IS_KEPT: u8 = 2;

/// A sign-in at Duo's page. Only [`super::Attempts`] makes one.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub(super) created: UnixTime,
    pub(super) id: [u8; 16],
    pub(super) max_age: Option<Duration>,
    pub(super) reference: Reference,
    pub(super) return_path: ReturnPath,
}

impl Attempt {
    /// When it began, to the second.
    #[must_use]
    pub const fn created(&self) -> UnixTime {
        self.created
    }

    /// The random bytes that identify it. An attempt gives one approval.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// The greatest age of a session that Duo remembers, in whole seconds, as Duo was asked.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The reference of the sign-in.
    #[must_use]
    pub const fn reference(&self) -> Reference {
        self.reference
    }

    /// The path to which the user returns.
    #[must_use]
    pub const fn return_path(&self) -> &ReturnPath {
        &self.return_path
    }

    /// Whether its return path is in the browser's cookie.
    pub(super) fn has_long_path(&self) -> bool {
        self.return_path.in_token().len() > MAX_OWN_PATH_BYTES
    }

    pub(super) fn encode(&self) -> Secret<Vec<u8>> {
        let (own_path, kept) = if self.has_long_path() {
            (Cow::Borrowed(""), PATH_IS_KEPT)
        } else {
            (self.return_path.in_token(), 0)
        };
        let seconds = |age: Duration| u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
        let aged = if self.max_age.is_some() { HAS_MAX_AGE } else { 0 };
        let mut bytes = Vec::with_capacity(ATTEMPT_BYTES);
        bytes.extend_from_slice(&self.created.seconds().to_be_bytes());
        bytes.extend_from_slice(&self.id);
        bytes.push(kept | aged);
        bytes.extend_from_slice(&self.max_age.map_or(0, seconds).to_be_bytes());
        bytes.extend_from_slice(&self.reference.to_bytes());
        bytes.extend_from_slice(own_path.as_bytes());
        Secret::new(bytes)
    }

    pub(super) fn decode(bytes: &[u8], browser: &Browser, now: UnixTime) -> Result<Self, Refusal> {
        let mut fields = TokenFields::new(bytes);
        let created = fresh(&mut fields, now)?;
        let id = fields.array()?;
        let [flags] = fields.array()?;
        let max_age = Duration::from_secs(u32::from_be_bytes(fields.array()?).into());
        let reference = Reference::from_bytes(fields.array()?);
        if flags & !(HAS_MAX_AGE | PATH_IS_KEPT) != 0 {
            return Err(Refusal::Layout);
        }
        let return_path = if flags & PATH_IS_KEPT == 0 {
            ReturnPath::from_token(fields.rest())
        } else {
            // If another tab has begun a sign-in since, the cookie has the path of that one.
            browser.long_path_of(id).unwrap_or_default()
        };
        let max_age = (flags & HAS_MAX_AGE != 0).then_some(max_age);
        Ok(Self { created, id, max_age, reference, return_path })
    }
}

/// The browser in which a sign-in began. All tabs share it, and each has a separate attempt.
#[derive(Clone, Debug)]
pub struct Browser {
    pub(super) id: [u8; 16],
    /// The last attempt whose return path was too long, and that path.
    pub(super) long: Option<([u8; 16], ReturnPath)>,
}

impl Browser {
    fn long_path_of(&self, attempt: [u8; 16]) -> Option<ReturnPath> {
        self.long.as_ref().filter(|(of, _)| *of == attempt).map(|(_, path)| path.clone())
    }

    pub(super) fn encode(&self, now: UnixTime) -> Secret<Vec<u8>> {
        let (attempt, path) = match &self.long {
            Some((attempt, path)) => (*attempt, path.in_token()),
            None => ([0; 16], Cow::Borrowed("")),
        };
        let used = now.seconds().to_be_bytes();
        Secret::new([used.as_slice(), &self.id, &attempt, path.as_bytes()].concat())
    }

    pub(super) fn decode(bytes: &[u8], now: UnixTime) -> Result<Self, Refusal> {
        let mut fields = TokenFields::new(bytes);
        fresh(&mut fields, now)?;
        let (id, attempt) = (fields.array()?, fields.array()?);
        let path = fields.rest();
        let long = (!path.is_empty()).then(|| (attempt, ReturnPath::from_token(path)));
        Ok(Self { id, long })
    }
}

/// Reads a time, and refuses it if it is longer ago than a sign-in may take.
fn fresh(fields: &mut TokenFields<'_>, now: UnixTime) -> Result<UnixTime, Refusal> {
    let time = fields.time()?;
    if time > now.plus(CLOCK_TOLERANCE) {
        return Err(Refusal::Future);
    }
    if now > time.plus(LIFETIME) {
        return Err(Refusal::Expired);
    }
    Ok(time)
}
