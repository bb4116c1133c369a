//! `limits.rate_limit_service`: the service that limits prompts over several Envoys.

use super::duo::cluster_name;
use super::text::printable;
use crate::config::error::Faults;
use crate::config::keys;
use crate::config::reader::Section;
use crate::config::{OnError, RateLimitService};
use std::time::Duration;

/// A prompt is a person's act, so it can wait longer than Envoy's own filter waits for each request
/// (20 ms). It is long enough for a service that just reconnects to its store, and not noticed.
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(250);

/// The bounds of the timeout, in milliseconds.
const TIMEOUT: std::ops::RangeInclusive<u64> = 10..=5_000;

const MAX_DOMAIN: usize = 64;

/// The service; `None` if there is none, or it is at fault.
#[inline(never)]
pub(super) fn service(limits: &Section<'_>, faults: &mut Faults) -> Option<RateLimitService> {
    let entry = limits.find("rate_limit_service")?;
    let section = Section::open(&entry, keys::RATE_LIMIT_SERVICE, faults);
    let fix = "name the cluster of the rate limit service";
    let cluster = section.require("cluster", fix, faults, |entry| cluster_name(entry, fix));
    let fix = "name the domain of the filter's limits in the rate limit service";
    let domain = section.require("domain", fix, faults, |entry| printable(entry, MAX_DOMAIN));
    let timeout = section.read("timeout", faults, |entry| entry.milliseconds(&TIMEOUT));
    let words = [("allow", OnError::Allow), ("deny", OnError::Deny)];
    let on_error = section.read("on_error", faults, |entry| entry.choice(&words));
    Some(RateLimitService {
        cluster: cluster?.to_owned(),
        domain: domain?.to_owned(),
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        on_error: on_error.unwrap_or_default(),
    })
}
