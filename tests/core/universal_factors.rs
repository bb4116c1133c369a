//! Rules about factors and age, and approvals that Duo's page gives.

use crate::rig::{Rig, forwarded_header, get, one_phone, pair};
use duo_mfa::factor::Factor;
use duo_mfa::session::{ApprovedBy, NewApproval, Subject};
use serde_json::{Value, json};
use std::time::Duration;

const ALICE: Subject<'_> = Subject { source: "header", user: "alice", bound: &[] };

/// A rig whose browsers are sent to Duo's page.
fn rig(factors: Option<&Value>) -> Rig {
    let rule = |path: &str, key: &str, value: Value| json!({"paths": [path], "policy": "two_factor", key: value});
    let mut changes = json!({
        "allow_inline_secrets": true,
        "duo": {"prompt": "universal", "universal": {
            "client_id": "DIUNIVERSALTEST00001",
            "client_secret": "UniversalTestSecretUniversalTestSecret40",
            "hosts": ["app.example.com"],
        }},
        "access_control": {"rules": [
            rule("/key/*", "factors", json!(["webauthn"])),
            rule("/fresh/*", "max_age", json!("5m")),
        ]},
    });
    if let Some(factors) = factors {
        changes["duo"]["factors"] = factors.clone();
    }
    Rig::with(changes)
}

/// An approval cookie for alice, from some time ago.
fn cookie(rig: &Rig, factor: ApprovedBy, age: Duration) -> String {
    let authenticated = rig.now.minus(age);
    let approval = NewApproval { factor, authenticated, lifetime: None };
    let sessions = &rig.gate.config().applications.main.sessions;
    let line = sessions.issue(&approval, &ALICE, rig.now, [7; 16]);
    pair(str::from_utf8(line.as_bytes()).unwrap()).to_owned()
}

/// Whether an approval opens this path. Duo is asked for nothing if it does.
fn opens(rig: &mut Rig, by: ApprovedBy, age: Duration, path: &str) -> bool {
    let cookie = cookie(rig, by, age);
    let request = get(path).with("cookie", &cookie).with("sec-fetch-mode", "navigate");
    let outcome = rig.send(&request.with("accept", "text/html"), &[]);
    match outcome {
        crate::rig::Outcome::Forwarded(forward) => {
            assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").unwrap(), by.name());
            true
        }
        crate::rig::Outcome::Replied(_) => false,
    }
}

#[test]
fn each_approval_opens_what_its_factor_and_age_satisfy() {
    let mut rig = rig(None);
    let now = Duration::ZERO;
    let push = ApprovedBy::Factor(Factor::Push);
    for (by, path, expected) in [
        (ApprovedBy::Webauthn, "/", true),
        (ApprovedBy::Webauthn, "/key/", true),
        (ApprovedBy::Webauthn, "/fresh/", true),
        (ApprovedBy::Other, "/", true),
        (ApprovedBy::Other, "/key/", false),
        (ApprovedBy::Other, "/fresh/", true),
        (push, "/", true),
        (push, "/key/", false),
        (ApprovedBy::Factor(Factor::Passcode), "/key/", false),
        (ApprovedBy::Remembered, "/", true),
        (ApprovedBy::Remembered, "/key/", false),
        (ApprovedBy::Remembered, "/fresh/", false),
        (ApprovedBy::Bypass, "/key/", true),
    ] {
        assert_eq!(opens(&mut rig, by, now, path), expected, "{by:?} {path}");
    }
    let old = Duration::from_secs(301);
    assert!(!opens(&mut rig, ApprovedBy::Webauthn, old, "/fresh/"));
    assert!(opens(&mut rig, ApprovedBy::Webauthn, old, "/key/"));
}

#[test]
fn factors_of_duo_limit_what_duos_page_may_approve_by() {
    let mut rig = rig(Some(&json!(["webauthn", "phone"])));
    for (by, expected) in [
        (ApprovedBy::Webauthn, true),
        (ApprovedBy::Factor(Factor::Phone), true),
        (ApprovedBy::Factor(Factor::Push), false),
        (ApprovedBy::Other, false),
        (ApprovedBy::Bypass, true),
        // Duo may have remembered the device after any factor.
        (ApprovedBy::Remembered, false),
    ] {
        assert_eq!(opens(&mut rig, by, Duration::ZERO, "/"), expected, "{by:?}");
    }
}

#[test]
fn program_is_not_asked_for_a_passkey() {
    let mut rig = rig(None);
    let refused = rig.send(&get("/key/"), &[one_phone()]).refused();
    assert!((403..=503).contains(&refused.0.status), "{}", refused.0.status);
    assert!(!rig.called().contains(&"auth"), "{:?}", rig.called());
}
