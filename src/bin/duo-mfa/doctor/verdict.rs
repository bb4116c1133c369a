//! The verdicts of `duo-mfa doctor`: what is wrong, who has to act, and what to do.

use crate::Outcome;

/// The person or system that has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtFault {
    Configuration,
    Network,
    Host,
    Duo,
    DuoAdministrator,
    User,
}

impl AtFault {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "the configuration",
            Self::Network => "the network between this host and Duo",
            Self::Host => "this host",
            Self::Duo => "Duo",
            Self::DuoAdministrator => "the administrator of the Duo account",
            Self::User => "the user",
        }
    }
}

/// A fault or a warning that a step found.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) code: Code,
    pub(super) problem: String,
    pub(super) fix: String,
}

impl Finding {
    pub(super) fn new(code: Code, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code, problem: problem.into(), fix: fix.into() }
    }
}

macro_rules! verdicts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $at_fault:ident, $outcome:ident;)*) => {
        /// The kinds of finding. Their texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            pub(super) const fn at_fault(self) -> AtFault {
                match self { $(Self::$name => AtFault::$at_fault,)* }
            }

            /// How the program ends because of it; [`Outcome::Fine`] for a warning.
            pub(super) const fn outcome(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome,)* }
            }
        }
    };
}

verdicts! {
    /// The file has no cluster with the configured name.
    ClusterMissing = "cluster_missing", Configuration, Faulty;
    /// The cluster has no TLS.
    ClusterWithoutTls = "cluster_without_tls", Configuration, Faulty;
    /// The file of certificate authorities cannot be read here.
    AuthoritiesUnreadable = "authorities_unreadable", Configuration, Unreadable;
    /// A host name has no address.
    NameNotResolved = "name_not_resolved", Network, Unreached;
    /// Nothing listens at the address.
    ConnectionRefused = "connection_refused", Network, Unreached;
    /// The address does not respond.
    ConnectionTimeout = "connection_timeout", Network, Unreached;
    /// No connection, for another reason.
    ConnectionFailed = "connection_failed", Network, Unreached;
    /// No connection to the egress proxy.
    ProxyNotReached = "proxy_not_reached", Network, Unreached;
    /// The egress proxy refuses the connection to Duo.
    ProxyRefused = "proxy_refused", Network, Unreached;
    /// The server does not speak TLS.
    NotTls = "not_tls", Network, Unreached;
    /// The TLS handshake failed for a reason other than the certificate.
    HandshakeFailed = "handshake_failed", Network, Unreached;
    /// No configured authority vouches for the certificate.
    CertificateNotTrusted = "certificate_not_trusted", Network, Unreached;
    /// The certificate is a public one, but the configured authorities lack its root.
    AuthoritiesTooFew = "authorities_too_few", Configuration, Faulty;
    /// Another authority signed a certificate with Duo's name.
    InspectedConnection = "inspected_connection", Network, Unreached;
    /// The certificate is for another name.
    CertificateOfOtherName = "certificate_of_other_name", Network, Unreached;
    /// The certificate has expired.
    CertificateExpired = "certificate_expired", Network, Unreached;
    /// The certificate is not valid yet.
    CertificateNotYetValid = "certificate_not_yet_valid", Host, Unreached;
    /// The certificate expires soon.
    CertificateExpiresSoon = "certificate_expires_soon", Duo, Fine;
    /// The connection ended without a response.
    NoResponse = "no_response", Network, Unreached;
    /// No response came in time.
    ResponseTimeout = "response_timeout", Network, Unreached;
    /// The response took longer than the filter waits.
    SlowerThanTimeout = "slower_than_timeout", Configuration, Unreached;
    /// The response was slow.
    Slow = "slow", Network, Fine;
    /// The host has no Auth API.
    WrongHost = "wrong_host", Configuration, Unreached;
    /// The response is not one of Duo's.
    NotDuo = "not_duo", Network, Unreached;
    /// Duo responds with a server error.
    DuoFailing = "duo_failing", Duo, Unreached;
    /// Duo limits the rate of calls.
    RateLimited = "rate_limited", Duo, Refused;
    /// The clocks differ.
    ClockOff = "clock_off", Host, Fine;
    /// Duo refuses the date of the signed call.
    DateRefused = "date_refused", Host, Refused;
    /// The secret key is not known here.
    SecretMissing = "secret_missing", Configuration, Unreadable;
    /// Duo does not know the integration key at this host.
    WrongIntegrationKey = "wrong_integration_key", Configuration, Refused;
    /// The signature is wrong.
    WrongSecretKey = "wrong_secret_key", Configuration, Refused;
    /// The keys are those of an application of another type.
    WrongApplicationType = "wrong_application_type", DuoAdministrator, Refused;
    /// The keys of the Universal Prompt's application are wrong.
    WrongClient = "wrong_client", Configuration, Refused;
    /// The host gives no random bytes.
    NoRandomBytes = "no_random_bytes", Host, Unreadable;
    /// A header of the call did not arrive.
    HeadersRemoved = "headers_removed", Network, Refused;
    /// Duo refuses the call for another reason.
    CallRefused = "call_refused", DuoAdministrator, Refused;
    /// The configuration refuses the user's name.
    UserNameInvalid = "user_name_invalid", Configuration, Faulty;
    /// Duo does not accept the user's name.
    UserNameRefused = "user_name_refused", Configuration, Refused;
    /// The user is not enrolled at Duo.
    UserNotEnrolled = "user_not_enrolled", DuoAdministrator, Refused;
    /// Duo refuses the user.
    UserDenied = "user_denied", DuoAdministrator, Refused;
    /// Duo lets the user pass without a second factor.
    UserBypasses = "user_bypasses", DuoAdministrator, Fine;
    /// No device of the user supports a configured factor.
    NoUsableFactor = "no_usable_factor", DuoAdministrator, Refused;
    /// No device of the user can receive a push.
    PushImpossible = "push_impossible", User, Refused;
    /// The user denied the push.
    PushDenied = "push_denied", User, Refused;
    /// The user reported the push as fraud.
    PushReported = "push_reported", User, Refused;
    /// The user did not answer the push.
    PushUnanswered = "push_unanswered", User, Refused;
}
