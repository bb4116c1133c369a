use super::*;
use crate::identity::Step;
use crate::identity::grammar::Grammar;
use crate::identity::normalize::canonical;
use icu_normalizer::ComposingNormalizerBorrowed;

fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize_iter(text.chars()).collect()
}

fn nfkc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize_iter(text.chars()).collect()
}

/// The upper case of a character; `None` if it has several characters.
fn upper(c: char) -> Option<char> {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none())
}

#[test]
fn every_letter_is_its_own_only_spelling() {
    let mut letters = 0;
    for c in ('\u{80}'..='\u{2ffff}').filter(|c| is_letter(*c)) {
        letters += 1;
        let text = c.to_string();
        assert_eq!((nfkc(&text).as_str(), nfc(&text).as_str()), (text.as_str(), text.as_str()));
        if c < '\u{3400}' {
            assert_eq!(composed(&text), text);
        }
        assert!(c.is_alphanumeric() && !c.is_uppercase(), "{c:?}");
        assert_eq!(lower(c), c);
        if c.is_lowercase() && c != 'ß' {
            let upper = upper(c).expect("one upper case");
            assert_eq!((lower(upper), upper.to_lowercase().to_string()), (c, text), "{c:?}");
        }
    }
    assert!(letters > 39_000, "{letters}");
}

#[test]
fn no_other_letter_becomes_one() {
    for c in ('\u{80}'..='\u{2ffff}').filter(|c| lower(*c) != *c) {
        assert!(is_letter(lower(c)) && c.is_uppercase(), "{c:?}");
        assert_eq!(c.to_lowercase().to_string(), lower(c).to_string(), "{c:?}");
    }
    // Letters that Unicode also spells another way: dotless i, long s, Kelvin and
    // Angstrom sign, a Han letter that is there twice, parts of Hangul.
    for special in "\u{212b}\u{f900}\u{1100}\u{11a8}\u{130}\u{131}\u{17f}\u{212a}\u{1e9e}\u{3c2}\u{b5}\u{149}\u{133}".chars() {
        assert!(!is_letter(lower(special)), "{special:?}");
    }
}

/// Texts for which these tables could differ from all of Unicode.
#[test]
fn a_name_is_the_one_that_the_whole_of_unicode_would_make() {
    let pool: Vec<char> = "aeiouAEUySwx1.@ \u{e4}\u{c4}\u{e9}\u{c9}\u{ea}\u{df}\u{142}\u{1a1}\
        \u{1b0}\u{1ec7}\u{1ea5}\u{131}\u{130}\u{17f}\u{fb01}\u{ff41}\u{300}\u{301}\u{302}\u{303}\
        \u{304}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30f}\u{311}\u{31b}\u{323}\
        \u{324}\u{326}\u{327}\u{328}\u{32e}\u{331}\u{338}\u{345}\u{35c}\u{334}\u{439}\u{438}\u{419}\
        \u{451}\u{415}\u{304b}\u{304c}\u{30cf}\u{3099}\u{309a}\u{200d}\u{202e}\u{ac00}\
        \u{4e00}\u{3c3}\u{3c2}\u{5d0}\u{ad}\u{fe0f}"
        .chars()
        .collect();
    let steps = [Step::Nfc, Step::Lowercase];
    let (mut state, mut named) = (1_u64, 0);
    for _ in 0..60_000 {
        let mut text = String::new();
        for _ in 0..=draw(&mut state, 4) {
            text.push(pool[draw(&mut state, pool.len())]);
        }
        let whole = lowered(&nfc(&text));
        let is_one = |part: &str| {
            let fits = |c: char| if c.is_ascii() { c != ' ' } else { is_letter(c) };
            let has_blank = part.starts_with(' ') || part.ends_with(' ') || part.contains("  ");
            !part.is_empty() && !has_blank && part.chars().all(|c| c == ' ' || fits(c))
        };
        let is_name = whole.split('@').count() <= 2 && whole.split('@').all(is_one);
        let found = canonical(&text, &steps, Grammar::Any);
        assert_eq!(found.is_ok(), is_name, "{text:?} {whole:?} {found:?}");
        if let Ok(name) = found {
            assert_eq!(name, whole, "{text:?}");
            assert_eq!(canonical(&name, &steps, Grammar::Any).unwrap(), name, "{text:?}");
            named += usize::from(!name.is_ascii());
        }
    }
    assert!(named > 3_000, "{named}");
}

/// A number below `end`, from a linear congruential generator.
fn draw(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap().checked_rem(end).unwrap()
}
