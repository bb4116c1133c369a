//! A configuration in use, and the facts that the host has to provide for each request.

use crate::clock::UnixTime;
use crate::config::{ApiMode, Application, Config};
use crate::factor::Factor;
use crate::http::{Edit, RequestHead, cookie};
use crate::identity::Attributes;
use crate::policy::{Criterion, FailMode, Terms};
use crate::session::Sessions;

/// A configuration in use.
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
    /// The peer, as Envoy reports it, if [`Gate::wants_address`]: `192.0.2.1:4711` or
    /// `[2001:db8::1]:4711`.
    pub address: Option<&'a [u8]>,
    /// The values of [`Gate::bound_properties`], as far as the host has them.
    pub bound: &'a [Option<Vec<u8>>],
    /// Whether a body follows the head.
    pub has_body: bool,
    /// Whether the last check of each Duo application succeeded.
    pub duo_is_well: bool,
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
        terms.factors.as_deref().unwrap_or(&self.application(terms).duo.factors)
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
