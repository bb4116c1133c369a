//! Encrypts and decrypts sign-ins at Duo's page, and the cookie of the browser in which they began.
//!
//! ```text
//! cookie = base64url of the encrypted browser (see [`super::vault`])
//! state  = base64url of the encrypted attempt; context: browser id [16] | redirect URI
//! nonce  = base64url of HMAC-SHA-256(K_sub, "nonce" NUL | u16 16 | browser id | u16 16 | attempt id)
//! ```
//!
//! The `state` passes through Duo and into logs of URLs, so it is encrypted. It is refused without
//! the cookie, and for another user, application or host. Duo signs the nonce into the id_token, so
//! the code of another sign-in is refused too. K_sub is that of the key that encrypted the state,
//! since the first key of a ring may change between the two.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::attempt::{ATTEMPT_BYTES, Attempt, BROWSER_BYTES, Browser, LIFETIME};
use super::set_cookie::{SameSite, set_cookie};
use super::token::{Purpose, TagKey};
use super::vault::{OVERHEAD_BYTES, Vault};
use super::{CookieOwner, KeyRing, Refusal, Subject};
use crate::clock::UnixTime;
use crate::http::{HeaderValue, ReturnPath};
use crate::reference::Reference;
use crate::secret::Secret;

pub(super) const COOKIE: &str = "__Host-duo_universal";
/// The most characters of a `state` that Duo accepts.
const STATE_CHARACTERS: usize = 1_024;
const COOKIE_CHARACTERS: usize = ((OVERHEAD_BYTES + BROWSER_BYTES) * 8).div_ceil(6);
const _: () = assert!(((OVERHEAD_BYTES + ATTEMPT_BYTES) * 8).div_ceil(6) <= STATE_CHARACTERS);

/// The sign-ins at Duo's page of one application under one ring of keys.
#[derive(Clone, Debug)]
pub struct Attempts {
    cookie: String,
    browsers: Vault,
    attempts: Vault,
}

/// A new sign-in.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The `state`: at most 1,024 characters of base64url.
    pub state: Secret<String>,
    /// The `nonce`: 43 characters of base64url.
    pub nonce: Secret<String>,
    /// The `Set-Cookie` value for the browser.
    pub cookie: HeaderValue,
}

/// A sign-in to begin.
#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    /// The browser whose cookie came with the request. Without one it is a new browser.
    pub browser: Option<Browser>,
    /// The URI that Duo sends the browser back to.
    pub redirect_uri: &'a str,
    /// The page that the user wants.
    pub return_path: ReturnPath,
    /// The `max_age` that Duo is asked for.
    pub max_age: Option<Duration>,
    /// The reference of the sign-in.
    pub reference: Reference,
}

impl Attempts {
    /// Derives all keys and tags that do not depend on a request.
    #[must_use]
    pub fn new(owner: CookieOwner<'_>, keys: &KeyRing) -> Self {
        let (cookie, application) = (owner.cookie(COOKIE), owner.application());
        Self {
            browsers: Vault::new(keys, Purpose::BROWSER, &cookie, application),
            attempts: Vault::new(keys, Purpose::ATTEMPT, &cookie, application),
            cookie,
        }
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// Begins a sign-in of a user. `random` is to be random.
    #[must_use]
    pub fn begin(
        &self,
        new: NewAttempt<'_>,
        subject: &Subject<'_>,
        now: UnixTime,
        random: [u8; 16],
    ) -> Begun {
        let NewAttempt { browser, redirect_uri, return_path, max_age, reference } = new;
        let key = self.attempts.first();
        let id = key.tag("attempt", &[&random]);
        let new = || Browser { id: key.tag("browser", &[&random]), long: None };
        let mut browser = browser.unwrap_or_else(new);
        let created = UnixTime::from_seconds(now.seconds());
        let attempt = Attempt { created, id, max_age, reference, return_path };
        if attempt.has_long_path() {
            browser.long = Some((id, attempt.return_path.clone()));
        }
        let context = context(&browser, redirect_uri);
        let state = seal(&self.attempts, "state nonce", &context, &attempt.encode(), subject);
        let cookie = seal(&self.browsers, "browser nonce", &[], &browser.encode(now), subject);
        Begun {
            state: Secret::new(state),
            nonce: nonce(key, &browser, &attempt),
            cookie: set_cookie(&self.cookie, &cookie, SameSite::Lax, Some(LIFETIME)),
        }
    }

    /// Reads the value of the only such cookie of a request.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn browser(
        &self,
        value: &[u8],
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<Browser, Refusal> {
        let sealed = decoded(value, COOKIE_CHARACTERS)?;
        let plain = self.browsers.open(&sealed, subject)?;
        Browser::decode(plain.expose(), now)
    }

    /// Reads a `state` that has come back to a redirect URI in this browser. The second value is
    /// the nonce that Duo received.
    ///
    /// # Errors
    ///
    /// The first check that fails. A state of another browser, user, application or redirect URI is
    /// [`Refusal::Forged`], since the decryption does not distinguish these cases.
    pub fn open(
        &self,
        state: &str,
        (browser, redirect_uri): (&Browser, &str),
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<(Attempt, Secret<String>), Refusal> {
        let sealed = decoded(state.as_bytes(), STATE_CHARACTERS)?;
        let context = context(browser, redirect_uri);
        let (plain, key) = self.attempts.open_in(&context, &sealed, subject)?;
        let attempt = Attempt::decode(plain.expose(), browser, now)?;
        let nonce = nonce(key, browser, &attempt);
        Ok((attempt, nonce))
    }

    /// The `Set-Cookie` value that deletes the cookie, and so ends all sign-ins of the browser.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(&self.cookie, "", SameSite::Lax, Some(Duration::ZERO))
    }
}

fn context(browser: &Browser, redirect_uri: &str) -> Vec<u8> {
    [browser.id.as_slice(), redirect_uri.as_bytes()].concat()
}

fn nonce(key: &TagKey, browser: &Browser, attempt: &Attempt) -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(key.hash("nonce", &[&browser.id, &attempt.id])))
}

fn seal(
    vault: &Vault,
    label: &str,
    context: &[u8],
    plain: &Secret<Vec<u8>>,
    subject: &Subject<'_>,
) -> String {
    let nonce = vault.nonce(label, context, plain.expose(), subject);
    URL_SAFE_NO_PAD.encode(vault.seal_in(context, plain.expose(), subject, nonce))
}

fn decoded(value: &[u8], most: usize) -> Result<Vec<u8>, Refusal> {
    if value.len() > most {
        return Err(Refusal::Length);
    }
    URL_SAFE_NO_PAD.decode(value).map_err(|_| Refusal::Encoding)
}
