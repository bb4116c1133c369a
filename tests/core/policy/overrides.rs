//! Headers that may make an application use another path or method than the one that the rules matched.

use super::rig;
use crate::browser::Browser;
use crate::rig::{Rig, get, one_phone, started, status};
use serde_json::{Value, json};

const PATH: [&str; 3] = ["x-original-url", "x-rewrite-url", "x_original_url"];
const METHOD: [&str; 5] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x_http_method_override",
    "X-HTTP-Method-Override",
];

fn by_paths() -> Value {
    json!([{"paths": ["/public/*"], "policy": "bypass"}])
}

fn by_methods() -> Value {
    json!([{"methods": ["GET", "OPTIONS"], "policy": "bypass"}])
}

fn per_request() -> Value {
    json!([{"hosts": ["app.example.com"], "policy": "two_factor", "approval": "per_request"}])
}

#[test]
fn override_is_refused_where_rules_go_by_what_it_replaces() {
    for (rules, is_path, is_method) in
        [(by_paths(), true, false), (by_methods(), false, true), (per_request(), true, true)]
    {
        let mut rig = rig(&json!({"rules": rules}));
        for (headers, is_refused, code) in
            [(&PATH[..], is_path, "path_ambiguous"), (&METHOD[..], is_method, "bad_request")]
        {
            for header in headers {
                let request = get("/public/a").with(header, "/admin");
                let outcome = rig.send(&request, &[]);
                if is_refused {
                    assert_eq!(outcome.refused().code(), code, "{header} {rules}");
                } else {
                    outcome.admitted();
                }
            }
        }
    }
}

/// An approval does not cover the path or method in such a header.
#[test]
fn override_is_refused_with_an_approval_too() {
    let rules = json!([{"paths": ["/admin/*"], "policy": "deny"}]);
    let mut rig = Rig::with(json!({"access_control": {"rules": rules}}));
    let mut alice = Browser::pushed(&mut rig);
    let look = alice.fetches("/.duo-mfa/status");
    alice.is_approved(&mut rig, &look, &[status("allow", "allow")]);
    rig.send(&alice.fetches("/reports"), &[]).admitted();
    let refused = rig.send(&alice.fetches("/reports").with("x-rewrite-url", "/admin/x"), &[]);
    assert_eq!(refused.refused().code(), "path_ambiguous");
}

#[test]
fn override_passes_where_no_rule_goes_by_what_it_replaces() {
    for rules in [json!([]), json!([{"users": ["svc-*"], "policy": "bypass"}])] {
        let mut rig = Rig::with(json!({"access_control": {"rules": rules}}));
        for header in PATH.iter().chain(&METHOD) {
            let script = [one_phone(), started(), status("allow", "allow")];
            rig.send(&get("/").with(header, "DELETE"), &script).admitted();
            rig.table.clear();
        }
    }
}

#[test]
fn override_passes_where_the_operator_says_so() {
    for rules in [by_paths(), by_methods()] {
        let mut rig = rig(&json!({"override_headers": "allow", "rules": rules}));
        for header in PATH.iter().chain(&METHOD) {
            rig.send(&get("/public/a").with(header, "/admin"), &[]).admitted();
        }
    }
    for word in ["refuse", "allow"] {
        let mut rig = rig(&json!({"override_headers": word, "rules": by_paths()}));
        rig.send(&get("/public/a"), &[]).admitted();
    }
}

#[test]
fn preflight_that_names_another_method_is_none() {
    let mut rig = rig(&json!({"cors_preflight": "bypass"}));
    let preflight = || {
        let request = get("/a").without("x-basic-user").without(":method");
        let request = request.with(":method", "OPTIONS").with("origin", "https://a.example");
        request.with("access-control-request-method", "DELETE")
    };
    rig.send(&preflight(), &[]).admitted();
    for header in METHOD {
        let refused = rig.send(&preflight().with(header, "DELETE"), &[]).refused();
        assert_eq!(refused.code(), "identity_missing", "{header}");
    }
}

#[test]
fn report_only_counts_an_override() {
    let mut rig = Rig::with(json!({
        "mode": "report_only",
        "access_control": {"rules": by_paths()},
    }));
    rig.send(&get("/public/a").with("x-original-url", "/admin"), &[]).admitted();
    let counted = format!("{:?}", rig.signals);
    assert!(counted.contains("PathAmbiguous"), "{counted}");
}
