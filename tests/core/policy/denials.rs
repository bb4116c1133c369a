//! No `deny` is skipped: every kind of rule against every kind of request.

use crate::browser::Browser;
use crate::rig::{Outcome, Request, Response, Rig, get, one_phone, preauth, started};
use serde_json::{Value, json};

const TARGET: &str = "/internal/x";
const ENCODED: &str = "%2Finternal%2Fx";

/// A kind of rule that denies `mallory` the target.
struct Kind {
    name: &'static str,
    access_control: Value,
    /// Whether the rule denies every path.
    is_for_all_paths: bool,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, is_for_all_paths, access_control: Value| Kind {
        name,
        access_control,
        is_for_all_paths,
    };
    let rules = |rules: Value| json!({"rules": rules});
    vec![
        kind("user", true, rules(json!([{"users": ["mallory"], "policy": "deny"}]))),
        kind("beginning of a user", true, rules(json!([{"users": ["mal*"], "policy": "deny"}]))),
        kind("group", true, rules(json!([{"groups": ["left"], "policy": "deny"}]))),
        kind("network", true, rules(json!([{"networks": ["192.0.2.0/24"], "policy": "deny"}]))),
        kind("host", true, rules(json!([{"hosts": ["app.example.com"], "policy": "deny"}]))),
        kind(
            "user and all paths",
            true,
            rules(json!([{"users": ["mallory"], "paths": ["/*"], "policy": "deny"}])),
        ),
        kind(
            "user, behind a bypass by path",
            true,
            rules(json!([
                {"paths": ["/healthz"], "policy": "bypass"},
                {"users": ["svc-*"], "policy": "bypass"},
                {"users": ["mallory"], "policy": "deny"},
            ])),
        ),
        kind(
            "everybody but some",
            true,
            rules(json!([
                {"users": ["alice"], "policy": "two_factor"},
                {"paths": ["/*"], "policy": "deny"},
            ])),
        ),
        kind(
            "default policy",
            true,
            json!({
                "default_policy": "deny",
                "rules": [{"users": ["alice"], "policy": "two_factor"}],
            }),
        ),
        kind("path", false, rules(json!([{"paths": ["/internal/*"], "policy": "deny"}]))),
        kind(
            "path and user",
            false,
            rules(json!([{"paths": ["/internal/*"], "users": ["mallory"], "policy": "deny"}])),
        ),
        kind(
            "path, behind a rule on users",
            false,
            rules(json!([
                {"users": ["svc-*"], "policy": "bypass"},
                {"paths": ["/internal/*"], "policy": "deny"},
            ])),
        ),
        kind(
            "path and group",
            false,
            rules(json!([{"paths": ["/internal/*"], "groups": ["left"], "policy": "deny"}])),
        ),
        kind(
            "methods",
            false,
            rules(json!([{"methods": ["GET", "OPTIONS"], "users": ["mallory"], "policy": "deny"}])),
        ),
    ]
}

fn rig(kind: &Kind, mode: &str, preflight: &str) -> Rig {
    let mut access_control = kind.access_control.clone();
    access_control["cors_preflight"] = preflight.into();
    Rig::with(json!({
        "mode": mode,
        "access_control": access_control,
        "identity": {"groups": {"header": "x-groups"}},
        "duo": {"enrollment": "inline"},
    }))
}

fn left(request: Request) -> Request {
    request.with("x-groups", "left")
}

fn mallory() -> Browser {
    Browser::of("mallory")
}

/// Asserts that a request is denied without a call to Duo.
#[track_caller]
fn assert_denied(kind: &Kind, rig: &mut Rig, request: &Request, codes: &[&str]) {
    let outcome = rig.send(request, &[]);
    let refused = match outcome {
        refused @ Outcome::Replied(_) => refused.answered(),
        Outcome::Forwarded(forward) => panic!("{}: {request:?} went on: {forward:?}", kind.name),
    };
    assert_eq!(rig.calls.len(), 0, "{}: {request:?}", kind.name);
    assert!(codes.contains(&code(&refused).as_str()), "{}: {request:?}", kind.name);
}

/// The code of a refusal, which may be a page.
fn code(refused: &Response) -> String {
    refused.0.details.strip_prefix("duo_mfa_").unwrap().to_owned()
}

#[test]
fn held_request_and_page_are_denied() {
    for kind in kinds() {
        let mut rig = rig(&kind, "enforce", "bypass");
        for request in [
            left(get(TARGET).of("mallory")),
            left(get(TARGET).of("mallory")).with("x-duo-mfa-passcode", "123456"),
            left(mallory().opens(TARGET)),
            left(mallory().fetches(TARGET)),
            left(get("/INTERNAL/%78").of("mallory")),
        ] {
            assert_denied(&kind, &mut rig, &request, &["access_denied"]);
        }
    }
}

fn preflight(path: &str) -> Request {
    let request = get(path).without("x-basic-user").without(":method").with(":method", "OPTIONS");
    let request = request.with("origin", "https://spa.example.com");
    request.with("access-control-request-method", "DELETE")
}

#[test]
fn preflight_passes_no_rule_that_could_deny_it() {
    for kind in kinds() {
        for mode in ["bypass", "two_factor"] {
            let mut rig = rig(&kind, "enforce", mode);
            let nobody = preflight(TARGET);
            assert_denied(&kind, &mut rig, &nobody, &["access_denied", "identity_missing"]);
            let named = left(preflight(TARGET)).with("x-basic-user", "mallory");
            assert_denied(&kind, &mut rig, &named, &["access_denied"]);
        }
    }
}

#[test]
fn preflight_passes_where_nothing_could_deny_it() {
    let rules = |rules: Value| json!({"cors_preflight": "bypass", "rules": rules});
    let passes = |access_control: Value, request: &Request| {
        let mut rig = Rig::with(json!({"access_control": access_control}));
        matches!(rig.send(request, &[]), Outcome::Forwarded(_))
    };
    let narrow = json!([{"paths": ["/internal/*"], "users": ["bob"], "policy": "deny"}]);
    let asking = json!([
        {"users": ["bob"], "policy": "two_factor", "max_age": "5m"},
        {"paths": ["/*"], "policy": "two_factor"},
        {"users": ["bob"], "policy": "deny"},
    ]);
    assert!(passes(rules(narrow.clone()), &preflight("/api")));
    assert!(!passes(rules(narrow.clone()), &preflight(TARGET)));
    assert!(passes(rules(asking), &preflight("/api")), "the second rule decides at the latest");
    let named = |user: &str| preflight(TARGET).with("x-basic-user", user);
    assert!(passes(rules(narrow.clone()), &named("alice")), "a first factor that names others");
    assert!(!passes(rules(narrow), &named("bob")));
    let anybody = json!({"cors_preflight": "bypass"});
    assert!(passes(anybody.clone(), &preflight("/api")));
    assert!(!passes(anybody, &preflight("/api").followed_by("amount=12")), "no browser sends one");
}

fn visits(query: &str) -> Vec<(Request, bool)> {
    let mallory = mallory();
    let get = |path: &str| left(mallory.fetches(&format!("/.duo-mfa/{path}{query}")));
    let post = |path: &str| left(mallory.posts(&format!("/.duo-mfa/{path}{query}")));
    let program = |path: &str| {
        let request = crate::browser::posted(crate::rig::get(&format!("/.duo-mfa/{path}{query}")));
        left(request.of("mallory"))
    };
    let and = |path: &str| {
        let path = path.to_owned();
        if query.is_empty() { path } else { format!("{path}&{}", query.trim_start_matches('?')) }
    };
    let auth =
        |parameters: &str| left(mallory.posts(&format!("/.duo-mfa/auth?{}", and(parameters))));
    vec![
        (left(mallory.opens(&format!("/.duo-mfa/{query}"))), true),
        (get(""), true),
        (post("preauth"), true),
        (left(mallory.submits(&format!("/.duo-mfa/preauth{query}"))), true),
        (program("preauth"), true),
        (auth("factor=push&device=auto"), true),
        (auth("factor=passcode").with("x-duo-mfa-passcode", "123456"), true),
        (get("status"), true),
        (post("enroll"), true),
        (get("enroll"), true),
        (get("enroll/status"), true),
        (get("userinfo"), true),
        (post("cancel"), false),
        (post("logout"), false),
    ]
}

#[test]
fn own_endpoints_are_denied_to_users_who_are_denied_everything() {
    for kind in kinds().into_iter().filter(|kind| kind.is_for_all_paths) {
        for mode in ["enforce", "report_only", "off"] {
            for query in ["", "?return_to=%2F"] {
                for (request, is_denied) in visits(query) {
                    let mut rig = rig(&kind, mode, "two_factor");
                    if is_denied {
                        assert_denied(&kind, &mut rig, &request, &["access_denied"]);
                    } else {
                        let status = rig.send(&request, &[]).answered().0.status;
                        assert_eq!(status, 200, "{}: {request:?}", kind.name);
                    }
                }
            }
        }
    }
}

#[test]
fn nobody_is_prompted_for_a_return_path_that_is_denied() {
    for kind in kinds() {
        for query in [
            format!("?return_to={ENCODED}"),
            "?return_to=%2FINTERNAL%2Fx".to_owned(),
            "?return_to=%2Finternal%23here".to_owned(),
        ] {
            for (request, is_denied) in visits(&query) {
                let mut rig = rig(&kind, "enforce", "two_factor");
                if is_denied {
                    assert_denied(&kind, &mut rig, &request, &["access_denied"]);
                } else {
                    assert_eq!(rig.send(&request, &[]).answered().0.status, 200);
                }
            }
        }
    }
}

#[test]
fn return_path_is_judged_by_the_method_that_is_approved() {
    let rules = json!({"rules": [
        {"methods": ["DELETE"], "policy": "deny"},
        {"paths": ["/orders/*"], "policy": "two_factor", "approval": "per_request"},
    ]});
    let mut rig = Rig::with(json!({"access_control": rules}));
    let mut alice = Browser::of("alice");
    let auth = |alice: &Browser, method: &str| {
        let query = format!("factor=push&return_to=%2Forders%2F7&method={method}");
        alice.posts(&format!("/.duo-mfa/auth?{query}"))
    };
    let refused = alice.asks(&mut rig, &auth(&alice, "DELETE"), &[]);
    assert_eq!(refused.code(), "access_denied");
    let begun = alice.asks(&mut rig, &auth(&alice, "PUT"), &[one_phone(), started()]);
    assert_eq!(begun.0.status, 202);
}

#[test]
fn return_path_that_no_rule_can_judge_is_prompted_for_by_nobody() {
    let rules = json!({"rules": [{"paths": ["/internal/*"], "policy": "deny"}]});
    let mut rig = Rig::with(json!({"access_control": rules}));
    let mut alice = Browser::of("alice");
    for path in ["%2F%3B%2Finternal%2Fx", "%2Finternal%253Bx", "%2Fa%2F%2Finternal"] {
        let visit = alice.posts(&format!("/.duo-mfa/preauth?return_to={path}"));
        assert_eq!(alice.asks(&mut rig, &visit, &[]).code(), "path_ambiguous", "{path}");
    }
}

/// A user who is denied some paths may sign in for the others.
#[test]
fn others_are_prompted_as_ever() {
    for kind in kinds() {
        let mut rig = rig(&kind, "enforce", "two_factor");
        let mut alice = Browser::of("alice");
        rig.peer = Some(b"198.51.100.7:4711");
        let host = |request: Request| request.without(":authority").with(":authority", "b.example");
        let preauth_of = |browser: &Browser| browser.posts("/.duo-mfa/preauth?return_to=%2Fa");
        if kind.name != "methods" {
            let offered = alice.asks(&mut rig, &host(preauth_of(&alice)), &[one_phone()]);
            assert_eq!(offered.0.status, 200, "{}", kind.name);
        }
        if !kind.is_for_all_paths && kind.name != "methods" {
            let mut mallory = mallory();
            let offered = mallory.asks(&mut rig, &left(preauth_of(&mallory)), &[one_phone()]);
            assert_eq!(offered.0.status, 200, "{}", kind.name);
            let bare = left(mallory.posts("/.duo-mfa/preauth"));
            assert_eq!(mallory.asks(&mut rig, &bare, &[preauth("deny")]).0.status, 200);
        }
    }
}

/// Without a return path, the filter does not know the path for which the user signs in.
#[test]
fn sign_in_without_a_return_path_goes_by_what_is_left() {
    let access_control = json!({
        "default_policy": "deny",
        "rules": [{"paths": ["/app/*"], "users": ["alice"], "policy": "two_factor"}],
    });
    let mut rig = Rig::with(json!({"access_control": access_control}));
    for (user, query, script, status) in [
        ("alice", "", vec![one_phone()], 200),
        ("alice", "?return_to=%2Fapp", vec![one_phone()], 200),
        ("alice", "?return_to=%2F", vec![], 403),
        ("mallory", "", vec![], 403),
        ("mallory", "?return_to=%2Fapp", vec![], 403),
    ] {
        let mut browser = Browser::of(user);
        let visit = browser.posts(&format!("/.duo-mfa/preauth{query}"));
        assert_eq!(browser.asks(&mut rig, &visit, &script).0.status, status, "{user} {query}");
    }
}

#[test]
fn bypass_of_everything_before_a_denial_denies_nothing() {
    let mut rig = Rig::with(json!({"access_control": {"rules": [
        {"users": ["svc-*"], "policy": "bypass"},
        {"paths": ["/*"], "policy": "deny"},
    ]}}));
    for (user, status) in [("svc-a", 200), ("mallory", 403)] {
        let browser = Browser::of(user);
        let info = rig.send(&browser.opens("/.duo-mfa/logout"), &[]).answered();
        assert_eq!(info.0.status, 200, "{user}");
        let page = rig.send(&browser.opens("/.duo-mfa/"), &[]).answered();
        assert_eq!(page.0.status, status, "{user}: {}", page.text());
    }
}
