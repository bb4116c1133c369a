use super::*;
use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use std::collections::{BTreeMap, BTreeSet};

/// All characters except most of those that are never read as another one: ideographs, syllables,
/// private use and unassigned ones.
fn beyond_ascii() -> impl Iterator<Item = char> {
    let is_looked_at = |c: &char| {
        let code = u32::from(*c);
        let is_alike = matches!(code, 0x3500..=0x9f00 | 0xad00..=0xd600 | 0xe100..=0xf800)
            || matches!(code, 0x2_0100..=0x2_f700 | 0x3_0100..=0xd_ffff | 0xe_1000..=0x10_ff00);
        !is_alike || code % 97 == 0
    };
    ('\u{80}'..=char::MAX).filter(is_looked_at)
}

fn nfkd(text: &str) -> String {
    DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned()
}

/// The texts that an application may read a character as: its forms, in any case, with and without
/// marks.
fn readings(c: char) -> BTreeSet<String> {
    let mut readings = BTreeSet::from([c.to_string()]);
    for _ in 0..3 {
        for text in readings.clone() {
            readings.extend([nfkd(&text), text.to_lowercase(), text.to_uppercase()]);
        }
    }
    readings.iter().map(|text| without_marks(text)).chain(readings.clone()).collect()
}

fn without_marks(text: &str) -> String {
    let category = CodePointMapData::<GeneralCategory>::new();
    let ignored = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars()
        .filter(|c| !GeneralCategoryGroup::Mark.contains(category.get(*c)) && !ignored.contains(*c))
        .collect()
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect::<String>().to_lowercase()
}

/// The text with the marks of all letters dropped: two spellings of one letter become equal.
fn base(text: &str) -> String {
    let text = without_marks(&nfkd(&nfkd(text).to_uppercase()).to_lowercase());
    text.replace('ς', "σ")
}

#[test]
fn characters_of_one_script_have_one_bit() {
    for (characters, bit) in [
        ("\u{370}αω\u{1f00}", 1),
        ("\u{400}я\u{52f}", 2),
        ("\u{2e80}理\u{f900}\u{20000}", 4),
        ("\u{1100}\u{3131}한\u{ffa1}", 8),
        ("あア\u{3105}\u{ff66}", 16),
        ("éſ\u{301}\u{1e00}", 32),
        ("אعก", 64),
    ] {
        for c in characters.chars() {
            assert_eq!(scripts(u32::from(c)), bit, "{c} U+{:04X}", u32::from(c));
        }
    }
}

#[test]
fn the_remainder_of_a_character_is_what_applications_find() {
    let mut lasting = 0;
    for c in beyond_ascii() {
        let name = || format!("{c} U+{:04X}", u32::from(c));
        let readings = readings(c);
        let most = readings.iter().map(|text| ascii(text)).max_by_key(String::len).unwrap();
        let found = match left(c) {
            Left::Ascii(word) => word.to_owned(),
            Left::One(one) => char::from(one).to_string(),
            Left::Letter(_) | Left::Other(_) | Left::Nothing => String::new(),
        };
        assert_eq!(found, most, "{}", name());
        if matches!(left(c), Left::Letter(_) | Left::Other(_)) {
            lasting += 1;
            for other in readings.iter().flat_map(|text| text.chars()) {
                if matches!(left(other), Left::Letter(_) | Left::Other(_)) {
                    assert_eq!(scripts(u32::from(other)), scripts(u32::from(c)), "{}", name());
                }
            }
            let is_kept = |text: &String| !text.is_empty() && !text.is_ascii();
            assert!(readings.iter().all(is_kept), "{}", name());
        }
    }
    assert!(lasting > 5_000, "{lasting}");
}

#[test]
fn letters_that_are_read_alike_are_the_same_or_vague() {
    for c in beyond_ascii() {
        let Left::Letter(letter) = left(c) else { continue };
        assert_eq!(base(&c.to_string()), base(&letter.to_string()), "{c}");
        assert_eq!(left(letter), Left::Letter(letter), "{c}");
    }
    // One letter for each base. Any other character that reads like it is vague, and may be any
    // letter.
    let mut of_base = BTreeMap::new();
    for c in beyond_ascii() {
        if let Left::Letter(letter) = left(c) {
            let first = *of_base.entry(base(&c.to_string())).or_insert(letter);
            assert_eq!(first, letter, "{c}");
        }
    }
}
