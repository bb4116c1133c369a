//! What the rules of the configuration say of a request, and of whom they want to know.

use super::{Gate, Moment};
use crate::http::RequestHead;
use crate::identity::{Identity, IdentityError};
use crate::policy::{Criterion, Decision, Person, Policy, Unclear};
use crate::signal::Code;
use std::net::{IpAddr, SocketAddr};

/// A request that is refused before its approval is looked at.
pub(super) struct Denial {
    pub(super) code: Code,
    pub(super) detail: String,
}

impl Gate {
    /// Whether some rule goes by the peer's address, so that [`Moment::address`] has to be there.
    #[must_use]
    pub fn wants_address(&self) -> bool {
        self.config.policies.name(Criterion::Networks)
    }

    /// The path of the property that holds the user's groups, where some rule goes by them and
    /// they do not come in a header.
    #[must_use]
    pub fn groups_attribute(&self) -> Option<&[String]> {
        let is_wanted = self.config.policies.name(Criterion::Groups);
        is_wanted.then(|| self.config.identity.groups_attribute()).flatten()
    }

    /// The policy for a request, and who asks where a rule had to know. A configuration without
    /// rules costs nothing here.
    pub(super) fn ruled(
        &self,
        head: &RequestHead<'_>,
        moment: &Moment<'_>,
    ) -> Result<(Policy, Option<Identity>), Denial> {
        let policies = &self.config.policies;
        if policies.rules.is_empty() {
            return Ok((policies.default, None));
        }
        let address = moment.address.and_then(ip_address);
        let view = policies.view(head, address)?;
        if let Decision::Ruled(policy, _) = policies.decide(&view, None) {
            return Ok((policy, None));
        }
        let identity = self.identify(head, moment)?;
        let groups = self.groups(head, moment)?;
        let person = Person { user: &identity.user, groups: &groups };
        match policies.decide(&view, Some(&person)) {
            Decision::Ruled(policy, _) => Ok((policy, Some(identity))),
            Decision::WhoAsks => Ok((Policy::Deny, Some(identity))),
        }
    }

    fn groups(&self, head: &RequestHead<'_>, moment: &Moment<'_>) -> Result<Vec<String>, Denial> {
        if !self.config.policies.name(Criterion::Groups) {
            return Ok(Vec::new());
        }
        let groups = self.config.identity.groups(head, moment.attributes);
        Ok(groups.map_err(IdentityError::from)?)
    }

    /// Who asks, or the refusal to be asked by nobody in particular.
    pub(super) fn identify(
        &self,
        head: &RequestHead<'_>,
        moment: &Moment<'_>,
    ) -> Result<Identity, Denial> {
        Ok(self.config.identity.resolve(head, moment.attributes)?)
    }
}

impl From<IdentityError> for Denial {
    fn from(error: IdentityError) -> Self {
        let code = match error {
            IdentityError::Missing => Code::IdentityMissing,
            IdentityError::Invalid(_) => Code::IdentityInvalid,
        };
        Self { code, detail: format!("{error}.") }
    }
}

impl From<Unclear> for Denial {
    fn from(unclear: Unclear) -> Self {
        let code = match unclear {
            Unclear::Path => Code::PathAmbiguous,
            Unclear::Host => Code::BadRequest,
            Unclear::Address => Code::AccessDenied,
        };
        Self { code, detail: format!("Rules cannot be applied: {unclear}.") }
    }
}

/// The address in what Envoy says of a peer; absent for a peer without one, as on a pipe.
pub(super) fn ip_address(peer: &[u8]) -> Option<IpAddr> {
    let peer: SocketAddr = str::from_utf8(peer).ok()?.parse().ok()?;
    Some(peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_peer_loses_its_port_and_brackets() {
        for (peer, ip) in [
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("[::ffff:192.0.2.1]:4711", Some("192.0.2.1")),
            ("/var/run/app.sock", None),
            ("", None),
        ] {
            let read = ip_address(peer.as_bytes()).map(|ip| ip.to_string());
            assert_eq!(read.as_deref(), ip, "{peer}");
        }
    }
}
