//! The calls that concern no user: `ping`, the signed `check`, and `health_check` of the Universal
//! Prompt.

use super::exchange::{Received, exchange};
use super::link::Link;
use super::report::Report;
use super::verdict::{Code, Finding};
use crate::environment::Environment;
use crate::now;
use duo_mfa::clock::{ClockOffset, UnixTime};
use duo_mfa::config::{DuoSettings, Universal};
use duo_mfa::duo::universal::{Cause, Jti, PromptError, Refusal, WebSdk};
use duo_mfa::duo::{Credentials, DuoError, Request};
use duo_mfa::secret::Secret;
use std::collections::BTreeSet;
use std::time::Duration;

/// A larger difference between the clocks is a warning, as in the filter.
const MAX_OFFSET: u64 = 60;
/// A call that takes longer is a warning.
const LONG: Duration = Duration::from_secs(1);
/// How much longer than the filter the doctor waits, to distinguish a slow Duo from a silent one.
const PATIENCE: Duration = Duration::from_secs(10);

/// An application at Duo, and the way there.
pub(super) struct Account<'a> {
    pub(super) link: &'a Link,
    pub(super) duo: &'a DuoSettings,
    /// The variables that are not set here.
    pub(super) absent: &'a BTreeSet<String>,
}

impl Account<'_> {
    /// All of these calls. Returns how far Duo's clock is ahead; `None` after a fault.
    pub(super) fn examine(
        &self,
        credentials: &Credentials,
        report: &mut Report,
    ) -> Option<ClockOffset> {
        let offset = self.ping(credentials, report)?;
        self.health_check(offset, report);
        self.check(credentials, offset, report)
    }

    fn ping(&self, credentials: &Credentials, report: &mut Report) -> Option<ClockOffset> {
        let (offset, took) = report.step("ping", || {
            let before = now();
            let received = self.call(credentials, &Request::Ping, before)?;
            let theirs = received.response().ping().map_err(|error| of_ping(&error))?;
            self.in_time(&received)?;
            // Duo read its clock at about half of that time.
            let half = received.took.checked_div(2).unwrap_or_default();
            let offset = ClockOffset::between(before.plus(half), theirs);
            let text = format!(
                "Duo answers after {} ms; its clock is {} s ahead of this host's",
                received.took.as_millis(),
                offset.seconds()
            );
            Ok(((offset, received.took), text))
        })?;
        if took > LONG {
            let problem = format!("Duo's answer to ping took {} ms", took.as_millis());
            let fix = "look for proxies and inspection on the way; compare with another network";
            report.warn("ping", Finding::new(Code::Slow, problem, fix));
        }
        if offset.seconds().unsigned_abs() > MAX_OFFSET {
            report.warn("ping", clock_off(offset));
        }
        Some(offset)
    }

    fn check(
        &self,
        credentials: &Credentials,
        offset: ClockOffset,
        report: &mut Report,
    ) -> Option<ClockOffset> {
        report.step("check", || {
            self.known(&credentials.secret_key)?;
            let received = self.call(credentials, &Request::Check, now().shifted(offset))?;
            received.response().check().map_err(|error| of_signed(&error))?;
            self.in_time(&received)?;
            Ok((offset, "Duo accepts the integration key and the secret key".to_owned()))
        })
    }

    /// The call that the filter makes before it sends a browser to the Universal Prompt. Nothing is
    /// called for an application whose browsers are not sent there.
    pub(super) fn health_check(&self, offset: ClockOffset, report: &mut Report) {
        let Some(Universal { web_sdk, .. }) = self.duo.universal() else { return };
        report.step("health_check", || {
            self.known(web_sdk.client_secret())?;
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| {
                let fix = "repair the source of random numbers of this host";
                Finding::new(Code::NoRandomBytes, error.to_string(), fix)
            })?;
            let at = now().shifted(offset);
            let call = web_sdk.health_check(at, &Jti::from(random));
            let received = exchange(self.link.open()?, &call, limit(self.duo.timeout))?;
            let outcome = received.response().health_check(at);
            outcome.map_err(|error| self.of_health_check(&error, web_sdk, at))?;
            self.in_time(&received)?;
            Ok(((), "Duo accepts the client ID and the client secret".to_owned()))
        });
    }

    /// A fault of the health check. Duo refuses a wrong secret and the keys of an "Auth API"
    /// application with the same words, so the Auth API is asked whether they are its own.
    fn of_health_check(&self, error: &PromptError, web_sdk: &WebSdk, at: UnixTime) -> Finding {
        if let PromptError::Refused(Refusal { cause: Cause::Credentials, .. }) = error
            && let Ok(received) = self.call(&web_sdk.as_auth_api(), &Request::Check, at)
            && received.response().check().is_ok()
        {
            return Finding::new(
                Code::WrongApplicationType,
                format!("{error}; the Auth API accepts these keys"),
                "protect an application of type \"Web SDK\" in Duo's admin panel and use its client \
                 ID and client secret: those of an \"Auth API\" application are not accepted here",
            );
        }
        of_prompt(error)
    }

    /// That a secret is known here.
    fn known(&self, secret: &Secret<String>) -> Result<(), Finding> {
        let Some(name) = Environment::missing(self.absent, secret.expose()) else { return Ok(()) };
        let problem = format!("the variable {name} with the secret key is not set here");
        let fix = "set it, or name a file that has it with --env-file";
        Err(Finding::new(Code::SecretMissing, problem, fix))
    }

    /// A call that is signed for `at` on Duo's clock.
    pub(super) fn call(
        &self,
        credentials: &Credentials,
        request: &Request,
        at: UnixTime,
    ) -> Result<Received, Finding> {
        let is_long_poll = matches!(request, Request::AuthStatus { .. });
        let timeout = if is_long_poll { self.duo.status_timeout } else { self.duo.timeout };
        let signed = request.sign(credentials, at);
        exchange(self.link.open()?, &signed, limit(timeout))
    }

    /// Checks that the response arrived within the timeout of the filter.
    pub(super) fn in_time(&self, received: &Received) -> Result<(), Finding> {
        if received.took <= self.duo.timeout {
            return Ok(());
        }
        Err(Finding::new(
            Code::SlowerThanTimeout,
            format!(
                "Duo's answer took {} ms, and the filter waits {} s (duo.timeout)",
                received.took.as_millis(),
                self.duo.timeout.as_secs_f32()
            ),
            "raise duo.timeout, or find out what is slow on the way",
        ))
    }
}

/// How long the doctor waits where the filter has this timeout.
fn limit(timeout: Duration) -> Duration {
    timeout.saturating_mul(3).min(timeout.saturating_add(PATIENCE))
}

fn clock_off(offset: ClockOffset) -> Finding {
    Finding::new(
        Code::ClockOff,
        format!("Duo's clock is {} s ahead of this host's", offset.seconds()),
        "synchronize the clock of this host (NTP). The filter allows for the difference, but \
         certificates and tokens do not",
    )
}

/// A fault of an unsigned call.
fn of_ping(error: &DuoError) -> Finding {
    match error {
        DuoError::NotDuo { status: 404 } | DuoError::Rejected { code: 40_400..=40_499, .. } => {
            Finding::new(
                Code::WrongHost,
                "the host answers, but has no Auth API (404)",
                "copy \"API hostname\" from the application's page in Duo's admin panel: \
                 api-xxxxxxxx.duosecurity.com",
            )
        }
        other => of_any(other),
    }
}

/// A fault of a signed call.
pub(super) fn of_signed(error: &DuoError) -> Finding {
    match error {
        DuoError::BadCredentials { code: 40_102, .. } => Finding::new(
            Code::WrongIntegrationKey,
            error.to_string(),
            "copy \"Integration key\" and \"API hostname\" from the same application's page in \
             Duo's admin panel: Duo does not know this key at this host",
        ),
        DuoError::BadCredentials { code: 40_103, .. } => Finding::new(
            Code::WrongSecretKey,
            error.to_string(),
            "copy \"Secret key\" anew from the application's page in Duo's admin panel, and look \
             for a quote, space or line break that came with it",
        ),
        DuoError::BadCredentials { code: 40_101 | 40_104, .. } => Finding::new(
            Code::HeadersRemoved,
            error.to_string(),
            "let the headers authorization and date through on the way to Duo",
        ),
        DuoError::BadCredentials { .. } => Finding::new(
            Code::WrongApplicationType,
            error.to_string(),
            "protect an application of type \"Auth API\" in Duo's admin panel and use its keys: \
             those of \"Web SDK\" and other types are not accepted here",
        ),
        DuoError::ClockSkew => Finding::new(
            Code::DateRefused,
            error.to_string(),
            "synchronize the clock of this host (NTP), and let the date header through unchanged",
        ),
        other => of_any(other),
    }
}

/// A fault of a call of the Universal Prompt.
fn of_prompt(error: &PromptError) -> Finding {
    let PromptError::Refused(refusal) = error else {
        let PromptError::Call(error) = error else {
            return Finding::new(Code::CallRefused, error.to_string(), "try again");
        };
        return of_any(error);
    };
    let (code, fix) = match refusal.cause {
        Cause::Credentials => (
            Code::WrongClient,
            "copy client ID and client secret from an application of type \"Web SDK\" of the same \
             account: the keys of an \"Auth API\" application are not accepted here",
        ),
        Cause::Clock => (Code::DateRefused, "synchronize the clock of this host (NTP)"),
        Cause::Forbidden | Cause::Request => (
            Code::CallRefused,
            "look at the Web SDK application's settings and policies in Duo's admin panel",
        ),
    };
    Finding::new(code, error.to_string(), fix)
}

fn of_any(error: &DuoError) -> Finding {
    let problem = error.to_string();
    match error {
        DuoError::Unreachable(_) | DuoError::Overflow => Finding::new(
            Code::DuoFailing,
            problem,
            "look at status.duo.com; if Duo is up, ask who runs the proxy on the way",
        ),
        DuoError::RateLimited { .. } => Finding::new(
            Code::RateLimited,
            problem,
            "wait a minute; if it persists, look in Duo's logs for another client of the account",
        ),
        DuoError::Garbled(_) | DuoError::Malformed(_) | DuoError::NotDuo { .. } => Finding::new(
            Code::NotDuo,
            problem,
            "find out which proxy, captive portal or firewall answers on the way to Duo",
        ),
        DuoError::BadCredentials { .. }
        | DuoError::ClockSkew
        | DuoError::InvalidParameter { .. }
        | DuoError::Rejected { .. } => Finding::new(
            Code::CallRefused,
            problem,
            "look at the application's settings and policies in Duo's admin panel",
        ),
    }
}
