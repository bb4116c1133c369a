//! Browsers sign in at Duo's page, and programs are refused: no other way in is open.

use super::*;
use crate::browser::posted;
use crate::rig::{fail, forwarded_header, ok, one_phone, started};
use std::time::Duration;

const ENDPOINTS: [&str; 2] = ["/.duo-mfa/preauth", "/.duo-mfa/auth?factor=push"];

/// A rig with all keys that refuses programs.
fn refusing(rules: &Value) -> Rig {
    rig_with(json!({"api": {"mode": "refuse"}, "access_control": {"rules": rules}}))
}

#[test]
fn browser_signs_in_without_keys_of_the_auth_api() {
    let mut rig = keyless();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/reports?week=7"), &[]);
    assert!(page.text().contains("/.duo-mfa/start?"), "{}", page.text());
    let arrived = signs_in(&mut rig, &mut alice, "/reports?week=7");
    goes_on_to(&arrived, "/reports?week=7");
    let forward = rig.send(&alice.opens("/reports?week=7"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
    let seen = alice.asks(&mut rig, &alice.opens("/.duo-mfa/"), &[]);
    assert_eq!(seen.0.status, 200);
    assert_eq!(rig.called(), ["health_check", "token"]);
}

#[test]
fn programs_are_refused_and_no_endpoint_asks_the_auth_api() {
    let mut rig = keyless();
    let curl = get("/reports");
    for request in [curl.clone(), curl.with("x-duo-mfa-passcode", "123456")] {
        let refused = rig.send(&request, &[]).answered();
        assert_eq!((refused.0.status, refused.code().as_str()), (403, "mfa_required"));
        assert_eq!(refused.json()["start_url"], "/.duo-mfa/?return_to=%2Freports");
    }
    let alice = Browser::of("alice");
    for path in ENDPOINTS {
        let program = posted(get(path));
        for request in [program, alice.posts(path), alice.submits(path)] {
            let refused = rig.send(&request, &[]).answered();
            assert_eq!(refused.0.details, "duo_mfa_not_found", "{path}");
        }
    }
    for path in ["/.duo-mfa/enroll", "/.duo-mfa/enroll/status"] {
        let refused = rig.send(&alice.fetches(path), &[]).answered();
        assert_eq!(refused.0.details, "duo_mfa_not_found", "{path}");
    }
    let gone = rig.send(&alice.fetches("/.duo-mfa/status"), &[]).answered();
    assert_eq!(gone.0.details, "duo_mfa_bad_request");
    assert!(rig.called().is_empty());
}

#[test]
fn host_whose_clock_is_wrong_asks_the_universal_prompt_for_the_time() {
    let theirs = |rig: &Rig| rig.now.plus(Duration::from_secs(4_000));
    for again in [healthy_at, invalid_client] {
        let mut rig = keyless();
        let mut alice = Browser::of("alice");
        let theirs = theirs(&rig);
        let start = alice.submits(&start_at("/"));
        let script = [invalid_client(theirs), again(theirs), healthy_at(theirs)];
        let answer = alice.asks(&mut rig, &start, &script);
        assert_eq!(rig.called(), ["health_check"; 3]);
        assert_eq!(departs(&answer).claims["exp"], theirs.seconds() + 300);
    }
    // A response without a time ends the sign-in.
    let mut rig = keyless();
    let mut alice = Browser::of("alice");
    let (start, theirs) = (alice.submits(&start_at("/")), theirs(&rig));
    let script = [invalid_client(theirs), fail(40_002, "invalid_client", "")];
    let refused = alice.asks(&mut rig, &start, &script);
    assert_eq!(refused.0.status, 503);
}

#[test]
fn endpoints_are_closed_while_programs_are_refused() {
    let mut rig = refusing(&json!([]));
    let mut alice = Browser::of("alice");
    for path in ENDPOINTS {
        let program = posted(get(path));
        let refused = rig.send(&program, &[]).answered();
        assert_eq!((refused.0.status, refused.code().as_str()), (403, "mfa_required"));
        assert_eq!(refused.json()["start_url"], "/.duo-mfa/?return_to=%2F");
        let refused = rig.send(&alice.posts(path), &[]).answered();
        assert_eq!((refused.0.status, refused.code().as_str()), (403, "mfa_required"));
        let page = alice.asks(&mut rig, &alice.submits(path), &[]);
        assert!(page.text().contains("/.duo-mfa/start?"), "{}", page.text());
    }
    assert!(rig.called().is_empty());
    goes_on_to(&signs_in(&mut rig, &mut alice, "/"), "/");
}

#[test]
fn each_rule_decides_whether_the_endpoints_are_open() {
    let rules = json!([
        {"paths": ["/api/*"], "policy": "two_factor", "api_mode": "hold"},
        {"paths": ["/transfer"], "policy": "two_factor", "approval": "per_request"},
    ]);
    let mut rig = refusing(&rules);
    let alice = Browser::of("alice");
    for (return_to, is_open) in [("%2F", false), ("%2Fapi%2Fa", true), ("%2Ftransfer", true)] {
        let preauth = alice.posts(&format!("/.duo-mfa/preauth?return_to={return_to}"));
        let script = if is_open { vec![one_phone()] } else { Vec::new() };
        let answer = rig.send(&preauth, &script).answered();
        assert_eq!(answer.0.status == 200, is_open, "{return_to}");
    }
    // A rule may also close what api.mode opens.
    let rules = json!([{"paths": ["/admin/*"], "policy": "two_factor", "api_mode": "refuse"}]);
    let mut rig = rig_with(json!({"access_control": {"rules": rules}}));
    let preauth = alice.posts("/.duo-mfa/preauth?return_to=%2Fadmin%2F");
    assert_eq!(rig.send(&preauth, &[]).answered().0.status, 403);
    let preauth = alice.posts("/.duo-mfa/preauth?return_to=%2F");
    assert_eq!(rig.send(&preauth, &[one_phone()]).answered().0.status, 200);
}

#[test]
fn sign_in_for_a_single_request_opens_nothing_else() {
    let rules =
        json!([{"paths": ["/transfer"], "policy": "two_factor", "approval": "per_request"}]);
    let mut rig = refusing(&rules);
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Ftransfer");
    let started = alice.asks(&mut rig, &push, &[one_phone(), started()]);
    assert_eq!(started.0.status, 202);
    // The same sign-in, polled for a page of Duo's.
    let gone = alice.asks(&mut rig, &alice.fetches("/.duo-mfa/status?return_to=%2F"), &[]);
    assert_eq!(gone.0.details, "duo_mfa_bad_request");
    let poll = alice.fetches("/.duo-mfa/status?return_to=%2Ftransfer");
    let allowed = ok(&json!({"result": "allow", "status": "allow", "status_msg": "Success."}));
    let approved = rig.send(&poll, &[allowed]).answered();
    alice.keep(&approved);
    assert!(!alice.has(APPROVAL), "{:?}", approved.cookies());
    assert_eq!(rig.send(&alice.opens("/"), &[]).answered().0.status, 403);
}

#[test]
fn sign_in_that_began_before_programs_were_refused_is_not_polled() {
    let mut before = rig();
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Freports");
    alice.asks(&mut before, &push, &[one_phone(), started()]);
    for mut after in [refusing(&json!([])), keyless()] {
        after.now = before.now.plus(Duration::from_secs(1));
        let poll = alice.fetches("/.duo-mfa/status");
        assert_eq!(after.send(&poll, &[]).answered().0.details, "duo_mfa_bad_request");
        let page = after.send(&alice.opens("/.duo-mfa/"), &[]).answered();
        assert!(page.text().contains("/.duo-mfa/start?"), "{}", page.text());
        assert!(after.called().is_empty());
    }
}

#[test]
fn start_for_a_denied_page_does_not_ask_duo() {
    let rules = json!([
        {"paths": ["/open/*"], "policy": "two_factor"},
        {"paths": ["/*"], "policy": "deny"},
    ]);
    let mut rig = rig_with(json!({"access_control": {"rules": rules}}));
    let mut alice = Browser::of("alice");
    for start in ["/.duo-mfa/start", "/.duo-mfa/start?return_to=%2Fadmin"] {
        let refused = alice.asks(&mut rig, &alice.submits(start), &[]);
        assert_eq!(refused.0.details, "duo_mfa_access_denied", "{start}");
    }
    assert!(rig.called().is_empty() && !alice.has(COOKIE));
    goes_on_to(&signs_in(&mut rig, &mut alice, "/open/a"), "/open/a");
}
