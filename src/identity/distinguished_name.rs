//! The subject of a certificate, as the host writes it (RFC 2253): `CN=alice,OU=ops,O=Example`.

use super::{IdentityError, InvalidIdentity};

/// The common name, still escaped: what needs an escape is no user name.
///
/// # Errors
///
/// [`IdentityError::Missing`] where there is none; [`InvalidIdentity::Repeated`] where there are
/// several, of which the application may read another one.
pub(super) fn common_name(subject: &[u8]) -> Result<&[u8], IdentityError> {
    let mut found = None;
    let mut rest = subject;
    while !rest.is_empty() {
        let (attribute, behind) = split_first_attribute(rest);
        rest = behind;
        let Some(value) = value_of_common_name(attribute) else { continue };
        if found.replace(value).is_some() {
            return Err(InvalidIdentity::Repeated.into());
        }
    }
    found.ok_or(IdentityError::Missing)
}

/// Splits at the first `,` or `+` that no backslash stands before.
fn split_first_attribute(subject: &[u8]) -> (&[u8], &[u8]) {
    let mut is_escaped = false;
    let end = subject.iter().position(|byte| {
        let is_separator = !is_escaped && matches!(byte, b',' | b'+');
        is_escaped = !is_escaped && *byte == b'\\';
        is_separator
    });
    match end.and_then(|end| subject.split_at_checked(end)) {
        Some((attribute, behind)) => (attribute, behind.get(1..).unwrap_or_default()),
        None => (subject, b""),
    }
}

fn value_of_common_name(attribute: &[u8]) -> Option<&[u8]> {
    let at = attribute.iter().position(|byte| *byte == b'=')?;
    let (name, value) = attribute.split_at_checked(at)?;
    let is_common_name = name.trim_ascii().eq_ignore_ascii_case(b"CN");
    is_common_name.then(|| value.get(1..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_common_name_is_found() {
        for (subject, name) in [
            ("CN=alice", Ok("alice")),
            ("CN=alice,OU=ops,O=Example", Ok("alice")),
            ("O=Example,CN=alice", Ok("alice")),
            ("O=Example, CN=alice", Ok("alice")),
            ("UID=7+CN=alice,O=Example", Ok("alice")),
            ("CN=a=b", Ok("a=b")),
            ("CN=", Ok("")),
            ("CN=al\\,CN\\=admin,O=x", Ok("al\\,CN\\=admin")),
            ("O=x\\,CN=admin,CN=alice", Ok("alice")),
            ("O=x\\\\,CN=alice", Ok("alice")),
            ("O=x\\+CN=admin", Err(IdentityError::Missing)),
            ("O=Example", Err(IdentityError::Missing)),
            ("DCN=alice", Err(IdentityError::Missing)),
            ("CN", Err(IdentityError::Missing)),
            ("", Err(IdentityError::Missing)),
            (",,", Err(IdentityError::Missing)),
            ("CN=alice,CN=admin", Err(InvalidIdentity::Repeated.into())),
            ("CN=alice+CN=alice", Err(InvalidIdentity::Repeated.into())),
            ("cn=alice,CN=admin", Err(InvalidIdentity::Repeated.into())),
        ] {
            assert_eq!(common_name(subject.as_bytes()), name.map(str::as_bytes), "{subject}");
        }
    }
}
