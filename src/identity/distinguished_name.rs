//! The subject of a certificate, as the host writes it (RFC 2253): `CN=alice,OU=ops,O=Example`.

use super::error::{IdentityError, InvalidIdentity};
use std::borrow::Cow;

/// The common name, unescaped: the host escapes `+` and every byte beyond ASCII.
///
/// # Errors
///
/// [`IdentityError::Missing`] if there is none; [`InvalidIdentity::Repeated`] if there are several,
/// since the application may read another one; [`InvalidIdentity::OutsideGrammar`] if it is not
/// text, or has a space at an end.
pub(super) fn common_name(subject: &[u8]) -> Result<Cow<'_, [u8]>, IdentityError> {
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
    Ok(unescaped(found.ok_or(IdentityError::Missing)?)?)
}

/// The bytes of an escaped value (RFC 2253, section 3). A value that begins with a bare `#` has a
/// type that the host cannot show as text.
fn unescaped(value: &[u8]) -> Result<Cow<'_, [u8]>, InvalidIdentity> {
    if value.first() == Some(&b'#') {
        return Err(InvalidIdentity::OutsideGrammar);
    }
    if !value.contains(&b'\\') {
        return Ok(Cow::Borrowed(value));
    }
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (meant, after) = match (byte, after) {
            (b'\\', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digits = str::from_utf8(&[*high, *low]).map(|it| u8::from_str_radix(it, 16));
                (digits.ok().and_then(Result::ok), behind)
            }
            (b'\\', [special, behind @ ..]) => {
                (Some(*special).filter(|byte| b",=+<>#;\"\\ ".contains(byte)), behind)
            }
            (b'\\', []) => (None, after),
            _ => (Some(byte), after),
        };
        text.push(meant.ok_or(InvalidIdentity::OutsideGrammar)?);
        rest = after;
    }
    if text.first() == Some(&b' ') || text.last() == Some(&b' ') {
        return Err(InvalidIdentity::OutsideGrammar);
    }
    Ok(Cow::Owned(text))
}

/// Splits at the first `,` or `+` without a backslash before it.
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
            ("CN=al\\,CN\\=admin,O=x", Ok("al,CN=admin")),
            ("CN=Jane Doe,O=x", Ok("Jane Doe")),
            ("CN=a\\+b,O=x", Ok("a+b")),
            ("CN=m\\C3\\BCller", Ok("m\u{fc}ller")),
            ("CN=\\#1", Ok("#1")),
            ("CN=a\\00b", Ok("a\0b")),
            ("CN=#0c05616c696365", Err(InvalidIdentity::OutsideGrammar.into())),
            ("CN=a\\ ,O=x", Err(InvalidIdentity::OutsideGrammar.into())),
            ("CN=\\ a", Err(InvalidIdentity::OutsideGrammar.into())),
            ("CN=a\\", Err(InvalidIdentity::OutsideGrammar.into())),
            ("CN=a\\x", Err(InvalidIdentity::OutsideGrammar.into())),
            ("CN=a\\C", Err(InvalidIdentity::OutsideGrammar.into())),
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
            let found = common_name(subject.as_bytes());
            assert_eq!(found, name.map(|name| Cow::Borrowed(name.as_bytes())), "{subject}");
        }
    }
}
