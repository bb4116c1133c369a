//! The header map of a request, as bytes of the host and as headers in lines.

use super::parts::{Lines, folded};
use duo_mfa::http::{HeadFault, HeaderMap, NotSole, RequestHead};

pub(crate) fn target(bytes: &[u8]) {
    any_bytes(bytes);
    headers(&Lines::of(bytes).headers());
}

/// A map that can be read is written as it was.
fn any_bytes(buffer: &[u8]) {
    match HeaderMap::parse(buffer) {
        Ok(map) => {
            let pairs: Vec<_> = map.iter().collect();
            let written = HeaderMap::serialize(&pairs);
            assert!(buffer.is_empty() || buffer.starts_with(&written));
        }
        Err(_) => assert!(RequestHead::read(buffer).is_err()),
    }
}

/// The reader agrees with one that looks at one header after the other.
fn headers(pairs: &[(&[u8], &[u8])]) {
    let buffer = HeaderMap::serialize(pairs);
    let of = |name: &'static str| pairs.iter().filter(move |(n, _)| *n == name.as_bytes());
    let is_twice = [":method", ":path", ":authority"].into_iter().any(|name| of(name).count() > 1);
    let has_path = of(":path").any(|(_, path)| !path.is_empty());
    let head = match RequestHead::read(&buffer) {
        Ok(head) => head,
        Err(HeadFault::DuplicatePseudoHeader) => return assert!(is_twice),
        Err(HeadFault::NoMethod) => return assert_eq!(of(":method").count(), 0),
        Err(HeadFault::NoPath) => return assert!(!has_path),
        Err(HeadFault::Malformed) => panic!("a map that was just written"),
    };
    assert!(!is_twice && has_path && of(":method").count() == 1);
    assert!(head.fields().eq(pairs.iter().copied()));
    assert!(head.target.starts_with(head.path()) && !head.path().contains(&b'?'));

    let is_ours = |name: &[u8]| folded(name).starts_with(b"x-duo-mfa-");
    let reserved = pairs.iter().map(|(name, _)| *name).filter(|name| is_ours(name));
    assert!(head.reserved.iter().copied().eq(reserved));
    let has = |names: &[&str]| {
        pairs.iter().any(|(name, _)| names.iter().any(|it| folded(name) == it.as_bytes()))
    };
    assert_eq!(head.overrides.path, has(&["x-original-url", "x-rewrite-url"]));
    let methods = ["x-http-method", "x-method-override", "x-http-method-override"];
    assert_eq!(head.overrides.method, has(&methods));

    for (name, _) in pairs {
        let Ok(name) = str::from_utf8(name) else { continue };
        one(&head, pairs, name);
    }
    one(&head, pairs, "x-basic-user");
}

fn one(head: &RequestHead<'_>, pairs: &[(&[u8], &[u8])], name: &str) {
    let is_meant = |sent: &[u8]| folded(sent) == folded(name.as_bytes());
    let meant: Vec<_> = pairs.iter().filter(|(sent, _)| is_meant(sent)).collect();
    assert!(head.values(name).eq(meant.iter().map(|(_, value)| *value)));
    let sole = match meant[..] {
        [] => Ok(None),
        [(sent, value)] if sent.eq_ignore_ascii_case(name.as_bytes()) => Ok(Some(*value)),
        [_] => Err(NotSole::Misspelled),
        _ => Err(NotSole::Repeated),
    };
    assert_eq!(head.sole_value(name), sole);
    let only = if let [(_, value)] = meant[..] { Some(*value) } else { None };
    assert_eq!(head.value(name), only);
}
