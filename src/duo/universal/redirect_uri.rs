//! The URI that Duo sends the browser back to.

use super::callback_host::CallbackHost;
use crate::http::authority::Host;

/// The longest `:authority` that is read: room for a host name of 253 bytes and a port.
const MAX_AUTHORITY_BYTES: usize = 260;
/// The longest path.
const MAX_PATH_BYTES: usize = 512;

/// A redirect URI: `https://{authority}{path}`, at most 780 bytes of ASCII.
///
/// The authority is that of the request, in one canonical form: lower case, without the default
/// port. The URI must be the same at `authorize` and at `token`, byte for byte, and a browser
/// leaves a default port out, so both requests lead to the same text.
///
/// `http` is used only for `localhost`, `127.0.0.1` and `[::1]`. The request's own scheme is not
/// used, since TLS often ends in front of Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

/// Why a request has no redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectFault {
    /// The authority is not a host with or without a port, or its host ends with a dot.
    #[error("the authority is not a host name or address with an optional port")]
    NotAHost,
    /// The port is not a number from 1 to 65535, or has a leading zero.
    #[error("the port of the authority is not a number from 1 to 65535")]
    Port,
    /// The host is not in the list. Anyone can point a name at the proxy, and such a name must
    /// never become a redirect URI.
    #[error("the host is not in the list of hosts that a browser may come back to")]
    NotListed,
    /// The path does not begin with a slash, is longer than 512 bytes, or has a character that a
    /// path does not have.
    #[error("the path of the callback is not a path")]
    Path,
}

impl RedirectUri {
    /// The redirect URI of a request with this `:authority`; `path` is that of the application's
    /// callback.
    ///
    /// # Errors
    ///
    /// [`RedirectFault`]; all but [`RedirectFault::Path`] are the client's doing.
    pub fn of(authority: &[u8], hosts: &[CallbackHost], path: &str) -> Result<Self, RedirectFault> {
        if authority.len() > MAX_AUTHORITY_BYTES {
            return Err(RedirectFault::NotAHost);
        }
        let host = Host::of(authority).map_err(|_| RedirectFault::NotAHost)?;
        let port = match authority.get(host.as_str().len()..) {
            Some([]) => None,
            Some([b':', digits @ ..]) => Some(port(digits).ok_or(RedirectFault::Port)?),
            // A final dot: the browser keeps separate cookies for this spelling of the host.
            Some(_) | None => return Err(RedirectFault::NotAHost),
        };
        if !hosts.iter().any(|entry| entry.allows(&host)) {
            return Err(RedirectFault::NotListed);
        }
        if !is_path(path) {
            return Err(RedirectFault::Path);
        }
        let host = host.as_str();
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let (scheme, default) = if is_loopback { ("http", 80) } else { ("https", 443) };
        Ok(Self(match port.filter(|port| *port != default) {
            Some(port) => format!("{scheme}://{host}:{port}{path}"),
            None => format!("{scheme}://{host}{path}"),
        }))
    }

    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The port, if it is written in the one way that browsers use.
fn port(digits: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_canonical = !digits.starts_with(['0', '+']);
    digits.parse().ok().filter(|_| is_canonical)
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= MAX_PATH_BYTES
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATH: &str = "/.duo-mfa/callback";

    fn hosts() -> Vec<CallbackHost> {
        ["app.example.com", "*.apps.example.com", "localhost", "127.0.0.1", "[::1]"]
            .map(|entry| entry.parse().unwrap())
            .to_vec()
    }

    fn of(authority: &str) -> Result<String, RedirectFault> {
        RedirectUri::of(authority.as_bytes(), &hosts(), PATH).map(|uri| uri.as_str().to_owned())
    }

    #[test]
    fn the_default_port_of_the_scheme_is_left_out() {
        for (authority, expected) in [
            ("A.Apps.Example.com:443", "https://a.apps.example.com/.duo-mfa/callback"),
            ("app.example.com:65535", "https://app.example.com:65535/.duo-mfa/callback"),
            ("localhost:80", "http://localhost/.duo-mfa/callback"),
            ("localhost:443", "http://localhost:443/.duo-mfa/callback"),
        ] {
            assert_eq!(of(authority).as_deref(), Ok(expected), "{authority}");
        }
    }

    #[test]
    fn other_spellings_of_an_authority_have_no_redirect_uri() {
        use RedirectFault::{NotAHost, NotListed, Port};
        for (authority, fault) in [
            ("app.example.com:", Port),
            ("app.example.com:0", Port),
            ("app.example.com:0443", Port),
            ("app.example.com:65536", Port),
            ("app.example.com:+443", NotAHost),
            ("app.example.com.:443", NotAHost),
            ("[::1", NotAHost),
            ("[0:0:0:0:0:0:0:1]", NotListed),
            ("apps.example.com", NotListed),
            ("127.0.0.2", NotListed),
            (&"a".repeat(261), NotAHost),
        ] {
            assert_eq!(of(authority), Err(fault), "{authority}");
        }
    }

    #[test]
    fn the_path_is_a_path() {
        for path in
            ["", "x", "/a?b", "/a#b", "/a b", "/a\r\n", "/é", &format!("/{}", "a".repeat(512))]
        {
            let uri = RedirectUri::of(b"localhost", &hosts(), path);
            assert_eq!(uri, Err(RedirectFault::Path), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn a_redirect_uri_names_a_listed_host(authority in "[a-zA-Z0-9.:@,\\[\\]#/%*-]{0,40}") {
            if let Ok(uri) = RedirectUri::of(authority.as_bytes(), &hosts(), PATH) {
                let url = url::Url::parse(uri.as_str()).unwrap();
                prop_assert_eq!(url.as_str(), uri.as_str());
                let host = Host::of(url.host_str().unwrap().as_bytes()).unwrap();
                prop_assert!(hosts().iter().any(|entry| entry.allows(&host)));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(
            authority in proptest::collection::vec(any::<u8>(), 0..300), path in any::<String>(),
        ) {
            let _ = RedirectUri::of(&authority, &hosts(), &path);
        }
    }
}
