//! A configuration in use, and the facts that the host has to provide for each request.

use super::factors;
use crate::clock::UnixTime;
use crate::config::{ApiMode, Application, Config};
use crate::factor::Factor;
use crate::http::{Edit, RequestHead, cookie};
use crate::identity::Attributes;
use crate::policy::{Criterion, FailMode, Terms};
use crate::session::Sessions;
use std::net::IpAddr;

/// A configuration in use.
///
/// A host drives it by values. Here a program sends a request without an approval cookie: it is
/// held, and Duo is asked. A request that a page in a browser makes is refused.
///
/// ```
/// use duo_mfa::clock::UnixTime;
/// use duo_mfa::config::Config;
/// use duo_mfa::gate::{Effect, End, Env, Gate, HostFacts, Opening, Step};
/// use duo_mfa::http::{HeaderMap, RequestHead};
/// use duo_mfa::identity::Attributes;
/// use duo_mfa::session::Verified;
///
/// let document = br#"{
///     "version": 1,
///     "duo": {
///         "api_host": "api-xxxxxxxx.duosecurity.com",
///         "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
///         "secret_key": {"env": "DUO_SECRET_KEY"},
///         "cluster": "duo_api"
///     },
///     "identity": {"source": "header", "header": "x-user"},
///     "session": {"keys": [{"env": "COOKIE_KEY"}]}
/// }"#;
/// let environment = |name: &str| match name {
///     "DUO_SECRET_KEY" => Some("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
///     "COOKIE_KEY" => Some("pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw=".to_owned()),
///     _ => None,
/// };
/// let gate = Gate::new(Config::parse(document, &environment)?);
///
/// // The host reads its clock and draws random bytes; the core gets both as values.
/// let now = UnixTime::from_seconds(1_700_000_000);
/// let step = |more: &[(&[u8], &[u8])]| {
///     let mut headers: Vec<(&[u8], &[u8])> = vec![
///         (b":method", b"GET"),
///         (b":scheme", b"https"),
///         (b":authority", b"app.example.com"),
///         (b":path", b"/reports"),
///         (b"x-user", b"alice"),
///     ];
///     headers.extend_from_slice(more);
///     let fields = HeaderMap::serialize(&headers);
///     let head = RequestHead::read(&fields).expect("it has all pseudo-headers");
///     let facts = HostFacts {
///         now,
///         attributes: Attributes::default(),
///         address: None,
///         bound: &[],
///         has_body: false,
///     };
///     match gate.open(&head, &facts, &mut Verified::default()) {
///         Opening::Decided(decision) => Step::from(decision),
///         Opening::Undecided(undecided) => {
///             let env = Env { gate: &gate, now, healths: Vec::new(), random: Some([7; 16]) };
///             gate.ask(&head, undecided, None, &env)
///         }
///     }
/// };
///
/// let Effect::Call { call, .. } = step(&[(b"user-agent", b"curl/8.5.0")]).effect else {
///     panic!("a program without an approval is held");
/// };
/// assert_eq!((call.signed.method, call.signed.path.as_str()), ("POST", "/auth/v2/preauth"));
///
/// let Effect::End(End::Reply(reply)) = step(&[(b"sec-fetch-dest", b"image")]).effect else {
///     panic!("a browser's request is answered at once");
/// };
/// assert_eq!((reply.status, reply.details.as_str()), (403, "duo_mfa_mfa_required"));
/// # Ok::<(), duo_mfa::config::ConfigFaults>(())
/// ```
#[derive(Debug)]
pub struct Gate {
    config: Config,
}

/// The host's facts about a request at its arrival.
#[derive(Clone, Copy, Debug)]
pub struct HostFacts<'a> {
    /// The time.
    pub now: UnixTime,
    /// The host's facts about the user, if [`Gate::attribute`] and similar methods ask for them.
    pub attributes: Attributes<'a>,
    /// The peer's address, if it has one and [`Gate::wants_address`]: never an IPv4 address that is
    /// mapped into IPv6.
    pub address: Option<IpAddr>,
    /// The values of [`Gate::bound_properties`], as far as the host has them.
    pub bound: &'a [Option<Vec<u8>>],
    /// Whether a body follows the head.
    pub has_body: bool,
}

impl Gate {
    /// Takes a configuration into use.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// The configuration in use.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The path of the property that holds the user's name, unless a header holds it.
    #[must_use]
    pub fn attribute(&self) -> Option<&[String]> {
        self.config.identity.attribute()
    }

    /// The path of the property that holds the user's groups, if some rule names groups and no
    /// header holds them.
    #[must_use]
    pub fn groups_attribute(&self) -> Option<&[String]> {
        let is_wanted = self.config.policies.mentions(Criterion::Groups);
        is_wanted.then(|| self.config.identity.groups_attribute()).flatten()
    }

    /// Whether [`HostFacts::address`] is needed: some rule names networks, or approvals are bound
    /// to the client's network.
    #[must_use]
    pub fn wants_address(&self) -> bool {
        self.config.policies.mentions(Criterion::Networks) || self.config.bindings.want_address()
    }

    /// The paths of the properties to which approvals are bound.
    #[must_use]
    pub fn bound_properties(&self) -> &[Vec<String>] {
        self.config.bindings.properties()
    }

    /// The Duo application for these terms.
    pub(super) fn application(&self, terms: &Terms) -> &Application {
        self.config.applications.under(terms)
    }

    /// The treatment of a request with these terms while Duo cannot be reached.
    pub(super) fn fail_mode(&self, terms: &Terms) -> FailMode {
        terms.fail_mode.unwrap_or_else(|| self.application(terms).duo.fail_mode)
    }

    /// Whether requests of programs with these terms are held.
    pub(super) fn api_mode(&self, terms: &Terms) -> ApiMode {
        terms.api_mode.unwrap_or(self.config.api.mode)
    }

    /// The factors that are offered for these terms.
    pub(super) fn offered<'g>(&'g self, terms: &'g Terms) -> &'g [Factor] {
        factors::offered(terms, &self.application(terms).duo)
    }

    /// The edits of every forwarded request. They remove the filter's own cookies and headers, and
    /// everything that looks like them.
    pub(super) fn stripped(&self, head: &RequestHead<'_>) -> Vec<Edit> {
        let sessions = &self.config.applications.main.sessions;
        stripped(head, self.split_cookies(head, sessions))
    }

    /// Separates the filter's cookies, with the approval of these `sessions`, from the
    /// application's.
    pub(super) fn split_cookies<'a>(
        &self,
        head: &RequestHead<'a>,
        sessions: &Sessions,
    ) -> cookie::SplitCookies<'a> {
        head.cookies.split(sessions.cookie_name(), self.config.applications.unprefixed_cookies())
    }
}

/// Like [`Gate::stripped`], for cookies that are already separated.
pub(super) fn stripped(head: &RequestHead<'_>, cookies: cookie::SplitCookies<'_>) -> Vec<Edit> {
    let mut edits = cookies.edits;
    edits.extend(head.reserved.iter().map(|name| Edit::Remove(name.to_vec())));
    edits
}
