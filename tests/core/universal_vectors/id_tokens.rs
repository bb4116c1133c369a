//! id_tokens: the verdict, and the first failed check.

use super::{IdToken, Vectors};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::universal::{Approved, Expected, Nonce, TokenFault, WebSdk};
use std::time::Duration;

/// The characters of base64url, and other characters of similar encodings.
const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";

impl IdToken {
    fn nonce(&self) -> Nonce {
        self.expect.nonce.parse().unwrap()
    }

    fn verify(&self, text: &str, web_sdk: &WebSdk, now: u64) -> Result<Approved, TokenFault> {
        let expected = Expected {
            username: &self.expect.username,
            nonce: &self.nonce(),
            max_age: self.expect.max_age.map(Duration::from_secs),
        };
        web_sdk.verify(text, &expected, UnixTime::from_seconds(now))
    }
}

#[test]
fn every_id_token_is_judged_by_the_check_that_the_vectors_name() {
    let vectors = Vectors::read();
    let web_sdk = vectors.web_sdk("main");
    let (mut accepted, mut refused) = (0, 0);
    for vector in &vectors.id_tokens {
        let verdict = vector.verify(&vector.jwt, &web_sdk, vectors.now);
        let refused_by = verdict.err().map(TokenFault::name);
        assert_eq!(refused_by, vector.refused_by.as_deref(), "{}", vector.id);
        assert_eq!(verdict.is_ok(), vector.verdict == "accept", "{}", vector.id);
        if verdict.is_ok() { accepted += 1 } else { refused += 1 }
    }
    vectors.counted("id_tokens", accepted + refused, 139);
    crate::say!("universal vectors: id_tokens: {accepted} accepted, {refused} refused");
    assert_eq!((accepted, refused), (30, 109));
}

/// The other application has another secret and client ID. Each of the two must refuse the token.
#[test]
fn no_id_token_is_accepted_for_the_other_application() {
    let vectors = Vectors::read();
    let other = vectors.web_sdk("other");
    for vector in &vectors.id_tokens {
        assert!(vector.verify(&vector.jwt, &other, vectors.now).is_err(), "{}", vector.id);
    }
}

#[test]
fn accepted_id_tokens_are_refused_once_a_letter_is_changed() {
    let vectors = Vectors::read();
    let web_sdk = vectors.web_sdk("main");
    let mut changed = 0;
    for (n, vector) in
        vectors.id_tokens.iter().filter(|token| token.verdict == "accept").enumerate()
    {
        let text = &vector.jwt;
        assert!(vector.verify(text, &web_sdk, vectors.now).is_ok(), "{}", vector.id);
        // Replaces each character of the first token, and every seventh of the others, by one other character. The
        // last character is replaced by each other one, since it has unused bits.
        let step = if n == 0 { 1 } else { 7 };
        let last = text.bytes().enumerate().skip(text.len() - 1);
        for (at, byte) in text.bytes().enumerate().skip(n % step).step_by(step).chain(last) {
            let all = CHARACTERS.iter().copied().filter(|other| *other != byte);
            let one = CHARACTERS[(at + n) % 64];
            let others: Vec<u8> = if at + 1 == text.len() {
                all.collect()
            } else {
                vec![one; usize::from(one != byte)]
            };
            for other in others {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = other;
                let text = String::from_utf8(bytes).unwrap();
                let verdict = vector.verify(&text, &web_sdk, vectors.now);
                assert!(verdict.is_err(), "{}: {at} {other}", vector.id);
                changed += 1;
            }
        }
        for end in ["", "=", "A", ".", "\n"] {
            let cut = &text[..text.len() - usize::from(end.is_empty())];
            let verdict = vector.verify(&format!("{cut}{end}"), &web_sdk, vectors.now);
            assert!(verdict.is_err(), "{}: {end:?}", vector.id);
            changed += 1;
        }
    }
    crate::say!("universal vectors: id_tokens: {changed} changed ones, all refused");
    assert!(changed > 5_000, "{changed}");
}

#[test]
fn an_accepted_id_token_is_refused_for_other_expectations() {
    let vectors = Vectors::read();
    let web_sdk = vectors.web_sdk("main");
    for vector in vectors.id_tokens.iter().filter(|token| token.verdict == "accept") {
        let nonce = vector.nonce();
        let other = vector.expect.nonce.replace('b', "c").parse().unwrap();
        let now = UnixTime::from_seconds(vectors.now);
        let refused_by = |username: &str, nonce, now| {
            let expected = Expected { username, nonce, max_age: None };
            web_sdk.verify(&vector.jwt, &expected, now).err()
        };
        let username = vector.expect.username.as_str();
        assert_eq!(refused_by("bob", &nonce, now), Some(TokenFault::User), "{}", vector.id);
        assert_eq!(refused_by(username, &other, now), Some(TokenFault::Nonce), "{}", vector.id);
        let late = now.plus(Duration::from_secs(361));
        assert_eq!(refused_by(username, &nonce, late), Some(TokenFault::Expired), "{}", vector.id);
        let early = now.minus(Duration::from_secs(3_661));
        let is_ahead = refused_by(username, &nonce, early);
        assert_eq!(is_ahead, Some(TokenFault::IssuedAhead), "{}", vector.id);
    }
}
