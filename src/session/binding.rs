//! The properties of a connection to which approvals are bound, besides their user.
//!
//! In go the host's values for a request. Out come bytes that represent all of them together; a
//! token holds a keyed tag of these bytes. With other values the same cookie is refused. If a value
//! is missing, no approval can be made or accepted.

use super::token::write_part;
use std::net::IpAddr;

/// The host's property with the certificate's digest.
const CERTIFICATE: [&str; 2] = ["connection", "sha256_peer_certificate_digest"];

/// One property to which approvals are bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The client's certificate, by its SHA-256.
    Certificate,
    /// A value in dynamic metadata: the path of the host's property.
    Metadata(Vec<String>),
    /// The client's network: the first 24 bits of an IPv4 address, 64 of an IPv6 address.
    IpPrefix,
}

/// All properties to which approvals are bound; none by default.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    bindings: Vec<Binding>,
    properties: Vec<Vec<String>>,
}

/// Represents a request's values of those properties; empty if approvals are bound only to their
/// user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound(Vec<u8>);

/// A missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// The client has presented no certificate.
    #[error("approvals are bound to the client certificate, and the request has none")]
    Certificate,
    /// The metadata has no such value.
    #[error("approvals are bound to metadata that the request does not have")]
    Metadata,
    /// The peer has no address, for example on a pipe.
    #[error("approvals are bound to the client's address, which is not known")]
    Address,
}

impl Bound {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Bindings {
    /// Binds approvals to all of these.
    #[must_use]
    pub fn new(bindings: Vec<Binding>) -> Self {
        let property = |binding: &Binding| match binding {
            Binding::Certificate => Some(CERTIFICATE.map(str::to_owned).to_vec()),
            Binding::Metadata(path) => Some(path.clone()),
            Binding::IpPrefix => None,
        };
        let properties = bindings.iter().filter_map(property).collect();
        Self { bindings, properties }
    }

    /// Whether approvals are bound only to their user.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Whether clients of one user can be distinguished. `named` is the property that the user's
    /// name
    /// comes from, if any, which has the same value for all clients of the user.
    #[must_use]
    pub fn distinguish_clients(&self, named: Option<&[String]>) -> bool {
        self.bindings.iter().any(|binding| match binding {
            Binding::Metadata(path) => Some(path.as_slice()) != named,
            Binding::Certificate | Binding::IpPrefix => true,
        })
    }

    /// The paths of the host's properties that [`Self::resolve`] needs, in order.
    #[must_use]
    pub fn properties(&self) -> &[Vec<String>] {
        &self.properties
    }

    /// Whether [`Self::resolve`] needs the client's address.
    #[must_use]
    pub fn want_address(&self) -> bool {
        self.bindings.contains(&Binding::IpPrefix)
    }

    /// The values of a request; `values` are those of [`Self::properties`].
    ///
    /// # Errors
    /// [`Unbound`] for the first missing value.
    /// [`Unbound`], the first thing that is missing.
    pub fn resolve(
        &self,
        values: &[Option<Vec<u8>>],
        address: Option<IpAddr>,
    ) -> Result<Bound, Unbound> {
        let mut bound = Vec::new();
        let mut values = values.iter().map(Option::as_deref);
        let mut value = || values.next().flatten().filter(|value| !value.is_empty());
        for binding in &self.bindings {
            let mut write = |part: &[u8]| write_part(part, |bytes| bound.extend_from_slice(bytes));
            match binding {
                Binding::Certificate => {
                    write(b"certificate");
                    write(value().ok_or(Unbound::Certificate)?);
                }
                Binding::Metadata(path) => {
                    write(b"metadata");
                    path.iter().for_each(|key| write(key.as_bytes()));
                    write(b"");
                    write(value().ok_or(Unbound::Metadata)?);
                }
                Binding::IpPrefix => {
                    write(b"ip_prefix");
                    match address.ok_or(Unbound::Address)?.to_canonical() {
                        IpAddr::V4(address) => {
                            let [a, b, c, _] = address.octets();
                            write(&[a, b, c]);
                        }
                        IpAddr::V6(address) => {
                            let [a, b, c, d, e, f, g, h, ..] = address.octets();
                            write(&[a, b, c, d, e, f, g, h]);
                        }
                    }
                }
            }
        }
        Ok(Bound(bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(key: &str) -> Binding {
        Binding::Metadata(["metadata", "filter_metadata", "f", key].map(str::to_owned).to_vec())
    }

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn of(bindings: &[Binding], values: &[&str], address: &str) -> Bound {
        let values: Vec<_> = values.iter().map(|value| Some(value.as_bytes().to_vec())).collect();
        Bindings::new(bindings.to_vec()).resolve(&values, Some(at(address))).unwrap()
    }

    #[test]
    fn approvals_without_bindings_are_bound_to_nothing() {
        assert_eq!(of(&[], &[], "192.0.2.7"), Bound::default());
        assert_eq!(Bindings::default().resolve(&[], None), Ok(Bound::default()));
        assert!(Bindings::default().properties().is_empty() && !Bindings::default().want_address());
    }

    #[test]
    fn only_neighbours_in_a_network_are_bound_alike() {
        let network = |address: &str| of(&[Binding::IpPrefix], &[], address);
        for (alike, other) in [
            (["192.0.2.0", "192.0.2.255"], "192.0.3.0"),
            (["192.0.2.7", "::ffff:192.0.2.9"], "193.0.2.7"),
            (["2001:db8:0:1::", "2001:db8:0:1:ffff::1"], "2001:db8:0:2::"),
        ] {
            assert_eq!(network(alike[0]), network(alike[1]));
            assert_ne!(network(alike[0]), network(other));
        }
        // The first bytes of both are the same.
        assert_ne!(network("32.1.13.7"), network("2001:d00::"));
    }

    #[test]
    fn no_two_sets_of_values_are_bound_alike() {
        let [a, b] = ["a", "b"].map(metadata);
        let bound = [
            of(std::slice::from_ref(&a), &["x"], "192.0.2.7"),
            of(std::slice::from_ref(&b), &["x"], "192.0.2.7"),
            of(&[a.clone(), b.clone()], &["x", "y"], "192.0.2.7"),
            of(&[b, a.clone()], &["x", "y"], "192.0.2.7"),
            of(&[a.clone(), a.clone()], &["xy", "z"], "192.0.2.7"),
            of(&[a.clone(), a], &["x", "yz"], "192.0.2.7"),
            of(&[Binding::Certificate], &["x"], "192.0.2.7"),
            of(&[Binding::IpPrefix], &["x"], "192.0.2.7"),
            of(&[Binding::Certificate, Binding::IpPrefix], &["x"], "192.0.2.7"),
        ];
        for (number, one) in bound.iter().enumerate() {
            assert!(bound.iter().skip(number + 1).all(|other| other != one), "{number}");
        }
    }

    #[test]
    fn a_missing_value_binds_nobody() {
        let resolve = |binding: Binding, values: &[Option<Vec<u8>>], address| {
            Bindings::new(vec![binding]).resolve(values, address)
        };
        for absent in [&[][..], &[None], &[Some(Vec::new())]] {
            let here = Some(at("192.0.2.7"));
            assert_eq!(resolve(Binding::Certificate, absent, here), Err(Unbound::Certificate));
            assert_eq!(resolve(metadata("a"), absent, here), Err(Unbound::Metadata));
        }
        assert_eq!(resolve(Binding::IpPrefix, &[], None), Err(Unbound::Address));
    }
}
