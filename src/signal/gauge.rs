//! The metrics that are no counters.

use std::fmt;

/// The time that a user took to approve a sign-in: a value of the histogram
/// `duo_mfa_time_to_approval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToApproval {
    /// The name of the factor.
    pub factor: &'static str,
    /// Milliseconds, the unit of Envoy's histograms.
    pub millis: u64,
}

impl TimeToApproval {
    /// The name of the histogram.
    pub const HISTOGRAM: &'static str = "duo_mfa_time_to_approval";
    /// The label with the factor.
    pub const LABEL: &'static str = "factor";
}

/// A gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge<'a> {
    /// 1 while the last check of a Duo application succeeded. The main application has no name.
    DuoUp(Option<&'a str>),
    /// 1 while the outage breaker of a Duo application is open. The main application has no name.
    BreakerOpen(Option<&'a str>),
    /// Requests that wait in the filter, in all workers.
    HeldRequests,
    /// Seconds that Duo's clock is ahead of this host's. A host's gauge has no sign.
    ClockAhead,
    /// Seconds that Duo's clock is behind this host's.
    ClockBehind,
    /// 1; its label is the version of the filter.
    BuildInfo,
    /// 1 while the configuration with this hash is in use.
    Configuration(&'a str),
}

impl<'a> Gauge<'a> {
    /// The name, and the label with its value, if the gauge has one.
    #[must_use]
    pub const fn parts(self) -> (&'static str, Option<(&'static str, &'a str)>) {
        const CLOCK: &str = "duo_mfa_clock_offset_seconds";
        match self {
            Self::DuoUp(name) => ("duo_mfa_duo_up", application(name)),
            Self::BreakerOpen(name) => ("duo_mfa_breaker_open", application(name)),
            Self::HeldRequests => ("duo_mfa_held_requests", None),
            Self::ClockAhead => (CLOCK, Some(("direction", "ahead"))),
            Self::ClockBehind => (CLOCK, Some(("direction", "behind"))),
            Self::BuildInfo => ("duo_mfa_build_info", Some(("version", env!("CARGO_PKG_VERSION")))),
            Self::Configuration(hash) => ("duo_mfa_configuration", Some(("hash", hash))),
        }
    }
}

/// The label of a gauge of one Duo application.
const fn application(name: Option<&str>) -> Option<(&'static str, &str)> {
    match name {
        Some(name) => Some(("application", name)),
        None => None,
    }
}

impl fmt::Display for Gauge<'_> {
    /// The metric's name. `stats_config.stats_tags` can turn the part with the label into a label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, label) = self.parts();
        f.write_str(name)?;
        label.map_or(Ok(()), |(label, value)| write!(f, ".{label}.{value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_of_a_gauge_is_a_part_of_its_name() {
        let names = [
            (Gauge::DuoUp(None), "duo_mfa_duo_up"),
            (Gauge::DuoUp(Some("admin")), "duo_mfa_duo_up.application.admin"),
            (Gauge::ClockBehind, "duo_mfa_clock_offset_seconds.direction.behind"),
            (Gauge::Configuration("0f"), "duo_mfa_configuration.hash.0f"),
        ];
        for (gauge, name) in names {
            assert_eq!(gauge.to_string(), name);
        }
        assert!(Gauge::BuildInfo.to_string().starts_with("duo_mfa_build_info.version.0."));
    }
}
