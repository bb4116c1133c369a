//! The service that limits prompts over several Envoys.

use std::time::Duration;

/// Envoy's rate limit service
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ratelimit/v3/rls.proto>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitService {
    /// The name of its cluster, which speaks HTTP/2.
    pub cluster: String,
    /// The domain of the filter's limits there.
    pub domain: String,
    /// How long a prompt waits for its answer.
    pub timeout: Duration,
    /// The outcome for a prompt without an answer.
    pub on_error: OnError,
}

/// The outcome for a prompt if the service does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The limits of this Envoy decide.
    #[default]
    Allow,
    /// The prompt is refused.
    Deny,
}
