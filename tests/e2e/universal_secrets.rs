//! A sign-in at Duo's page leaves no secret in logs, metrics, dumps and pages.

use serde_json::json;

use crate::browser::Browser;
use crate::message::Reply;
use crate::secrets::assert_hides;
use crate::setup::{COOKIE_KEY, SECRET_KEY, Setup};
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    CALLBACK, CLIENT_SECRET, PAGE, approves, assert_arrived, assert_refused, parameter, setup,
};

/// Every JWT of Duo's and of the filter's begins like this.
const JWT: &str = "eyJhbGciOiJIUzUxMiI";

#[test]
fn secrets_of_a_sign_in_appear_in_no_log_metric_dump_or_page() {
    let stack = Stack::start(Setup { log: "wasm:trace", ..setup() });
    approves(&stack.sim, "alice");
    approves(&stack.sim, "bob");
    let mut targets = Vec::new();
    let mut replies = Vec::new();
    let mut jars = Vec::new();

    // One sign-in that succeeds.
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let reply = alice.returns(&stack, &target);
    assert_arrived(&reply, PAGE);
    jars.push(alice.jar.clone());
    targets.push(target);
    replies.push(reply);

    // One with the code of another user's sign-in.
    let mut alice = Browser::of("alice");
    let own = alice.is_approved(&stack, PAGE);
    let theirs = Browser::of("bob").is_approved(&stack, PAGE);
    let (state, code) = (parameter(&own, "state"), parameter(&theirs, "duo_code"));
    let mixed = format!("{CALLBACK}?state={state}&duo_code={code}");
    let reply = alice.returns(&stack, &mixed);
    assert_refused(&reply, 403, "sign_in_lost");
    jars.push(alice.jar.clone());
    targets.extend([own, theirs, mixed]);
    replies.push(reply);

    // Each way in which the exchange itself can fail.
    for (mut fault, code) in [
        (json!({"kind": "status", "status": 502}), "duo_unavailable"),
        (json!({"kind": "truncated"}), "duo_unavailable"),
        (json!({"kind": "raw", "status": 201, "body": "{}"}), "duo_unavailable"),
        (json!({"kind": "claims", "merge": {"iss": "https://evil.test"}}), "duo_misconfigured"),
    ] {
        (fault["endpoint"], fault["times"]) = (json!("token"), json!(1));
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, "/third");
        stack.sim.fault(&fault);
        let reply = alice.returns(&stack, &target);
        assert_refused(&reply, 503, code);
        assert!(!alice.has(APPROVAL));
        jars.push(alice.jar.clone());
        targets.push(target);
        replies.push(reply);
    }

    let mut hidden: Vec<_> = [CLIENT_SECRET, SECRET_KEY, COOKIE_KEY, JWT].map(str::to_owned).into();
    for target in &targets {
        hidden.extend([parameter(target, "duo_code"), parameter(target, "state")[..40].to_owned()]);
    }
    for entry in stack.sim.journal() {
        for name in ["client_assertion", "request"] {
            if let Some(jwt) = entry["params"][name].as_str() {
                hidden.push(jwt[jwt.len() - 40..].to_owned());
            }
        }
        hidden.extend(entry["jwt"]["claims"]["nonce"].as_str().map(str::to_owned));
    }
    for jar in &jars {
        hidden.extend(jar.values().map(|value| value[value.len() - 30..].to_owned()));
    }
    assert!(hidden.len() > 40, "{}", hidden.len());
    for page in ["/config_dump", "/stats", "/stats/prometheus"] {
        assert_hides(page, &stack.envoy.admin(page), &hidden);
    }
    assert_hides("the log", &stack.envoy.log(), &hidden);
    for reply in &replies {
        assert_hides("an answer", &shown(reply), &hidden);
    }
}

/// A response as other pages and scripts can see it: all but its cookies.
fn shown(reply: &Reply) -> String {
    let headers = reply.headers.iter().filter(|(name, _)| name != "set-cookie");
    let lines: Vec<_> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n\n{}", lines.join("\n"), reply.text())
}
