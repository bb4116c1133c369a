use super::*;
use std::collections::BTreeSet;

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|part| part.split_once('}').unwrap().0).collect()
}

#[test]
fn every_language_has_the_same_places_in_every_text() {
    for language in Language::ALL {
        for ((name, english), (_, text)) in
            Language::En.texts().all().into_iter().zip(language.texts().all())
        {
            assert_eq!(places(text), places(english), "{name} in {}: {text}", language.tag());
        }
    }
}

#[test]
fn no_text_is_empty_or_holds_markup() {
    for language in Language::ALL {
        for (name, text) in language.texts().all() {
            assert!(!text.trim().is_empty(), "{name} in {}", language.tag());
            assert!(!text.contains(['<', '>', '&', '"', '\'']), "{name}: {text}");
        }
    }
}

#[test]
fn no_heading_uses_technical_terms() {
    for language in Language::ALL {
        for heading in language.texts().headings() {
            for word in ["MFA", "2FA", "token", "Token", "jeton", "トークン"] {
                assert!(!heading.contains(word), "{heading}");
            }
            assert!(!heading.ends_with('.'), "{heading}");
        }
    }
}

#[test]
fn a_wait_is_in_seconds_and_then_in_minutes() {
    let cases = [
        (Some(Duration::from_millis(400)), "1 second"),
        (Some(Duration::from_secs(40)), "40 seconds"),
        (Some(Duration::from_secs(119)), "119 seconds"),
        (Some(Duration::from_secs(120)), "2 minutes"),
        (Some(Duration::from_secs(1_741)), "30 minutes"),
        (None, "a moment"),
    ];
    for (wait, words) in cases {
        assert_eq!(Language::En.wait(wait), words);
    }
}

#[test]
fn a_limit_names_the_time_of_the_next_try() {
    let wait = Some(Duration::from_secs(40));
    let cases = [
        (Language::En, "You can try again in 40 seconds."),
        (Language::De, "Sie können es in 40 Sekunden erneut versuchen."),
        (Language::Fr, "Vous pourrez réessayer dans 40 secondes."),
        (Language::Es, "Puede volver a intentarlo en 40 segundos."),
        (Language::Ja, "40秒後にもう一度お試しください。"),
    ];
    for (language, detail) in cases {
        assert_eq!(language.detail(Code::TooManyRequests, wait, false), detail);
    }
}
