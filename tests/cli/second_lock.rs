//! A second lock behind the filter that blocks requests which the filter forwards.

use crate::files::{plugin, wasm_plugin};
use crate::warnings::warned;
use serde_json::{Value, json};

const BLOCKS: &[&str] = &["second_lock_blocks"];

fn lock(action: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "duo-mfa"},
        "spec": {"action": action, "rules": rules},
    })
}

/// A rule that demands one of these values of a header.
fn demands(action: &str, header: &str, values: &Value) -> Value {
    let values_of = if action == "DENY" { "notValues" } else { "values" };
    json!({"when": [{"key": format!("request.headers[{header}]"), values_of: values}]})
}

const RESULT: &str = "x-duo-mfa-result";

/// Checks a plugin with these members besides a lock. A mode other than `enforce` has its own warning.
fn check(changes: &Value, lock: &Value, expected: &[&str]) {
    let mut plugin = plugin();
    plugin["identity"] = json!({"source": "jwt",
        "metadata": ["envoy.filters.http.jwt_authn", "payload", "email"]});
    for (key, value) in changes.as_object().unwrap() {
        plugin[key] = value.clone();
    }
    let is_enforced = changes.get("mode").is_none();
    let mut codes = if is_enforced { vec![] } else { vec!["nobody_is_asked"] };
    codes.extend(expected);
    warned(&[wasm_plugin(&plugin), lock.clone()], &codes);
}

#[test]
fn lock_that_takes_every_word_blocks_nobody() {
    let bypassing = json!({"access_control": {"rules": [{"paths": ["/a"], "policy": "bypass"}]}});
    for action in ["DENY", "ALLOW"] {
        for values in [json!(["*"]), json!(["passed", "admitted", "bypassed", "would*", "off"])] {
            let lock = lock(action, &json!([demands(action, RESULT, &values)]));
            for changes in [
                json!({}),
                json!({"mode": "report_only"}),
                json!({"mode": "off"}),
                bypassing.clone(),
            ] {
                check(&changes, &lock, &[]);
            }
        }
    }
}

#[test]
fn lock_that_demands_an_approval_blocks_the_rest() {
    let approved = json!(["passed", "admitted"]);
    for action in ["DENY", "ALLOW"] {
        for (header, values) in [
            (RESULT, &approved),
            ("X-Duo-Mfa-Result", &approved),
            ("x-duo-mfa-user", &json!(["*"])),
            ("x-duo-mfa-factor", &json!(["push", "webauthn"])),
        ] {
            let narrow = lock(action, &json!([demands(action, header, values)]));
            check(&json!({}), &narrow, &[]);
            check(&json!({"mode": "report_only"}), &narrow, BLOCKS);
            check(&json!({"mode": "off"}), &narrow, BLOCKS);
            let rules = json!([{"paths": ["/a"], "policy": "bypass"}]);
            check(&json!({"access_control": {"rules": rules}}), &narrow, BLOCKS);
            check(&json!({"access_control": {"cors_preflight": "bypass"}}), &narrow, BLOCKS);
        }
    }
    let passed = lock("DENY", &json!([demands("DENY", RESULT, &json!(["passed"]))]));
    check(&json!({}), &passed, BLOCKS);
}

#[test]
fn paths_that_a_lock_excepts_may_be_bypassed() {
    let rules = json!([{"paths": ["/a"], "policy": "bypass"}]);
    let bypassing = json!({"access_control": {"rules": rules}});
    let mut rule = demands("DENY", RESULT, &json!(["passed", "admitted"]));
    rule["to"] = json!([{"operation": {"notPaths": ["/a"]}}]);
    let excepting = lock("DENY", &json!([rule]));
    check(&bypassing, &excepting, &[]);
    let mut reporting = bypassing.clone();
    reporting["mode"] = json!("report_only");
    check(&reporting, &excepting, BLOCKS);

    let approved = demands("ALLOW", RESULT, &json!(["passed", "admitted"]));
    let free = json!({"to": [{"operation": {"paths": ["/a"]}}]});
    check(&bypassing, &lock("ALLOW", &json!([approved, free])), &[]);
}

#[test]
fn other_policies_are_no_lock() {
    let of_role = json!([demands("ALLOW", "x-role", &json!(["admin"]))]);
    let by_source = json!([{"from": [{"source": {"namespaces": ["app"]}}]}]);
    let approved = json!([demands("ALLOW", RESULT, &json!(["passed"]))]);
    for lock in [lock("ALLOW", &of_role), lock("DENY", &by_source), lock("AUDIT", &approved)] {
        check(&json!({"mode": "report_only"}), &lock, &[]);
    }
}
