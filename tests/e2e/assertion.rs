//! The signed assertion reaches the application, a forged one does not, and its keys are public.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::app::Seen;
use crate::message::{Body, Request};
use crate::secrets::assert_hides;
use crate::setup::{DuoLink, FirstFactor, Setup};
use crate::stack::Stack;

const KEY: &str = "h8QmV2xT5cYbE9wLrJ4kNs7PzGaD1fUoXiB6tHqS0eM=";
const HEADER: &str = "x-duo-mfa-assertion";
const JWKS: &str = "/.duo-mfa/jwks.json";

fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.set_variable("DUO_MFA_ASSERTION_KEY", KEY);
    setup.plugin(json!({
        "assertion": {
            "keys": [{"env": "DUO_MFA_ASSERTION_KEY"}],
            "issuer": "https://app.example.com",
            "audience": "wiki",
        },
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"name": "wire", "paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
        ]},
    }))
}

fn keys(stack: &Stack) -> Value {
    let reply = stack.denied(&Request::get(JWKS).user("alice"));
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("public, max-age=300")));
    assert_eq!(reply.header("content-type"), Some("application/jwk-set+json"));
    reply.json()
}

/// The claims of the only assertion of a request, which must be signed by a published key.
#[track_caller]
fn claims(seen: &Seen, keys: &Value) -> Value {
    let sent = seen.values(HEADER);
    let [token] = sent.as_slice() else { panic!("{seen:?}") };
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let head: Value = serde_json::from_slice(&decoded(head)).unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == head["kid"]);
    let key = UnparsedPublicKey::new(&ED25519, decoded(key.unwrap()["x"].as_str().unwrap()));
    key.verify(message.as_bytes(), &decoded(signature)).expect("a valid signature");
    serde_json::from_slice(&decoded(payload)).unwrap()
}

/// A request with headers of the filter that a client has made up.
fn forged(request: Request) -> Request {
    let names = [HEADER, "X-Duo-Mfa-Assertion", "x_duo_mfa_assertion", "x-duo-mfa-anything"];
    names.into_iter().fold(request, |request, name| request.header(name, "eyJ.eyJ.forged"))
}

fn assert_unforged(seen: &Seen) {
    let forged: Vec<_> =
        seen.headers.iter().filter(|(_, value)| value.ends_with(b".forged")).collect();
    assert!(forged.is_empty(), "{forged:?}");
}

#[test]
fn application_verifies_who_has_passed_the_second_factor() {
    let stack = Stack::start(setup());
    let keys = keys(&stack);
    let approval = stack.signed_in("alice");
    let held = claims(&stack.app.last(), &keys);
    assert_eq!((&held["sub"], &held["amr"]), (&json!("alice"), &json!(["mfa", "pop"])));

    let (_, seen) = stack.admitted(&forged(Request::get("/a").user("alice").cookie(&approval)));
    assert_unforged(&seen);
    let passed = claims(&seen, &keys);
    let time = seen.values("x-duo-mfa-time").concat();
    assert_eq!(passed["auth_time"].to_string(), time);
    assert_eq!(
        (&passed["iss"], &passed["aud"]),
        (&json!("https://app.example.com"), &json!("wiki"))
    );
    assert_eq!((&passed["acr"], &passed["sid"]), (&held["acr"], &held["sid"]));
    let life = passed["exp"].as_u64().unwrap() - passed["iat"].as_u64().unwrap();
    assert_eq!(life, 60);

    let wire = Request::post("/wire?to=8").user("alice").body(Body::Sized(b"amount=1".to_vec()));
    assert_eq!(stack.answered_push(wire, "alice", "approve").status, 200);
    let wire = claims(&stack.app.last(), &keys);
    assert_eq!((&wire["method"], &wire["path"]), (&json!("POST"), &json!("/wire?to=8")));
    assert_eq!((&wire["rule"], &wire["rule_name"]), (&json!(1), &json!("wire")));
}

#[test]
fn no_forged_assertion_passes_in_any_mode() {
    for (mode, path) in [
        ("enforce", "/public/x"),
        ("report_only", "/public/x"),
        ("report_only", "/wire"),
        ("report_only", "/"),
        ("off", "/"),
    ] {
        let setup = setup().plugin(json!({"mode": mode}));
        let stack = Stack::start(Setup { first_factor: FirstFactor::Absent, ..setup });
        let request = Request::get(path).header("x-basic-user", "alice");
        let (_, seen) = stack.admitted(&forged(request));
        assert_unforged(&seen);
        assert_eq!(seen.values(HEADER), Vec::<String>::new(), "{mode} {path}");
    }
}

#[test]
fn key_set_needs_no_user_and_no_duo() {
    let setup =
        Setup { first_factor: FirstFactor::Absent, duo_link: DuoLink::ClosedPort, ..setup() };
    let stack = Stack::start(setup);
    let reply = stack.denied(&Request::get(JWKS));
    assert_eq!((reply.status, reply.json()["keys"].as_array().unwrap().len()), (200, 1));
    let head = stack.denied(&Request::new("HEAD", JWKS));
    assert_eq!((head.status, head.text().len()), (200, 0));
    stack.denied(&Request::post(JWKS)).assert_problem(405, "method_not_allowed");
    let without = Stack::standard();
    without.denied(&Request::get(JWKS).user("alice")).assert_problem(404, "not_found");
}

#[test]
fn private_key_is_in_no_log_metric_or_dump() {
    let stack = Stack::start(Setup { log: "wasm:trace", ..setup() });
    let approval = stack.signed_in("alice");
    stack.admitted(&Request::get("/").user("alice").cookie(&approval));
    let key = STANDARD.decode(KEY).unwrap();
    let hex = duo_mfa::hex::hex(&key);
    let hidden = [
        KEY.trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(&key),
        hex,
        format!("{key:?}"),
    ];
    for page in ["/config_dump", "/stats", "/server_info", JWKS] {
        let text = if page == JWKS {
            stack.denied(&Request::get(JWKS).user("alice")).text()
        } else {
            stack.envoy.admin(page)
        };
        assert_hides(page, &text, &hidden);
    }
    assert_hides("the log", &stack.envoy.log(), &hidden);
}
