//! Problems around a plugin configuration, each with a text that says what to do.

use super::Subject;
use super::finding::Level;
use serde_json::Value;
use std::borrow::Cow;

/// One warning.
#[derive(Clone, Debug)]
pub(super) struct Warning {
    code: Code,
    /// The part of the plugin configuration that it is about; empty if it is about the whole, or
    /// about something around it.
    path: String,
    /// The problem and its consequence.
    problem: Cow<'static, str>,
    /// The change that removes the warning.
    fix: Cow<'static, str>,
    /// The line of what it is about, if that is in the file of the configuration and around it.
    line: Option<usize>,
    /// Nothing works with it: the module refuses the configuration, or every request is refused.
    is_fatal: bool,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kinds of warning. Their texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The configuration lets every request pass.
    NobodyIsAsked = "nobody_is_asked",
    /// A rule never decides.
    RuleNeverDecides = "rule_never_decides",
    /// The API host is another of Duo's hosts, not one of its API.
    HostOfNoApi = "host_of_no_api",
    /// A value of the examples was not replaced.
    PlaceholderLeft = "placeholder_left",
    /// A secret key has another length than Duo's.
    SecretKeyLength = "secret_key_length",
    /// Envoy follows redirects of the application, behind which the filter refuses.
    RedirectsFollowed = "redirects_followed",
    /// Secrets may be in the configuration.
    InlineSecretsAllowed = "inline_secrets_allowed",
    /// A trusted header may come from the client.
    HeaderNotStripped = "header_not_stripped",
    /// There is no filter before this one that verifies the JWT.
    JwtFilterMissing = "jwt_filter_missing",
    /// The verified JWT is not put into the metadata that the configuration reads.
    JwtPayloadMissing = "jwt_payload_missing",
    /// No filter before this one can set the trusted metadata.
    MetadataFilterMissing = "metadata_filter_missing",
    /// The filter runs before the first factor.
    RunsBeforeFirstFactor = "runs_before_first_factor",
    /// A client can connect without a certificate.
    CertificateNotRequired = "certificate_not_required",
    /// A client's certificate is not verified.
    CertificateNotVerified = "certificate_not_verified",
    /// Requests pass while the filter is down.
    FailsOpen = "fails_open",
    /// A worker whose filter crashed stays down.
    FailsForGood = "fails_for_good",
    /// Envoy does not let the module do what it needs.
    CapabilityMissing = "capability_missing",
    /// Requests pass if the native module cannot be downloaded.
    ModuleFailsOpen = "module_fails_open",
    /// A new version of the native module would have the path of the running one.
    ModulePathWithoutVersion = "module_path_without_version",
    /// The native module cannot read this part of the metadata.
    MetadataNotReachable = "metadata_not_reachable",
    /// The module cannot read a variable.
    VariableNotPassed = "variable_not_passed",
    /// A secret is in Envoy's own configuration.
    VariableInPlainSight = "variable_in_plain_sight",
    /// Bodies are to be read, but Envoy forwards the request before they have arrived.
    RequestBodiesNotHeld = "request_bodies_not_held",
    /// Envoy would hold requests for their bodies, but the filter does not read them.
    RequestBodiesNotRead = "request_bodies_not_read",
    /// Where the filter is off, the client can set the headers that only the filter may set.
    OwnHeadersNotStripped = "own_headers_not_stripped",
    /// A filter removes the header that the first factor has set.
    FirstFactorRemoved = "first_factor_removed",
    /// An object of Istio selects no workload of the files.
    SelectorMatchesNothing = "selector_matches_nothing",
    /// The listener has no TLS.
    ListenerWithoutTls = "listener_without_tls",
    /// The client can forge the address that Duo and the rules see.
    AddressNotTrusted = "address_not_trusted",
    /// Envoy gives up a held request before the filter does (idle timeout).
    IdleTimeoutTooShort = "idle_timeout_too_short",
    /// Envoy gives up a held request before the filter does (maximum duration).
    StreamDurationTooShort = "stream_duration_too_short",
    /// Something outside the filter replaces its replies.
    RepliesReplaced = "replies_replaced",
    /// Something outside the filter removes its cookies from responses.
    CookiesRemoved = "cookies_removed",
    /// A cache replies in place of the filter.
    CachedBeforeFilter = "cached_before_filter",
    /// Two configurations on one host replace each other's cookie.
    CookieContested = "cookie_contested",
    /// Another configuration can fill the cluster, which looks like an outage.
    ClusterShared = "cluster_shared",
    /// A route switches the filter off or on by a path.
    SwitchedByPath = "switched_by_path",
    /// A later filter blocks requests that this one forwards.
    SecondLockBlocks = "second_lock_blocks",
    /// People of several domains become one user at Duo.
    NamesJoined = "names_joined",
    /// Two configurations have separate limits for the pushes on one phone.
    LimitsApart = "limits_apart",
    /// There is no cluster with the configured name.
    ClusterMissing = "cluster_missing",
    /// Calls to Duo are not encrypted.
    ClusterWithoutTls = "cluster_without_tls",
    /// The TLS handshake does not name the server.
    ClusterWithoutSni = "cluster_without_sni",
    /// Any certificate is accepted as Duo's.
    ClusterNotVerified = "cluster_not_verified",
    /// Any certificate of a trusted authority is accepted as Duo's.
    ClusterNameNotVerified = "cluster_name_not_verified",
    /// The circuit breaker of the cluster is as narrow as the filter's own limits.
    ClusterTooNarrow = "cluster_too_narrow",
    /// The cluster is for another host than Duo's.
    ClusterOfOtherHost = "cluster_of_other_host",
    /// There is no cluster for the rate limit service.
    RateLimitClusterMissing = "rate_limit_cluster_missing",
    /// The cluster of the rate limit service has no HTTP/2.
    RateLimitWithoutHttp2 = "rate_limit_without_http2",
    /// The first factor's cookie does not come with a browser that returns from Duo's page.
    FirstFactorCookieStrict = "first_factor_cookie_strict",
    /// No virtual host serves a host that browsers may come back to.
    CallbackHostNotServed = "callback_host_not_served",
    /// Browsers come back by HTTPS, and the listener has no TLS.
    CallbackWithoutTls = "callback_without_tls",
    /// The access log has the query of the address that browsers come back to.
    QueryLogged = "query_logged",
}

impl Warning {
    pub(super) const fn code(&self) -> &'static str {
        self.code.text()
    }

    /// The problem and the change that removes the warning.
    pub(super) fn text(&self) -> String {
        format!("{}; {}", self.problem, self.fix)
    }

    pub(super) fn new(
        code: Code,
        problem: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (path, problem, fix) = (String::new(), problem.into(), fix.into());
        Self { code, path, problem, fix, line: None, is_fatal: false }
    }

    /// The same warning about a value around the plugin configuration.
    pub(super) fn on(mut self, subject: &Subject<'_>, value: &Value) -> Self {
        self.line = subject.line_of(value);
        self
    }

    /// The same warning about something that cannot work at all.
    pub(super) const fn cannot_work(mut self) -> Self {
        self.is_fatal = true;
        self
    }

    pub(super) const fn line(&self) -> Option<usize> {
        self.line
    }

    pub(super) const fn level(&self) -> Level {
        if self.is_fatal { Level::Fault } else { Level::Warning }
    }

    /// The same warning about a part of the plugin configuration.
    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}
