//! Calls to Duo, as every host sends them.

use crate::duo::SignedCall;
use crate::gate::Unanswered;

/// The longest response of Duo's that is read, in bytes; a longer one is refused.
pub(super) const MAX_RESPONSE: usize = 64 * 1024;

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

/// The headers of a call as the host takes them: the pseudo-headers first.
pub(super) fn headers(call: &SignedCall) -> Vec<(&[u8], &[u8])> {
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b":method", call.method.as_bytes()),
        (b":path", call.path.as_bytes()),
        (b":authority", call.authority.as_bytes()),
        (b":scheme", b"https"),
    ];
    headers.extend(call.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    headers
}
