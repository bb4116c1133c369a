//! Issues, checks, renews and deletes approval cookies.

mod inspection;

pub use inspection::Inspection;

use std::time::Duration;

use subtle::ConstantTimeEq;

use super::approval::{self, Approval, Audience, COOKIE_BYTES, TOKEN_BYTES};
use super::set_cookie::{SameSite, set_cookie};
use super::token::{Purpose, Sealer, Tag, TagKey};
use super::{ApprovedBy, CookieOwner, KeyRing, Refusal, Subject, Verified};
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::HeaderValue;

/// How far the clocks of two replicas may differ.
pub(super) const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// A cookie is renewed after this part of the idle time: one quarter.
const RENEWALS_PER_IDLE_TIME: u32 = 4;

/// The operator's settings for sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// The cookie's name, by default `__Host-duo_mfa`.
    pub cookie: String,
    /// The name under which approvals are valid. Configurations with the same name and the same
    /// keys share approvals.
    pub application: String,
    /// The lifetime from the second factor on, however often the approval is used.
    pub expiration: Duration,
    /// The longest pause between two requests.
    pub inactivity: Duration,
    /// Approvals issued before this time are refused.
    pub not_before: UnixTime,
}

impl SessionSettings {
    /// The same settings for another application on the same host, with a separate cookie. So the
    /// approvals of the two do not replace each other.
    #[must_use]
    pub fn apart(&self, application: &str) -> Self {
        let cookie = CookieOwner::Beside(application).cookie(&self.cookie);
        Self { cookie, application: application.to_owned(), ..self.clone() }
    }
}

/// A second factor that was just satisfied.
#[derive(Clone, Copy, Debug)]
pub struct NewApproval {
    /// The factor.
    pub factor: ApprovedBy,
    /// When the sign-in began. The lifetime counts from here, so a sign-in that is finished twice
    /// gives approvals that end at the same time.
    pub authenticated: UnixTime,
    /// A shorter lifetime than that of the settings, for example for [`ApprovedBy::FailSafe`].
    pub lifetime: Option<Duration>,
}

/// The approval cookies of one application under one ring of keys.
#[derive(Clone, Debug)]
pub struct Sessions {
    settings: SessionSettings,
    sealer: Sealer,
    settings_tag: Tag,
    /// The longest pause after which an approval is not renewed yet. It is computed once, since
    /// every request is compared with it.
    renewal_pause: Duration,
}

impl Sessions {
    /// Derives all keys and tags that do not depend on a request.
    #[must_use]
    pub fn new(settings: SessionSettings, keys: &KeyRing) -> Self {
        let sealer = Sealer::new(keys, Purpose::SESSION, &settings.cookie, &settings.application);
        let settings_tag = settings_tag(&settings, &sealer);
        let renewal_pause =
            settings.inactivity.checked_div(RENEWALS_PER_IDLE_TIME).unwrap_or_default();
        Self { settings, sealer, settings_tag, renewal_pause }
    }

    /// The name of the approval cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.settings.cookie
    }

    /// The `Set-Cookie` value of a new approval. `id` must be 16 random bytes.
    #[must_use]
    pub fn issue(
        &self,
        approval: &NewApproval,
        subject: &Subject<'_>,
        now: UnixTime,
        id: [u8; 16],
    ) -> HeaderValue {
        let lifetime = self.lifetime(approval);
        let authenticated = approval.authenticated.min(now);
        let approval = Approval {
            factor: approval.factor,
            issued: now,
            authenticated,
            seen: now,
            expires: authenticated.plus(lifetime),
            id,
            key_is_first: true,
        };
        self.seal(&approval, subject)
    }

    /// How long an approval lasts after the second factor.
    #[must_use]
    pub fn lifetime(&self, approval: &NewApproval) -> Duration {
        let expiration = self.settings.expiration;
        approval.lifetime.map_or(expiration, |cap| cap.min(expiration))
    }

    /// Checks the value of the only approval cookie of a request.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn open(
        &self,
        value: &[u8],
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<Approval, Refusal> {
        if value.len() != COOKIE_BYTES {
            return Err(Refusal::Length);
        }
        let mut buffer = [0; TOKEN_BYTES];
        let token = self.sealer.open(value, &mut buffer)?;
        let (mut approval, audience) = approval::decode(token.fields, token.key_is_first)?;
        approval.expires = self.expiry(&approval);
        self.check_fresh(&approval, now)?;
        check_audience(&audience, token.key, subject)?;
        self.check_in_force(&approval)?;
        Ok(approval)
    }

    /// The id of the approval in a cookie, and the start of the sign-in that led to it, so that the
    /// sign-in can be ended. It accepts a cookie of any user and age. `None` for a factor without a
    /// pending sign-in, since no pending sign-in could give such an approval again.
    #[must_use]
    pub fn sign_in(&self, value: &[u8]) -> Option<([u8; 16], UnixTime)> {
        let mut buffer = [0; TOKEN_BYTES];
        let token = self.sealer.open(value, &mut buffer).ok()?;
        let (approval, audience) = approval::decode(token.fields, token.key_is_first).ok()?;
        let is_repeatable = matches!(
            approval.factor,
            ApprovedBy::Factor(Factor::Push) | ApprovedBy::Factor(Factor::Phone)
        );
        (is_repeatable && audience.application == *token.key.application())
            .then_some((approval.id, approval.authenticated))
    }

    /// Like [`Self::open`], but does not compute again the MAC of a cookie that `verified` holds.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn admit(
        &self,
        verified: &mut Verified,
        value: &[u8],
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Result<Approval, Refusal> {
        if let Some(approval) = verified.find(&self.settings_tag, value, subject) {
            self.check_fresh(approval, now)?;
            self.check_in_force(approval)?;
            return Ok(*approval);
        }
        let approval = self.open(value, subject, now)?;
        verified.remember(&self.settings_tag, value, subject, approval);
        Ok(approval)
    }

    /// The `Set-Cookie` value that keeps an approval in use from going idle, if it is due: after a
    /// quarter of the idle time, or at once if another key than the ring's first signed it. Only
    /// the time of the last use changes.
    #[must_use]
    pub fn renewal(
        &self,
        approval: &Approval,
        subject: &Subject<'_>,
        now: UnixTime,
    ) -> Option<HeaderValue> {
        let is_due = now.since(approval.seen) > self.renewal_pause || !approval.key_is_first;
        (is_due && now < approval.expires)
            .then(|| self.seal(&Approval { seen: now, ..*approval }, subject))
    }

    /// Whether an approval was not renewed for half the idle time.
    #[must_use]
    pub fn is_renewal_overdue(&self, approval: &Approval, now: UnixTime) -> bool {
        now.since(approval.seen).saturating_mul(2) > self.settings.inactivity
    }

    /// Represents the keys, the cookie name and the `expiration` of these sessions.
    #[must_use]
    pub const fn settings_tag(&self) -> &[u8; 16] {
        &self.settings_tag
    }

    /// A tag of a user on one client, for an approval without a cookie. Another cookie key, cookie
    /// name, application or `expiration` gives another tag. `None` if approvals are bound only to
    /// their user, since nothing distinguishes clients then.
    #[must_use]
    pub fn client(&self, subject: &Subject<'_>) -> Option<[u8; 16]> {
        let key = self.sealer.first();
        let parts =
            [self.settings_tag, *key.application(), key.user(subject), key.binding(subject)];
        let parts = parts.each_ref().map(<[u8; 16]>::as_slice);
        (!subject.bound.is_empty()).then(|| key.tag("client", &parts))
    }

    /// The longest lifetime of an approval.
    #[must_use]
    pub const fn expiration(&self) -> Duration {
        self.settings.expiration
    }

    /// Whether a second factor at time `authenticated` is still recent enough for the settings of
    /// all approvals.
    #[must_use]
    pub fn counts(&self, authenticated: UnixTime, now: UnixTime) -> bool {
        authenticated >= self.settings.not_before
            && now < authenticated.plus(self.settings.expiration)
    }

    /// The `Set-Cookie` value that deletes the approval cookie. It has the same attributes, since
    /// browsers ignore a `__Host-` cookie without them, even a deletion.
    #[must_use]
    pub fn deletion(&self) -> HeaderValue {
        set_cookie(&self.settings.cookie, "", SameSite::Lax, Some(Duration::ZERO))
    }

    fn seal(&self, approval: &Approval, subject: &Subject<'_>) -> HeaderValue {
        let key = self.sealer.first();
        let audience = Audience {
            user: key.user(subject),
            application: *key.application(),
            binding: key.binding(subject),
        };
        let value = self.sealer.seal(&approval::encode(approval, &audience));
        // No `Max-Age`: the cookie ends with the browser's session.
        set_cookie(&self.settings.cookie, &value, SameSite::Lax, None)
    }

    /// The cookie's own expiry, or an earlier one if the settings were tightened since.
    fn expiry(&self, approval: &Approval) -> UnixTime {
        let earliest = approval.authenticated.min(approval.issued);
        approval.expires.min(earliest.plus(self.settings.expiration))
    }

    fn check_fresh(&self, approval: &Approval, now: UnixTime) -> Result<(), Refusal> {
        if approval.issued.max(approval.seen) > now.plus(CLOCK_TOLERANCE) {
            return Err(Refusal::Future);
        }
        if now >= approval.expires {
            return Err(Refusal::Expired);
        }
        if now.since(approval.seen) > self.settings.inactivity {
            return Err(Refusal::Idle);
        }
        Ok(())
    }

    fn check_in_force(&self, approval: &Approval) -> Result<(), Refusal> {
        if approval.issued < self.settings.not_before { Err(Refusal::Void) } else { Ok(()) }
    }
}

fn check_audience(audience: &Audience, key: &TagKey, subject: &Subject<'_>) -> Result<(), Refusal> {
    key.check(&audience.application, &audience.user, subject)?;
    if !bool::from(audience.binding.ct_eq(&key.binding(subject))) {
        return Err(Refusal::OtherBinding);
    }
    Ok(())
}

/// Represents all keys and settings that [`Sessions::open`] uses and that a hit in [`Verified`]
/// does not check again.
fn settings_tag(settings: &SessionSettings, sealer: &Sealer) -> Tag {
    let expiration = settings.expiration.as_millis().to_be_bytes();
    let mut parts = vec![settings.cookie.as_bytes(), &expiration];
    // An application's tag differs by key, so these represent the keys too.
    parts.extend(sealer.keys().map(|key| key.application().as_slice()));
    sealer.first().tag("regime", &parts)
}
