//! Decisions made without Duo: the filter's endpoints, policies, identities, headers.

use crate::rig::{Rig, forwarded_header, get, one_phone, started, status};
use duo_mfa::gate::{Health, Standing};
use duo_mfa::http::Edit;
use serde_json::json;

#[test]
fn no_identity_is_a_refusal_without_a_call() {
    for (user, code, http) in [
        ("", "identity_missing", 403),
        ("   ", "identity_missing", 403),
        ("alice,admin", "identity_invalid", 400),
        ("a@b@c", "identity_invalid", 400),
        ("al  ice", "identity_invalid", 400),
        ("ａlice", "identity_invalid", 400),
        ("alice\u{200b}", "identity_invalid", 400),
        ("a%26factor=auto", "identity_invalid", 400),
    ] {
        let refused = Rig::new().send(&get("/").of(user), &[]).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), (code, http), "{user:?}");
    }
    let refused = Rig::new().send(&get("/").without("x-basic-user"), &[]).refused();
    assert_eq!(refused.code(), "identity_missing");
    for second in ["x-basic-user", "x_basic_user"] {
        let refused = Rig::new().send(&get("/").with(second, "admin"), &[]).refused();
        assert_eq!(refused.code(), "identity_invalid", "{second}");
    }
    let not_text = get("/").without("x-basic-user").with("x-basic-user", b"al\xffice");
    assert_eq!(Rig::new().send(&not_text, &[]).refused().code(), "identity_invalid");
}

#[test]
fn all_spellings_of_a_user_are_one() {
    for user in ["Alice", "ALICE", " alice "] {
        let mut rig = Rig::new();
        let script = [one_phone(), started(), status("allow", "allow")];
        let forward = rig.send(&get("/").of(user), &script).admitted();
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
        assert_eq!(rig.body(0)["username"], "alice");
        assert_eq!(rig.body(1)["username"], "alice");
    }
}

#[test]
fn headers_of_ours_are_taken_out_on_every_policy() {
    let spoofed = || {
        get("/")
            .with("x-duo-mfa-user", "admin")
            .with("x_duo_mfa_factor", "push")
            .with("x-duo-mfa-result", "passed")
            .with("x-duo-mfa-anything", "1")
            .with("cookie", "a=1; __Host-duo_mfa=forged; b=2")
    };
    let mut bypass = Rig::with(json!({"access_control": {"default_policy": "bypass"}}));
    let passed = bypass.send(&spoofed().without("x-basic-user"), &[]).admitted();
    let mut asked = Rig::new();
    let script = [one_phone(), started(), status("allow", "allow")];
    let admitted = asked.send(&spoofed(), &script).admitted();
    for forward in [&passed, &admitted] {
        for name in ["x-duo-mfa-user", "x_duo_mfa_factor", "x-duo-mfa-result", "x-duo-mfa-anything"]
        {
            assert!(forward.request.contains(&Edit::Remove(name.into())), "{name}");
        }
        let kept = forwarded_header(forward, "cookie");
        assert_eq!(kept.as_deref(), Some("a=1; b=2"));
    }
    assert_eq!(forwarded_header(&passed, "x-duo-mfa-user"), None);
    assert_eq!(forwarded_header(&admitted, "x-duo-mfa-user").as_deref(), Some("alice"));
    let removed = |edit: &Edit| matches!(edit, Edit::Remove(_));
    let last_removal = admitted.request.iter().rposition(removed).unwrap();
    let first_ours = admitted
        .request
        .iter()
        .position(|edit| matches!(edit, Edit::Append(name, _) if name.starts_with("x-duo-mfa-")));
    assert!(last_removal < first_ours.unwrap(), "ours are set after a client's are taken out");
}

#[test]
fn deny_policy_refuses_without_a_call() {
    let mut rig = Rig::with(json!({"access_control": {"default_policy": "deny"}}));
    assert_eq!(rig.send(&get("/"), &[]).refused().code(), "access_denied");
}

#[test]
fn own_addresses_are_never_forwarded() {
    for path in ["/.duo-mfa", "/.duo-mfa/x", "/.duo-mfa//", "/.duo-mfa//healthz", "/.duo-mfa/auth/"]
    {
        for policy in ["two_factor", "bypass", "deny"] {
            let mut rig = Rig::with(json!({"access_control": {"default_policy": policy}}));
            let refused = rig.send(&get(path), &[]).refused();
            assert_eq!(refused.code(), "not_found", "{path} {policy}");
        }
    }
    for path in ["/.duo-mfax", "/%2eduo-mfa/healthz", "/./.duo-mfa/healthz", "/x/.duo-mfa/healthz"]
    {
        let mut rig = Rig::with(json!({"api": {"mode": "refuse"}}));
        assert_eq!(rig.send(&get(path), &[]).refused().code(), "mfa_required", "{path}");
    }
}

#[test]
fn health_needs_no_identity() {
    let ask = |rig: &mut Rig, path: &str, method: &str| {
        let request = get(path).without("x-basic-user").without(":method").with(":method", method);
        rig.send(&request, &[]).refused()
    };
    let mut rig = Rig::new();
    assert_eq!(ask(&mut rig, "/.duo-mfa/healthz", "GET").0.status, 200);
    assert_eq!(ask(&mut rig, "/.duo-mfa/healthz?probe=1", "HEAD").0.status, 200);
    for (standing, status) in [
        (Standing::Unknown, 503),
        (Standing::Unavailable, 503),
        (Standing::Misconfigured, 503),
        (Standing::Well, 200),
    ] {
        rig.health = Health { standing, ..Health::default() };
        assert_eq!(ask(&mut rig, "/.duo-mfa/readyz", "GET").0.status, status, "{standing:?}");
    }
    let posted = ask(&mut rig, "/.duo-mfa/readyz", "POST");
    assert_eq!((posted.code().as_str(), posted.0.status), ("method_not_allowed", 405));
    assert_eq!(posted.header("allow").as_deref(), Some("GET, HEAD"));
}

#[test]
fn request_that_cannot_be_judged_is_malformed() {
    let connect = get("/").without(":path");
    assert_eq!(Rig::new().send(&connect, &[]).refused().code(), "bad_request");
    let bomb = get("/").with("cookie", format!("a={}", "x".repeat(50_000)));
    assert_eq!(Rig::new().send(&bomb, &[]).refused().code(), "bad_request");
}
