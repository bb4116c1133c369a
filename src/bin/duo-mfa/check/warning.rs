//! What is wrong around a plugin configuration, in words that tell what to write instead.

use std::borrow::Cow;
use std::fmt;

/// One warning.
#[derive(Clone, Debug)]
pub(super) struct Warning {
    code: Code,
    /// What is wrong, and what may come of it.
    problem: Cow<'static, str>,
    /// What to do about it.
    fix: Cow<'static, str>,
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
    /// The configuration lets everybody pass.
    NobodyIsAsked = "nobody_is_asked",
    /// A rule is never the one that decides.
    RuleNeverDecides = "rule_never_decides",
    /// The API host is another of Duo's hosts.
    HostOfNoApi = "host_of_no_api",
    /// Secrets may stand in the configuration.
    InlineSecretsAllowed = "inline_secrets_allowed",
    /// A header that is trusted may be the client's own.
    HeaderNotStripped = "header_not_stripped",
    /// The JWT that is trusted comes from no filter before this one.
    JwtFilterMissing = "jwt_filter_missing",
    /// The verified JWT is not put where the configuration looks for it.
    JwtPayloadMissing = "jwt_payload_missing",
    /// No filter before this one can set the metadata that is trusted.
    MetadataFilterMissing = "metadata_filter_missing",
    /// The filter runs before the first factor does.
    RunsBeforeFirstFactor = "runs_before_first_factor",
    /// A client may do without a certificate.
    CertificateNotRequired = "certificate_not_required",
    /// A client's certificate is not verified.
    CertificateNotVerified = "certificate_not_verified",
    /// Requests pass while the filter is down.
    FailsOpen = "fails_open",
    /// A worker whose filter went down stays down.
    FailsForGood = "fails_for_good",
    /// The module cannot see a variable.
    VariableNotPassed = "variable_not_passed",
    /// A secret stands in Envoy's own configuration.
    VariableInPlainSight = "variable_in_plain_sight",
    /// Bodies are to be read, and Envoy sends the request on meanwhile.
    RequestBodiesNotHeld = "request_bodies_not_held",
    /// Envoy would hold bodies, and nobody reads them.
    RequestBodiesNotRead = "request_bodies_not_read",
    /// The address that Duo and the rules see is what the client writes.
    AddressNotTrusted = "address_not_trusted",
    /// Envoy gives a held request up before the filter does.
    IdleTimeoutTooShort = "idle_timeout_too_short",
    /// As before, whatever happens on the stream.
    StreamDurationTooShort = "stream_duration_too_short",
    /// Something outside the filter replaces its replies.
    RepliesReplaced = "replies_replaced",
    /// Something outside the filter removes its cookies from responses.
    CookiesRemoved = "cookies_removed",
    /// A cache answers in place of the filter.
    CachedBeforeFilter = "cached_before_filter",
    /// Two configurations on one host take each other's cookie.
    CookieContested = "cookie_contested",
    /// Another configuration can fill the cluster, which looks like an outage.
    ClusterShared = "cluster_shared",
    /// A route switches the filter off or on by a path.
    SwitchedByPath = "switched_by_path",
    /// People of several domains become one user at Duo.
    NamesJoined = "names_joined",
    /// Two configurations count the pushes on one phone each for itself.
    LimitsApart = "limits_apart",
    /// There is no cluster of the name.
    ClusterMissing = "cluster_missing",
    /// Duo is called in clear.
    ClusterWithoutTls = "cluster_without_tls",
    /// The server is not told which name is meant.
    ClusterWithoutSni = "cluster_without_sni",
    /// Any certificate is taken for Duo's.
    ClusterNotVerified = "cluster_not_verified",
    /// Any certificate of a trusted authority is taken for Duo's.
    ClusterNameNotVerified = "cluster_name_not_verified",
    /// The circuit breaker of the cluster is as narrow as the filter's own limits.
    ClusterTooNarrow = "cluster_too_narrow",
    /// The cluster is about another host than Duo's.
    ClusterOfOtherHost = "cluster_of_other_host",
}

impl Warning {
    pub(super) fn new(
        code: Code,
        problem: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, problem: problem.into(), fix: fix.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.code.text(), self.problem, self.fix)
    }
}
