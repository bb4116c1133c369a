//! Letters beyond ASCII in names, each in one spelling: lower case, and composed (NFC,
//! <https://www.unicode.org/reports/tr15/>).
//!
//! Not every letter is here. A name has one canonical spelling only if upper and lower case convert
//! to each other, and if no compatibility form is another spelling. So the dotless i, which becomes
//! `I` in upper case, the long s and similar letters belong to no name. Scripts whose letters
//! consist of several characters, or that are written from right to left, are left out. Latin,
//! Cyrillic, Han, Kana and Hangul syllables remain.

use std::cmp::Ordering;

/// Letters with two cases: the first and the last in lower case, the step between two of them, and
/// how far before them their upper case is (0 if no upper case is accepted).
const CASED: &[(u32, u32, u32, i32)] = &[
    (0xdf, 0xdf, 1, 0),
    (0xe0, 0xf6, 1, 32),
    (0xf8, 0xfe, 1, 32),
    (0xff, 0xff, 1, -121),
    (0x101, 0x12f, 2, 1),
    (0x135, 0x137, 2, 1),
    (0x13a, 0x13e, 2, 1),
    (0x142, 0x148, 2, 1),
    (0x14b, 0x177, 2, 1),
    (0x17a, 0x17e, 2, 1),
    (0x1a1, 0x1a1, 1, 1),
    (0x1b0, 0x1b0, 1, 1),
    (0x1ce, 0x1dc, 2, 1),
    (0x1df, 0x1ed, 2, 1),
    (0x1f5, 0x1f5, 1, 1),
    (0x1f9, 0x21f, 2, 1),
    (0x223, 0x233, 2, 1),
    (0x259, 0x259, 1, 202),
    (0x1e01, 0x1e95, 2, 1),
    (0x1ea1, 0x1ef9, 2, 1),
    (0x430, 0x44f, 1, 32),
    (0x450, 0x45f, 1, 80),
    (0x48b, 0x4bf, 2, 1),
    (0x4c2, 0x4ce, 2, 1),
    (0x4d1, 0x52f, 2, 1),
];

/// Letters without case, first and last: Han, its iteration mark, Kana, Hangul syllables.
const CASELESS: &[(u32, u32)] = &[
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0x3005, 0x3005),
    (0x3041, 0x3096),
    (0x30a1, 0x30fa),
    (0x30fc, 0x30fc),
    (0xac00, 0xd7a3),
];

/// Triples of a letter, a mark after it, and the composed letter, for all letters above. Unicode
/// 17.
const COMPOSED: &str = "\
    a\u{300}\u{e0}a\u{301}\u{e1}a\u{302}\u{e2}a\u{303}\u{e3}a\u{308}\u{e4}a\u{30a}\u{e5}\
    c\u{327}\u{e7}e\u{300}\u{e8}e\u{301}\u{e9}e\u{302}\u{ea}e\u{308}\u{eb}i\u{300}\u{ec}\
    i\u{301}\u{ed}i\u{302}\u{ee}i\u{308}\u{ef}n\u{303}\u{f1}o\u{300}\u{f2}o\u{301}\u{f3}\
    o\u{302}\u{f4}o\u{303}\u{f5}o\u{308}\u{f6}u\u{300}\u{f9}u\u{301}\u{fa}u\u{302}\u{fb}\
    u\u{308}\u{fc}y\u{301}\u{fd}y\u{308}\u{ff}a\u{304}\u{101}a\u{306}\u{103}a\u{328}\u{105}\
    c\u{301}\u{107}c\u{302}\u{109}c\u{307}\u{10b}c\u{30c}\u{10d}d\u{30c}\u{10f}e\u{304}\u{113}\
    e\u{306}\u{115}e\u{307}\u{117}e\u{328}\u{119}e\u{30c}\u{11b}g\u{302}\u{11d}g\u{306}\u{11f}\
    g\u{307}\u{121}g\u{327}\u{123}h\u{302}\u{125}i\u{303}\u{129}i\u{304}\u{12b}i\u{306}\u{12d}\
    i\u{328}\u{12f}j\u{302}\u{135}k\u{327}\u{137}l\u{301}\u{13a}l\u{327}\u{13c}l\u{30c}\u{13e}\
    n\u{301}\u{144}n\u{327}\u{146}n\u{30c}\u{148}o\u{304}\u{14d}o\u{306}\u{14f}o\u{30b}\u{151}\
    r\u{301}\u{155}r\u{327}\u{157}r\u{30c}\u{159}s\u{301}\u{15b}s\u{302}\u{15d}s\u{327}\u{15f}\
    s\u{30c}\u{161}t\u{327}\u{163}t\u{30c}\u{165}u\u{303}\u{169}u\u{304}\u{16b}u\u{306}\u{16d}\
    u\u{30a}\u{16f}u\u{30b}\u{171}u\u{328}\u{173}w\u{302}\u{175}y\u{302}\u{177}z\u{301}\u{17a}\
    z\u{307}\u{17c}z\u{30c}\u{17e}o\u{31b}\u{1a1}u\u{31b}\u{1b0}a\u{30c}\u{1ce}i\u{30c}\u{1d0}\
    o\u{30c}\u{1d2}u\u{30c}\u{1d4}\u{fc}\u{304}\u{1d6}\u{fc}\u{301}\u{1d8}\u{fc}\u{30c}\u{1da}\
    \u{fc}\u{300}\u{1dc}\u{e4}\u{304}\u{1df}\u{227}\u{304}\u{1e1}\u{e6}\u{304}\u{1e3}\
    g\u{30c}\u{1e7}k\u{30c}\u{1e9}o\u{328}\u{1eb}\u{1eb}\u{304}\u{1ed}g\u{301}\u{1f5}\
    n\u{300}\u{1f9}\u{e5}\u{301}\u{1fb}\u{e6}\u{301}\u{1fd}\u{f8}\u{301}\u{1ff}a\u{30f}\u{201}\
    a\u{311}\u{203}e\u{30f}\u{205}e\u{311}\u{207}i\u{30f}\u{209}i\u{311}\u{20b}o\u{30f}\u{20d}\
    o\u{311}\u{20f}r\u{30f}\u{211}r\u{311}\u{213}u\u{30f}\u{215}u\u{311}\u{217}s\u{326}\u{219}\
    t\u{326}\u{21b}h\u{30c}\u{21f}a\u{307}\u{227}e\u{327}\u{229}\u{f6}\u{304}\u{22b}\
    \u{f5}\u{304}\u{22d}o\u{307}\u{22f}\u{22f}\u{304}\u{231}y\u{304}\u{233}a\u{325}\u{1e01}\
    b\u{307}\u{1e03}b\u{323}\u{1e05}b\u{331}\u{1e07}\u{e7}\u{301}\u{1e09}d\u{307}\u{1e0b}\
    d\u{323}\u{1e0d}d\u{331}\u{1e0f}d\u{327}\u{1e11}d\u{32d}\u{1e13}\u{113}\u{300}\u{1e15}\
    \u{113}\u{301}\u{1e17}e\u{32d}\u{1e19}e\u{330}\u{1e1b}\u{229}\u{306}\u{1e1d}f\u{307}\u{1e1f}\
    g\u{304}\u{1e21}h\u{307}\u{1e23}h\u{323}\u{1e25}h\u{308}\u{1e27}h\u{327}\u{1e29}\
    h\u{32e}\u{1e2b}i\u{330}\u{1e2d}\u{ef}\u{301}\u{1e2f}k\u{301}\u{1e31}k\u{323}\u{1e33}\
    k\u{331}\u{1e35}l\u{323}\u{1e37}\u{1e37}\u{304}\u{1e39}l\u{331}\u{1e3b}l\u{32d}\u{1e3d}\
    m\u{301}\u{1e3f}m\u{307}\u{1e41}m\u{323}\u{1e43}n\u{307}\u{1e45}n\u{323}\u{1e47}\
    n\u{331}\u{1e49}n\u{32d}\u{1e4b}\u{f5}\u{301}\u{1e4d}\u{f5}\u{308}\u{1e4f}\
    \u{14d}\u{300}\u{1e51}\u{14d}\u{301}\u{1e53}p\u{301}\u{1e55}p\u{307}\u{1e57}r\u{307}\u{1e59}\
    r\u{323}\u{1e5b}\u{1e5b}\u{304}\u{1e5d}r\u{331}\u{1e5f}s\u{307}\u{1e61}s\u{323}\u{1e63}\
    \u{15b}\u{307}\u{1e65}\u{161}\u{307}\u{1e67}\u{1e63}\u{307}\u{1e69}t\u{307}\u{1e6b}\
    t\u{323}\u{1e6d}t\u{331}\u{1e6f}t\u{32d}\u{1e71}u\u{324}\u{1e73}u\u{330}\u{1e75}\
    u\u{32d}\u{1e77}\u{169}\u{301}\u{1e79}\u{16b}\u{308}\u{1e7b}v\u{303}\u{1e7d}v\u{323}\u{1e7f}\
    w\u{300}\u{1e81}w\u{301}\u{1e83}w\u{308}\u{1e85}w\u{307}\u{1e87}w\u{323}\u{1e89}\
    x\u{307}\u{1e8b}x\u{308}\u{1e8d}y\u{307}\u{1e8f}z\u{302}\u{1e91}z\u{323}\u{1e93}\
    z\u{331}\u{1e95}a\u{323}\u{1ea1}a\u{309}\u{1ea3}\u{e2}\u{301}\u{1ea5}\u{e2}\u{300}\u{1ea7}\
    \u{e2}\u{309}\u{1ea9}\u{e2}\u{303}\u{1eab}\u{1ea1}\u{302}\u{1ead}\u{103}\u{301}\u{1eaf}\
    \u{103}\u{300}\u{1eb1}\u{103}\u{309}\u{1eb3}\u{103}\u{303}\u{1eb5}\u{1ea1}\u{306}\u{1eb7}\
    e\u{323}\u{1eb9}e\u{309}\u{1ebb}e\u{303}\u{1ebd}\u{ea}\u{301}\u{1ebf}\u{ea}\u{300}\u{1ec1}\
    \u{ea}\u{309}\u{1ec3}\u{ea}\u{303}\u{1ec5}\u{1eb9}\u{302}\u{1ec7}i\u{309}\u{1ec9}\
    i\u{323}\u{1ecb}o\u{323}\u{1ecd}o\u{309}\u{1ecf}\u{f4}\u{301}\u{1ed1}\u{f4}\u{300}\u{1ed3}\
    \u{f4}\u{309}\u{1ed5}\u{f4}\u{303}\u{1ed7}\u{1ecd}\u{302}\u{1ed9}\u{1a1}\u{301}\u{1edb}\
    \u{1a1}\u{300}\u{1edd}\u{1a1}\u{309}\u{1edf}\u{1a1}\u{303}\u{1ee1}\u{1a1}\u{323}\u{1ee3}\
    u\u{323}\u{1ee5}u\u{309}\u{1ee7}\u{1b0}\u{301}\u{1ee9}\u{1b0}\u{300}\u{1eeb}\
    \u{1b0}\u{309}\u{1eed}\u{1b0}\u{303}\u{1eef}\u{1b0}\u{323}\u{1ef1}y\u{300}\u{1ef3}\
    y\u{323}\u{1ef5}y\u{309}\u{1ef7}y\u{303}\u{1ef9}\u{438}\u{306}\u{439}\u{435}\u{300}\u{450}\
    \u{435}\u{308}\u{451}\u{433}\u{301}\u{453}\u{456}\u{308}\u{457}\u{43a}\u{301}\u{45c}\
    \u{438}\u{300}\u{45d}\u{443}\u{306}\u{45e}\u{436}\u{306}\u{4c2}\u{430}\u{306}\u{4d1}\
    \u{430}\u{308}\u{4d3}\u{435}\u{306}\u{4d7}\u{4d9}\u{308}\u{4db}\u{436}\u{308}\u{4dd}\
    \u{437}\u{308}\u{4df}\u{438}\u{304}\u{4e3}\u{438}\u{308}\u{4e5}\u{43e}\u{308}\u{4e7}\
    \u{4e9}\u{308}\u{4eb}\u{44d}\u{308}\u{4ed}\u{443}\u{304}\u{4ef}\u{443}\u{308}\u{4f1}\
    \u{443}\u{30b}\u{4f3}\u{447}\u{308}\u{4f5}\u{44b}\u{308}\u{4f9}\u{304b}\u{3099}\u{304c}\
    \u{304d}\u{3099}\u{304e}\u{304f}\u{3099}\u{3050}\u{3051}\u{3099}\u{3052}\
    \u{3053}\u{3099}\u{3054}\u{3055}\u{3099}\u{3056}\u{3057}\u{3099}\u{3058}\
    \u{3059}\u{3099}\u{305a}\u{305b}\u{3099}\u{305c}\u{305d}\u{3099}\u{305e}\
    \u{305f}\u{3099}\u{3060}\u{3061}\u{3099}\u{3062}\u{3064}\u{3099}\u{3065}\
    \u{3066}\u{3099}\u{3067}\u{3068}\u{3099}\u{3069}\u{306f}\u{3099}\u{3070}\
    \u{306f}\u{309a}\u{3071}\u{3072}\u{3099}\u{3073}\u{3072}\u{309a}\u{3074}\
    \u{3075}\u{3099}\u{3076}\u{3075}\u{309a}\u{3077}\u{3078}\u{3099}\u{3079}\
    \u{3078}\u{309a}\u{307a}\u{307b}\u{3099}\u{307c}\u{307b}\u{309a}\u{307d}\
    \u{3046}\u{3099}\u{3094}\u{30ab}\u{3099}\u{30ac}\u{30ad}\u{3099}\u{30ae}\
    \u{30af}\u{3099}\u{30b0}\u{30b1}\u{3099}\u{30b2}\u{30b3}\u{3099}\u{30b4}\
    \u{30b5}\u{3099}\u{30b6}\u{30b7}\u{3099}\u{30b8}\u{30b9}\u{3099}\u{30ba}\
    \u{30bb}\u{3099}\u{30bc}\u{30bd}\u{3099}\u{30be}\u{30bf}\u{3099}\u{30c0}\
    \u{30c1}\u{3099}\u{30c2}\u{30c4}\u{3099}\u{30c5}\u{30c6}\u{3099}\u{30c7}\
    \u{30c8}\u{3099}\u{30c9}\u{30cf}\u{3099}\u{30d0}\u{30cf}\u{309a}\u{30d1}\
    \u{30d2}\u{3099}\u{30d3}\u{30d2}\u{309a}\u{30d4}\u{30d5}\u{3099}\u{30d6}\
    \u{30d5}\u{309a}\u{30d7}\u{30d8}\u{3099}\u{30d9}\u{30d8}\u{309a}\u{30da}\
    \u{30db}\u{3099}\u{30dc}\u{30db}\u{309a}\u{30dd}\u{30a6}\u{3099}\u{30f4}\
    \u{30ef}\u{3099}\u{30f7}\u{30f0}\u{3099}\u{30f8}\u{30f1}\u{3099}\u{30f9}\
    \u{30f2}\u{3099}\u{30fa}";

/// Whether a character beyond ASCII is a letter of a canonical name.
pub(super) fn is_letter(c: char) -> bool {
    let code = u32::from(c);
    is_lower(code) || CASELESS.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

fn is_lower(code: u32) -> bool {
    CASED.iter().any(|run| is_in(code, *run))
}

fn is_in(code: u32, (first, last, step, _): (u32, u32, u32, i32)) -> bool {
    let offset = code.wrapping_sub(first);
    (first..=last).contains(&code) && offset.checked_rem(step) == Some(0)
}

/// The text with all letters in lower case that have a lower case here.
#[cold]
pub(super) fn lowered(text: &str) -> String {
    text.chars().map(lower).collect()
}

fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let of_run = |run: &(u32, u32, u32, i32)| {
        let lower = u32::from(c).checked_add_signed(run.3)?;
        (run.3 != 0 && is_in(lower, *run)).then(|| char::from_u32(lower))?
    };
    CASED.iter().find_map(of_run).unwrap_or(c)
}

/// The text with marks composed into the letters before them, as far as [`COMPOSED`] has them. A
/// mark that remains belongs to no name.
#[cold]
pub(super) fn composed(text: &str) -> String {
    let mut characters = Vec::with_capacity(text.len());
    for c in text.chars() {
        take_apart(c, &mut characters);
    }
    for marks in characters.split_mut(|c| class(*c) == 0) {
        marks.sort_by_key(|mark| class(*mark));
    }
    let mut composed: Vec<char> = Vec::with_capacity(characters.len());
    // The place of the last letter, and the class of the last mark after it.
    let (mut letter, mut last) = (None, 0);
    for c in characters {
        let class = class(c);
        if class == 0 {
            (letter, last) = (Some(composed.len()), 0);
            composed.push(c);
            continue;
        }
        let whole = letter.and_then(|at| composed.get_mut(at));
        let both = whole.as_deref().and_then(|letter| joined(*letter, c));
        match (whole, both, class.cmp(&last)) {
            (Some(letter), Some(both), Ordering::Greater) => *letter = both,
            _ => {
                last = class;
                composed.push(c);
            }
        }
    }
    composed.into_iter().collect()
}

/// The triples of [`COMPOSED`].
fn triples() -> impl Iterator<Item = (char, char, char)> {
    let mut characters = COMPOSED.chars();
    std::iter::from_fn(move || Some((characters.next()?, characters.next()?, characters.next()?)))
}

fn joined(letter: char, mark: char) -> Option<char> {
    triples().find(|(l, m, _)| (*l, *m) == (letter, mark)).map(|(.., both)| both)
}

/// A letter and its marks, in their order; any other character unchanged.
fn take_apart(c: char, into: &mut Vec<char>) {
    let (mut letter, mut marks) = (c, Vec::new());
    while let Some((inner, mark, _)) = triples().find(|(.., both)| *both == letter) {
        letter = inner;
        marks.push(mark);
    }
    into.push(letter);
    into.extend(marks.iter().rev());
}

/// The canonical combining class of the marks in [`COMPOSED`]; 0 for all other characters. A mark
/// that is not there belongs to no name.
const fn class(c: char) -> u8 {
    match c {
        '\u{3099}' | '\u{309a}' => 8,
        '\u{327}' | '\u{328}' => 202,
        '\u{31b}' => 216,
        '\u{323}'..='\u{326}' | '\u{32d}' | '\u{32e}' | '\u{330}' | '\u{331}' => 220,
        '\u{300}'..='\u{304}' | '\u{306}'..='\u{30c}' | '\u{30f}' | '\u{311}' => 230,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
