//! `explain` prints the decisions of the core's rules.

use crate::files::{File, for_browsers_alone, plugin, to_duos_page};
use crate::run::duo_mfa;
use duo_mfa::config::Config;
use duo_mfa::http::{HeaderMap, RequestHead};
use duo_mfa::policy::{Decision, Person};
use serde_json::{Value, json};

fn ruled() -> Value {
    let mut plugin = plugin();
    plugin["duo"]["fail_mode"] = json!("safe");
    plugin["session"]["bind"] = json!(["certificate"]);
    plugin["identity"]["groups"] = json!({"header": "x-groups"});
    plugin["applications"] = json!({"payments": {"duo": {
        "api_host": "api-yyyyyyyy.duosecurity.com",
        "integration_key": "DIYYYYYYYYYYYYYYYYYY",
        "secret_key": {"env": "DUO_SECRET_KEY_PAYMENTS"},
        "cluster": "duo_api_payments",
        "factors": ["push"],
    }}});
    plugin["access_control"] = json!({
        "default_policy": "deny",
        "cors_preflight": "bypass",
        "rules": [
            {"paths": ["/healthz"], "methods": ["GET"], "policy": "bypass"},
            {"networks": ["10.0.0.0/8"], "paths": ["/metrics"], "policy": "bypass"},
            {"hosts": ["*.example.com"], "paths": ["/admin/*"], "groups": ["ops"],
             "policy": "two_factor", "max_age": "5m", "factors": ["push"], "fail_mode": "secure"},
            {"users": ["svc-*"], "policy": "bypass"},
            {"paths": ["/*"], "groups": ["staff"], "policy": "two_factor"},
            {"paths": ["/pay"], "users": ["carol"], "policy": "two_factor", "approval": "per_request",
             "application": "payments"},
            {"paths": ["/git/*"], "users": ["carol"], "policy": "two_factor",
             "approval": {"per": "client", "for": "5m"}}
        ]
    });
    plugin
}

type Row = (&'static [&'static str], i32, &'static str);

const TWO_FACTOR: &str =
    "policy: two_factor\nfactors: push, passcode, phone, sms\nmax_age: none\nfail_mode: safe\n";

const ROWS: &[Row] = &[
    (&["--path", "/healthz"], 0, "rule: 0, access_control.rules[0]\npolicy: bypass\n"),
    (
        &["--path", "/metrics", "--address", "10.1.2.3"],
        0,
        "rule: 1, access_control.rules[1]\npolicy: bypass\n",
    ),
    (
        &["--path", "/ADMIN/x", "--host", "a.example.com", "--user", "alice", "--group", "ops"],
        0,
        "rule: 2, access_control.rules[2]\npolicy: two_factor\nfactors: push\nmax_age: 300s\nfail_mode: secure\n",
    ),
    (&["--path", "/", "--user", "svc-1"], 0, "rule: 3, access_control.rules[3]\npolicy: bypass\n"),
    (
        &["--path", "/", "--user", "bob", "--group", "staff"],
        0,
        "rule: 4, access_control.rules[4]\n",
    ),
    (
        &["--path", "/pay", "--user", "carol"],
        0,
        "rule: 5, access_control.rules[5]\npolicy: two_factor\napplication: payments\n\
         factors: push\napproval: per_request\nmax_age: none\nfail_mode: secure\n",
    ),
    (
        &["--path", "/git/a", "--user", "carol"],
        0,
        "rule: 6, access_control.rules[6]\npolicy: two_factor\nfactors: push, passcode, phone, sms\n\
         approval: per client, for 300s\nmax_age: none\nfail_mode: safe\n",
    ),
    (
        &["--path", "/", "--user", "bob"],
        0,
        "rule: none, access_control.default_policy\npolicy: deny\n",
    ),
    (
        &["--path", "/healthz", "--method", "POST", "--user", "bob"],
        0,
        "rule: none, access_control.default_policy\npolicy: deny\n",
    ),
    (
        &["--path", "/a/../b", "--user", "bob"],
        1,
        "refused: the path can be read in more than one way\n",
    ),
    (
        &["--path", "/.duo-mfa/?return_to=/"],
        0,
        "an address of the filter itself, under path_prefix /.duo-mfa\n",
    ),
    (&["--path", "/"], 2, ""),
];

#[test]
fn the_rule_and_its_terms_are_printed() {
    let file = File::of(&ruled());
    for (arguments, status, told) in ROWS {
        let mut all = vec!["explain", file.path()];
        if !arguments.contains(&"--address") {
            all.extend(["--address", "192.0.2.1"]);
        }
        all.extend(*arguments);
        let ran = duo_mfa(&all);
        assert_eq!(ran.status, *status, "{arguments:?} {ran:?}");
        assert!(ran.output.starts_with(told), "{arguments:?} {ran:?}");
        if told.ends_with("rules[4]\n") {
            assert_eq!(ran.output, format!("{told}{TWO_FACTOR}"));
        }
    }
    let ran = duo_mfa(&["explain", file.path(), "--path", "/"]);
    assert_eq!((ran.status, &*ran.output), (2, ""));
    assert!(ran.errors.contains("add --address"), "{ran:?}");
}

#[test]
fn application_for_browsers_alone_is_named() {
    let mut plugin = plugin();
    to_duos_page(&mut plugin, "DIWEBSDKWEBSDKWEBSDK");
    for_browsers_alone(&mut plugin);
    let file = File::of(&plugin);
    let ran = duo_mfa(&["explain", file.path(), "--path", "/"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    for line in ["prompt: universal\n", "api_mode: refuse\n", "auth_api: none, so only browsers"] {
        assert!(ran.output.contains(line), "{line}: {}", ran.output);
    }
}

/// Compares `explain` with the core for each pair of a path and a user.
#[test]
fn printed_decisions_are_those_of_the_core() {
    let text = ruled().to_string();
    let config = Config::parse(text.as_bytes(), &|name| {
        let value = match name {
            "DUO_MFA_COOKIE_KEY" => "b1c7Yk2mUeN0h3xkq8rW5tVz6aD9sGfJ4pLwQ1eRoHc=",
            _ => "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
        };
        Some(value.to_owned())
    })
    .unwrap();
    let file = File::of(&ruled());
    let address = "10.0.0.1";
    for path in ["/", "/healthz", "/HEALTHZ", "/metrics", "/metrics/", "/admin", "/admin/%61?x=/y"]
    {
        for (user, groups) in
            [("alice", &["ops"][..]), ("bob", &["staff"]), ("svc-1", &[]), ("eve", &[])]
        {
            let host = "app.example.com";
            let mut all = vec!["explain", file.path(), "--path", path, "--host", host];
            all.extend(["--user", user, "--address", address]);
            all.extend(groups.iter().flat_map(|group| ["--group", group]));
            let ran = duo_mfa(&all);

            let buffer = HeaderMap::serialize(&[
                (b":method", b"GET"),
                (b":path", path.as_bytes()),
                (b":authority", host.as_bytes()),
            ]);
            let head = RequestHead::read(&buffer).unwrap();
            let view = config.policies.view(&head, Some(address.parse().unwrap())).unwrap();
            let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
            let person = Person { user, groups: &groups };
            let Decision::Ruled(ruled) = config.policies.decide(&view, Some(&person)) else {
                panic!("{user} is known")
            };
            let rule = ruled.rule.map_or_else(|| "none".to_owned(), |number| number.to_string());
            let policy = ruled.policy.name();
            assert!(ran.output.starts_with(&format!("rule: {rule}, ")), "{path} {user} {ran:?}");
            assert!(ran.output.contains(&format!("policy: {policy}\n")), "{path} {user} {ran:?}");
        }
    }
}

#[test]
fn a_preflight_passes_where_the_configuration_says_so() {
    let explain = |plugin: &Value, further: &[&str]| {
        let file = File::of(plugin);
        let headers = ["Origin: https://example.com", "Access-Control-Request-Method: POST"];
        let mut line = vec!["explain", file.path(), "--path", "/x", "--address", "192.0.2.1"];
        line.extend(["--method", "OPTIONS", "--header", headers[0], "--header", headers[1]]);
        line.extend(further);
        duo_mfa(&line)
    };
    // The default policy denies some, and a preflight is exempt only from being asked.
    let ran = explain(&ruled(), &[]);
    assert_eq!((ran.status, ran.errors.contains("add --user")), (2, true), "{ran:?}");
    for (group, policy) in [("staff", "policy: bypass"), ("guests", "policy: deny")] {
        let ran = explain(&ruled(), &["--user", "bob", "--group", group]);
        assert_eq!((ran.status, ran.output.contains(policy)), (0, true), "{ran:?}");
    }
    let mut asking = ruled();
    asking["access_control"]["default_policy"] = json!("two_factor");
    let ran = explain(&asking, &[]);
    assert_eq!((ran.status, ran.output.contains("policy: bypass")), (0, true), "{ran:?}");
}

#[test]
fn a_header_without_a_value_is_not_passed_over() {
    let file = File::of(&ruled());
    let ran = duo_mfa(&["explain", file.path(), "--path", "/", "--header", "origin"]);
    assert_eq!((ran.status, ran.errors.contains("has no colon")), (2, true), "{ran:?}");
}

#[test]
fn a_configuration_at_fault_explains_nothing() {
    let mut plugin = ruled();
    plugin["access_control"]["rules"][0]["policy"] = json!("allow");
    let file = File::of(&plugin);
    let ran = duo_mfa(&["explain", file.path(), "--path", "/healthz"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.output.contains("access_control.rules[0].policy: unknown_value"), "{ran:?}");
}
