//! Applications read paths in different ways. No spelling may pass the rules as one path and be read as a
//! denied path by some application.

use super::rig;
use crate::rig::{Outcome, Rig, get};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::json;
use std::collections::BTreeSet;

type Fold = fn(&str) -> String;

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

fn casefold(text: &str) -> String {
    text.to_lowercase().to_uppercase().to_lowercase()
}

fn nfkc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned()
}

fn without_marks(text: &str) -> String {
    let category = CodePointMapData::<GeneralCategory>::new();
    let ignored = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned();
    let is_kept =
        |c: &char| !GeneralCategoryGroup::Mark.contains(category.get(*c)) && !ignored.contains(*c);
    nfkd.chars().filter(is_kept).collect()
}

const FOLDS: [Fold; 7] = [
    as_it_is,
    casefold,
    nfkc,
    |text| casefold(&nfkc(text)),
    without_marks,
    |text| casefold(&without_marks(text)),
    |text| text.to_lowercase(),
];

/// How an application reads a segment of a path.
const SHAPES: [Fold; 3] = [
    as_it_is,
    |name| name.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}').to_owned(),
    |name| {
        let stream = name.split_once(':').filter(|(_, stream)| stream.contains('$'));
        let name = stream.map_or(name, |(name, _)| name);
        // `..` is not a name with trailing dots.
        let bare = name.trim_end_matches([' ', '.']);
        if bare.is_empty() { name.trim_end_matches(' ').to_owned() } else { bare.to_owned() }
    },
];

fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode(text.as_bytes()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The segments of a path after resolving dots, by each reader of a kind.
fn places(path: &str, fold: Fold) -> BTreeSet<Vec<String>> {
    let mut texts = BTreeSet::from([fold(&decoded(path))]);
    texts.extend(texts.clone().iter().map(|text| decoded(text)));
    texts.extend(texts.clone().iter().map(|text| fold(text)));
    texts.extend(texts.clone().iter().map(|text| {
        let end = text.find(['?', '#']);
        text[..end.unwrap_or(text.len())].to_owned()
    }));
    let mut places = BTreeSet::new();
    for text in texts {
        for shape in SHAPES {
            for is_cut in [false, true] {
                let mut place = Vec::new();
                for name in text.split(['/', '\\']) {
                    let name = if is_cut { name.split(';').next().unwrap() } else { name };
                    match shape(name).as_str() {
                        "" | "." => {}
                        ".." => drop(place.pop()),
                        name => place.push(name.to_owned()),
                    }
                }
                places.insert(place);
            }
        }
    }
    places
}

/// Characters that some reader drops, or reads as an ASCII character.
fn suspects() -> Vec<char> {
    let is_suspect = |c: &char| {
        let text = c.to_string();
        let is_other = |fold: &Fold| {
            let folded = fold(&text);
            folded.is_empty() || folded.chars().any(|c| c.is_ascii()) || folded.trim() != folded
        };
        !c.is_ascii() && u32::from(*c) < 0x2_0000 && FOLDS.iter().any(is_other)
    };
    ('\u{80}'..='\u{1ffff}').filter(is_suspect).collect()
}

/// Spellings of a word, and paths to it from a sibling folder.
fn spellings(word: &str, suspects: impl Iterator<Item = char>) -> BTreeSet<String> {
    let mut spellings = BTreeSet::new();
    for c in suspects {
        let meant = casefold(&without_marks(&casefold(&c.to_string())));
        for (at, letter) in word.char_indices() {
            let rest = &word[at + letter.len_utf8()..];
            if meant.starts_with(letter) {
                spellings.insert(format!("/{}{c}{rest}/x", &word[..at]));
            }
        }
        for path in [
            format!("/{word}{c}/x"),
            format!("/{c}{word}"),
            format!("/public/..{c}/{word}"),
            format!("/public/.{c}./{word}"),
            format!("/public/{c}/{word}"),
            format!("/public{c}..{c}{word}"),
        ] {
            spellings.insert(path);
        }
    }
    let upper = word.to_uppercase();
    for name in [word, &upper, &without_marks(word)] {
        for trick in [
            " ",
            ".",
            "..",
            ". ",
            " .",
            "...",
            "?",
            "#",
            "?x",
            "%",
            ";",
            ";x",
            "\\",
            "/",
            "::$DATA",
            ":$I30:$INDEX_ALLOCATION",
            "%20",
            "%2e",
            "%2f",
            "%3b",
            "\0",
            "\t",
            "\n",
        ] {
            for path in [
                format!("/{name}{trick}/x"),
                format!("/{trick}{name}/x"),
                format!("/{trick}/{name}/x"),
                format!("/public/..{trick}/{name}/x"),
                format!("/public/{trick}../{name}/x"),
                format!("/public/../{name}{trick}"),
                format!("/public{trick}/../{name}"),
            ] {
                spellings.insert(path);
            }
        }
    }
    spellings
}

/// The path as sent: all bytes that a path cannot hold are escaped.
fn sent(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'%').remove(b';').remove(b'\\');
    utf8_percent_encode(path, KEPT).to_string()
}

/// Returns how many spellings were sent, and how many passed.
fn assert_nobody_is_fooled(
    rig: &mut Rig,
    word: &str,
    suspects: &[char],
    is_wrong: impl Fn(&[String], Fold) -> bool,
) {
    let (mut count, mut went_on) = (0, 0);
    let step = if word == "admin" { 1 } else { 2 };
    for (number, spelling) in
        spellings(word, suspects.iter().copied().step_by(step)).iter().enumerate()
    {
        let once = sent(spelling);
        let twice = (number % 8 == 0).then(|| once.replace('%', "%25"));
        for path in std::iter::once(once).chain(twice) {
            count += 1;
            if matches!(rig.send(&get(&path), &[]), Outcome::Replied(_)) {
                continue;
            }
            went_on += 1;
            for fold in FOLDS {
                for place in places(&path, fold) {
                    assert!(!is_wrong(&place, fold), "{path} ({spelling:?}) is {place:?}");
                }
            }
        }
    }
    assert!(count >= 12_000, "{count} spellings");
    crate::say!("{word}: {count} spellings, {went_on} went on, 0 fooled a reader");
}

#[test]
fn no_reader_is_fooled_about_a_path_that_is_denied() {
    let suspects = suspects();
    for word in ["admin", "tasks", "b\u{fc}ro", "\u{430}\u{434}\u{43c}\u{438}\u{43d}"] {
        let pattern = format!("/{}/*", utf8_percent_encode(word, NON_ALPHANUMERIC));
        let mut rig = rig(&json!({
            "default_policy": "bypass",
            "rules": [{"paths": [pattern], "policy": "deny"}],
        }));
        assert_nobody_is_fooled(&mut rig, word, &suspects, |place, fold| {
            let first = place.first().map(|name| fold(name));
            first.is_some_and(|first| !first.is_empty() && first == fold(word))
        });
    }
}

#[test]
fn no_reader_is_fooled_about_a_path_that_passes() {
    let mut rig = rig(&json!({"rules": [{"paths": ["/public/*"], "policy": "bypass"}]}));
    assert_nobody_is_fooled(&mut rig, "admin", &suspects(), |place, fold| {
        place.first().is_none_or(|first| fold(first) != "public")
    });
}

#[test]
fn ordinary_paths_match_every_rule() {
    let rules = json!({"default_policy": "bypass", "rules": [
        {"paths": ["/admin/*", "/v1/projects", "/api/*"], "policy": "deny"},
        {"paths": ["/public/*"], "policy": "bypass"},
        {"paths": [format!("{}/*", sent("/\u{fc}ber"))], "policy": "two_factor"},
        {"paths": [format!("{}/*", sent("/\u{43e}\u{442}\u{447}\u{451}\u{442}"))], "policy": "two_factor"},
        {"paths": [format!("{}/*", sent("/\u{7ba1}\u{7406}"))], "policy": "two_factor"},
    ]});
    let mut rig = rig(&rules);
    for path in [
        "/files/B\u{fc}ro.pdf",
        "/files/John\u{2019}s \u{2013} report (1).pdf",
        "/files/50\u{ff05}.pdf",
        "/public/\u{fc}bersicht \u{ab}neu\u{bb}.html",
        "/\u{dc}bersicht",
        "/caf\u{e9}/men\u{fc}",
        "/\u{43f}\u{440}\u{43e}\u{444}\u{438}\u{43b}\u{44c}/1",
        "/\u{516c}\u{958b}/x",
        "/\u{65e5}\u{672c}\u{8a9e}\u{ff08}\u{6700}\u{7d42}\u{ff09}.pdf",
        "/\u{e44}\u{e17}\u{e22}/x",
        "/\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
        "/\u{1f600}/x",
        "/v1/things:batchGet",
        "/~user/x",
        "/a.b/c..d/.well-known",
        "/x/what%3F",
    ] {
        let path = if path.contains('%') { path.to_owned() } else { sent(path) };
        let outcome = rig.send(&get(&path), &[]);
        assert!(matches!(outcome, Outcome::Forwarded(_)), "{path}");
    }
}
