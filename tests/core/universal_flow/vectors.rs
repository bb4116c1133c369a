//! The vectors of `tests/data/duo-universal-vectors.json`, each in a whole sign-in: from the button of
//! the start page to Duo and back.
//!
//! `tests/core/universal_vectors.rs` gives the same entries to the functions that read them. The nonce
//! of an id_token is the one difference: the gate derives its own, so the vectors are signed again.

use super::*;
use crate::rig::{Outcome, forwarded_header, says};
use crate::universal_vectors::{Expect, IdToken, Vectors};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::universal::{Expected, TokenFault};
use ring::hmac;
use std::time::Duration;

/// The vectors' state. A callback with it belongs to the sign-in of the test.
const STATE: &str = "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";
const PAGE: &str = "/reports?q=1";

/// A rig for the hosts and the API host of the vectors.
fn vector_rig(vectors: &Vectors, changes: Value) -> Rig {
    let mut all = json!({"duo": {
        "api_host": vectors.api_host,
        "universal": {"hosts": ["app.example.com", "localhost", "127.0.0.1", "[::1]"]},
    }});
    overlay(&mut all, changes);
    let rig = rig_with(all);
    assert_eq!(rig.now.seconds(), vectors.now);
    rig
}

/// The browser of a user whose name at Duo is the expected one.
fn rig_for(vectors: &Vectors, expect: &Expect) -> Rig {
    let mut changes = json!({});
    if expect.username != "alice" {
        let entry = json!({"user": "alice", "username": expect.username});
        changes["identity"] = json!({"map": [entry]});
    }
    if let Some(seconds) = expect.max_age {
        let max_age = format!("{seconds}s");
        let rule = json!({"paths": ["/*"], "policy": "two_factor", "max_age": max_age});
        changes["access_control"] = json!({"rules": [rule]});
    }
    vector_rig(vectors, changes)
}

/// The secrets and algorithms that some vector was signed with.
fn keys() -> Vec<hmac::Key> {
    let main = crate::rig::CLIENT_SECRET;
    let decoded = base64::engine::general_purpose::STANDARD.decode(main).unwrap();
    let other = "AnotherTestSecretAnotherTestSecretABCDEF";
    let secrets = [main.as_bytes(), other.as_bytes(), b"", &decoded];
    let algorithms = [hmac::HMAC_SHA512, hmac::HMAC_SHA384, hmac::HMAC_SHA256];
    let all = algorithms.into_iter().flat_map(|algorithm| {
        secrets.into_iter().map(move |secret| hmac::Key::new(algorithm, secret))
    });
    all.collect()
}

/// The letters of the other case.
fn swapped(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    text.chars().map(swap).collect()
}

/// The id_token of a vector for another nonce of the same length. It has the signature that the vector
/// would have with that nonce, whatever is wrong with it.
fn for_nonce(vector: &IdToken, nonce: &str, keys: &[hmac::Key]) -> String {
    let old = vector.expect.nonce.as_str();
    assert_eq!(old.len(), nonce.len());
    let Some((text, signature)) = vector.jwt.rsplit_once('.') else { return vector.jwt.clone() };
    let Some((header, payload)) = text.split_once('.') else { return vector.jwt.clone() };
    let Ok(payload) = URL_SAFE_NO_PAD.decode(payload) else { return vector.jwt.clone() };
    let pairs = [(old.to_owned(), nonce.to_owned()), (swapped(old), swapped(nonce))];
    let payload = pairs.iter().fold(payload, |bytes, (old, new)| replaced(&bytes, old, new));
    let new_text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let mac = |key, text: &str| hmac::sign(key, text.trim().as_bytes()).as_ref().to_vec();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let new_signature = keys.iter().find_map(|key| {
        let (before, after) = (mac(key, text), mac(key, &new_text));
        let full = encoded(&before);
        if signature.contains(&full) {
            return Some(signature.replace(&full, &encoded(&after)));
        }
        let found = URL_SAFE_NO_PAD.decode(signature).ok().filter(|found| !found.is_empty())?;
        let differing = before.iter().zip(&found).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        // One changed bit, or the first half.
        (differing <= 1).then(|| {
            let bits = before.iter().zip(&found).map(|(a, b)| a ^ b);
            encoded(&after.iter().zip(bits).map(|(byte, bit)| byte ^ bit).collect::<Vec<_>>())
        })
    });
    format!("{new_text}.{}", new_signature.unwrap_or_else(|| signature.to_owned()))
}

fn replaced(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = bytes.windows(old.len()).position(|window| window == old.as_bytes());
    if let Some(at) = at {
        out[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    out
}

/// The check that an id_token fails, by the function that verifies it.
fn fault_of(vectors: &Vectors, vector: &IdToken, jwt: &str, nonce: &str) -> Option<TokenFault> {
    let expected = Expected {
        username: &vector.expect.username,
        nonce: &nonce.parse().unwrap(),
        max_age: vector.expect.max_age.map(Duration::from_secs),
    };
    let now = UnixTime::from_seconds(vectors.now);
    vectors.web_sdk("main").verify(jwt, &expected, now).err()
}

/// The refusal for an id_token that fails this check.
fn refusal(fault: TokenFault) -> &'static str {
    match fault.name() {
        "user" => "other_user",
        "auth_time" => "mfa_insufficient",
        "result" => "duo_denied",
        "nonce" => "sign_in_lost",
        _ => "duo_misconfigured",
    }
}

/// The log says what was wrong.
#[track_caller]
fn is_logged(rig: &Rig, reason: &str, id: &str) {
    // The log quotes the text, which changes marks in it.
    let reason = reason.split('{').next().unwrap();
    let is_named = rig.signals.iter().any(|signal| format!("{signal:?}").contains(reason));
    assert!(is_named, "{id}: {reason}: {:?}", rig.signals);
}

#[test]
fn every_id_token_ends_the_sign_in_as_the_vectors_say() {
    let vectors = Vectors::read();
    let keys = keys();
    let mut resigned = 0;
    for vector in &vectors.id_tokens {
        let id = vector.id.as_str();
        assert_eq!(for_nonce(vector, &vector.expect.nonce, &keys), vector.jwt, "{id}");
        let mut rig = rig_for(&vectors, &vector.expect);
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, PAGE);
        assert_eq!(asked.claims["duo_uname"], vector.expect.username, "{id}");
        assert_eq!(asked.claims.get("max_age").and_then(Value::as_u64), vector.expect.max_age);
        let nonce = asked.claims["nonce"].as_str().unwrap();
        let jwt = for_nonce(vector, nonce, &keys);
        resigned += usize::from(jwt != vector.jwt);
        let fault = fault_of(&vectors, vector, &jwt, nonce);
        assert_eq!(fault.map(TokenFault::name), vector.refused_by.as_deref(), "{id}");
        let request = back(&alice, asked.state());
        match fault {
            None if id == "max_age_with_leeway" => {
                // Clocks may differ by the leeway, but the rule counts from `auth_time`.
                let page = alice.is_approved(&mut rig, &request, &[token(&jwt)]);
                refused_with(&page, "mfa_insufficient");
            }
            None => {
                let page = alice.is_approved(&mut rig, &request, &[token(&jwt)]);
                goes_on_to(&page, PAGE);
                rig.send(&alice.opens(PAGE), &[]).admitted();
            }
            Some(fault) => {
                let page = alice.asks(&mut rig, &request, &[token(&jwt)]);
                refused_with(&page, refusal(fault));
                is_logged(&rig, &fault.to_string(), id);
                assert!(!alice.has(APPROVAL), "{id}");
            }
        }
        assert_eq!(tokens(&rig), 1, "{id}");
    }
    // All but the ones without a payload in which a nonce can be exchanged.
    assert!(resigned > 125, "{resigned}");
    vectors.counted("id_tokens", vectors.id_tokens.len(), 139);
}

#[test]
fn every_token_response_ends_the_sign_in_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.token_responses {
        let id = vector.id.as_str();
        let mut rig = vector_rig(&vectors, json!({"duo": {"fail_mode": "safe"}}));
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, PAGE);
        // Even the filter's own check does not reach Duo. No response here lets anybody in.
        rig.check_meets(&says(503, "upstream connect error"));
        let jwt = token_of(&vectors, &asked, &rig);
        let answer = says(vector.status, vector.body.replace("<id_token>", &jwt));
        let request = back(&alice, asked.state());
        let code = match vector.meaning.as_str() {
            "approved" => {
                let page = alice.is_approved(&mut rig, &request, &[answer]);
                goes_on_to(&page, PAGE);
                continue;
            }
            "start_again" => "sign_in_lost",
            "misconfigured" => "duo_misconfigured",
            "too_many_requests" => "too_many_requests",
            // A page that is not Duo's says that the cluster leads elsewhere.
            "malformed" | "unavailable" if (400..500).contains(&vector.status) => {
                "duo_misconfigured"
            }
            "malformed" | "unavailable" => "duo_unavailable",
            other => panic!("{id}: {other}"),
        };
        refused_with(&alice.asks(&mut rig, &request, &[answer]), code);
        assert_eq!((tokens(&rig), alice.has(APPROVAL)), (1, false), "{id}");
        refused_with(&alice.asks(&mut rig, &request, &[]), "sign_in_lost");
    }
    vectors.counted("token_responses", vectors.token_responses.len(), 32);
}

#[test]
fn every_health_response_starts_or_refuses_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.health_responses {
        let id = vector.id.as_str();
        for fail_mode in ["secure", "safe"] {
            let mut rig = vector_rig(&vectors, json!({"duo": {"fail_mode": fail_mode}}));
            rig.check_meets(&says(503, "upstream connect error"));
            let mut alice = Browser::of("alice");
            let press = alice.submits(&start_at(PAGE));
            let Outcome::Replied(reply) =
                rig.drive(&press, |_| Some(says(vector.status, vector.body.clone())))
            else {
                panic!("{id}: forwarded")
            };
            let reply = Response(reply);
            alice.keep(&reply);
            let opens = vector.meaning == "unavailable" && fail_mode == "safe";
            assert_eq!(alice.has(APPROVAL), opens, "{id} {fail_mode}");
            assert_eq!(alice.has(COOKIE), vector.meaning == "up", "{id}");
            let tries = if vector.meaning == "unavailable" { 2 } else { 1 };
            assert!((tries..=2).contains(&health_checks(&rig)), "{id}");
            let code = match vector.meaning.as_str() {
                "up" => {
                    departs(&reply);
                    continue;
                }
                "unavailable" if opens => {
                    assert_eq!(reply.header("location").as_deref(), Some(PAGE), "{id}");
                    let forward = rig.send(&alice.opens(PAGE), &[]).admitted();
                    let factor = forwarded_header(&forward, "x-duo-mfa-factor");
                    assert_eq!(factor.as_deref(), Some("fail_safe"), "{id}");
                    continue;
                }
                "misconfigured" => "duo_misconfigured",
                "too_many_requests" => "too_many_requests",
                "malformed" if (400..500).contains(&vector.status) => "duo_misconfigured",
                "malformed" | "unavailable" => "duo_unavailable",
                other => panic!("{id}: {other}"),
            };
            assert_eq!(reply.0.details, format!("duo_mfa_{code}"), "{id} {fail_mode}");
            assert_eq!(reply.header("location"), None, "{id}");
        }
    }
    vectors.counted("health_responses", vectors.health_responses.len(), 17);
}

/// The change of an id_token's claims to the API host of the vectors.
fn issued_by(vectors: &Vectors) -> Value {
    json!({"iss": format!("https://{}/oauth/v1/token", vectors.api_host)})
}

/// The id_token of the vectors' API host for a user who has confirmed what was asked for.
fn token_of(vectors: &Vectors, asked: &AuthorizeRequest, rig: &Rig) -> String {
    id_token(&asked.claims, rig.now, issued_by(vectors))
}

/// A parameter of the form that a call brought.
fn sent(rig: &Rig, name: &str) -> String {
    let (_, call) = rig.calls.last().unwrap();
    let found = form_urlencoded::parse(&call.signed.body).find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}

#[test]
fn every_callback_is_answered_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.callbacks {
        let id = vector.id.as_str();
        let mut rig = vector_rig(&vectors, json!({}));
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, PAGE);
        let target = vector.target.replace("x...", &"x".repeat(8 * 1024));
        let target = target.replace(STATE, asked.state());
        let mut request = comes_back(&alice, &target);
        request = request.without(":method").with(":method", &vector.method);
        if let Some(body) = &vector.body {
            request = request.followed_by(body.replace(STATE, asked.state()));
        }
        let (status, code) = match vector.outcome.as_str() {
            "take" => {
                assert_eq!(vector.takes["state"], STATE, "{id}");
                let jwt = token_of(&vectors, &asked, &rig);
                let page = alice.is_approved(&mut rig, &request, &[token(&jwt)]);
                goes_on_to(&page, PAGE);
                assert_eq!(sent(&rig, "code"), vector.takes["duo_code"], "{id}");
                assert_eq!(rig.called(), ["health_check", "token"], "{id}");
                continue;
            }
            "ended" if vector.target.contains("error=access_denied") => (403, "mfa_denied"),
            "ended" => (403, "sign_in_lost"),
            "bad_request" => (400, "bad_request"),
            "method_not_allowed" => (405, "method_not_allowed"),
            "not_found" => (404, "not_found"),
            other => panic!("{id}: {other}"),
        };
        let page = alice.asks(&mut rig, &request, &[]);
        assert_eq!((page.0.status, page.0.details), (status, format!("duo_mfa_{code}")), "{id}");
        assert_eq!(rig.called(), ["health_check"], "{id}");
        assert_eq!(rig.bodies, 0, "{id}");
        let own = back(&alice, asked.state());
        if vector.outcome == "ended" {
            refused_with(&alice.asks(&mut rig, &own, &[]), "sign_in_lost");
        } else {
            // Nothing was used up.
            let jwt = token_of(&vectors, &asked, &rig);
            alice.is_approved(&mut rig, &own, &[token(&jwt)]);
        }
    }
    vectors.counted("callbacks", vectors.callbacks.len(), 36);
}

#[test]
fn every_factor_gets_its_name_in_the_approval() {
    let vectors = Vectors::read();
    for vector in &vectors.factors {
        let (factor, reason) = (&vector.factor, &vector.reason);
        let rule = json!({"paths": ["/key"], "policy": "two_factor", "factors": ["webauthn"]});
        let mut rig = vector_rig(&vectors, json!({"access_control": {"rules": [rule]}}));
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, PAGE);
        let mut claims = duo::claims(&asked.claims, rig.now, issued_by(&vectors));
        claims["auth_context"] = json!({"factor": factor, "reason": reason});
        let jwt = duo::signed(&claims, crate::rig::CLIENT_SECRET);
        let request = back(&alice, asked.state());
        goes_on_to(&alice.is_approved(&mut rig, &request, &[token(&jwt)]), PAGE);
        let forward = rig.send(&alice.opens(PAGE), &[]).admitted();
        let found = forwarded_header(&forward, "x-duo-mfa-factor");
        assert_eq!(found.as_deref(), Some(vector.name.as_str()), "{factor:?} {reason:?}");
        // A rule that asks for a passkey accepts one, and a user in bypass status at Duo.
        if ["webauthn", "bypass"].contains(&vector.name.as_str()) {
            rig.send(&alice.opens("/key"), &[]).admitted();
        } else {
            alice.asks(&mut rig, &alice.opens("/key"), &[]);
        }
    }
    vectors.counted("factors", vectors.factors.len(), 34);
}

#[test]
fn every_authority_leads_to_the_redirect_uri_of_the_vectors_or_nowhere() {
    let vectors = Vectors::read();
    for vector in &vectors.redirect_uris {
        let authority = vector.authority.as_str();
        let mut rig = vector_rig(&vectors, json!({}));
        let mut alice = Browser::of("alice");
        let at = |request: Request| request.without(":authority").with(":authority", authority);
        let press = at(alice.submits(&start_at(PAGE)));
        let Some(uri) = &vector.redirect_uri else {
            let refused = alice.asks(&mut rig, &press, &[]);
            assert!(matches!(refused.0.status, 400 | 403), "{authority}: {}", refused.text());
            assert!(rig.called().is_empty() && !alice.has(COOKIE), "{authority}");
            continue;
        };
        let asked = departs(&alice.asks(&mut rig, &press, &[healthy()]));
        assert_eq!(asked.claims["redirect_uri"], uri.as_str(), "{authority}");
        let jwt = token_of(&vectors, &asked, &rig);
        let request = at(back(&alice, asked.state()));
        goes_on_to(&alice.is_approved(&mut rig, &request, &[token(&jwt)]), PAGE);
        assert_eq!(sent(&rig, "redirect_uri"), *uri, "{authority}");
    }
    vectors.counted("redirect_uris", vectors.redirect_uris.len(), 17);
}
