use super::*;
use crate::duo::sign::hmac_sha512;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "UniversalTestSecretUniversalTestSecret40";
const NONCE: &str = "bm9uY2Utb2YtdGhpcy1hdHRlbXB0LTAwMDAwMDAwMDE";
const HEADER: &[u8] = br#"{"alg":"HS512"}"#;
const NOW: u64 = 1_800_000_000;

fn web_sdk() -> WebSdk {
    let host = "api-sim.duo.test".parse().unwrap();
    WebSdk::new(host, "DIUNIVERSALTEST00001", Secret::new(SECRET.to_owned())).unwrap()
}

/// A token with a right signature, whatever is in it.
fn token(header: &[u8], payload: &[u8]) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mac = hmac_sha512(SECRET.as_bytes(), format!("{header}.{payload}").as_bytes());
    format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn claims() -> Value {
    json!({
        "iss": "https://api-sim.duo.test/oauth/v1/token",
        "aud": "DIUNIVERSALTEST00001",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": NONCE,
        "preferred_username": "alice",
        "auth_result": {"result": "allow", "status": "allow"},
        "auth_context": {"factor": "duo_push"},
        "auth_time": NOW,
    })
}

/// The claims with some of them replaced.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    claims
}

fn nonce() -> Nonce {
    NONCE.parse().unwrap()
}

fn verify_at(id_token: &str, max_age: Option<u64>, now: UnixTime) -> Result<Approved, TokenFault> {
    let nonce = nonce();
    let max_age = max_age.map(Duration::from_secs);
    web_sdk().verify(id_token, &Expected { username: "alice", nonce: &nonce, max_age }, now)
}

fn verify(id_token: &str) -> Result<Approved, TokenFault> {
    verify_at(id_token, Some(0), UnixTime::from_seconds(NOW))
}

fn verify_claims(claims: &Value) -> Result<Approved, TokenFault> {
    verify(&token(HEADER, claims.to_string().as_bytes()))
}

fn fault_of(payload: &str) -> TokenFault {
    verify(&token(HEADER, payload.as_bytes())).unwrap_err()
}

#[test]
fn the_first_failing_check_is_reported() {
    let mut wrong = json!({
        "iss": 1, "aud": 1, "exp": NOW - 60, "iat": NOW + 61, "nbf": NOW + 61, "nonce": "x",
        "preferred_username": "bob", "auth_result": {}, "auth_time": NOW + 61,
    });
    let all: Vec<(&str, TokenFault)> = vec![
        ("iss", TokenFault::Issuer),
        ("aud", TokenFault::Audience),
        ("exp", TokenFault::Expired),
        ("iat", TokenFault::IssuedAhead),
        ("nbf", TokenFault::NotYetValid),
        ("nonce", TokenFault::Nonce),
        ("preferred_username", TokenFault::User),
        ("auth_result", TokenFault::Result),
        ("auth_time", TokenFault::AuthTime),
    ];
    let mut right = claims();
    right["nbf"] = NOW.into();
    for (claim, fault) in all {
        assert_eq!(verify_claims(&wrong), Err(fault), "{claim}");
        wrong[claim] = right[claim].clone();
    }
    let approved = verify_claims(&wrong).unwrap();
    assert_eq!(approved.factor, ConfirmedBy::Other);
    assert_eq!(approved.auth_time, Some(UnixTime::from_seconds(NOW)));

    let payload = wrong.to_string();
    let broken = br#"{"alg":"HS256","alg":"HS256"}"#;
    assert_eq!(verify(&token(broken, b"")), Err(TokenFault::Twice));
    assert_eq!(verify(&token(br#"{"alg":"HS256"}"#, b"")), Err(TokenFault::Header));
    assert_eq!(verify(&token(HEADER, b"")), Err(TokenFault::Json));
    assert_eq!(verify(&token(b"\xef\xbb\xbf{}", payload.as_bytes())), Err(TokenFault::Bom));
    assert_eq!(verify(&token(HEADER, b"[{\"a\":1,\"a\":1}]")), Err(TokenFault::Object));
}

#[test]
fn the_signature_is_checked_before_anything_is_read() {
    let signature = URL_SAFE_NO_PAD.encode([0; 64]);
    for unread in ["", "=", " ", "é", "e30", "bnVsbA"] {
        let text = format!("{unread}.{unread}.{signature}");
        assert_eq!(verify(&text), Err(TokenFault::Mac), "{text}");
    }
    // A correct signature over text that is not base64url: only Duo could have made it.
    for unread in ["=", "e30=", "e3 0", "e"] {
        let mac = hmac_sha512(SECRET.as_bytes(), format!("{unread}.e30").as_bytes());
        let text = format!("{unread}.e30.{}", URL_SAFE_NO_PAD.encode(mac));
        assert_eq!(verify(&text), Err(TokenFault::Base64), "{text}");
    }
    let mac = hmac_sha512(SECRET.as_bytes(), b"e31.e30");
    let text = format!("e31.e30.{}", URL_SAFE_NO_PAD.encode(mac));
    assert_eq!(verify(&text), Err(TokenFault::Base64Spelling));
}

#[test]
fn times_are_compared_to_the_millisecond() {
    let at = |claims: &Value, max_age, millis| {
        let text = token(HEADER, claims.to_string().as_bytes());
        verify_at(&text, max_age, UnixTime::from_millis(NOW * 1_000 + millis)).err()
    };
    for (changes, max_age, millis, expected) in [
        (json!({"exp": NOW - 59}), None, 999, None),
        (json!({"exp": NOW - 59}), None, 1_000, Some(TokenFault::Expired)),
        (json!({"exp": 1_799_999_940.001}), None, 0, None),
        (json!({"exp": 1_799_999_940.5}), None, 500, Some(TokenFault::Expired)),
        (json!({"exp": -1}), None, 0, Some(TokenFault::Expired)),
        (json!({"exp": 1e300}), None, 0, None),
        (json!({"exp": u64::MAX}), None, 0, None),
        (json!({"iat": 1_800_000_060.5}), None, 499, Some(TokenFault::IssuedAhead)),
        (json!({"iat": 1_800_000_060.5}), None, 500, None),
        (json!({"iat": -1e300}), None, 0, None),
        (json!({"iat": 1e300}), None, 0, Some(TokenFault::IssuedAhead)),
        (json!({"nbf": 1_800_000_060.5}), None, 499, Some(TokenFault::NotYetValid)),
        (json!({"nbf": null}), None, 0, Some(TokenFault::Number)),
        (json!({"auth_time": NOW - 60}), Some(0), 0, None),
        (json!({"auth_time": NOW - 60}), Some(0), 1, Some(TokenFault::AuthTime)),
        (json!({"auth_time": 0}), Some(u64::MAX), 0, None),
        (json!({"auth_time": null}), Some(u64::MAX), 0, Some(TokenFault::Number)),
        (json!({"auth_time": "now"}), None, 0, None),
    ] {
        assert_eq!(
            at(&with(&changes), max_age, millis),
            expected,
            "{changes} {max_age:?} {millis}"
        );
    }
}

#[test]
fn a_number_too_large_for_a_float_is_refused() {
    let payload = claims().to_string();
    for number in ["1e400", "-1e400"] {
        let exp = payload.replace(&(NOW + 300).to_string(), number);
        assert_eq!(fault_of(&exp), TokenFault::Number, "{exp}");
        let unknown = payload.replace("{\"aud\"", &format!("{{\"x\":{number},\"aud\""));
        assert_eq!(fault_of(&unknown), TokenFault::Number, "{unknown}");
    }
    assert_eq!(fault_of(&payload.replace(&(NOW + 300).to_string(), "NaN")), TokenFault::Json);
}

#[test]
fn a_member_twice_on_any_level_is_refused() {
    let payload = claims().to_string();
    for (from, to) in [
        ("\"auth_time\"", "\"x\":[{\"y\":{\"z\":1,\"z\":1}}],\"auth_time\""),
        ("\"duo_push\"", "\"duo_push\",\"f\\u0061ctor\":\"duo_push\""),
        ("\"auth_time\"", "\"auth_time\":1,\"auth_time\""),
    ] {
        let text = payload.replace(from, to);
        assert_ne!(text, payload);
        assert_eq!(fault_of(&text), TokenFault::Twice, "{text}");
    }
    let nested = br#"{"alg":"HS512","x":[{"a":1,"a":1}]}"#;
    assert_eq!(verify(&token(nested, payload.as_bytes())), Err(TokenFault::Twice));
}

#[test]
fn depth_members_and_length_are_bounded() {
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert_eq!(fault_of(&nested), TokenFault::Json);
    let members: Vec<String> = (0..1_001).map(|n| format!("\"{n}\":0")).collect();
    assert_eq!(fault_of(&format!("{{{}}}", members.join(","))), TokenFault::Json);
    let long = |length: usize| verify_claims(&with(&json!({"x": "x".repeat(length)})));
    assert!(long(48_000).is_ok());
    assert_eq!(long(50_000), Err(TokenFault::TooLong));
    assert_eq!(verify(&".".repeat(WebSdk::MAX_ID_TOKEN_BYTES)), Err(TokenFault::Parts));
}

#[test]
fn an_empty_name_is_never_the_user() {
    let nonce = nonce();
    let expected = Expected { username: "", nonce: &nonce, max_age: None };
    let text = token(HEADER, with(&json!({"preferred_username": ""})).to_string().as_bytes());
    let verified = web_sdk().verify(&text, &expected, UnixTime::from_seconds(NOW));
    assert_eq!(verified, Err(TokenFault::User));
}

#[test]
fn a_context_of_another_type_names_no_factor() {
    for (context, factor) in [
        (json!({"factor": "duo_push"}), ConfirmedBy::Push),
        (json!({"reason": "bypass_user"}), ConfirmedBy::Bypass),
        (json!({"factor": null, "reason": "bypass_user"}), ConfirmedBy::Bypass),
        (json!({"factor": 1, "reason": "bypass_user"}), ConfirmedBy::Other),
        (json!({"factor": [], "reason": "bypass_user"}), ConfirmedBy::Other),
        (json!({"factor": "duo_push", "reason": 1}), ConfirmedBy::Other),
        (json!("duo_push"), ConfirmedBy::Other),
        (json!(["duo_push"]), ConfirmedBy::Other),
        (json!(null), ConfirmedBy::Other),
    ] {
        let approved = verify_claims(&with(&json!({"auth_context": context})));
        assert_eq!(approved.unwrap().factor, factor, "{context}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::from("allow")),
        any::<String>().prop_map(Value::from),
        any::<String>().prop_map(|text| json!([text])),
        any::<String>().prop_map(|text| json!({ "result": text })),
    ]
}

proptest! {
    #[test]
    fn a_claim_of_any_other_value_refuses(
        claim in prop_oneof![
            Just("iss"), Just("aud"), Just("nonce"), Just("preferred_username"), Just("auth_result"),
        ],
        value in any_value(),
    ) {
        let verdict = verify_claims(&with(&json!({ claim: value })));
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn a_time_of_any_value_does_no_harm(
        claim in prop_oneof![Just("exp"), Just("iat"), Just("nbf"), Just("auth_time")],
        value in any_value(),
        max_age in proptest::option::of(any::<u64>()),
        now in any::<u64>(),
    ) {
        let text = token(HEADER, with(&json!({ claim: value })).to_string().as_bytes());
        let _ = verify_at(&text, max_age, UnixTime::from_millis(now));
    }

    #[test]
    fn signed_bytes_of_any_kind_are_refused(
        header in proptest::collection::vec(any::<u8>(), 0..40),
        payload in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(verify(&token(&header, &payload)).is_err());
        prop_assert!(verify(&token(HEADER, &payload)).is_err());
    }

    #[test]
    fn texts_of_any_kind_are_refused(text in "[A-Za-z0-9_.=+/ -]{0,60}|.{0,60}") {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn a_changed_character_is_refused(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.=-]") {
        let text = token(HEADER, claims().to_string().as_bytes());
        prop_assert!(verify(&text).is_ok());
        let at = at.index(text.len());
        let mut bytes = text.clone().into_bytes();
        bytes[at] = by.as_bytes()[0];
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(changed == text || verify(&changed).is_err());
    }
}
