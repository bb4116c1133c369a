//! The hosts that a browser may come back to.

use std::str::FromStr;

use crate::http::authority::Host;

/// The longest host name (RFC 1035, section 2.3.4).
const MAX_BYTES: usize = 253;

/// One host, or all hosts below a domain: `app.example.com` or `*.apps.example.com`.
///
/// `*.` matches at least one label and never the domain itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackHost {
    /// Whether `name` begins with a dot and matches every host below it.
    below: bool,
    name: String,
}

/// Why a text is not a [`CallbackHost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackHostFault {
    /// The text is empty.
    #[error("the host is empty")]
    Empty,
    /// The text begins like a URL.
    #[error("the host is a name alone: remove https://")]
    Scheme,
    /// The text has a slash, backslash, question mark or hash.
    #[error("the host is a name alone: remove the path")]
    Path,
    /// The text ends with a port.
    #[error("the host is a name alone: remove the port")]
    Port,
    /// The text is not a host name, an address, or `*.` and a host name.
    #[error("the host is not a host name, an address, or \"*.\" and a host name")]
    NotAHost,
}

impl CallbackHost {
    /// Whether this entry allows the host.
    #[must_use]
    pub fn allows(&self, host: &Host) -> bool {
        let host = host.as_str();
        if self.below {
            host.strip_suffix(self.name.as_str()).is_some_and(|label| !label.is_empty())
        } else {
            host == self.name
        }
    }
}

impl FromStr for CallbackHost {
    type Err = CallbackHostFault;

    fn from_str(text: &str) -> Result<Self, CallbackHostFault> {
        if text.is_empty() {
            return Err(CallbackHostFault::Empty);
        }
        if text.contains("://") {
            return Err(CallbackHostFault::Scheme);
        }
        if text.contains(['/', '\\', '?', '#']) {
            return Err(CallbackHostFault::Path);
        }
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let host = Host::of(name.as_bytes()).map_err(|_| CallbackHostFault::NotAHost)?;
        if host.as_str().len() != name.len() {
            let has_port = name.get(host.as_str().len()..).is_some_and(|rest| rest.contains(':'));
            let fault =
                if has_port { CallbackHostFault::Port } else { CallbackHostFault::NotAHost };
            return Err(fault);
        }
        if name.len() > MAX_BYTES || (below && is_address(name)) {
            return Err(CallbackHostFault::NotAHost);
        }
        let name = host.as_str();
        Ok(Self { below, name: if below { format!(".{name}") } else { name.to_owned() } })
    }
}

/// Whether the name is an IP address or would be read as one: nothing is below an address.
fn is_address(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    name.starts_with('[') || last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, authority: &str) -> bool {
        let entry: CallbackHost = entry.parse().unwrap();
        entry.allows(&Host::of(authority.as_bytes()).unwrap())
    }

    #[test]
    fn an_entry_matches_one_host_or_all_below_a_domain() {
        for (entry, authority) in [
            ("app.example.com", "app.example.com"),
            ("App.Example.com", "APP.example.COM:8443"),
            ("localhost", "localhost:1"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]:443"),
            ("*.example.com", "app.example.com"),
            ("*.example.com", "a.b.example.com"),
        ] {
            assert!(allows(entry, authority), "{entry} {authority}");
        }
        for (entry, authority) in [
            ("app.example.com", "example.com"),
            ("app.example.com", "x.app.example.com"),
            ("app.example.com", "app.example.com.evil.test"),
            ("*.example.com", "example.com"),
            ("*.example.com", "evilexample.com"),
            ("*.example.com", "app.example.com.evil.test"),
        ] {
            assert!(!allows(entry, authority), "{entry} {authority}");
        }
    }

    #[test]
    fn an_entry_that_is_more_or_less_than_a_host_is_refused() {
        use CallbackHostFault::{Empty, NotAHost, Path, Port, Scheme};
        for (text, fault) in [
            ("", Empty),
            ("https://app.example.com", Scheme),
            ("app.example.com/", Path),
            ("app.example.com?x", Path),
            ("app.example.com:8443", Port),
            ("[::1]:443", Port),
            ("app.example.com.", NotAHost),
            ("*", NotAHost),
            ("*.", NotAHost),
            ("**.example.com", NotAHost),
            ("*.*.example.com", NotAHost),
            ("a*.example.com", NotAHost),
            ("*.0.0.1", NotAHost),
            ("*.[::1]", NotAHost),
            ("user@app.example.com", NotAHost),
            ("app.example.com,evil.test", NotAHost),
            (" app.example.com", NotAHost),
            ("é.example", NotAHost),
            (&["abcdefgh"; 29].join("."), NotAHost),
        ] {
            assert_eq!(text.parse::<CallbackHost>(), Err(fault), "{text:?}");
        }
    }
}
