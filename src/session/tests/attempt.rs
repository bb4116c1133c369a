//! Tests of sign-ins at Duo's page: the browsers, users, applications and hosts that may use a
//! `state`.

use super::*;
use crate::http::ReturnPath;
use crate::reference::Reference;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

const RANDOM: [u8; 16] = *b"sixteen random b";
const URI: &str = "https://app.example.com/.duo-mfa/callback";
const MINUTE: i64 = 60;

fn under(seeds: &[u16]) -> Attempts {
    Attempts::new(CookieOwner::Main("default"), &ring(seeds))
}

fn path(length: usize) -> ReturnPath {
    let path =
        ReturnPath::parse(format!("/{}", "p".repeat(length.checked_sub(1).unwrap())).as_bytes());
    assert_eq!(path.as_str().len(), length);
    path
}

fn new(
    browser: Option<Browser>,
    return_path: ReturnPath,
    max_age: Option<Duration>,
) -> NewAttempt<'static> {
    let reference = Reference::new([1, 2, 3, 4, 5], at(0));
    NewAttempt { browser, redirect_uri: URI, return_path, max_age, reference }
}

/// A sign-in of alice's that began at noon.
fn begin(attempts: &Attempts, browser: Option<Browser>, random: u8, to: ReturnPath) -> Begun {
    let random = [random; 16];
    attempts.begin(new(browser, to, None), &ALICE, at(0), random)
}

fn value(begun: &Begun) -> Vec<u8> {
    let line = std::str::from_utf8(begun.cookie.as_bytes()).unwrap();
    let value = line.strip_prefix("__Host-duo_universal=").unwrap();
    let (value, attributes) = value.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=900");
    value.as_bytes().to_vec()
}

fn browser(attempts: &Attempts, begun: &Begun) -> Browser {
    attempts.browser(&value(begun), &ALICE, at(0)).unwrap()
}

fn open(attempts: &Attempts, begun: &Begun, seconds: i64) -> Result<(Attempt, String), Refusal> {
    let browser = attempts.browser(&value(begun), &ALICE, at(seconds))?;
    let opened = attempts.open(begun.state.expose(), (&browser, URI), &ALICE, at(seconds));
    opened.map(|(attempt, nonce)| (attempt, nonce.expose().clone()))
}

#[test]
fn attempt_without_a_max_age_comes_back_without_one() {
    let attempts = under(&[1]);
    let begun = begin(&attempts, None, 1, path(1));
    let (attempt, _) = open(&attempts, &begun, 10).unwrap();
    assert_eq!(attempt.max_age(), None);
}

#[test]
fn attempt_keeps_the_method_of_its_path() {
    let attempts = under(&[1]);
    for length in [9, 2048] {
        let begun = begin(&attempts, None, 1, path(length).for_method(b"POST"));
        let (attempt, _) = open(&attempts, &begun, 10).unwrap();
        assert_eq!(attempt.return_path(), &path(length).for_method(b"POST"));
    }
}

#[test]
fn attempt_comes_back_with_its_nonce() {
    let attempts = under(&[1]);
    let age = Some(Duration::from_secs(300));
    let to = ReturnPath::parse(b"/reports?q=1#end");
    let begun = attempts.begin(new(None, to, age), &ALICE, at(0), RANDOM);
    let (attempt, nonce) = open(&attempts, &begun, 10).unwrap();
    assert_eq!(&nonce, begun.nonce.expose());
    assert_eq!((nonce.len(), attempt.created(), attempt.max_age()), (43, at(0), age));
    assert_eq!(attempt.return_path().as_str(), "/reports?q=1#end");
    assert_eq!(attempts.cookie_name(), "__Host-duo_universal");
}

#[test]
fn no_two_attempts_are_alike_and_tabs_share_the_browser() {
    let attempts = under(&[1]);
    let first = begin(&attempts, None, 1, path(9));
    let kept = browser(&attempts, &first);
    let second = begin(&attempts, Some(kept.clone()), 2, path(9));
    assert_eq!(browser(&attempts, &second).id, kept.id);
    let (one, other) = (open(&attempts, &first, 0).unwrap(), open(&attempts, &second, 0).unwrap());
    assert_ne!(one.0.id(), other.0.id());
    assert_ne!(one.1, other.1);
    for (state, cookie) in [(&first, &second), (&second, &first)] {
        let browser = browser(&attempts, cookie);
        assert!(attempts.open(state.state.expose(), (&browser, URI), &ALICE, at(0)).is_ok());
    }
    let apart = begin(&attempts, None, 3, path(9));
    assert_ne!(browser(&attempts, &apart).id, kept.id);
}

/// Two texts under one key and nonce would tell an attacker how to forge a third.
#[test]
fn state_for_another_host_has_another_nonce() {
    let attempts = under(&[1]);
    let kept = browser(&attempts, &begin(&attempts, None, 1, path(9)));
    let nonce = |redirect_uri| {
        let new = NewAttempt { redirect_uri, ..new(Some(kept.clone()), path(9), None) };
        let begun = attempts.begin(new, &ALICE, at(0), RANDOM);
        URL_SAFE_NO_PAD.decode(begun.state.expose()).unwrap()[2..14].to_vec()
    };
    assert_eq!(nonce(URI), nonce(URI));
    assert_ne!(nonce(URI), nonce("https://b.example.com/.duo-mfa/callback"));
}

#[test]
fn state_is_valid_for_its_browser_user_application_and_host() {
    let attempts = under(&[1]);
    let begun = begin(&attempts, None, 1, path(9));
    let own = browser(&attempts, &begun);
    let state = begun.state.expose();
    let other = browser(&attempts, &begin(&attempts, None, 2, path(9)));
    let refused = |browser: &Browser, uri, user: &Subject<'_>| {
        attempts.open(state, (browser, uri), user, at(0)).unwrap_err()
    };
    let bound = Subject { bound: b"a certificate", ..ALICE };
    assert_eq!(refused(&other, URI, &ALICE), Refusal::Forged);
    assert_eq!(refused(&own, URI, &BOB), Refusal::Forged);
    assert_eq!(refused(&own, URI, &bound), Refusal::Forged);
    assert_eq!(refused(&own, "https://b.example.com/.duo-mfa/callback", &ALICE), Refusal::Forged);
    assert_eq!(refused(&own, &format!("{URI}/payments"), &ALICE), Refusal::Forged);
    for owner in [CookieOwner::Main("payments"), CookieOwner::Beside("payments")] {
        let payments = Attempts::new(owner, &ring(&[1]));
        let opened = payments.open(state, (&own, URI), &ALICE, at(0));
        assert_eq!(opened.unwrap_err(), Refusal::Forged);
        assert_eq!(payments.browser(&value(&begun), &ALICE, at(0)).unwrap_err(), Refusal::Forged);
    }
    for user in [BOB, bound] {
        assert_eq!(attempts.browser(&value(&begun), &user, at(0)).unwrap_err(), Refusal::Forged);
    }
    let beside = Attempts::new(CookieOwner::Beside("payments"), &ring(&[1]));
    assert_eq!(beside.cookie_name(), "__Host-duo_universal-payments");
}

#[test]
fn attempt_lasts_fifteen_minutes() {
    let attempts = under(&[1]);
    let begun = begin(&attempts, None, 1, path(9));
    assert!(open(&attempts, &begun, 15 * MINUTE).is_ok());
    assert_eq!(open(&attempts, &begun, 15 * MINUTE + 1).unwrap_err(), Refusal::Expired);
    assert!(open(&attempts, &begun, -MINUTE).is_ok(), "clocks differ");
    assert_eq!(open(&attempts, &begun, -2 * MINUTE).unwrap_err(), Refusal::Future);
    // A later sign-in in the same browser does not renew an earlier one.
    let kept = browser(&attempts, &begun);
    let again = new(Some(kept), path(9), None);
    let later = attempts.begin(again, &ALICE, at(14 * MINUTE), [2; 16]);
    let now = at(16 * MINUTE);
    let kept = attempts.browser(&value(&later), &ALICE, now).unwrap();
    let old = attempts.open(begun.state.expose(), (&kept, URI), &ALICE, now);
    assert_eq!(old.unwrap_err(), Refusal::Expired);
    assert!(attempts.open(later.state.expose(), (&kept, URI), &ALICE, now).is_ok());
}

#[test]
fn keys_may_change_between_start_and_return() {
    let begun = begin(&under(&[1]), None, 1, path(9));
    let (_, nonce) = open(&under(&[1]), &begun, 0).unwrap();
    for seeds in [&[1, 2][..], &[2, 1], &[3, 2, 1]] {
        assert_eq!(open(&under(seeds), &begun, 0).unwrap().1, nonce, "{seeds:?}");
    }
    assert_eq!(open(&under(&[2]), &begun, 0).unwrap_err(), Refusal::UnknownKey);
    // The browser's cookie was sealed under the old key, the attempt under the new one.
    let rotated = under(&[2, 1]);
    let second = begin(&rotated, Some(browser(&rotated, &begun)), 2, path(9));
    assert_eq!(&open(&rotated, &second, 0).unwrap().1, second.nonce.expose());
}

#[test]
fn long_return_path_of_the_newest_attempt_is_kept() {
    let attempts = under(&[1]);
    let to = |begun: &Begun, browser: &Browser| {
        let opened = attempts.open(begun.state.expose(), (browser, URI), &ALICE, at(0));
        let (opened, _) = opened.unwrap();
        assert_eq!(opened.reference(), Reference::new([1, 2, 3, 4, 5], at(0)));
        opened.return_path().clone()
    };
    let short = begin(&attempts, None, 1, path(640));
    assert_eq!(short.state.expose().len(), 947);
    assert!(value(&short).len() < 100);
    let kept = browser(&attempts, &short);
    assert_eq!(to(&short, &kept), path(640));
    let long = begin(&attempts, Some(kept), 2, path(2_048));
    let kept = browser(&attempts, &long);
    assert!(value(&long).len() < 4_000);
    assert_eq!(to(&long, &kept), path(2_048));
    assert_eq!(to(&short, &kept), path(640));
    let longer = begin(&attempts, Some(kept), 3, path(641));
    let kept = browser(&attempts, &longer);
    assert_eq!((to(&longer, &kept), to(&long, &kept)), (path(641), ReturnPath::default()));
    let last = begin(&attempts, Some(kept), 4, path(9));
    assert_eq!(to(&longer, &browser(&attempts, &last)), path(641));
}

#[test]
fn state_and_cookie_hide_what_is_in_them_and_cannot_be_swapped() {
    let attempts = under(&[1]);
    let begun = begin(&attempts, None, 1, ReturnPath::parse(b"/secret-report"));
    for sealed in [begun.state.expose().as_bytes(), &value(&begun)] {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
    }
    let cookie = String::from_utf8(value(&begun)).unwrap();
    let own = browser(&attempts, &begun);
    assert!(attempts.browser(begun.state.expose().as_bytes(), &ALICE, at(0)).is_err());
    assert!(attempts.open(&cookie, (&own, URI), &ALICE, at(0)).is_err());
    assert!(!format!("{begun:?}").contains(begun.state.expose().as_str()));
}

#[test]
fn no_changed_bit_is_accepted() {
    let attempts = under(&[1]);
    let begun = begin(&attempts, None, 1, path(9));
    let own = browser(&attempts, &begun);
    for (place, forged, expected) in flipped(begun.state.expose()) {
        let opened = attempts.open(&forged, (&own, URI), &ALICE, at(0));
        assert_eq!(opened.unwrap_err(), expected, "{place:?}");
    }
    let cookie = String::from_utf8(value(&begun)).unwrap();
    for (place, forged, expected) in flipped(&cookie) {
        let opened = attempts.browser(forged.as_bytes(), &ALICE, at(0));
        assert_eq!(opened.unwrap_err(), expected, "{place:?}");
    }
}

#[test]
fn other_tokens_of_the_filter_are_not_attempts() {
    let attempts = under(&[1]);
    let own = browser(&attempts, &begin(&attempts, None, 1, path(9)));
    let sessions = Sessions::new(settings(), &ring(&[1]));
    let approval = cookie(&sessions, at(0));
    let pendings = Pendings::new(CookieOwner::Main("default"), &ring(&[1]));
    let pending = Pending::new(PendingKind::Push, at(0), ID, ReturnPath::default());
    let pending = pendings.seal(&pending, &ALICE);
    for token in [approval.as_str(), pending.as_str()] {
        assert!(attempts.open(token, (&own, URI), &ALICE, at(0)).is_err());
        assert!(attempts.browser(token.as_bytes(), &ALICE, at(0)).is_err());
    }
    for text in ["", "AAAA", "=", &"A".repeat(1_024), &"A".repeat(1_025), &"A".repeat(100_000)] {
        assert!(attempts.open(text, (&own, URI), &ALICE, at(0)).is_err());
        assert!(attempts.browser(text.as_bytes(), &ALICE, at(0)).is_err());
    }
}

#[test]
fn deletion_takes_the_browser_away() {
    let line = under(&[1]).deletion();
    let expected = "__Host-duo_universal=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(line.as_bytes(), expected.as_bytes());
}

proptest! {
    #[test]
    fn arbitrary_bytes_open_nothing(
        state in "[A-Za-z0-9_-]{0,80}",
        value in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let attempts = under(&[1]);
        let own = browser(&attempts, &begin(&attempts, None, 1, path(9)));
        prop_assert!(attempts.open(&state, (&own, URI), &ALICE, at(0)).is_err());
        prop_assert!(attempts.browser(&value, &ALICE, at(0)).is_err());
    }
}
