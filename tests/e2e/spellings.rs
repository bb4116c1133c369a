//! Paths and headers that may make an application read another request than the one that the rules matched.

use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::Setup;
use crate::stack::Stack;

fn guarded(access_control: Value) -> Stack {
    let plugin = json!({"access_control": access_control, "api": {"mode": "refuse"}});
    Stack::start(Setup::default().plugin(plugin))
}

#[test]
fn letters_beyond_ascii_are_no_way_around_a_rule() {
    let stack = guarded(json!({
        "default_policy": "bypass",
        "rules": [
            {"paths": ["/b%C3%BCro/*", "/admin/*", "/tasks/*"], "policy": "deny"},
            {"paths": ["/public/*"], "policy": "bypass"},
        ],
    }));
    stack.denied(&Request::get("/b%C3%BCro/x").user("alice")).assert_problem(403, "access_denied");
    for path in [
        "/B%C3%9CRO/x",
        "/bu%CC%88ro/x",
        "/ADM%C4%B0N/x",
        "/adm%C4%B1n/x",
        "/ta%C5%BFks/x",
        "/tas%E2%84%AAs/x",
        "/ad%EF%BD%8Din/x",
        "/public/%E2%80%A5/admin",
        "/%20admin",
        "/public/%20../admin",
        "/admin./x",
        "/admin::$DATA",
        "/public/..%E2%80%8B/admin",
    ] {
        let reply = stack.denied(&Request::get(path).user("alice"));
        reply.assert_problem(400, "path_ambiguous");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn ordinary_paths_beyond_ascii_pass() {
    let stack = guarded(json!({
        "default_policy": "bypass",
        "rules": [{"paths": ["/admin/*"], "policy": "deny"}],
    }));
    for path in [
        "/files/B%C3%BCro.pdf",
        "/%E7%AE%A1%E7%90%86/x",
        "/%D0%BE%D1%82%D1%87%D1%91%D1%82",
        "/a%20b/(1)",
        "/v1/things:batchGet",
    ] {
        stack.admitted(&Request::get(path).user("alice"));
    }
}

#[test]
fn headers_that_replace_path_or_method_are_refused_where_rules_go_by_them() {
    let rules = json!([
        {"paths": ["/admin/*"], "policy": "deny"},
        {"methods": ["GET"], "policy": "bypass"},
    ]);
    let stack = guarded(json!({"rules": rules}));
    stack.admitted(&Request::get("/a").user("alice"));
    for (header, status, code) in [
        ("x-original-url", 400, "path_ambiguous"),
        ("X-Rewrite-URL", 400, "path_ambiguous"),
        ("x-http-method-override", 400, "bad_request"),
        ("X-HTTP-Method", 400, "bad_request"),
        ("x-method-override", 400, "bad_request"),
    ] {
        let request = Request::get("/a").user("alice").header(header, "/admin/x");
        stack.denied(&request).assert_problem(status, code);
    }
    let stack = guarded(json!({"override_headers": "allow", "rules": rules}));
    stack.admitted(&Request::get("/a").user("alice").header("x-http-method-override", "HEAD"));
}

#[test]
fn approval_ahead_is_for_the_stated_content_type_alone() {
    let rules = json!([{"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"}]);
    let stack = guarded(json!({"rules": rules}));
    let ahead = |stated: &str| {
        let to = "return_to=%2Fwire&method=DELETE";
        let path = format!("/.duo-mfa/auth?factor=push&device=auto&{to}{stated}");
        let begun = stack.denied(&Request::post(path).user("alice"));
        assert_eq!(begun.status, 202, "{}", begun.text());
        stack.sim.answer("alice", "approve");
        let transaction = begun.json()["transaction"].as_str().unwrap().to_owned();
        let look = Request::get("/.duo-mfa/status").user("alice");
        let state = stack.denied(&look.header("x-duo-mfa-transaction", transaction)).json();
        state["transaction"].as_str().unwrap().to_owned()
    };
    let wire = |token: &str| {
        let request = Request::new("DELETE", "/wire").user("alice");
        request.header("x-duo-mfa-transaction", token)
    };
    let token = ahead("");
    let as_json = wire(&token).header("content-type", "application/json");
    stack.denied(&as_json).assert_problem(403, "mfa_required");
    stack.admitted(&wire(&token));
    let token = ahead("&content_type=application%2Fjson");
    stack.denied(&wire(&token)).assert_problem(403, "mfa_required");
    stack.admitted(&wire(&token).header("content-type", "application/json"));
}
