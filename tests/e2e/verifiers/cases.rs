//! Assertions that a verifier has to accept, and forged ones that it has to refuse. A forged one differs from a genuine one in
//! a single point, and is signed with the filter's key unless the signature is the point.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::message::{self, Request};

pub(super) const HEADER: &str = "x-duo-mfa-assertion";
pub(super) const ISSUER: &str = "https://mfa.example.com";
pub(super) const AUDIENCE: &str = "app";
/// The greatest age of the second factor at the verifiers of the tests, in seconds.
pub(super) const MAX_AGE: u64 = 8 * 3_600;

/// A private key of the filter, in an environment variable.
pub(super) struct Key {
    pub(super) variable: &'static str,
    seed: [u8; 32],
}

pub(super) const OLD: Key =
    Key { variable: "OLD_ASSERTION_KEY", seed: *b"the first seed of the tests, 32b" };
pub(super) const NEW: Key =
    Key { variable: "NEW_ASSERTION_KEY", seed: *b"another seed for the rotation 32" };
/// A key that the filter publishes only at the moment when it begins to sign.
pub(super) const HASTY: Key =
    Key { variable: "HASTY_ASSERTION_KEY", seed: *b"a seed that nobody has seen, 32b" };

impl Key {
    /// The value of the variable.
    pub(super) fn secret(&self) -> String {
        STANDARD.encode(self.seed)
    }

    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap()
    }

    /// Its name in an assertion (`kid`): the thumbprint of RFC 7638.
    pub(super) fn id(&self) -> String {
        let public = URL_SAFE_NO_PAD.encode(self.pair().public_key());
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    fn signed(&self, header: &str, claims: &Value) -> String {
        let text = format!("{header}.{}", encoded(claims));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(self.pair().sign(text.as_bytes())))
    }
}

/// A check by which a verifier refuses a forged assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The assertion alone, and the clock with up to a minute of leeway.
    Assertion,
    /// The same with a few seconds of leeway, and that there is an `exp`.
    Clock,
    /// The type of `amr`. Istio takes a text for a list with this text.
    Type,
    /// The age of the second factor.
    Age,
    /// The method and host of the request, and its path without the query.
    Operation,
    /// The query of the request.
    Query,
    /// The body of the request.
    Body,
    /// The name of the approver.
    Approver,
}

/// A request at the verifier.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: &'static str,
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    pub(super) body: &'static str,
}

impl Received {
    /// Whether the application wants an approval of this very request.
    pub(super) fn is_payment(&self) -> bool {
        self.path.starts_with("/payments")
    }

    pub(super) fn request(&self) -> Request {
        let body = match self.body {
            "" => message::Body::None,
            text => message::Body::Sized(text.as_bytes().to_vec()),
        };
        Request::new(self.method, self.path).header("host", self.host).body(body)
    }
}

pub(super) const REPORTS: Received =
    Received { method: "GET", host: "app.example.com", path: "/reports?year=2026", body: "" };
pub(super) const PAYMENT: Received =
    Received { method: "POST", host: "app.example.com", path: "/payments?to=7", body: "amount=12" };

pub(super) struct Case {
    pub(super) name: &'static str,
    /// The check that refuses it; `None` for a genuine one.
    pub(super) refused_by: Option<Check>,
    pub(super) assertion: String,
    pub(super) received: Received,
    /// If not empty, one of these people must have approved the request.
    pub(super) approvers: &'static [&'static str],
}

/// Assertions that the filter has made, as the application received them.
pub(super) struct Genuine {
    /// Alice's `Set-Cookie` line.
    pub(super) approval: String,
    /// Of an approval of the session, with [`NEW`].
    pub(super) session: String,
    /// Of an approval of [`PAYMENT`], with [`NEW`].
    pub(super) payment: String,
    /// Of an approval of the session, with [`OLD`], which was removed since.
    pub(super) removed: String,
}

impl Genuine {
    pub(super) fn cases(&self) -> Vec<Case> {
        let genuine = |name, assertion: &str, received| Case {
            refused_by: None,
            ..forged(name, Check::Assertion, assertion, received)
        };
        let mut cases = vec![
            genuine("genuine", &self.session, REPORTS),
            genuine("genuine, of one request", &self.payment, PAYMENT),
        ];
        cases.extend(self.other_claims());
        cases.extend(self.other_signatures());
        cases.extend(self.replays());
        cases
    }

    /// Signed by the filter's key, with claims that it would not sign.
    fn other_claims(&self) -> Vec<Case> {
        use Check::{Age, Assertion, Clock, Type};
        let session = |name, check, change: &dyn Fn(&mut Value)| {
            forged(name, check, &changed(&self.session, &NEW, change), REPORTS)
        };
        let text = |claim: &'static str, value: &'static str| {
            move |claims: &mut Value| claims[claim] = json!(value)
        };
        let long_ago = now() - 9 * 3_600;
        vec![
            session("expired", Assertion, &|claims| expire(claims, 70)),
            session("expired ten seconds ago", Clock, &|claims| expire(claims, 10)),
            session("other audience", Assertion, &text("aud", "other")),
            session("other issuer", Assertion, &text("iss", "https://mfa.example.org")),
            session("without an expiry", Clock, &|claims| {
                remove(claims, "exp");
            }),
            session("without a second factor", Assertion, &|claims| {
                claims["amr"] = json!(["pwd"]);
            }),
            session("with a text in place of a list", Type, &text("amr", "mfa")),
            session("without a time of the second factor", Age, &|claims| {
                remove(claims, "auth_time");
            }),
            session("of a second factor of nine hours ago", Age, &|claims| {
                claims["auth_time"] = json!(long_ago);
            }),
        ]
    }

    /// The claims of the filter, without a signature of its key.
    fn other_signatures(&self) -> Vec<Case> {
        let (head, claims, signature) = parts(&self.session);
        let altered = encoded(&with(decoded(claims), "sub", "root"));
        let unsigned = encoded(&json!({"alg": "none", "typ": "JWT"}));
        [
            ("altered", format!("{head}.{altered}.{signature}")),
            ("unsigned", format!("{unsigned}.{claims}.")),
            ("unsigned, signature kept", format!("{unsigned}.{claims}.{signature}")),
            ("signed by a removed key", self.removed.clone()),
            ("signed by a stranger under the key's name", changed(&self.session, &HASTY, &|_| {})),
            ("signed with the public key as a secret", confused(&self.session)),
            ("no JWT", "alice".to_owned()),
        ]
        .map(|(name, assertion)| forged(name, Check::Assertion, &assertion, REPORTS))
        .into()
    }

    /// Under a rule with `approver`, whose assertions say who was asked in the user's place: for verifiers that know the rule.
    pub(super) fn approved_by_another(&self) -> Vec<Case> {
        let by = |name, refused_by, approver: &'static str, approvers| {
            let assertion = changed(&self.payment, &NEW, &|claims| {
                claims["amr"] = json!([]);
                claims["approver"] = json!(approver);
            });
            Case { name, refused_by, assertion, received: PAYMENT, approvers }
        };
        let wanted = Some(Check::Approver);
        vec![
            by("approved by another person", None, "carol", &["carol", "dave"]),
            by("approved by somebody else", wanted, "eve", &["carol", "dave"]),
            by("approved by the user", wanted, "alice", &["alice", "carol"]),
            by(
                "approved by another person, second factor wanted",
                Some(Check::Assertion),
                "carol",
                &[],
            ),
            Case {
                approvers: &["carol"],
                ..forged("of the user's own second factor", Check::Approver, &self.payment, PAYMENT)
            },
        ]
    }

    /// Genuine assertions with other requests than those for which the filter has signed them.
    fn replays(&self) -> Vec<Case> {
        use Check::{Body, Operation, Query};
        let replayed = |name, check, received| forged(name, check, &self.payment, received);
        let [query, method] = [("/payments?to=8", "POST"), ("/payments?to=7", "PUT")]
            .map(|(path, method)| Received { path, method, ..PAYMENT });
        let approved = |claim: &str, value: &str| {
            changed(&self.payment, &NEW, &|claims| claims[claim] = json!(value))
        };
        let refund = approved("path", "/refunds?to=7");
        let put = approved("method", "PUT");
        let elsewhere = approved("host", "pay.example.com");
        let host = Received { host: "pay.example.com", ..PAYMENT };
        let body = Received { body: "amount=13", ..PAYMENT };
        let unread = changed(&self.payment, &NEW, &|claims| remove(claims, "body_sha256"));
        vec![
            forged("replayed for another path", Operation, &refund, PAYMENT),
            forged("of another method", Operation, &put, PAYMENT),
            forged("of another host", Operation, &elsewhere, PAYMENT),
            replayed("replayed with another query", Query, query),
            replayed("replayed with another method", Operation, method),
            replayed("replayed at another host", Operation, host),
            replayed("replayed with another body", Body, body),
            forged("of a body that the filter has not read", Body, &unread, PAYMENT),
            forged("of the session, for a payment", Operation, &self.session, PAYMENT),
        ]
    }
}

fn forged(name: &'static str, check: Check, assertion: &str, received: Received) -> Case {
    let (refused_by, assertion) = (Some(check), assertion.to_owned());
    Case { name, refused_by, assertion, received, approvers: &[] }
}

/// A genuine assertion with other claims, under the name of its key but signed with this one.
fn changed(genuine: &str, key: &Key, change: &dyn Fn(&mut Value)) -> String {
    let (header, claims, _) = parts(genuine);
    let mut claims = decoded(claims);
    change(&mut claims);
    key.signed(header, &claims)
}

/// An HMAC under the public key, which a verifier accepts if it goes by the algorithm that the assertion names.
fn confused(genuine: &str) -> String {
    let (header, claims, _) = parts(genuine);
    let text = format!("{}.{claims}", encoded(&with(decoded(header), "alg", "HS256")));
    let key = hmac::Key::new(hmac::HMAC_SHA256, NEW.pair().public_key().as_ref());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())))
}

fn expire(claims: &mut Value, ago: u64) {
    claims["exp"] = json!(now() - ago);
    claims["iat"] = json!(now() - ago - 60);
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name).expect("a claim to remove");
}

fn with(mut value: Value, name: &str, text: &str) -> Value {
    value[name] = json!(text);
    value
}

/// The name of the key that has signed an assertion.
pub(super) fn key_id(assertion: &str) -> String {
    decoded(parts(assertion).0)["kid"].as_str().expect("a name").to_owned()
}

/// The claims of an assertion.
pub(super) fn claims(assertion: &str) -> Value {
    decoded(parts(assertion).1)
}

fn parts(assertion: &str) -> (&str, &str, &str) {
    let mut parts = assertion.split('.');
    let three = (parts.next(), parts.next(), parts.next());
    let (Some(header), Some(claims), Some(signature)) = three else { panic!("{assertion}") };
    (header, claims, signature)
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
