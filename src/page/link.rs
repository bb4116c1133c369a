//! Addresses that are safe in a link or an image.

use std::fmt;

/// A link target: `https:`, `mailto:`, or a path on this origin. Never `javascript:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// It has another scheme, or none.
    #[error("a link starts with https://, with mailto:, or with one slash")]
    Scheme,
    /// It has a space, a quote, a control character, or a character beyond ASCII.
    #[error("a link holds printable ASCII only, without spaces and quotes")]
    Character,
}

impl Link {
    /// Takes an address.
    ///
    /// # Errors
    ///
    /// The scheme is not one of the three, or a character is not allowed.
    pub fn new(address: &str) -> Result<Self, LinkFault> {
        let local = address.starts_with('/') && !address.starts_with("//");
        let named = ["https://", "mailto:"].iter().any(|scheme| has_scheme(address, scheme));
        if !(local || named) {
            return Err(LinkFault::Scheme);
        }
        if address.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'"' | b'\\' | b'<' | b'>'))
        {
            return Err(LinkFault::Character);
        }
        Ok(Self(address.to_owned()))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the address has this scheme, ignoring case (RFC 3986, section 3.1), and is longer.
fn has_scheme(address: &str, scheme: &str) -> bool {
    address.len() > scheme.len()
        && address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// The organisation's picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logo {
    /// In the page itself, as a `data:` URI.
    Data(DataImage),
    /// Duo's, at `{path_prefix}/logo`.
    Served,
}

/// A `data:` URI of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataImage(String);

/// The text is not a `data:` URI of an image type that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a logo is a data: URI of image/png, jpeg, gif, webp or svg+xml, of at most 64 kB")]
pub struct NoImage;

impl DataImage {
    /// The limit in bytes, since the image is in every page.
    pub const LENGTH: usize = 64_000;

    /// Takes a `data:` URI.
    ///
    /// # Errors
    ///
    /// The text is not a `data:` URI, not an image, or longer than [`DataImage::LENGTH`].
    pub fn new(uri: &str) -> Result<Self, NoImage> {
        const TYPES: [&str; 5] = ["png", "jpeg", "gif", "webp", "svg+xml"];
        let rest = uri.strip_prefix("data:image/").ok_or(NoImage)?;
        let end = rest.find([';', ',']).ok_or(NoImage)?;
        let is_shown = rest.get(..end).is_some_and(|kind| TYPES.contains(&kind));
        let is_ascii = uri.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if is_shown && is_ascii && uri.len() <= Self::LENGTH {
            Ok(Self(uri.to_owned()))
        } else {
            Err(NoImage)
        }
    }

    /// The URI as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_addresses_are_links() {
        for good in ["https://help.example.com/?a=b&c", "HTTPS://x", "mailto:it@example.com", "/x"]
        {
            assert_eq!(Link::new(good).unwrap().as_str(), good);
        }
        for bad in ["javascript:alert(1)", "http://x", "//evil", "", "https://", "data:,x", "x"] {
            assert_eq!(Link::new(bad), Err(LinkFault::Scheme), "{bad}");
        }
        for bad in ["https://a b", "https://a\"b", "/\\evil", "mailto:é@x"] {
            assert_eq!(Link::new(bad), Err(LinkFault::Character), "{bad}");
        }
    }

    #[test]
    fn only_images_are_logos() {
        assert!(DataImage::new("data:image/png;base64,AAAA").is_ok());
        assert!(DataImage::new("data:image/svg+xml,%3Csvg%3E").is_ok());
        for bad in [
            "data:text/html,x",
            "https://x/y.png",
            "data:image/png",
            "data:image/x;,",
            "data:image/svg+xml,é",
            "data:image/svg+xml,\n",
        ] {
            assert_eq!(DataImage::new(bad), Err(NoImage), "{bad}");
        }
        let large = format!("data:image/png;base64,{}", "A".repeat(DataImage::LENGTH));
        assert_eq!(DataImage::new(&large), Err(NoImage));
    }
}
