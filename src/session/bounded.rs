//! A text that fits into a cookie.

use zeroize::Zeroize;

/// A text of 1 to `MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded<const MAX: usize>(String);

/// A text is empty, or too long for a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has {bytes} bytes, of 1 to {most}")]
pub struct LengthFault {
    /// The length of the text, in bytes.
    pub bytes: usize,
    /// The limit.
    pub most: usize,
}

impl<const MAX: usize> Bounded<MAX> {
    ///
    /// # Errors
    ///
    /// The text is empty, or longer than `MAX` bytes.
    pub fn new(text: &str) -> Result<Self, LengthFault> {
        if text.is_empty() || text.len() > MAX {
            return Err(LengthFault { bytes: text.len(), most: MAX });
        }
        Ok(Self(text.to_owned()))
    }

    /// Cuts a text for display to the limit, between characters; `None` if it is empty.
    #[must_use]
    pub fn cut(text: &str) -> Option<Self> {
        let start = (1..=MAX).rev().find_map(|end| text.get(..end))?;
        Some(Self(start.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Zeroize for Bounded<MAX> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_byte_to_as_many_as_fit() {
        let fault = |bytes| Err(LengthFault { bytes, most: 4 });
        assert_eq!(Bounded::<4>::new("abcd").unwrap().as_str(), "abcd");
        assert_eq!(Bounded::<4>::new("abcde"), fault(5));
        assert_eq!(Bounded::<4>::new("äöü"), fault(6));
        assert_eq!(Bounded::<4>::new(""), fault(0));
    }

    #[test]
    fn a_text_for_display_is_cut_between_characters() {
        for (text, kept) in [("abc", "abc"), ("abcde", "abcd"), ("aäöü", "aä"), ("📱📱", "📱")]
        {
            assert_eq!(Bounded::<4>::cut(text).unwrap().as_str(), kept);
        }
        assert_eq!(Bounded::<4>::cut(""), None);
        assert_eq!(Bounded::<3>::cut("📱"), None);
    }
}
