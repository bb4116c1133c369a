//! The path to which a user returns after the second factor: always on this host.

use percent_encoding::percent_decode;

use super::HeaderValue;

/// The longest return path, in bytes.
pub const MAX_BYTES: usize = 2048;
/// How often software between the filter and the browser may have decoded a path by mistake.
const DECODINGS: usize = 2;

/// A path, with its query and fragment, that no browser takes for a URL of another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Takes a safe path unchanged; any other becomes `/`.
    ///
    /// Safe is printable ASCII without backslashes, at most [`MAX_BYTES`], that begins with exactly
    /// one slash and has no dot segments, percent-decoded or not. A browser resolves dot segments
    /// before it requests a page, so a path that still has them did not come from one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let is_printable = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
        match str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= MAX_BYTES && is_printable && is_local(bytes) => {
                Self(text.to_owned())
            }
            _ => Self::default(),
        }
    }

    /// The path, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path with its query, without the fragment: the target that a browser requests.
    #[must_use]
    pub fn target(&self) -> &str {
        self.0.split_once('#').map_or(self.0.as_str(), |(target, _)| target)
    }

    /// The path as the value of `Location`.
    #[must_use]
    pub fn location(&self) -> HeaderValue {
        HeaderValue::lossy(self.0.as_bytes())
    }
}

impl Default for ReturnPath {
    /// The root of this host.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

/// Whether the path stays on this host, both as it is and decoded.
fn is_local(bytes: &[u8]) -> bool {
    let path = bytes.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let mut view = path.to_vec();
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
