//! Warnings about a configuration alone: settings that are valid, but probably a mistake.

use crate::files::plugin;
use crate::warnings::warned;
use serde_json::{Value, json};

/// Rules, and whether one of them never decides.
#[test]
fn a_rule_that_never_decides_is_warned_of() {
    let two = |first: Value, second: Value| json!([first, second]);
    let rows = [
        (two(json!({"paths": ["/a/*"]}), json!({"paths": ["/a", "/a/b/*"]})), true),
        (two(json!({"paths": ["/a/*"]}), json!({"paths": ["/a/b"], "methods": ["GET"]})), true),
        (two(json!({"hosts": ["*.x.test"]}), json!({"hosts": ["a.x.test", "*.b.x.test"]})), true),
        (two(json!({"users": ["svc-*"]}), json!({"users": ["svc-a*", "!svc-b"]})), true),
        (two(json!({"paths": ["/a/b"]}), json!({"paths": ["/a/*"]})), false),
        (two(json!({"paths": ["/a/*"]}), json!({"paths": ["/ab", "/a/b"]})), false),
        (two(json!({"paths": ["/*"], "methods": ["GET"]}), json!({"paths": ["/a"]})), false),
        (two(json!({"paths": ["/a/*", "!/a/b"]}), json!({"paths": ["/a/b"]})), false),
        (two(json!({"hosts": ["*.x.test"]}), json!({"hosts": ["x.test"]})), false),
        (json!([{"paths": ["/.duo-mfa/*"]}]), true),
        (json!([{"paths": ["/.duo-mfa-x", "/.duo-mfa/"]}]), false),
    ];
    for (mut rules, is_warned_of) in rows {
        for rule in rules.as_array_mut().unwrap() {
            rule["policy"] = json!("two_factor");
        }
        let mut plugin = plugin();
        plugin["access_control"] = json!({"rules": rules});
        let codes: &[&str] = if is_warned_of { &["rule_never_decides"] } else { &[] };
        warned(&[plugin], codes);
    }
}

#[test]
fn a_host_of_duos_that_is_no_api_is_warned_of() {
    let mut plugin = plugin();
    plugin["duo"]["api_host"] = json!("admin-xxxxxxxx.duosecurity.com");
    warned(&[plugin], &["host_of_no_api"]);
}

#[test]
fn a_bare_configuration_has_nothing_around_it() {
    warned(&[plugin()], &[]);
}
