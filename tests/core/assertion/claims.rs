//! The claims, by the way to the approval.

use super::*;
use crate::browser::Browser;
use crate::rig::{fail, ok, phone_of, preauth, says, status};
use duo_mfa::factor::Factor;
use duo_mfa::session::{ApprovedBy, NewApproval, Subject};
use std::collections::BTreeSet;

/// A cookie with an approval by this factor.
fn cookie_by(rig: &Rig, by: ApprovedBy) -> String {
    let approval = NewApproval { factor: by, authenticated: rig.now, lifetime: None };
    let subject = Subject { source: "header", user: "alice", bound: &[] };
    let sessions = &rig.gate.config().applications.main.sessions;
    let line = sessions.issue(&approval, &subject, rig.now, [3; 16]);
    str::from_utf8(line.as_bytes()).unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn methods_are_those_of_the_factor() {
    let mut known = BTreeSet::new();
    for by in ApprovedBy::ALL {
        let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}}));
        let cookie = cookie_by(&rig, by);
        wait(&mut rig, 7);
        let stated = claims(&passed(&mut rig, &cookie, "/"), &mut rig);
        let methods: &[&str] = match by {
            ApprovedBy::Factor(Factor::Push) => &["mfa", "pop"],
            ApprovedBy::Factor(Factor::Passcode) => &["mfa", "otp"],
            ApprovedBy::Factor(Factor::Phone) => &["mfa", "tel"],
            ApprovedBy::Factor(Factor::Sms) => &["mfa", "otp", "sms"],
            ApprovedBy::Webauthn => &["mfa", "pop", "user"],
            ApprovedBy::Other
            | ApprovedBy::Bypass
            | ApprovedBy::Remembered
            | ApprovedBy::FailSafe => &[],
        };
        let level = if methods.is_empty() { "one-factor" } else { "two-factor" };
        let now = rig.now.seconds();
        known.insert(stated["sid"].clone().to_string());
        let expected = json!({
            "iss": "https://app.example.com", "aud": "wiki", "sub": "alice",
            "iat": now, "exp": now + 60, "auth_time": now - 7, "amr": methods,
            "acr": format!("urn:duo-mfa:acr:{level}"), "factor": by.name(), "sid": stated["sid"],
        });
        assert_eq!(stated, expected, "{by:?}");
    }
    assert_eq!(known.len(), 1, "the same approval has the same name");
}

/// Sends a program's request, which is forwarded after these responses.
fn held(rig: &mut Rig, request: &Request, script: &[Scripted]) -> Value {
    let forward = rig.send(request, script).admitted();
    claims(&forward, rig)
}

/// Duo asks nobody who gets its bypass while a prompt is under way, and takes any code from them.
#[test]
fn allow_without_a_question_is_no_second_factor() {
    let bypass = || status("allow", "bypass");
    let typed = get("/").with("x-duo-mfa-passcode", "123456");
    for (request, script) in [
        (get("/"), vec![phone_of("alice"), started(), bypass()]),
        (typed, vec![phone_of("alice"), bypass()]),
    ] {
        let stated = held(&mut rig(), &request, &script);
        assert_eq!((&stated["amr"], &stated["factor"]), (&json!([]), &json!("bypass")));
    }
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    alice.asks(
        &mut rig,
        &alice.posts("/.duo-mfa/auth?factor=push"),
        &[phone_of("alice"), started()],
    );
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[bypass()]);
    let forward = rig.send(&alice.opens("/"), &[]).admitted();
    let stated = claims(&forward, &mut rig);
    assert_eq!((&stated["amr"], &stated["factor"]), (&json!([]), &json!("bypass")));
}

#[test]
fn held_request_has_one_as_well() {
    let mut rig = rig();
    let now = rig.now.seconds();
    let by_push = held(&mut rig, &get("/"), &push());
    assert_eq!((&by_push["amr"], &by_push["auth_time"]), (&json!(["mfa", "pop"]), &json!(now)));
    let passcode = get("/").with("x-duo-mfa-passcode", "123456");
    let by_code = held(&mut rig, &passcode, &[one_phone(), status("allow", "allow")]);
    assert_eq!(by_code["amr"], json!(["mfa", "otp"]));
    let bypassed = held(&mut rig, &get("/"), &[preauth("allow")]);
    assert_eq!((&bypassed["amr"], &bypassed["factor"]), (&json!([]), &json!("bypass")));
    assert_eq!(bypassed.get("method"), None, "it is valid for other requests, too");
}

#[test]
fn the_approval_of_a_held_request_keeps_its_name() {
    let mut rig = rig();
    let first = rig.send(&get("/"), &push()).admitted();
    let cookie = pair(&approval(&first)).to_owned();
    let second = passed(&mut rig, &cookie, "/");
    assert_eq!(claims(&first, &mut rig)["sid"], claims(&second, &mut rig)["sid"]);
}

#[test]
fn fail_safe_names_no_method_and_ends_with_its_approval() {
    let mut section = section();
    section["lifetime"] = json!("1h");
    let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}, "assertion": section}));
    let gone = says(503, "");
    rig.check_meets(&gone);
    let forward = rig.send(&get("/"), &[gone.clone(), gone]).admitted();
    let now = rig.now.seconds();
    let stated = claims(&forward, &mut rig);
    assert_eq!((&stated["amr"], &stated["factor"]), (&json!([]), &json!("fail_safe")));
    assert_eq!(stated["exp"], now + 300);
}

#[test]
fn only_requests_with_an_approval_have_one() {
    let rules = json!([
        {"paths": ["/public/*"], "policy": "bypass"},
        {"paths": ["/internal/*"], "policy": "deny"},
    ]);
    let names =
        ["x-duo-mfa-assertion", "X-Duo-Mfa-Assertion", "x_duo_mfa_assertion", "x-duo-mfa-x"];
    let forged = |path: &str| names.iter().fold(get(path), |it, name| it.with(name, "ey.ey.x"));
    for (mode, path) in [
        ("enforce", "/public/x"),
        ("report_only", "/public/x"),
        ("report_only", "/"),
        ("report_only", "/internal/x"),
        ("off", "/"),
        ("off", "/public/x"),
    ] {
        let mut rig = rig_with(json!({"mode": mode, "access_control": {"rules": rules}}));
        let forward = rig.send(&forged(path), &[]).admitted();
        assert_eq!(token(&forward), None, "{mode} {path}");
        for name in names {
            assert!(forward.request.contains(&Edit::Remove(name.into())), "{mode} {path} {name}");
        }
    }
    let mut rig = rig_with(json!({"access_control": {"rules": rules}}));
    let cookie = cookie(&mut rig);
    let request = with(&cookie, "/").with("x-duo-mfa-assertion", "ey.ey.x");
    let forward = rig.send(&request, &[]).admitted();
    assert_eq!(claims(&forward, &mut rig)["sub"], "alice");
    let removal = forward.request.iter().position(|it| *it == Edit::Remove(HEADER.into()));
    let own = forward.request.iter().position(|it| matches!(it, Edit::AppendNamed(..)));
    assert!(removal.is_some() && removal < own, "{forward:?}");
    // An approval is one in any mode that judges requests.
    let mut reporting = rig_with(json!({"mode": "report_only"}));
    let forward = passed(&mut reporting, &cookie, "/");
    assert_eq!(claims(&forward, &mut reporting)["amr"], json!(["mfa", "pop"]));
    // Without the section nothing is added.
    assert_eq!(token(&passed(&mut Rig::new(), &cookie, "/")), None);
}

#[test]
fn another_header_is_used_if_configured() {
    let mut section = section();
    section["header"] = json!("x-duo-mfa-jwt");
    let mut rig = rig_with(json!({"assertion": section}));
    let cookie = cookie(&mut rig);
    let forward = rig.send(&with(&cookie, "/").with("x-duo-mfa-jwt", "forged"), &[]).admitted();
    assert!(forward.request.contains(&Edit::Remove("x-duo-mfa-jwt".into())));
    let sent = forwarded_header(&forward, "x-duo-mfa-jwt").unwrap();
    assert!(verified(&sent, &keys(&mut rig)).is_some());
    assert_eq!(token(&forward), None);
}

#[test]
fn no_answer_of_duo_but_allow_leads_to_one() {
    let mut rig = rig();
    for script in [
        vec![preauth("deny")],
        vec![fail(40002, "Invalid request parameters", "username")],
        vec![one_phone(), started(), status("deny", "deny")],
        vec![ok(&json!({"result": "Allow"}))],
    ] {
        rig.send(&get("/"), &script).refused();
        wait(&mut rig, 3600);
    }
}

/// The user of such a request was not asked, so nothing in the assertion looks like their second factor.
#[test]
fn approval_of_another_person_is_no_second_factor_of_the_user() {
    let rule = json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request",
        "approver": {"users": ["carol"]}});
    let mut rig = rig_with(json!({"access_control": {"rules": [rule]}}));
    let pushed = || [phone_of("carol"), started()];
    let held = pushed().into_iter().chain([allows()]).collect::<Vec<_>>();
    let held = rig.send(&get("/wire"), &held).admitted();
    let mut alice = Browser::of("alice");
    let begin = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Fwire");
    alice.asks(&mut rig, &begin, &pushed());
    alice.asks(&mut rig, &alice.fetches("/.duo-mfa/status"), &[allows()]);
    let ahead = rig.send(&alice.opens("/wire"), &[]).admitted();
    for forward in [held, ahead] {
        let claims = claims(&forward, &mut rig);
        assert_eq!((&claims["sub"], &claims["approver"]), (&json!("alice"), &json!("carol")));
        assert_eq!((&claims["amr"], &claims["factor"]), (&json!([]), &json!("push")));
        assert_eq!(claims["acr"], "urn:duo-mfa:acr:one-factor");
        assert_eq!((&claims["method"], &claims["path"]), (&json!("GET"), &json!("/wire")));
    }
    let own = rig.send(&get("/"), &push()).admitted();
    assert_eq!(claims(&own, &mut rig).get("approver"), None);
}
