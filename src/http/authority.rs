//! The canonical form of a request's host.

/// The host that a request is for: lower case, without port and without a final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

/// An authority that does not name exactly one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the authority does not name exactly one host")]
pub struct NoHost;

impl Host {
    /// Reads the host from an `:authority` (RFC 3986, section 3.2, without user information).
    ///
    /// # Errors
    ///
    /// [`NoHost`] for anything but a name of letters, digits, `-`, `_` and `.`, or an address,
    /// with or without a port of digits.
    pub fn of(authority: &[u8]) -> Result<Self, NoHost> {
        let text = str::from_utf8(authority).map_err(|_| NoHost)?;
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(NoHost)?;
                let is_address = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
                if !is_address || !address.contains(':') {
                    return Err(NoHost);
                }
                (format!("[{address}]"), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (name, port) = text.split_at_checked(end).ok_or(NoHost)?;
                (plain_name(name).ok_or(NoHost)?.to_owned(), port)
            }
        };
        let is_port = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
            None => port.is_empty(),
        };
        if is_port { Ok(Self(host.to_ascii_lowercase())) } else { Err(NoHost) }
    }

    /// The host in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name of plain labels, without its final dot.
fn plain_name(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.split('.').all(is_label).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for (authority, host) in [
            ("app.example.com", "app.example.com"),
            ("ApP.Example.COM", "app.example.com"),
            ("app.example.com.", "app.example.com"),
            ("app.example.com:8443", "app.example.com"),
            ("ApP.Example.COM.:443", "app.example.com"),
            ("app.example.com:", "app.example.com"),
            ("localhost", "localhost"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:DB8::1]:80", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
        ] {
            let of = Host::of(authority.as_bytes()).unwrap();
            assert_eq!(of.as_str(), host, "{authority}");
            assert_eq!(Host::of(host.as_bytes()), Ok(of));
        }
    }

    #[test]
    fn an_authority_that_names_no_single_host_has_none() {
        for authority in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a,b",
            "a b",
            "user@a",
            "a:b",
            "a:80:80",
            "a/b",
            "a%2eb",
            "é.example",
            "[::1",
            "::1",
            "[::1]x",
            "[a]",
            "[]",
            "a\n",
            "a..",
        ] {
            assert_eq!(Host::of(authority.as_bytes()), Err(NoHost), "{authority:?}");
        }
        assert_eq!(Host::of(b"a\xff"), Err(NoHost));
    }
}
