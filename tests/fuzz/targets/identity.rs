//! User names and groups: from headers, names in metadata, and certificates.

use super::parts::Lines;
use duo_mfa::http::{HeaderMap, RequestHead};
use duo_mfa::identity::{
    Attributes, CertificateField, Domain, Groups, IdentityRules, MAX_BYTES, Mapping, Source, Step,
};
use std::sync::LazyLock;

static RULES: LazyLock<Vec<IdentityRules>> = LazyLock::new(|| {
    let path = |claim: &str| ["envoy.filters.http.jwt_authn", "payload", claim].map(str::to_owned);
    let header = |name: &str| Source::header(name).unwrap();
    let strip =
        || Step::StripDomain(vec![Domain::new("corp.com").unwrap(), Domain::new("CORP").unwrap()]);
    let certificate =
        |field| IdentityRules::new(Source::certificate(field), vec![], "{local}".parse().unwrap());
    let map = ["alice", "*@corp.com"].map(|users| Mapping::new(users, "{local}.x"));
    vec![
        IdentityRules::new(
            header("x-basic-user"),
            vec![Step::Trim, Step::Lowercase, strip()],
            "{user}".parse().unwrap(),
        )
        .with_groups(Some(Groups::new(header("x-groups"), ','))),
        IdentityRules::new(
            header("x-basic-user"),
            vec![Step::Nfkc, Step::Trim, Step::Lowercase, Step::Nfc],
            "{user}".parse().unwrap(),
        )
        .with_map(map.into_iter().filter_map(Result::ok).collect()),
        IdentityRules::new(
            Source::jwt(&path("email")).unwrap(),
            vec![Step::Trim, Step::Lowercase],
            "{local}".parse().unwrap(),
        )
        .with_groups(Some(Groups::new(Source::jwt(&path("groups")).unwrap(), ' '))),
        certificate(CertificateField::Subject),
        certificate(CertificateField::SanUri),
        certificate(CertificateField::SanDns),
    ]
});

/// A user in the first line, groups in the second one, further headers in the rest.
pub(crate) fn target(bytes: &[u8]) {
    let mut lines = Lines::of(bytes);
    let (user, groups, rest) = (lines.next(), lines.next(), lines.rest());
    let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", b"/")];
    pairs.extend([(&b"x-basic-user"[..], user), (b"x-groups", groups)]);
    pairs.extend(
        Lines::of(rest).headers().into_iter().filter(|(name, _)| name.first() != Some(&b':')),
    );
    let buffer = HeaderMap::serialize(&pairs);
    let head = RequestHead::read(&buffer).unwrap();
    // The host writes a list as a map.
    let list =
        HeaderMap::serialize(&Lines::of(rest).iter().map(|it| (it, &[][..])).collect::<Vec<_>>());
    for groups in [groups, &list] {
        let attributes = Attributes { name: Some(user), mtls: Some(&[1]), groups: Some(groups) };
        RULES.iter().for_each(|rules| one(rules, &head, attributes));
    }
    let nobody = Attributes { mtls: Some(&[0]), ..Attributes::default() };
    assert!(RULES[2..].iter().all(|rules| rules.resolve(&head, nobody).is_err()));
    distinguished_name(user);
}

fn one(rules: &IdentityRules, head: &RequestHead<'_>, attributes: Attributes<'_>) {
    if let Ok(found) = rules.resolve(head, attributes) {
        assert!(!found.user.is_empty() && found.user.len() <= MAX_BYTES * 4);
        assert!(!found.user.contains(char::is_control) && !found.user.contains([',', '"', '\\']));
        // One name has one spelling.
        let again = rules.identify(found.user.as_bytes()).unwrap();
        assert_eq!(again, found);
        assert!(!found.username().is_empty() && !found.username().contains(char::is_control));
    }
    if let Ok(groups) = rules.groups(head, attributes) {
        assert!(!groups.iter().any(|group| group.contains(char::is_control)));
    }
}

/// A common name comes out of a subject as it went in.
fn distinguished_name(name: &[u8]) {
    let Ok(name) = str::from_utf8(name) else { return };
    if name.is_empty() || name.starts_with([' ', '#']) || name.ends_with(' ') {
        return;
    }
    let mut subject = b"CN=".to_vec();
    for byte in name.bytes() {
        match byte {
            b',' | b'=' | b'+' | b'<' | b'>' | b'#' | b';' | b'"' | b'\\' => {
                subject.extend([b'\\', byte])
            }
            b' '..=b'~' => subject.push(byte),
            _ => subject.extend(format!("\\{byte:02X}").into_bytes()),
        }
    }
    subject.extend(b",OU=ops,O=Example");
    let buffer = HeaderMap::serialize(&[(b":method", b"GET"), (b":path", b"/")]);
    let head = RequestHead::read(&buffer).unwrap();
    let attributes = Attributes { name: Some(&subject), mtls: Some(&[1]), groups: None };
    assert_eq!(RULES[3].resolve(&head, attributes), RULES[3].identify(name.as_bytes()));
}
