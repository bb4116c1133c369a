//! Rules hold for every spelling of a path, with each of Envoy's settings for paths.

use serde_json::{Value, json};

use crate::app::Seen;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;
use crate::tally::Verdict;

/// Segments to put between the path of a rule that bypasses and a path that needs a second factor.
const TRICKS: [&str; 39] = [
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "%25252e%25252e",
    "..;",
    "..;x=1",
    ";/..",
    ";x/..",
    "..%3b",
    "..%00",
    "..%0d",
    "..%0a",
    "..%09",
    "..%5c",
    "%5c..",
    "..%2f",
    "%2f..",
    "..%252f",
    "..%255c",
    "..\\",
    "\\..",
    "\\..\\",
    "./..",
    "%2e/..",
    "//..//..",
    "..%c0%af",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%u002e%u002e",
    "..%u2215",
    "..%",
    "..%zz",
    "..#",
    "..%23",
    "..%3f",
    "..%20",
    "%2e%2e%20",
];

const BEFORE: [&str; 4] = ["/public/", "/public/a/../", "/public", "/public/%61/%2e%2e/"];
const BEHIND: [&str; 3] = ["/admin", "/internal/x", "/public/../admin?/public/"];

/// Other spellings of a path that a rule denies.
const DENIED: [&str; 30] = [
    "/internal",
    "/internal/",
    "/internal/x",
    "/INTERNAL/x",
    "/Internal",
    "/%69nternal/x",
    "/%49nternal/x",
    "/internal?x",
    "/internal/?/public/",
    "/internal%3f",
    "/internal;x",
    "/internal;/x",
    "/;/internal/x",
    "/internal%2fx",
    "/internal%5cx",
    "/internal\\x",
    "/internal%00",
    "/internal%0a",
    "/internal/./x",
    "/internal//x",
    "//internal/x",
    "///internal",
    "/./internal/x",
    "/x/../internal/x",
    "/x/%2e%2e/internal/x",
    "/x/..;/internal/x",
    "/%2finternal/x",
    "/%5cinternal/x",
    "\\internal\\x",
    "/%2569nternal/x",
];

fn guarded(manager: Value, access_control: Value) -> Stack {
    let plugin = json!({"access_control": access_control, "api": {"mode": "refuse"}});
    Stack::start(Setup { manager, ..Setup::default().plugin(plugin) })
}

/// Sends a request. If it reaches the application, the application must see a request that the rule means.
/// Returns whether it did.
fn is_let_by(stack: &Stack, request: &Request, is_meant: impl Fn(&Seen) -> bool) -> bool {
    let before = stack.app.count();
    let outcome = stack.connect().exchange(request);
    let reply = outcome.unwrap_or_else(|why| panic!("{}: {why:?}", request.summary()));
    let reached = stack.app.count() - before;
    let verdict = if reached == 1 && is_meant(&stack.app.last()) {
        Verdict::Admitted(1)
    } else {
        Verdict::Denied
    };
    stack.settle(verdict, &request.summary());
    if reached == 0 {
        assert!(matches!(reply.status, 400 | 403), "{} {reply:?}", request.summary());
        let upstream = reply.header("x-envoy-upstream-service-time");
        assert_eq!(upstream, None, "{} {reply:?}", request.summary());
    }
    reached == 1
}

/// Whether the path is below `/public` in a spelling that every reader understands alike.
fn is_public(seen: &Seen) -> bool {
    let path = seen.target.split('?').next().unwrap();
    let is_plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    path == "/public"
        || path.strip_prefix("/public/").is_some_and(|rest| rest.split('/').all(is_plain))
}

fn assert_paths_hold(manager: &Value) {
    let rules = json!([
        {"paths": ["/public/*"], "policy": "bypass"},
        {"paths": ["/internal/*"], "policy": "deny"},
    ]);
    let stack = guarded(manager.clone(), json!({"rules": rules}));
    stack.admitted(&Request::get("/public/a").user("alice"));
    stack.denied(&Request::get("/admin").user("alice")).assert_problem(403, "mfa_required");
    let mut sent = 0;
    for (before, trick, behind) in crossed() {
        let target = format!("{before}{trick}{behind}");
        is_let_by(&stack, &Request::get(target).user("alice"), is_public);
        sent += 1;
    }
    for target in DENIED {
        let reached = is_let_by(&stack, &Request::get(target).user("alice"), |_| false);
        assert!(!reached, "{target}");
        sent += 1;
    }
    assert!(sent >= 300, "{sent}");
    assert_eq!(stack.sim.user_calls(), 0);

    let rules = json!([{"paths": ["/internal/*"], "policy": "deny"}]);
    let stack = guarded(manager.clone(), json!({"default_policy": "bypass", "rules": rules}));
    stack.admitted(&Request::get("/anything").user("alice"));
    for target in DENIED {
        let reached = is_let_by(&stack, &Request::get(target).user("alice"), |_| false);
        assert!(!reached, "{target}");
    }
}

fn crossed() -> Vec<(&'static str, &'static str, &'static str)> {
    let behind = |before, trick| BEHIND.iter().map(move |behind| (before, trick, *behind));
    BEFORE
        .iter()
        .flat_map(|before| TRICKS.iter().flat_map(move |trick| behind(*before, *trick)))
        .collect()
}

#[test]
fn hostile_paths_are_not_let_by_as_they_are_sent() {
    assert_paths_hold(&json!({}));
}

#[test]
fn hostile_paths_are_not_let_by_where_envoy_normalises_them() {
    assert_paths_hold(&json!({
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
    }));
}

#[test]
fn hostile_paths_are_not_let_by_where_envoy_unescapes_slashes() {
    assert_paths_hold(&json!({
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
    }));
}

#[test]
fn hostile_hosts_are_not_let_by() {
    let rules = json!([{"hosts": ["pub.example.com", "*.cdn.example.com"], "policy": "bypass"}]);
    let stack = guarded(json!({}), json!({"rules": rules}));
    for host in ["pub.example.com", "PUB.example.com", "a.cdn.example.com"] {
        stack.admitted(&Request::get("/").header("host", host).user("alice"));
    }
    let hosts = [
        "app.example.com",
        "pub.example.com.evil.org",
        "evil.org,pub.example.com",
        "pub.example.com,evil.org",
        "pub.example.com@evil.org",
        "evil.org@pub.example.com",
        "pub.example.com:80:80",
        "pub.example.com:443",
        "pub.example.com:1",
        "pub.example.com.",
        "PUB.example.com.:443",
        "a.cdn.example.com:8443",
        "pub.example.com:x",
        "pub.example.com/evil",
        "evil.org/pub.example.com",
        "pub.example.com?",
        "pub.example.com#",
        "pub.example.com;evil.org",
        "pub.example.com%00.evil.org",
        "pub%2eexample%2ecom",
        "pub..example.com",
        ".pub.example.com",
        "pub.example.com..",
        "xpub.example.com",
        "pub_example.com",
        "cdn.example.com",
        ".cdn.example.com",
        "acdn.example.com",
        "a.cdn.example.com.evil.org",
        "[::1]",
        "[pub.example.com]",
        "pub.example.com\\evil",
        "pub.example.com evil.org",
        "\u{ff50}ub.example.com",
    ];
    let is_never_meant = |_: &Seen| false;
    for host in hosts {
        let request = Request::get("/").header("host", host).user("alice");
        assert!(!is_let_by(&stack, &request, is_never_meant), "{host}");
    }
    for name in ["x-forwarded-host", "x-host", "x-original-host", "forwarded"] {
        let request = Request::get("/").header(name, "pub.example.com").user("alice");
        assert!(!is_let_by(&stack, &request, is_never_meant), "{name}");
    }
    let twice = Request::get("/").header("host", "pub.example.com").header("host", "evil.org");
    assert!(!is_let_by(&stack, &twice.user("alice"), is_never_meant));
    let absolute = Request::get("http://evil.org/").header("host", "pub.example.com");
    assert!(!is_let_by(&stack, &absolute.user("alice"), is_never_meant));
}

#[test]
fn networks_are_those_of_the_peer() {
    let rule = |network: &str| json!({"rules": [{"networks": [network], "policy": "bypass"}]});
    let here = guarded(json!({}), rule("127.0.0.0/8"));
    here.admitted(&Request::get("/").user("alice"));

    let elsewhere = guarded(json!({}), rule("10.0.0.0/8"));
    for (name, value) in [
        ("x-forwarded-for", "10.0.0.5"),
        ("x-forwarded-for", "10.0.0.5, 10.0.0.6"),
        ("x-real-ip", "10.0.0.5"),
        ("x-envoy-external-address", "10.0.0.5"),
        ("forwarded", "for=10.0.0.5"),
        ("x-client-ip", "10.0.0.5"),
    ] {
        let request = Request::get("/").user("alice").header(name, value);
        elsewhere.denied(&request).assert_problem(403, "mfa_required");
    }
    // One trusted proxy in front: the address that it appended is the peer's.
    let behind = guarded(json!({"xff_num_trusted_hops": 1}), rule("10.0.0.0/8"));
    behind.admitted(&Request::get("/").user("alice").header("x-forwarded-for", "10.0.0.5"));
    let forged = Request::get("/").user("alice").header("x-forwarded-for", "10.0.0.5, 192.0.2.7");
    behind.denied(&forged).assert_problem(403, "mfa_required");
}

#[test]
fn user_of_dynamic_metadata_signs_in() {
    let identity = json!({
        "source": "metadata", "header": null, "metadata": ["first_factor", "user"],
    });
    let setup = Setup::default().plugin(json!({"identity": identity}));
    let stack = Stack::start(Setup { first_factor: FirstFactor::Metadata, ..setup });
    let approval = stack.signed_in("alice");
    assert_eq!(stack.sim.only_call("auth")["params"]["username"], "alice");
    let forged = Request::get("/").user("alice").header("x-basic-user", "bob").cookie(&approval);
    let (_, seen) = stack.admitted(&forged);
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-basic-user"), [""; 0]);

    let plugin = json!({"identity": identity, "api": {"mode": "refuse"}});
    let setup = Setup::default().plugin(plugin);
    let stack = Stack::start(Setup { first_factor: FirstFactor::Absent, ..setup });
    let forged = Request::get("/").header("x-basic-user", "alice");
    stack.denied(&forged).assert_problem(403, "identity_missing");
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn fail_mode_safe_admits_while_duo_is_gone() {
    let rules = json!([{"paths": ["/admin/*"], "policy": "two_factor", "fail_mode": "secure"}]);
    let plugin = json!({"duo": {"fail_mode": "safe"}, "access_control": {"rules": rules}});
    let setup = Setup::default().plugin(plugin);
    let stack = Stack::start(Setup { duo_link: crate::setup::DuoLink::ClosedPort, ..setup });
    stack.await_failed_check("Duo");
    let (reply, seen) = stack.admitted(&Request::get("/").user("alice"));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["fail_safe"]);
    let cookie = reply.set_cookie(crate::stack::APPROVAL).expect("an approval").to_owned();
    stack.admitted(&Request::get("/").user("alice").cookie(&cookie));
    let elsewhere = Request::get("/admin/x").user("alice").cookie(&cookie);
    stack.denied(&elsewhere).assert_problem(503, "duo_unavailable");
    let warned = |line: &str| line.contains("warn") && line.contains(r#""factor":"fail_safe""#);
    assert!(stack.envoy.log().lines().any(warned));
    crate::sim::eventually("the count", || {
        let count = stack.envoy.stat("wasmcustom.duo_mfa_admitted.factor.fail_safe");
        (count == 1).then_some(())
    });
}

#[test]
fn report_only_lets_everything_pass_and_counts() {
    let rules = json!([{"paths": ["/internal/*"], "policy": "deny"}]);
    let plugin = json!({"mode": "report_only", "access_control": {"rules": rules}});
    let stack = Stack::start(Setup::default().plugin(plugin));
    for _ in 0..3 {
        stack.admitted(&Request::get("/").user("alice"));
    }
    stack.admitted(&Request::get("/internal").user("alice").header("x-duo-mfa-user", "admin"));
    let seen = stack.app.last();
    assert_eq!(seen.values("x-duo-mfa-user"), [""; 0]);
    assert_eq!(seen.values("x-duo-mfa-result"), ["would_refuse"]);
    for (name, expected) in [("default.code.mfa_required", 3), ("0.code.access_denied", 1)] {
        crate::sim::eventually(name, || {
            let stat = format!("wasmcustom.duo_mfa_would_refuse.rule.{name}");
            (stack.envoy.stat(&stat) == expected).then_some(())
        });
    }
    assert_eq!(stack.sim.user_calls(), 0);
}
