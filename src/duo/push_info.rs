//! The details that a push shows beside the user's name: the path, the address, the browser.

use super::params::encode;
use super::text::printable;

/// Names and values that a push shows, encoded, and below Duo's limit of 20,000 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushInfo {
    encoded: String,
}

impl PushInfo {
    /// The greatest length, in bytes after encoding.
    pub const MAX_BYTES: usize = 19_999;

    /// Encodes the pairs in their order. Unprintable characters are dropped. A pair that no longer
    /// fits is left out as a whole.
    #[must_use]
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut encoded = String::new();
        for (name, value) in pairs {
            let pair = format!("{}={}", encode_printable(&name), encode_printable(&value));
            let separator = if encoded.is_empty() { "" } else { "&" };
            let added = pair.len().saturating_add(separator.len());
            if encoded.len().saturating_add(added) <= Self::MAX_BYTES {
                encoded.push_str(separator);
                encoded.push_str(&pair);
            }
        }
        Self { encoded }
    }

    /// Adds more pairs at the end. If there is no room for all, these take precedence, so that a
    /// long text before them cannot displace them.
    #[must_use]
    pub fn and<N: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let behind = Self::new(pairs).encoded;
        let mut encoded = self.encoded;
        let room = Self::MAX_BYTES.saturating_sub(behind.len()).saturating_sub(1);
        while encoded.len() > room {
            encoded.truncate(encoded.rfind('&').unwrap_or_default());
        }
        if !encoded.is_empty() && !behind.is_empty() {
            encoded.push('&');
        }
        encoded.push_str(&behind);
        Self { encoded }
    }

    /// The value of the parameter `pushinfo`; `None` if there is nothing to show.
    #[must_use]
    pub fn encoded(&self) -> Option<&str> {
        Some(self.encoded.as_str()).filter(|text| !text.is_empty())
    }
}

fn encode_printable(text: &impl AsRef<str>) -> String {
    encode(&text.as_ref().chars().filter_map(printable).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_another_pair() {
        let info = PushInfo::new([("host", "Evil&from=Bank"), ("path", "/a b?c=é")]);
        assert_eq!(info.encoded(), Some("host=Evil%26from%3DBank&path=%2Fa%20b%3Fc%3D%C3%A9"));
    }

    #[test]
    fn unprintable_characters_are_dropped() {
        let info = PushInfo::new([("pa\u{0}th", "/x\u{1b}\u{202e}y\nz")]);
        assert_eq!(info.encoded(), Some("path=%2Fxy%20z"));
        assert_eq!(PushInfo::default().encoded(), None);
        assert_eq!(PushInfo::new([("", ""); 0]).encoded(), None);
    }

    #[test]
    fn pairs_at_the_end_are_kept_whatever_precedes_them() {
        let both = PushInfo::new([("a", "1")]).and([("b", "2")]);
        assert_eq!(both.encoded(), Some("a=1&b=2"));
        assert_eq!(PushInfo::default().and([("b", "2")]).encoded(), Some("b=2"));
        assert_eq!(PushInfo::new([("a", "1")]).and([("", ""); 0]).encoded(), Some("a=1"));
        let long = "x".repeat(9_995);
        let before = PushInfo::new([("a", &long), ("b", &long)]);
        let both = before.and([("path", "/x")]);
        assert_eq!(both.encoded().unwrap().len(), 2 + 9_995 + 1 + 9);
        assert!(both.encoded().unwrap().ends_with("x&path=%2Fx"));
        assert_eq!(PushInfo::new([("a", "x".repeat(19_990))]).and([("path", "/x")]).encoded(), {
            Some("path=%2Fx")
        });
    }

    #[test]
    fn a_pair_that_does_not_fit_is_left_out_as_a_whole() {
        let long = "x".repeat(19_990);
        let info = PushInfo::new([("a", "1"), ("long", &long), ("b", "2")]);
        assert_eq!(info.encoded().unwrap().len(), 3 + 1 + 5 + 19_990);
        let longer = "/".repeat(6_667);
        let info = PushInfo::new([("a", "1"), ("path", longer.as_str()), ("b", "2")]);
        assert_eq!(info.encoded(), Some("a=1&b=2"));
    }
}
