//! A request, byte for byte as a client sends it, and its response.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The first factor's password of every user.
pub(crate) const PASSWORD: &str = "first-factor";

#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    /// The headers in the order of sending. Only the framing of the body is added, and a host if there is none.
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Body {
    #[default]
    None,
    /// With a content-length.
    Sized(Vec<u8>),
    /// In chunks or DATA frames of this size, without a content-length.
    Chunked(Vec<u8>, usize),
    /// Like [`Body::Chunked`], with these trailers at the end. HTTP/2 only.
    Trailed(Vec<u8>, usize, Vec<(String, String)>),
}

impl Request {
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self { method: method.to_owned(), target: target.as_ref().to_vec(), ..Self::default() }
    }

    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target)
    }

    /// Passes the first factor as `user`.
    pub(crate) fn user(self, user: &str) -> Self {
        let credentials = STANDARD.encode(format!("{user}:{PASSWORD}"));
        self.header("authorization", format!("Basic {credentials}"))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds several headers, as `(name, value)`.
    pub(crate) fn all(self, headers: &[(&str, &str)]) -> Self {
        headers.iter().fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Adds a cookie that a response set: its name and value, without the attributes.
    pub(crate) fn cookie(self, set_cookie: &str) -> Self {
        let pair = set_cookie.split(';').next().unwrap_or_default();
        self.header("cookie", pair)
    }

    /// Adds the headers of a browser whose user follows a link or types an address.
    pub(crate) fn navigation(self) -> Self {
        self.all(&[
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-user", "?1"),
        ])
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The request in words, for a failed test.
    pub(crate) fn summary(&self) -> String {
        let text =
            |bytes: &[u8]| -> String { String::from_utf8_lossy(bytes).chars().take(100).collect() };
        let target = text(&self.target);
        let mut summary = format!("{} {target}", self.method);
        for (name, value) in &self.headers {
            summary.push_str(&format!("; {}: {}", text(name), text(value)));
        }
        summary
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether nothing followed the head, not even an empty frame. HTTP/2 only.
    pub(crate) is_head_alone: bool,
}

impl Reply {
    /// The only value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() < 2, "{name} occurs {} times in {self:?}", values.len());
        values.first().copied()
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The `Set-Cookie` line of this cookie, if the response sets it.
    pub(crate) fn set_cookie(&self, name: &str) -> Option<&str> {
        let is_named = |line: &&str| line.split('=').next() == Some(name);
        self.values("set-cookie").into_iter().find(is_named)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|fault| panic!("not JSON ({fault}): {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts that a refusal follows RFC 9457 and has this status and code.
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?} {}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
    }
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The other side closed the connection.
    Closed,
    /// No response arrived in time.
    TimedOut,
}
