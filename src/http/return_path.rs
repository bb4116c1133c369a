//! The path to which a user returns after the second factor: always on this host.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::HeaderValue;
use super::name::{MAX_METHOD_BYTES, is_method};

/// The longest return path, in bytes.
pub const MAX_BYTES: usize = 2048;
/// The longest return path with its method, in bytes.
pub const MAX_BYTES_IN_TOKEN: usize = MAX_METHOD_BYTES + 1 + MAX_BYTES;
/// The method of the requests with which a browser returns.
const GET: &str = "GET";
/// How often software between the filter and the browser may have decoded a path by mistake.
const DECODINGS: usize = 2;

/// A path, with its query and fragment, that no browser takes for a URL of another host, and the
/// method of the request to it that needs the second factor. A browser returns by GET; the rules
/// for the sign-in are those of the method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath {
    path: String,
    /// `None` for GET.
    method: Option<String>,
}

impl ReturnPath {
    /// Takes a safe path unchanged; any other becomes `/`. One that is too long loses its query, so
    /// that the sign-in is still under the rule of its path.
    ///
    /// Safe is printable ASCII without backslashes, at most [`MAX_BYTES`], that begins with exactly
    /// one slash and has no dot segments, percent-decoded or not. A browser resolves dot segments
    /// before it requests a page, so a path that still has them did not come from one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = if bytes.len() > MAX_BYTES { path(bytes) } else { bytes };
        let is_printable = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
        match str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= MAX_BYTES && is_printable && is_local(bytes) => {
                Self { path: text.to_owned(), method: None }
            }
            _ => Self::default(),
        }
    }

    /// The same path for a request with this method. Text that is no method, or one of more than 20
    /// characters, counts as GET.
    #[must_use]
    pub fn for_method(self, method: &[u8]) -> Self {
        let is_other = is_method(method) && method != GET.as_bytes();
        let method = str::from_utf8(method).ok().filter(|_| is_other).map(str::to_owned);
        Self { method, ..self }
    }

    /// Reads the text of [`Self::in_token`].
    pub(crate) fn from_token(bytes: &[u8]) -> Self {
        match bytes.iter().position(|byte| *byte == b' ').and_then(|at| bytes.split_at_checked(at))
        {
            Some((method, [_, path @ ..])) => Self::parse(path).for_method(method),
            Some(_) | None => Self::parse(bytes),
        }
    }

    /// The path, after its method and a space if that is not GET.
    pub(crate) fn in_token(&self) -> Cow<'_, str> {
        match &self.method {
            Some(method) => Cow::Owned(format!("{method} {}", self.path)),
            None => Cow::Borrowed(&self.path),
        }
    }

    /// The path, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The method of the request that needs the second factor.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_deref().unwrap_or(GET)
    }

    /// The method, unless it is GET.
    pub(crate) fn other_method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The path with its query, without the fragment: the target that a browser requests.
    #[must_use]
    pub fn target(&self) -> &str {
        self.path.split_once('#').map_or(self.path.as_str(), |(target, _)| target)
    }

    /// The path as the value of `Location`.
    #[must_use]
    pub fn location(&self) -> HeaderValue {
        HeaderValue::lossy(self.path.as_bytes())
    }
}

impl Default for ReturnPath {
    /// The root of this host.
    fn default() -> Self {
        Self { path: "/".to_owned(), method: None }
    }
}

/// The part before query and fragment.
fn path(target: &[u8]) -> &[u8] {
    target.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

/// Whether the path stays on this host, both as it is and decoded.
fn is_local(bytes: &[u8]) -> bool {
    let mut view = path(bytes).to_vec();
    for _ in 0..DECODINGS {
        if !is_rooted(&view) {
            return false;
        }
        view = percent_decode(&view).collect();
        // Browsers remove these characters, or trim them, before they parse the URL.
        view.retain(|byte| *byte > b' ');
    }
    is_rooted(&view)
}

/// Whether the path begins with exactly one slash and has no dot segments. Browsers read a
/// backslash as a slash (WHATWG URL, section 4.4).
fn is_rooted(path: &[u8]) -> bool {
    let begins_with_one_slash =
        matches!(path, [b'/', rest @ ..] if !matches!(rest, [b'/' | b'\\', ..]));
    let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
    begins_with_one_slash && !segments.any(|segment| matches!(segment, b"." | b".."))
}

#[cfg(test)]
mod tests;
