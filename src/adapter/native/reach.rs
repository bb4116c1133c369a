//! Which properties of a stream a dynamic module can read.

use super::stream::Stream;
use crate::gate::Gate;
use crate::http::HeaderMap;

/// A property that can be read.
pub(super) enum Place<'p> {
    /// A text, by the host's number of the attribute.
    Text(u32),
    /// A text of the client's certificate, which is empty if the client has presented none.
    OfCertificate(u32),
    /// Something that is `true` or `false`.
    Flag(u32),
    /// Dynamic metadata: the name of a filter, and one key.
    Metadata(&'p str, &'p str),
}

impl<'p> Place<'p> {
    /// The place of a property; `None` if a dynamic module cannot read it.
    pub(super) fn of<P: AsRef<str>>(path: &'p [P]) -> Option<Self> {
        let mut parts = path.iter().map(AsRef::as_ref);
        let place = match (parts.next()?, parts.next()?) {
            ("source", "address") => Self::Text(24),
            ("connection", "mtls") => Self::Flag(29),
            ("connection", "subject_peer_certificate") => Self::OfCertificate(33),
            ("connection", "dns_san_peer_certificate") => Self::OfCertificate(35),
            ("connection", "uri_san_peer_certificate") => Self::OfCertificate(37),
            ("connection", "sha256_peer_certificate_digest") => Self::OfCertificate(38),
            ("metadata", "filter_metadata") => Self::Metadata(parts.next()?, parts.next()?),
            _ => return None,
        };
        parts.next().is_none().then_some(place)
    }

    /// The value there; `None` if the stream has none. The host logs an error for each list that is
    /// asked for as a text, and nothing for a text that is asked for as a list.
    pub(super) fn read(&self, host: &Stream, is_list_first: bool) -> Option<Vec<u8>> {
        match *self {
            Self::Text(attribute) => host.text(attribute),
            Self::OfCertificate(attribute) => host.text(attribute).filter(|it| !it.is_empty()),
            Self::Flag(attribute) => host.flag(attribute).map(|flag| vec![u8::from(flag)]),
            Self::Metadata(namespace, key) if is_list_first => {
                list(host, namespace, key).or_else(|| host.metadata_text(namespace, key))
            }
            Self::Metadata(namespace, key) => {
                host.metadata_text(namespace, key).or_else(|| list(host, namespace, key))
            }
        }
    }
}

/// A list, in the form in which a wasm module gets it.
fn list(host: &Stream, namespace: &str, key: &str) -> Option<Vec<u8>> {
    let list = host.metadata_list(namespace, key)?;
    let pairs: Vec<_> = list.iter().map(|entry| (entry.as_slice(), b"".as_slice())).collect();
    Some(HeaderMap::serialize(&pairs))
}

/// The paths of a configuration that a dynamic module cannot read, as one fault each.
pub(super) fn faults(gate: &Gate) -> impl Iterator<Item = String> {
    let paths = [gate.attribute(), gate.groups_attribute()].into_iter().flatten();
    let bound = gate.bound_properties().iter().map(Vec::as_slice);
    paths.chain(bound).filter(|path| Place::of(path).is_none()).map(|path| {
        let path = path.get(2..).unwrap_or_default().join(" > ");
        format!(
            "metadata_not_reachable: the native filter reads one key of a filter's metadata, and \
             {path} is deeper. Have jwt_authn copy the claim into a header (claim_to_headers) and \
             use the source \"header\", or a Lua filter copy it to such a key \
             (docs/deploy/native.md), or load the filter as a wasm module"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_of_metadata_is_within_reach_and_no_deeper_one() {
        let path = ["metadata", "filter_metadata", "first_factor", "user", "email"];
        assert!(matches!(Place::of(&path[..4]), Some(Place::Metadata("first_factor", "user"))));
        assert!(Place::of(&path[..3]).is_none());
        assert!(Place::of(&path).is_none());
        assert!(Place::of(&["request", "path"]).is_none());
    }
}
