use super::*;
use crate::secret::Secret;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_700);
const CLAIMS: Claims<'_> = Claims {
    approver: None,
    user: "al\"ice",
    authenticated: UnixTime::from_seconds(1_799_999_000),
    ends: None,
    factor: "push",
    methods: &["mfa", "pop"],
    rule: Some((3, Some("admin"))),
    approval: &[5; 16],
    request: None,
};

fn key(number: u8) -> AssertionKey {
    AssertionKey::new(&Secret::new([number; 32]))
}

fn settings() -> AssertionSettings {
    AssertionSettings {
        issuer: "https://app.example".to_owned(),
        audience: "wiki".to_owned(),
        header: "x-duo-mfa-assertion".into(),
        lifetime: Duration::from_secs(60),
    }
}

fn assertions(settings: AssertionSettings) -> Assertions {
    Assertions::new(settings, key(1), &[key(2)], [Some("first"), None].into_iter())
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn token(assertion: &Assertion) -> &str {
    str::from_utf8(assertion.token.as_bytes()).unwrap()
}

fn payload(claims: &Claims<'_>) -> Value {
    part(token(&assertions(settings()).sign(claims, NOW)), 1)
}

#[test]
fn a_token_is_verified_by_the_published_key() {
    let assertions = assertions(settings());
    let signed = assertions.sign(&CLAIMS, NOW);
    let token = token(&signed);
    let head = part(token, 0);
    assert_eq!(head, json!({"alg": "EdDSA", "typ": "JWT", "kid": key(1).id()}));
    let keys: Value = serde_json::from_str(assertions.key_set()).unwrap();
    let published: Vec<_> = keys["keys"].as_array().unwrap().iter().collect();
    assert_eq!(published.len(), 2);
    assert_eq!((&published[0]["kid"], &published[1]["kid"]), (&head["kid"], &json!(key(2).id())));
    let verify = |key: &Value, token: &str| {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let x = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, x);
        key.verify(message.as_bytes(), &signature).is_ok()
    };
    assert!(verify(published[0], token));
    assert!(!verify(published[1], token));
    let altered = token.replacen(".eyJ", ".eyK", 1);
    assert!(altered != token && !verify(published[0], &altered));
}

#[test]
fn claims_state_the_approval() {
    let expected = json!({
        "iss": "https://app.example", "aud": "wiki", "sub": "al\"ice",
        "iat": 1_800_000_000, "exp": 1_800_000_060, "auth_time": 1_799_999_000,
        "amr": ["mfa", "pop"], "acr": "urn:duo-mfa:acr:two-factor", "factor": "push",
        "rule": 3, "rule_name": "admin", "sid": "1kJ03p2o5CB9l-HK-uExjw",
    });
    let written = payload(&CLAIMS);
    assert_eq!(written, expected);
    let other = payload(&Claims { approval: &[6; 16], ..CLAIMS });
    assert_ne!(other["sid"], written["sid"], "another approval");
    assert!(!written.to_string().contains(&URL_SAFE_NO_PAD.encode([5; 16])), "not the id itself");

    let unnamed = payload(&Claims { rule: Some((0, None)), ..CLAIMS });
    assert_eq!((&unnamed["rule"], unnamed.get("rule_name")), (&json!(0), None));
    assert_eq!(payload(&Claims { rule: None, ..CLAIMS }).get("rule"), None);
    let early = Claims { authenticated: NOW.plus(Duration::from_secs(9)), ..CLAIMS };
    assert_eq!(payload(&early)["auth_time"], 1_800_000_000, "not in the future");
}

#[test]
fn without_a_second_factor_no_method_is_named() {
    let none = payload(&Claims { methods: &[], factor: "bypass", ..CLAIMS });
    assert_eq!(
        (&none["amr"], &none["acr"], &none["factor"]),
        (&json!([]), &json!("urn:duo-mfa:acr:one-factor"), &json!("bypass"))
    );
}

#[test]
fn an_assertion_for_one_request_names_the_request() {
    let request = RequestClaims {
        method: ascii(b"PUT"),
        host: ascii(b"app.example:8443"),
        path: ascii(b"/a \"b\xe4?c=\x01"),
        body: Some(Sha256::digest(b"").into()),
    };
    let bound = payload(&Claims { request: Some(&request), ..CLAIMS });
    assert_eq!(bound["method"], "PUT");
    assert_eq!(bound["host"], "app.example:8443");
    assert_eq!(bound["path"], "/a \"b%E4?c=%01");
    assert_eq!(
        bound["body_sha256"],
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let unread = RequestClaims { body: None, ..request };
    let unread = payload(&Claims { request: Some(&unread), ..CLAIMS });
    assert_eq!((unread.get("body_sha256"), &unread["method"]), (None, &json!("PUT")));
    for member in ["method", "host", "path", "body_sha256"] {
        assert_eq!(payload(&CLAIMS).get(member), None, "{member}");
    }
}

#[test]
fn an_assertion_ends_with_its_approval() {
    let assertions = assertions(settings());
    let seconds = |seconds| NOW.plus(Duration::from_secs(seconds));
    let ends = |ends| {
        let signed = assertions.sign(&Claims { ends, ..CLAIMS }, NOW);
        (part(token(&signed), 1)["exp"].as_u64().unwrap() - NOW.seconds(), signed.reusable_until)
    };
    assert_eq!(ends(None), (60, seconds(30)));
    assert_eq!(ends(Some(seconds(61))), (60, seconds(30)));
    assert_eq!(ends(Some(seconds(59))), (59, seconds(59)), "no new one would live longer");
    assert_eq!(ends(Some(seconds(2))), (2, seconds(2)));
}

#[test]
fn the_tag_covers_all_that_is_signed() {
    let tag = |settings| *assertions(settings).settings_tag();
    let usual = tag(settings());
    let others = [
        AssertionSettings { issuer: "https://b.example".to_owned(), ..settings() },
        AssertionSettings { audience: "wik".to_owned(), ..settings() },
        AssertionSettings { lifetime: Duration::from_secs(61), ..settings() },
        AssertionSettings {
            issuer: "https://app.examplewiki".to_owned(),
            audience: String::new(),
            ..settings()
        },
    ];
    for other in others {
        assert_ne!(tag(other.clone()), usual, "{other:?}");
    }
    let with = |first, second, rules: [Option<&'static str>; 2]| {
        *Assertions::new(settings(), first, &[second], rules.into_iter()).settings_tag()
    };
    let names = [Some("first"), None];
    assert_eq!(with(key(1), key(3), names), usual, "another key beside the first");
    assert_ne!(with(key(2), key(1), names), usual, "another key signs");
    assert_ne!(with(key(1), key(2), [None, Some("first")]), usual, "another rule has the name");
}

#[test]
fn no_private_key_is_in_any_text() {
    let assertions = assertions(settings());
    let text = format!("{assertions:?} {assertions:#?} {}", assertions.key_set());
    for key in [[1_u8; 32], [2; 32]] {
        let bytes = format!("{key:?}");
        for secret in [bytes.trim_matches(['[', ']']), &URL_SAFE_NO_PAD.encode(key), "0101010101"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
