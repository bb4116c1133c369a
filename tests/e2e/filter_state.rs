//! The outcome of a request in filter state, as Envoy's access log and the filters behind this one read it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

fn start(plugin: Value) -> (Stack, PathBuf) {
    let setup = Setup::default().plugin(json!({"access_control": {"rules": [
        {"paths": ["/public/*"], "policy": "bypass"},
        {"paths": ["/internal/*"], "policy": "deny"},
        {"paths": ["/reports/*"], "policy": "two_factor"},
    ]}}));
    let setup = setup.plugin(plugin);
    let given = setup.clone();
    let mut log = PathBuf::new();
    let stack = Stack::start_as(setup, |parts| {
        log = parts.directory.join("access.log");
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let manager = envoy
            .pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config")
            .unwrap();
        manager["access_log"] = json!([access_log(&log)]);
        let filters = manager["http_filters"].as_array_mut().unwrap();
        filters.insert(filters.len() - 1, no_bypass());
        envoy
    });
    (stack, log)
}

/// The access log in docs/errors.md.
fn access_log(file: &Path) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": file,
            "log_format": {"json_format": {
                "path": "%REQ(:PATH)%",
                "status": "%RESPONSE_CODE%",
                "details": "%RESPONSE_CODE_DETAILS%",
                "result": "%FILTER_STATE(wasm.duo_mfa_result:PLAIN)%",
                "factor": "%FILTER_STATE(wasm.duo_mfa_factor:PLAIN)%",
                "rule": "%FILTER_STATE(wasm.duo_mfa_rule:PLAIN)%",
            }},
        },
    })
}

/// Refuses users with bypass status at Duo.
fn no_bypass() -> Value {
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": {"no_bypass": {
                "permissions": [{"any": true}],
                "principals": [{"filter_state": {
                    "key": "wasm.duo_mfa_factor",
                    "string_match": {"exact": "bypass"},
                }}],
            }}},
        },
    })
}

/// The line of the last request for a path: status, result, factor, rule.
fn logged(log: &Path, path: &str) -> [Value; 4] {
    let line = eventually("a line in the access log", || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.rfind(|line| line["path"] == path)
    });
    ["status", "result", "factor", "rule"].map(|name| line[name].clone())
}

#[test]
fn access_log_says_what_became_of_each_request() {
    let (stack, log) = start(json!({"filter_state": true}));
    let reply = stack.answered_push(Request::get("/reports/1").user("alice"), "alice", "approve");
    let approval = reply.set_cookie(APPROVAL).unwrap().to_owned();
    stack.admitted(&Request::get("/reports/2").user("alice").cookie(&approval));
    stack.admitted(&Request::get("/3").user("alice").cookie(&approval));
    stack.admitted(&Request::get("/public/4").user("alice"));
    stack.denied(&Request::get("/internal/5").user("alice").cookie(&approval));
    stack.answered_push(Request::get("/reports/6").user("alice"), "alice", "deny");
    stack.denied(&Request::get("/reports/7").user("alice").navigation());
    stack.denied(&Request::get("/.duo-mfa/healthz").user("alice"));
    let null = || Value::Null;
    for (path, expected) in [
        ("/reports/1", [json!(200), json!("admitted"), json!("push"), json!("2")]),
        ("/reports/2", [json!(200), json!("passed"), json!("push"), json!("2")]),
        ("/3", [json!(200), json!("passed"), json!("push"), null()]),
        ("/public/4", [json!(200), json!("bypassed"), null(), json!("0")]),
        ("/internal/5", [json!(403), json!("refused"), null(), json!("1")]),
        ("/reports/6", [json!(403), json!("refused"), null(), json!("2")]),
        ("/reports/7", [json!(403), json!("prompted"), null(), json!("2")]),
        ("/.duo-mfa/healthz", [json!(200), null(), null(), null()]),
    ] {
        assert_eq!(logged(&log, path), expected, "{path}");
    }
}

#[test]
fn filter_behind_refuses_by_the_factor() {
    let (stack, log) = start(json!({"filter_state": true}));
    let refused = stack.judged(Verdict::Denied, "Duo's bypass", || {
        stack.send(&Request::get("/reports/1").user("bella"))
    });
    assert_eq!((refused.status, refused.header("x-app")), (403, None), "{refused:?}");
    let expected = [json!(403), json!("admitted"), json!("bypass"), json!("2")];
    assert_eq!(logged(&log, "/reports/1"), expected);
    // An approval from that refused sign-in does not admit either.
    if let Some(approval) = refused.set_cookie(APPROVAL).map(str::to_owned) {
        let again = Request::get("/reports/2").user("bella").cookie(&approval);
        let refused = stack.judged(Verdict::Denied, "Duo's bypass", || stack.send(&again));
        assert_eq!(refused.status, 403, "{refused:?}");
        let expected = [json!(403), json!("passed"), json!("bypass"), json!("2")];
        assert_eq!(logged(&log, "/reports/2"), expected);
    }
    stack.answered_push(Request::get("/reports/3").user("alice"), "alice", "approve");
}

#[test]
fn nothing_is_set_unless_configured() {
    let (stack, log) = start(json!({}));
    stack.admitted(&Request::get("/reports/1").user("bella"));
    stack.denied(&Request::get("/internal/2").user("alice"));
    for (path, status) in [("/reports/1", 200), ("/internal/2", 403)] {
        assert_eq!(logged(&log, path), [json!(status), json!(null), json!(null), json!(null)]);
    }
}
