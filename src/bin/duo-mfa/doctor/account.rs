//! The calls that concern no user: `ping` and the signed `check`.

use super::exchange::{Received, exchange};
use super::link::Link;
use super::report::Report;
use super::verdict::{Code, Finding};
use crate::now;
use duo_mfa::clock::{ClockOffset, UnixTime};
use duo_mfa::config::DuoSettings;
use duo_mfa::duo::{DuoError, Request};
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
}

impl Account<'_> {
    /// Both calls. Returns how far Duo's clock is ahead; `None` after a fault. `missing` is the
    /// variable of a secret key that is not known here.
    pub(super) fn examine(
        &self,
        missing: Option<&str>,
        report: &mut Report,
    ) -> Option<ClockOffset> {
        let (offset, took) = report.step("ping", || {
            let before = now();
            let received = self.call(&Request::Ping, before)?;
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
        if let Some(name) = missing {
            let problem = format!("the variable {name} with the secret key is not set here");
            let fix = "set it, or name a file that has it with --env-file";
            report.warn("check", Finding::new(Code::SecretMissing, problem, fix));
            return None;
        }
        report.step("check", || {
            let received = self.call(&Request::Check, now().shifted(offset))?;
            received.response().check().map_err(|error| of_signed(&error))?;
            self.in_time(&received)?;
            Ok((offset, "Duo accepts the integration key and the secret key".to_owned()))
        })
    }

    /// A call that is signed for `at` on Duo's clock.
    pub(super) fn call(&self, request: &Request, at: UnixTime) -> Result<Received, Finding> {
        let is_long_poll = matches!(request, Request::AuthStatus { .. });
        let timeout = if is_long_poll { self.duo.status_timeout } else { self.duo.timeout };
        let limit = timeout.saturating_mul(3).min(timeout.saturating_add(PATIENCE));
        let signed = request.sign(&self.duo.credentials, at);
        exchange(self.link.open()?, &signed, limit)
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
