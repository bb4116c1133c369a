//! A rule's denial also holds for a preflight without a user, and at the filter's endpoints.

use serde_json::{Value, json};

use crate::message::{Body, Request};
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;

fn stack(first_factor: FirstFactor, access_control: Value) -> Stack {
    let setup = Setup::default().plugin(json!({"access_control": access_control}));
    Stack::start(Setup { first_factor, ..setup })
}

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("origin", "https://spa.example.com")
        .header("access-control-request-method", "DELETE")
}

#[test]
fn preflight_does_not_pass_what_a_rule_behind_users_denies() {
    let rules = json!([
        {"users": ["svc-*"], "policy": "bypass"},
        {"paths": ["/internal/*"], "policy": "deny"},
    ]);
    let stack = stack(FirstFactor::Absent, json!({"cors_preflight": "bypass", "rules": rules}));
    stack.admitted(&preflight("/api"));
    for path in ["/internal/secret", "/INTERNAL/secret"] {
        stack.denied(&preflight(path)).assert_problem(403, "identity_missing");
        let with_body = preflight(path).body(Body::Sized(b"amount=12".to_vec()));
        stack.denied(&with_body).assert_problem(403, "identity_missing");
    }
    let with_body = preflight("/api").body(Body::Sized(b"amount=12".to_vec()));
    stack.denied(&with_body).assert_problem(403, "identity_missing");
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn user_who_is_denied_everything_rings_no_phone() {
    let rules = json!([
        {"paths": ["/healthz"], "policy": "bypass"},
        {"users": ["bob"], "policy": "deny"},
    ]);
    let stack = stack(FirstFactor::BasicAuth, json!({"rules": rules}));
    for (method, path) in [
        ("POST", "/.duo-mfa/preauth"),
        ("POST", "/.duo-mfa/auth?factor=push&device=auto"),
        ("POST", "/.duo-mfa/auth?factor=push&device=auto&return_to=%2Fhealthz"),
        ("GET", "/.duo-mfa/status"),
        ("GET", "/.duo-mfa/userinfo"),
    ] {
        let request = Request::new(method, path).user("bob");
        stack.denied(&request).assert_problem(403, "access_denied");
    }
    let page = stack.denied(&Request::get("/.duo-mfa/").user("bob").navigation());
    assert_eq!(page.status, 403);
    assert_eq!(stack.send(&Request::post("/.duo-mfa/logout").user("bob")).status, 200);
    assert_eq!(stack.sim.user_calls(), 0);
    stack.admitted(&Request::get("/healthz").user("bob"));
    let offered = stack.denied(&Request::post("/.duo-mfa/preauth").user("alice"));
    assert_eq!(offered.status, 200);
}

#[test]
fn nobody_is_prompted_for_what_a_rule_denies() {
    let rules = json!([{"paths": ["/internal/*"], "users": ["alice"], "policy": "deny"}]);
    let stack = stack(FirstFactor::BasicAuth, json!({"rules": rules}));
    let to = "return_to=%2FInternal%2Fx";
    for path in
        [format!("/.duo-mfa/preauth?{to}"), format!("/.duo-mfa/auth?factor=push&device=auto&{to}")]
    {
        let request = Request::post(path).user("alice");
        stack.denied(&request).assert_problem(403, "access_denied");
    }
    let page = Request::get(format!("/.duo-mfa/?{to}")).user("alice").navigation();
    assert_eq!(stack.denied(&page).status, 403);
    assert_eq!(stack.sim.user_calls(), 0);
    stack.signed_in("alice");
}

#[test]
fn machines_of_a_rule_ring_no_phone_and_people_are_held() {
    let rules = json!([{"paths": ["/jobs/*"], "policy": "two_factor", "api_mode": "refuse"}]);
    let stack = stack(FirstFactor::BasicAuth, json!({"rules": rules}));
    let machine = Request::get("/jobs/7").user("alice");
    stack.denied(&machine).assert_problem(403, "mfa_required");
    assert_eq!(stack.sim.user_calls(), 0);
    let page = stack.denied(&Request::get("/jobs/7").user("alice").navigation());
    assert_eq!(page.status, 403);
    let reply = stack.answered_push(Request::get("/").user("alice"), "alice", "approve");
    assert_eq!(reply.status, 200);
}
