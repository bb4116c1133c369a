//! Modes that refuse no request, and CORS preflights.

use crate::browser::Browser;
use crate::rig::{Rig, approval, forwarded_header, get, one_phone, pair, started, status};
use duo_mfa::http::{Edit, HeaderValue};
use duo_mfa::signal::{Code, Counter, Level, Signal};
use serde_json::{Value, json};

fn mode(mode: &str) -> Rig {
    Rig::with(json!({
        "mode": mode,
        "access_control": {"rules": [
            {"paths": ["/healthz"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
            {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"},
        ]},
    }))
}

/// The edit that tells the application why a request was forwarded.
fn result(word: &'static str) -> Edit {
    Edit::Append("x-duo-mfa-result", HeaderValue::from_static(word))
}

fn reported(rig: &Rig) -> Vec<Counter> {
    let count = |signal: &Signal| match signal {
        Signal::Count(counter @ Counter::Reported { .. }) => Some(*counter),
        Signal::Count(_) | Signal::Log(..) => None,
    };
    rig.signals.iter().filter_map(count).collect()
}

#[test]
fn report_only_refuses_nobody_and_says_who_would_be() {
    for (path, user, rule, code) in [
        ("/", "alice", None, Code::MfaRequired),
        ("/admin/x", "alice", Some(2), Code::MfaRequired),
        ("/internal", "alice", Some(1), Code::AccessDenied),
        ("/", "", None, Code::IdentityMissing),
        ("/admin", "a@b@c", Some(2), Code::IdentityInvalid),
        ("/admin/../x", "alice", None, Code::PathAmbiguous),
    ] {
        let mut rig = mode("report_only");
        let request = get(path).of(user).with("x-duo-mfa-user", "admin");
        let forward = rig.send(&request, &[]).admitted();
        assert_eq!(reported(&rig), [Counter::Reported { rule, code }], "{path} {user}");
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-user"), None);
        assert!(forward.request.contains(&Edit::Remove("x-duo-mfa-user".into())));
        assert_eq!((forward.cookie, rig.calls.len()), (None, 0));
        let Some(Signal::Log(Level::Info, line)) = rig.signals.last() else { panic!("no line") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["result"], "would_refuse");
        assert_eq!((&line["code"], &line["rule"]), (&json!(code.name()), &json!(rule)));
    }
}

#[test]
fn report_only_counts_what_passes_as_ever() {
    let script = [one_phone(), started(), status("allow", "allow")];
    let cookie = approval(&Rig::new().send(&get("/"), &script).admitted());
    let mut rig = mode("report_only");
    let forward = rig.send(&get("/admin").with("cookie", pair(&cookie)), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    rig.send(&get("/healthz").of(""), &[]).admitted();
    let counts = [Counter::Passed, Counter::Bypassed].map(Signal::Count);
    assert_eq!(rig.signals, counts);
    assert_eq!(reported(&rig), []);
}

#[test]
fn names_of_report_only_are_those_of_rules_and_codes() {
    let name = |rule, code| Counter::Reported { rule, code }.to_string();
    let prompt = name(Some(2), Code::MfaRequired);
    assert_eq!(prompt, "duo_mfa_would_refuse.rule.2.code.mfa_required");
    let denied = name(None, Code::AccessDenied);
    assert_eq!(denied, "duo_mfa_would_refuse.rule.default.code.access_denied");
}

#[test]
fn off_lets_everything_pass_but_what_is_the_filters_own() {
    for off in [json!("off"), json!(false)] {
        let mut rig = Rig::with(json!({"mode": off}));
        let off = result("off");
        for path in ["/", "/admin", "/internal", "/a/../b"] {
            let request = get(path).of("").with("x-duo-mfa-user", "admin");
            let forward = rig.send(&request, &[]).admitted();
            assert_eq!(
                forward.request,
                [Edit::Remove("x-duo-mfa-user".into()), off.clone()],
                "{path}"
            );
        }
        assert_eq!(rig.send(&get("/.duo-mfa/x"), &[]).refused().code(), "not_found");
    }
}

#[test]
fn connect_passes_without_what_is_the_filters_own() {
    for (name, word) in [("report_only", "would_refuse"), ("off", "off")] {
        let request = get("/").without(":path");
        let request = request.with("x_duo_mfa_user", "admin").with("x-duo-mfa-result", "passed");
        let forward = mode(name).send(&request, &[]).admitted();
        let removed = ["x_duo_mfa_user", "x-duo-mfa-result"].map(|it| Edit::Remove(it.into()));
        assert_eq!(forward.request[..2], removed, "{name}");
        assert_eq!(forward.request[2..], [result(word)], "{name}");
    }
}

#[test]
fn head_that_cannot_be_read_is_refused_in_every_mode() {
    for name in ["enforce", "report_only", "off"] {
        for request in [get("/").without(":method"), get("/").with(":path", "/b")] {
            assert_eq!(mode(name).send(&request, &[]).refused().code(), "bad_request", "{name}");
        }
    }
}

fn preflight() -> crate::rig::Request {
    let request = get("/api").of("").without(":method").with(":method", "OPTIONS");
    let request = request.with("origin", "https://spa.example.com");
    request.with("access-control-request-method", "DELETE")
}

#[test]
fn preflight_passes_only_where_the_operator_says_so() {
    assert_eq!(Rig::new().send(&preflight(), &[]).refused().code(), "identity_missing");
    let access = |access_control: Value| Rig::with(json!({"access_control": access_control}));
    let with = |rules: Value| access(json!({"cors_preflight": "bypass", "rules": rules}));
    access(json!({"cors_preflight": "bypass"})).send(&preflight(), &[]).admitted();
    with(json!([{"paths": ["/api"], "policy": "two_factor"}])).send(&preflight(), &[]).admitted();
    let may_deny = json!([{"users": ["bob"], "policy": "deny"}]);
    assert_eq!(with(may_deny).send(&preflight(), &[]).refused().code(), "identity_missing");
    let mut denying = with(json!([{"paths": ["/api"], "policy": "deny"}]));
    assert_eq!(denying.send(&preflight(), &[]).refused().code(), "access_denied");

    let mut rig = access(json!({"cors_preflight": "bypass"}));
    let method = "access-control-request-method";
    for request in [
        preflight().without("origin"),
        preflight().without(method),
        preflight().with(method, "GET"),
        preflight().without(":method").with(":method", "GET"),
        preflight().without(":method").with(":method", "options"),
    ] {
        assert_eq!(rig.send(&request, &[]).refused().code(), "identity_missing", "{request:?}");
    }
    let mut page = Browser::of("alice");
    assert_eq!(page.asks(&mut rig, &page.opens("/api"), &[]).0.status, 403);
}
