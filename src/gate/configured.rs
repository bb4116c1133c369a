//! A configuration at work, and what the host has to know before it opens a request.

use crate::clock::UnixTime;
use crate::config::{ApiMode, Application, Config};
use crate::factor::Factor;
use crate::http::{Edit, RequestHead, cookie};
use crate::identity::Attributes;
use crate::policy::{Criterion, FailMode, Terms};
use crate::session::Sessions;

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    config: Config,
}

/// What the host knows at the moment a request arrives.
#[derive(Clone, Copy, Debug)]
pub struct HostFacts<'a> {
    /// The time.
    pub now: UnixTime,
    /// What the host says about the user, if [`Gate::attribute`] and its like ask for it.
    pub attributes: Attributes<'a>,
    /// The peer, as Envoy has it, if [`Gate::wants_address`]: `192.0.2.1:4711` or
    /// `[2001:db8::1]:4711`.
    pub address: Option<&'a [u8]>,
    /// The values of [`Gate::bound_properties`], as far as the host has them.
    pub bound: &'a [Option<Vec<u8>>],
    /// Whether a body follows the head.
    pub has_body: bool,
    /// Whether the last check of each Duo application went well.
    pub duo_is_well: bool,
}

impl Gate {
    /// Puts a configuration to work.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// The configuration.
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

    /// Whether some rule names networks, or approvals are bound to the client's network, so that
    /// [`HostFacts::address`] has to be there.
    #[must_use]
    pub fn wants_address(&self) -> bool {
        self.config.policies.mentions(Criterion::Networks) || self.config.bindings.want_address()
    }

    /// The paths of the properties that approvals are bound to.
    #[must_use]
    pub fn bound_properties(&self) -> &[Vec<String>] {
        self.config.bindings.properties()
    }

    /// The Duo application that is asked under these terms.
    pub(super) fn application(&self, terms: &Terms) -> &Application {
        self.config.applications.under(terms)
    }

    /// What happens to a request of these terms while Duo cannot be reached.
    pub(super) fn fail_mode(&self, terms: &Terms) -> FailMode {
        terms.fail_mode.unwrap_or_else(|| self.application(terms).duo.fail_mode)
    }

    /// Whether programs are held under these terms.
    pub(super) fn api_mode(&self, terms: &Terms) -> ApiMode {
        terms.api_mode.unwrap_or(self.config.api.mode)
    }

    /// The factors that are offered under these terms.
    pub(super) fn offered<'g>(&'g self, terms: &'g Terms) -> &'g [Factor] {
        terms.factors.as_deref().unwrap_or(&self.application(terms).duo.factors)
    }

    /// The edits of every forwarded request: the filter's own cookies and headers do not go
    /// upstream, nor anything that looks like them.
    pub(super) fn stripped(&self, head: &RequestHead<'_>) -> Vec<Edit> {
        let sessions = &self.config.applications.main.sessions;
        stripped(head, self.split_cookies(head, sessions))
    }

    /// Splits the filter's cookies, with the approval of these `sessions`, from the application's.
    pub(super) fn split_cookies<'a>(
        &self,
        head: &RequestHead<'a>,
        sessions: &Sessions,
    ) -> cookie::SplitCookies<'a> {
        head.cookies.split(sessions.cookie_name(), self.config.applications.unprefixed_cookies())
    }
}

/// As [`Gate::stripped`], for cookies that are split already.
pub(super) fn stripped(head: &RequestHead<'_>, cookies: cookie::SplitCookies<'_>) -> Vec<Edit> {
    let mut edits = cookies.edits;
    edits.extend(head.reserved.iter().map(|name| Edit::Remove(name.to_vec())));
    edits
}
