//! `Accept-Language` (RFC 9110, section 12.5.4).

use super::Language;

/// How many ranges are read; browsers send a handful.
const RANGES: usize = 32;

/// The supported language with the highest weight; of equal weights, the first.
pub(super) fn preferred(header: &[u8]) -> Option<Language> {
    let mut best: Option<(u16, Language)> = None;
    for (weight, language) in header.split(|byte| *byte == b',').take(RANGES).filter_map(range) {
        if best.is_none_or(|(heaviest, _)| weight > heaviest) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// The weight and language of a range; `None` for another language or weight zero.
fn range(range: &[u8]) -> Option<(u16, Language)> {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let tag = parts.next()?;
    let primary = tag.split(|byte| *byte == b'-').next()?;
    let language = Language::ALL
        .into_iter()
        .find(|language| primary.eq_ignore_ascii_case(language.tag().as_bytes()))?;
    let weight = match parts.next() {
        Some(parameter) => thousandths(parameter)?,
        None => 1_000,
    };
    (weight > 0).then_some((weight, language))
}

/// A weight such as `q=0.25` in thousandths: 250. `None` if it is malformed; the range is then
/// ignored.
fn thousandths(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', value @ ..] = parameter else { return None };
    let (whole, fraction) = match value.iter().position(|byte| *byte == b'.') {
        Some(dot) => (value.get(..dot)?, value.get(dot.saturating_add(1)..)?),
        None => (value, &[][..]),
    };
    let fraction = match fraction {
        [] => 0,
        [a] => digit(*a)?.saturating_mul(100),
        [a, b] => digit(*a)?.saturating_mul(100).saturating_add(digit(*b)?.saturating_mul(10)),
        [a, b, c] => digit(*a)?
            .saturating_mul(100)
            .saturating_add(digit(*b)?.saturating_mul(10))
            .saturating_add(digit(*c)?),
        _ => return None,
    };
    match whole {
        b"" | b"0" => Some(fraction),
        b"1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

fn digit(byte: u8) -> Option<u16> {
    char::from(byte).to_digit(10).and_then(|digit| u16::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_is_chosen() {
        let cases: [(&str, Option<Language>); 18] = [
            ("de-CH,de;q=.9", Some(Language::De)),
            ("de-CH", Some(Language::De)),
            ("en-US,en;q=0.9,fr;q=0.8", Some(Language::En)),
            ("pt-BR, fr;q=0.7, es;q=0.8", Some(Language::Es)),
            ("fr;q=0.5, ja", Some(Language::Ja)),
            ("fr ; q=0.5 , JA-jp ; q=0.6", Some(Language::Ja)),
            ("es;q=0.001", Some(Language::Es)),
            ("de;q=0, fr;q=0.1", Some(Language::Fr)),
            ("de;q=0.5, fr;q=0.5", Some(Language::De)),
            ("de;q=0", None),
            ("tlh, *", None),
            ("*", None),
            ("", None),
            ("de;q=1.5", None),
            ("de;q=0.1234", None),
            ("de;q=x", None),
            ("deutsch", None),
            ("\u{fffd};;,,;q=", None),
        ];
        for (header, expected) in cases {
            assert_eq!(preferred(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn an_unknown_language_gives_english() {
        assert_eq!(Language::accepted(Some(b"tlh")), Language::En);
        assert_eq!(Language::accepted(None), Language::En);
        assert_eq!(Language::accepted(Some(b"ja")), Language::Ja);
    }

    #[test]
    fn only_the_beginning_of_a_long_list_is_read() {
        let header = "tlh,".repeat(RANGES) + "de";
        assert_eq!(preferred(header.as_bytes()), None);
    }
}
