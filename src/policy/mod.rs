//! Which requests want a second factor.
//!
//! In goes a request's head, out comes one of three policies: pass without a second factor, ask
//! for one, or refuse. The first rule that matches decides, else the default policy; today there
//! are no rules, so the default decides alone.
//!
//! Nothing here knows who the user is by name, what Duo says, or how an approval is proved.

use crate::http::RequestHead;

/// What is done with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It goes on without a second factor.
    Bypass,
    /// It goes on with an approval by the second factor.
    #[default]
    TwoFactor,
    /// It is refused.
    Deny,
}

impl Policy {
    /// All policies, in the order in which they are documented.
    pub const ALL: [Self; 3] = [Self::TwoFactor, Self::Bypass, Self::Deny];

    /// The name that configuration and logs call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::TwoFactor => "two_factor",
            Self::Deny => "deny",
        }
    }
}

/// The policies of one plugin configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Decides where no rule does.
    pub default: Policy,
}

impl Policies {
    /// The policy for a request.
    #[must_use]
    pub const fn decide(&self, _head: &RequestHead<'_>) -> Policy {
        self.default
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;

    #[test]
    fn the_default_policy_decides_where_no_rule_does() {
        let buffer = HeaderMap::serialize(&[(b":method", b"GET"), (b":path", b"/admin")]);
        let head = RequestHead::read(&buffer).unwrap();

        for policy in Policy::ALL {
            assert_eq!(Policies { default: policy }.decide(&head), policy);
        }
        assert_eq!(Policies::default().decide(&head), Policy::TwoFactor);
    }

    #[test]
    fn policies_have_the_names_of_the_configuration() {
        assert_eq!(Policy::ALL.map(Policy::name), ["two_factor", "bypass", "deny"]);
    }
}
