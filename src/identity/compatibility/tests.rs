use super::*;
use crate::identity::grammar::Grammar;
use crate::identity::normalize::canonical;
use crate::identity::{Domain, Step};
use icu_normalizer::ComposingNormalizerBorrowed;

/// No character after this one has a compatibility form in ASCII.
const LAST: char = '\u{1ffff}';

fn nfkc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize_iter(text.chars()).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+-@\\ ".contains(c)
}

#[test]
fn every_character_becomes_its_unicode_form_or_stays_as_it_is() {
    let mut found = 0;
    for c in '\u{80}'..=char::MAX {
        let text = c.to_string();
        let expected = nfkc(&text);
        let is_plain = !expected.is_empty() && expected.chars().all(is_of_a_name);
        found += usize::from(is_plain);
        if c <= LAST {
            assert_eq!(plain(&text), if is_plain { expected } else { text }, "{c:?}");
        } else {
            assert!(!is_plain, "{c:?} is not in the tables");
        }
    }
    assert!(found > 1_200, "{found}");
}

#[test]
fn ascii_stays_where_it_is() {
    let all: String = ('\0'..='\x7f').collect();
    assert_eq!(plain(&all), all);
}

/// Texts in which the whole could differ from one character after the other.
#[test]
fn a_name_is_the_one_that_the_whole_of_unicode_would_make() {
    let pool: Vec<char> = "aliceA1.@-\\ \u{ff41}\u{ff20}\u{ff0e}\u{ff3c}\u{a0}\u{3000}\u{fb01}\
        \u{1d7d8}\u{2460}\u{2474}\u{33c2}\u{212a}\u{17f}\u{130}\u{131}\u{e9}\u{301}\u{327}\u{200b}\
        \u{200d}\u{fe0f}\u{ad}\u{1100}\u{1161}\u{ac00}\u{430}\u{2126}\u{fdfa}\u{202e}\u{e0061}"
        .chars()
        .collect();
    let with = [Step::Nfkc, Step::Trim, Step::Lowercase, strip()];
    let without = [Step::Trim, Step::Lowercase, strip()];
    let (mut state, mut named) = (1_u64, 0);
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..1 + draw(&mut state, 4) {
            text.push(pool[draw(&mut state, pool.len())]);
        }
        let whole = nfkc(&text);
        if whole.chars().any(|c| c.is_ascii() && !is_of_a_name(c)) {
            // A form of `(` or the like stays as it is, and no name has it.
            let is_refused = canonical(&text, &with, Grammar::Any).is_err();
            assert!(is_refused || whole == text, "{text:?}");
            continue;
        }
        let expected = canonical(&whole, &without, Grammar::Any);
        assert_eq!(canonical(&text, &with, Grammar::Any), expected, "{text:?}");
        named += usize::from(expected.is_ok());
    }
    assert!(named > 1_000, "{named}");
}

fn strip() -> Step {
    Step::StripDomain(vec![Domain::new("a").unwrap()])
}

/// A number below `end`, from a linear congruential generator.
fn draw(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap().checked_rem(end).unwrap()
}
