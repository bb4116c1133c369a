//! The counters and histograms whose names are known before anything is counted.

use super::room::By;
use super::rules::Insufficient;
use crate::duo::Endpoint;
use crate::session::ApprovedBy;
use crate::signal::{Code, Counter};

/// The factors that the histogram of the time to an approval has a series of.
pub fn asked_factors() -> impl Iterator<Item = &'static str> {
    ApprovedBy::ALL.into_iter().filter(|by| by.is_asked()).map(ApprovedBy::name)
}

/// Every counter, the most frequent ones first. Only the counters of `report_only` are
/// missing, which are as many as rules times codes.
///
/// A host that defines them at start shows 0 until the first count. Otherwise a series would begin
/// with 1, and Prometheus' `increase` would miss the first fraud or the first forged cookie.
pub fn counters() -> impl Iterator<Item = Counter> {
    let single = [
        Counter::Passed,
        Counter::PassedPerClient,
        Counter::Bypassed,
        Counter::Prompted,
        Counter::Abandoned,
        Counter::LimitsUnreadable,
        Counter::RATE_LIMIT_OK,
        Counter::RATE_LIMIT_OVER,
        Counter::RATE_LIMIT_ERROR,
    ];
    let admitted = ApprovedBy::ALL.into_iter().map(|by| Counter::Admitted(by.name()));
    let refused = Code::ALL.into_iter().map(Counter::Refused);
    let calls = Endpoint::ALL.into_iter().map(Endpoint::name).flat_map(|endpoint| {
        [Counter::DuoCalls(endpoint), Counter::DuoFailures(endpoint), Counter::Overflows(endpoint)]
    });
    let crowded = By::ALL.into_iter().map(|limit| Counter::Crowded(limit.name()));
    let cookies = Insufficient::counters();
    single.into_iter().chain(admitted).chain(refused).chain(calls).chain(crowded).chain(cookies)
}
