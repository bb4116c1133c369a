//! The organisation's colour, and whether text in that colour is readable.

use std::fmt;

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The card in light mode: the ground of text in the accent colour, and the colour of text on
/// buttons.
pub(super) const LIGHT_CARD: Colour = Colour([0xff, 0xff, 0xff]);
/// The card in dark mode.
pub(super) const DARK_CARD: Colour = Colour([0x1c, 0x20, 0x27]);

/// The least contrast of text (WCAG 2.2, success criterion 1.4.3).
const READABLE: f64 = 4.5;

/// Why a colour cannot be the accent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccentFault {
    /// It is not a `#` and six hexadecimal digits.
    #[error("it must have the form #rrggbb")]
    Malformed,
    /// Links and buttons would not be readable on white.
    #[error("its contrast with white is below the 4.5:1 that text needs; choose a darker colour")]
    TooPale,
}

/// A colour for buttons and links whose contrast is 4.5:1 or more in light and in dark mode.
///
/// No colour has that contrast on both a white and a near-black card. So the colour of dark mode is
/// the configured one, mixed with as much white as necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    light: Colour,
    dark: Colour,
}

impl Accent {
    /// Reads `#rrggbb`.
    ///
    /// # Errors
    ///
    /// Not a colour, or one too pale for text on white.
    pub fn new(text: &str) -> Result<Self, AccentFault> {
        let light = Colour::parse(text).ok_or(AccentFault::Malformed)?;
        if contrast(light, LIGHT_CARD) < READABLE {
            return Err(AccentFault::TooPale);
        }
        let steps = (0..=16).map(|sixteenths| light.whitened(sixteenths));
        let dark = steps.into_iter().find(|colour| contrast(*colour, DARK_CARD) >= READABLE);
        Ok(Self { light, dark: dark.unwrap_or(LIGHT_CARD) })
    }

    /// The colour in light mode, as configured.
    #[must_use]
    pub fn light(self) -> Colour {
        self.light
    }

    /// The colour in dark mode.
    #[must_use]
    pub fn dark(self) -> Colour {
        self.dark
    }
}

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |range| u8::from_str_radix(digits.get(range)?, 16).ok();
        Some(Self([channel(0..2)?, channel(2..4)?, channel(4..6)?]))
    }

    /// This colour, moved the given number of sixteenths towards white.
    fn whitened(self, sixteenths: u16) -> Self {
        Self(self.0.map(|channel| {
            let missing = u16::from(u8::MAX.saturating_sub(channel));
            let more = missing.saturating_mul(sixteenths).div_euclid(16);
            channel.saturating_add(u8::try_from(more).unwrap_or(u8::MAX))
        }))
    }

    /// Relative luminance (WCAG 2.2, definitions).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| linear(f64::from(channel) / 255.0));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, definitions).
pub(super) fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A channel of sRGB made linear.
fn linear(channel: f64) -> f64 {
    if channel <= 0.04045 {
        return channel / 12.92;
    }
    // base^2.4 = base^2 * (fifth root)^2: this keeps a general power function out of the module.
    let base = (channel + 0.055) / 1.055;
    let mut root = 1.0_f64;
    for _ in 0..16 {
        let fourth = root * root * root * root;
        root = (4.0 * root + base / fourth) / 5.0;
    }
    base * base * root * root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        let white = colour("#ffffff");
        let cases = [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#0b5fff", 5.13)];
        for (text, expected) in cases {
            let ratio = contrast(colour(text), white);
            assert!((ratio - expected).abs() < 0.01, "{text}: {ratio}");
        }
        for channel in 11..=255_u8 {
            let share = f64::from(channel) / 255.0;
            let expected = ((share + 0.055) / 1.055).powf(2.4);
            assert!((linear(share) - expected).abs() < 1e-12, "{channel}");
        }
    }

    #[test]
    fn an_accent_can_be_read_in_light_and_in_dark_mode() {
        for text in ["#0b5fff", "#000000", "#7a0019", "#767676", "#00695c"] {
            let accent = Accent::new(text).unwrap();
            assert_eq!(accent.light().to_string(), text);
            assert!(contrast(accent.light(), LIGHT_CARD) >= READABLE);
            assert!(contrast(accent.dark(), DARK_CARD) >= READABLE, "{}", accent.dark());
        }
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_refused() {
        for text in ["#ffcc00", "#777777", "#ffffff"] {
            assert_eq!(Accent::new(text), Err(AccentFault::TooPale), "{text}");
        }
        for text in ["", "blue", "#fff", "#0b5ff", "#0b5fffff", "0b5fff", "#+b5fff", "#é5fff"] {
            assert_eq!(Accent::new(text), Err(AccentFault::Malformed), "{text}");
        }
    }
}
