//! Terms that a rule sets for an approval: its age, its factor, and the fail mode while Duo is unreachable.

use crate::browser::Browser;
use crate::rig::{
    Request, Rig, Scripted, allows, approval, devices, fail, get, ok, one_phone, pair,
};
use crate::rig::{forwarded_header, preauth, says, started, status};
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Counter, Level, Signal};
use serde_json::{Value, json};
use std::time::Duration;

const ALLOW: &str = "allow";

fn rules(rules: &Value) -> Rig {
    Rig::with(json!({"access_control": {"rules": rules}}))
}

fn rules_with_groups(rules: &Value) -> Rig {
    let groups = json!({"header": "x-groups"});
    Rig::with(json!({"access_control": {"rules": rules}, "identity": {"groups": groups}}))
}

/// Signs in at an address by push, and returns the cookie.
fn pushed(rig: &mut Rig, request: &Request) -> String {
    let script = [one_phone(), started(), status(ALLOW, ALLOW)];
    pair(&approval(&rig.send(request, &script).admitted())).to_owned()
}

fn by_passcode(rig: &mut Rig, path: &str) -> String {
    let request = get(path).with("x-duo-mfa-passcode", "123456");
    let script = [one_phone(), status(ALLOW, ALLOW)];
    pair(&approval(&rig.send(&request, &script).admitted())).to_owned()
}

fn counted(rig: &Rig, counter: Counter) -> bool {
    rig.signals.contains(&Signal::Count(counter))
}

#[test]
fn approval_older_than_the_rule_wants_is_asked_for_again() {
    let mut rig = rules(&json!([{"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"}]));
    let old = pushed(&mut rig, &get("/"));
    rig.now = rig.now.plus(Duration::from_secs(300));
    rig.send(&get("/admin").with("cookie", &old), &[]).admitted();
    rig.now = rig.now.plus(Duration::from_secs(1));
    rig.send(&get("/").with("cookie", &old), &[]).admitted();

    let fresh = pushed(&mut rig, &get("/admin").with("cookie", &old));
    assert!(counted(&rig, Counter::CookieRefused("too_old")));
    for path in ["/", "/admin", "/admin/x"] {
        rig.send(&get(path).with("cookie", &fresh), &[]).admitted();
    }
    let stale = get("/ADMIN/%78").with("cookie", &old);
    let script = [one_phone(), started(), status("deny", "deny")];
    assert_eq!(rig.send(&stale, &script).refused().code(), "mfa_denied");
}

#[test]
fn renewed_approval_is_no_younger() {
    let mut rig =
        rules(&json!([{"paths": ["/admin/*"], "policy": "two_factor", "max_age": "20m"}]));
    let first = pushed(&mut rig, &get("/"));
    rig.now = rig.now.plus(Duration::from_secs(15 * 60));
    let forward = rig.send(&get("/").with("cookie", &first), &[]).admitted();
    let Some(duo_mfa::gate::NewCookie::Renewal(line)) = forward.cookie else { panic!("none") };
    let renewed = pair(str::from_utf8(line.as_bytes()).unwrap()).to_owned();
    rig.send(&get("/admin").with("cookie", &renewed), &[]).admitted();
    rig.now = rig.now.plus(Duration::from_secs(5 * 60 + 1));
    rig.send(&get("/").with("cookie", &renewed), &[]).admitted();
    let script = [one_phone(), started(), status("deny", "deny")];
    rig.send(&get("/admin").with("cookie", &renewed), &script).refused();
}

#[test]
fn rule_takes_the_approvals_of_its_factors_alone() {
    let mut rig = rules(&json!([
        {"paths": ["/push/*"], "policy": "two_factor", "factors": ["push"]},
        {"paths": ["/code/*"], "policy": "two_factor", "factors": ["any_passcode", "phone"]},
    ]));
    let by_code = by_passcode(&mut rig, "/");
    rig.send(&get("/").with("cookie", &by_code), &[]).admitted();
    rig.send(&get("/code").with("cookie", &by_code), &[]).admitted();
    let by_push = pushed(&mut rig, &get("/push").with("cookie", &by_code));
    assert!(counted(&rig, Counter::CookieRefused("other_factor")));
    rig.send(&get("/push").with("cookie", &by_push), &[]).admitted();
    rig.send(&get("/").with("cookie", &by_push), &[]).admitted();
    // Of the rule's factors, a held request can only wait for the phone call.
    let script = [one_phone(), started(), status(ALLOW, ALLOW)];
    let calls = rig.calls.len();
    let forward = rig.send(&get("/code").with("cookie", &by_push), &script).admitted();
    assert_eq!(rig.body(calls + 1)["factor"], "phone");
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("phone"));
}

#[test]
fn factor_that_a_rule_does_not_take_is_neither_offered_nor_accepted() {
    let mut rig = rules(&json!([{"paths": ["/*"], "policy": "two_factor", "factors": ["push"]}]));
    let request = get("/").with("x-duo-mfa-passcode", "123456");
    assert_eq!(rig.send(&request, &[one_phone()]).refused().code(), "bad_request");
    let landline = json!([{"device": "DPFZRS9FB0D46QFTM891", "type": "phone", "name": "",
        "number": "", "display_name": "Landline", "capabilities": ["auto", "phone"]}]);
    let refused = rig.send(&get("/"), &[devices(&landline)]).refused();
    assert_eq!(refused.code(), "no_device");
    assert_eq!(rig.called(), ["preauth", "preauth"]);
}

#[test]
fn bypass_status_at_duo_meets_every_rule() {
    let mut rig = rules(&json!([{"paths": ["/*"], "policy": "two_factor", "factors": ["push"]}]));
    let forward = rig.send(&get("/"), &[preauth(ALLOW)]).admitted();
    let cookie = pair(&approval(&forward)).to_owned();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("bypass"));
    rig.send(&get("/").with("cookie", &cookie), &[]).admitted();
}

fn unreachable() -> Vec<Scripted> {
    vec![
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
        says(503, "upstream connect error"),
        says(504, "upstream request timeout"),
        says(500, ""),
        fail(50_001, "Unknown internal server error", ""),
    ]
}

fn safe() -> Rig {
    Rig::with(json!({"duo": {"fail_mode": "safe"}}))
}

#[test]
fn safe_admits_for_minutes_while_duo_is_unreachable() {
    for outage in unreachable() {
        let mut rig = safe();
        rig.check_meets(&outage);
        let forward = rig.send(&get("/"), &[outage.clone(), outage.clone()]).admitted();
        assert_eq!(
            forwarded_header(&forward, "x-duo-mfa-factor").as_deref(),
            Some("fail_safe"),
            "{outage:?}"
        );
        assert_eq!(rig.called(), ["preauth", "preauth"]);
        assert!(counted(&rig, Counter::Admitted("fail_safe")));
        let warned = |signal: &Signal| matches!(signal, Signal::Log(Level::Warn, line) if line.contains(r#""factor":"fail_safe""#));
        assert!(rig.signals.iter().any(warned), "{:?}", rig.signals);

        let cookie = pair(&approval(&forward)).to_owned();
        rig.now = rig.now.plus(Duration::from_secs(299));
        rig.send(&get("/").with("cookie", &cookie), &[]).admitted();
        rig.now = rig.now.plus(Duration::from_secs(1));
        let script = [one_phone(), started(), status("deny", "deny")];
        let refused = rig.send(&get("/").with("cookie", &cookie), &script).refused();
        assert_eq!(refused.code(), "mfa_denied");
    }
}

#[test]
fn safe_is_secure_for_all_that_duo_answers() {
    let answers = [
        (fail(40_102, "Invalid integration key", ""), "duo_misconfigured"),
        (fail(40_103, "Invalid signature", ""), "duo_misconfigured"),
        (fail(40_301, "Access forbidden", ""), "duo_misconfigured"),
        (fail(40_002, "Invalid request parameters", "username"), "enrollment_required"),
        (fail(40_401, "Resource not found", ""), "duo_misconfigured"),
        (fail(42_901, "Too Many Requests", ""), "too_many_requests"),
        (says(407, "proxy"), "duo_misconfigured"),
        (preauth("deny"), "duo_denied"),
        (preauth("surprise"), "duo_unavailable"),
        (ok(&json!({})), "duo_unavailable"),
    ];
    for (answer, code) in answers {
        let refused = safe().send(&get("/"), std::slice::from_ref(&answer)).refused();
        assert_eq!(refused.code(), code, "{answer:?}");
    }
    for garbled in ["<html>", "", r#"{"stat":"OK","respon"#] {
        let answer = says(200, garbled);
        let refused = safe().send(&get("/"), &[answer.clone(), answer]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{garbled}");
    }
}

#[test]
fn safe_is_secure_after_a_prompt_was_asked_for() {
    for outage in unreachable() {
        let refused = safe().send(&get("/"), &[one_phone(), outage.clone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{outage:?}");
        let request = get("/").with("x-duo-mfa-passcode", "123456");
        let refused = safe().send(&request, &[one_phone(), outage.clone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{outage:?}");
    }
    for end in ["deny", "timeout", "fraud", "locked_out"] {
        safe().send(&get("/"), &[one_phone(), started(), status("deny", end)]).refused();
    }
    let mut rig = safe();
    let mut looks = vec![one_phone(), started()];
    looks.extend((0..3).map(|_| says(503, "").after(25)));
    rig.send(&get("/"), &looks).refused();
}

#[test]
fn rule_says_the_fail_mode_for_itself() {
    let mut rig = Rig::with(json!({
        "duo": {"fail_mode": "safe"},
        "access_control": {"rules": [
            {"paths": ["/admin/*"], "policy": "two_factor", "fail_mode": "secure"},
        ]},
    }));
    let gone = || says(503, "");
    rig.check_meets(&gone());
    let forward = rig.send(&get("/"), &[gone(), gone()]).admitted();
    let cookie = pair(&approval(&forward)).to_owned();
    rig.send(&get("/").with("cookie", &cookie), &[]).admitted();
    let refused = rig.send(&get("/admin").with("cookie", &cookie), &[gone(), gone()]).refused();
    assert_eq!(refused.code(), "duo_unavailable");
    assert!(counted(&rig, Counter::CookieRefused("fail_safe")));

    let mut rig =
        rules(&json!([{"paths": ["/wiki/*"], "policy": "two_factor", "fail_mode": "safe"}]));
    rig.check_meets(&gone());
    rig.send(&get("/wiki"), &[gone(), gone()]).admitted();
    rig.send(&get("/"), &[gone(), gone()]).refused();
}

#[test]
fn approval_of_an_outage_does_not_replace_a_real_one() {
    let mut rig = Rig::with(json!({
        "duo": {"fail_mode": "safe"},
        "access_control": {"rules": [
            {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "1m"},
        ]},
    }));
    let real = pushed(&mut rig, &get("/"));
    rig.now = rig.now.plus(Duration::from_secs(61));
    let gone = || says(503, "");
    rig.check_meets(&gone());
    let forward = rig.send(&get("/admin").with("cookie", &real), &[gone(), gone()]).admitted();
    assert_eq!(forward.cookie, None);
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("fail_safe"));
}

#[test]
fn rule_says_whether_its_programs_are_held() {
    let rules = json!([
        {"groups": ["machines"], "policy": "two_factor", "api_mode": "refuse"},
        {"paths": ["/jobs/*"], "policy": "two_factor", "api_mode": "hold"},
        {"paths": ["/wire"], "policy": "two_factor", "api_mode": "refuse",
         "approval": "per_request"},
    ]);
    for (mode, others_are_held) in [("hold", true), ("refuse", false)] {
        let mut rig = Rig::with(json!({
            "api": {"mode": mode},
            "access_control": {"rules": rules},
            "identity": {"groups": {"header": "x-groups"}},
        }));
        let machine = get("/jobs/7").with("x-groups", "machines");
        for request in [machine.clone(), machine.with("x-duo-mfa-passcode", "123456"), get("/wire")]
        {
            assert_eq!(rig.send(&request, &[]).refused().code(), "mfa_required");
        }
        rig.send(&get("/jobs/7"), &[one_phone(), started(), allows()]).admitted();
        if others_are_held {
            rig.send(&get("/"), &[one_phone(), started(), allows()]).admitted();
        } else {
            assert_eq!(rig.send(&get("/"), &[]).refused().code(), "mfa_required");
        }
        let mut alice = Browser::of("alice");
        let page = alice.opens("/jobs/7").with("x-groups", "machines");
        assert_eq!(alice.asks(&mut rig, &page, &[]).0.status, 403, "the page is shown");
    }
}

#[test]
fn visit_goes_by_the_rule_for_the_address_that_it_leads_to() {
    let mut rig = rules_with_groups(&json!([
        {"paths": ["/push/*"], "policy": "two_factor", "factors": ["push"]},
        {"paths": ["/ops/*"], "groups": ["ops"], "policy": "two_factor", "factors": ["phone"]},
    ]));
    let mut alice = Browser::of("alice");
    for (query, factors) in [
        ("", json!(["push", "passcode", "phone", "sms"])),
        ("?return_to=%2F", json!(["push", "passcode", "phone", "sms"])),
        ("?return_to=%2Fpush%2Fx%3Fy", json!(["push"])),
        ("?return_to=%2FPUSH", json!(["push"])),
        ("?return_to=%2Fpush%2F..%2Fx", json!(["push", "passcode", "phone", "sms"])),
        ("?return_to=%2Fops", json!(["push", "passcode", "phone", "sms"])),
    ] {
        let visit = alice.posts(&format!("/.duo-mfa/preauth{query}"));
        let choices = alice.asks(&mut rig, &visit, &[one_phone()]);
        assert_eq!(choices.json()["factors"], factors, "{query}");
    }
    let visit = alice.posts("/.duo-mfa/preauth?return_to=%2Fops").with("x-groups", "dev,ops");
    let choices = alice.asks(&mut rig, &visit, &[one_phone()]);
    assert_eq!(choices.json()["factors"], json!(["phone"]));

    let other = alice.posts("/.duo-mfa/auth?factor=phone&return_to=%2Fpush");
    assert_eq!(alice.asks(&mut rig, &other, &[]).code(), "bad_request");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fpush");
    assert_eq!(alice.asks(&mut rig, &push, &[one_phone(), started()]).0.status, 202);
}

#[test]
fn visit_for_a_fresher_approval_does_not_end_with_the_old_one() {
    let mut rig = rules(&json!([{"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"}]));
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2F");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let look = alice.fetches("/.duo-mfa/status");
    alice.is_approved(&mut rig, &look, &[status(ALLOW, ALLOW)]);
    rig.now = rig.now.plus(Duration::from_secs(301));

    let asked = alice.asks(&mut rig, &alice.opens("/admin"), &[]);
    assert_eq!(asked.0.status, 403);
    let look = alice.fetches("/.duo-mfa/status?return_to=%2Fadmin");
    assert_eq!(alice.asks(&mut rig, &look, &[]).code(), "bad_request");
    let look = alice.fetches("/.duo-mfa/status?return_to=%2F");
    assert_eq!(alice.asks(&mut rig, &look, &[]).json()["state"], "approved");

    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fadmin");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let look = alice.fetches("/.duo-mfa/status");
    alice.is_approved(&mut rig, &look, &[status(ALLOW, ALLOW)]);
    rig.send(&alice.opens("/admin"), &[]).admitted();
}

#[test]
fn remembered_device_is_not_enough_where_a_rule_wants_more() {
    let mut rig = Rig::with(json!({
        "duo": {"remembered_devices": true},
        "access_control": {"rules": [
            {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"},
        ]},
    }));
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2F");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    let allow = ok(&json!({"result": ALLOW, "status": ALLOW, "status_msg": "",
        "trusted_device_token": "REkzWE1Z"}));
    let look = alice.fetches("/.duo-mfa/status");
    alice.is_approved(&mut rig, &look, &[allow]);
    alice.jar.remove("__Host-duo_mfa");

    let elsewhere = alice.posts("/.duo-mfa/preauth?return_to=%2Fadmin");
    alice.asks(&mut rig, &elsewhere, &[one_phone()]);
    assert_eq!(rig.body(rig.calls.len() - 1)["trusted_device_token"], Value::Null);
    let here = alice.posts("/.duo-mfa/preauth?return_to=%2F");
    alice.is_approved(&mut rig, &here, &[preauth(ALLOW)]);
    assert_eq!(rig.body(rig.calls.len() - 1)["trusted_device_token"], "REkzWE1Z");
    rig.send(&alice.opens("/"), &[]).admitted();
    assert_eq!(alice.asks(&mut rig, &alice.opens("/admin"), &[]).0.status, 403);
}

#[test]
fn visit_during_an_outage_goes_by_the_fail_mode() {
    let gone = || says(503, "");
    let mut rig =
        rules(&json!([{"paths": ["/wiki/*"], "policy": "two_factor", "fail_mode": "safe"}]));
    rig.check_meets(&gone());
    let mut alice = Browser::of("alice");
    let visit = alice.posts("/.duo-mfa/preauth?return_to=%2F");
    assert_eq!(alice.asks(&mut rig, &visit, &[gone(), gone()]).code(), "duo_unavailable");
    let visit = alice.posts("/.duo-mfa/preauth?return_to=%2Fwiki");
    let answer = alice.is_approved(&mut rig, &visit, &[gone(), gone()]);
    assert_eq!(answer.json()["result"], ALLOW);
    rig.send(&alice.opens("/wiki"), &[]).admitted();
    assert_eq!(alice.asks(&mut rig, &alice.opens("/"), &[]).0.status, 403);
}
