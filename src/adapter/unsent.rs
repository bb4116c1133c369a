//! Calls that were not sent.

use crate::gate::Unanswered;

/// Why a call was not sent; no callback follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// Envoy has no such cluster.
    UnknownCluster,
    /// The call failed at once: the cluster has no usable host, or its circuit breaker is full. The
    /// host reports both in the same way, and no callback distinguishes them.
    TakenBack,
}

/// Logs why a call could not be sent. `is_occupied` returns whether other calls are under way to its
/// cluster, which may fill the circuit breaker.
pub(super) fn explain(
    unsent: Unsent,
    cluster: &str,
    is_occupied: impl FnOnce() -> bool,
) -> Unanswered {
    match unsent {
        Unsent::UnknownCluster => {
            log::error!(
                "Envoy has no cluster \"{cluster}\": add it; in Istio its name is \
                 outbound|443||API-HOST"
            );
            Unanswered::NotSent
        }
        // It is counted, and named in the log line of the request.
        Unsent::TakenBack if is_occupied() => Unanswered::Overflow,
        Unsent::TakenBack => {
            log::error!("cluster \"{cluster}\" has no usable host: check its DNS and TLS settings");
            Unanswered::NotSent
        }
    }
}
