//! The parts of a request that a rule may name.

use super::reading::Reading;

/// A part of a request that a rule may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// The method.
    Methods,
    /// The path, without its query.
    Paths,
    /// The host, without its port.
    Hosts,
    /// The peer's address, as Envoy reports it.
    Networks,
    /// The user that the first factor names.
    Users,
    /// The user's groups, as the first factor reports them.
    Groups,
}

impl Criterion {
    /// All parts, in the order in which they are compared.
    pub const ALL: [Self; 6] =
        [Self::Methods, Self::Paths, Self::Hosts, Self::Networks, Self::Users, Self::Groups];

    /// Its key in a rule.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Methods => "methods",
            Self::Paths => "paths",
            Self::Hosts => "hosts",
            Self::Networks => "networks",
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }

    /// How the exceptions of a rule with this reading match: in the opposite way, so an exception to a
    /// bypass matches in every spelling. One by host always does: otherwise a port would exchange the
    /// denial that follows for the rule's second factor.
    pub(super) const fn reading_of_exceptions(self, reading: Reading) -> Reading {
        match self {
            Self::Hosts => Reading::AnySpelling,
            Self::Methods | Self::Paths | Self::Networks | Self::Users | Self::Groups => {
                reading.opposite()
            }
        }
    }

    /// Whether it is a property of the target (method, path), and not of the host or the client.
    pub(super) const fn is_of_target(self) -> bool {
        match self {
            Self::Methods | Self::Paths => true,
            Self::Hosts | Self::Networks | Self::Users | Self::Groups => false,
        }
    }

    pub(super) const fn is_of_person(self) -> bool {
        match self {
            Self::Users | Self::Groups => true,
            Self::Methods | Self::Paths | Self::Hosts | Self::Networks => false,
        }
    }
}
