//! The calls to Duo: their signature, user, client address and form.

use serde_json::json;

use crate::message::Request;
use crate::setup::{API_HOST, Setup};
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

#[test]
fn duo_gets_the_user_and_the_address_of_the_peer() {
    let stack = Stack::standard();
    let request = Request::get("/reports?secret=1").user("alice").all(&[
        ("x-forwarded-for", "203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
    ]);
    assert_eq!(stack.answered_push(request, "alice", "approve").status, 200);
    for endpoint in ["preauth", "auth"] {
        let call = stack.sim.only_call(endpoint);
        assert_eq!(call["params"]["username"], "alice", "{call}");
        assert_eq!(call["params"]["ipaddr"], "127.0.0.1", "{call}");
        assert_eq!(call["host"], API_HOST, "{call}");
        assert_eq!(call["tls"], true, "{call}");
        assert!(!call.to_string().contains("secret"), "the query is nobody's business: {call}");
    }
    let preauth = stack.sim.only_call("preauth");
    assert_eq!(preauth["params"]["client_supports_verified_push"], "1", "{preauth}");
    let auth = stack.sim.only_call("auth");
    assert_eq!(auth["params"]["async"], "1", "{auth}");
    assert_eq!(auth["params"]["factor"], "push", "{auth}");
}

#[test]
fn every_form_of_signature_is_accepted() {
    for form in ["v5", "v2-sha512", "v2-sha1"] {
        let setup = Setup::default().plugin(json!({"duo": {"signature": form}}));
        let stack = Stack::start(setup);
        stack.signed_in("alice");
        for entry in stack.sim.journal() {
            let expected = if entry["endpoint"] == "ping" { json!(null) } else { json!(form) };
            assert_eq!(entry["signature"], expected, "{entry}");
        }
    }
}

#[test]
fn phone_call_admits_with_factor_phone() {
    let stack = Stack::standard();
    let held = stack.held_push(Request::get("/").user("peter"), Protocol::Http1, "peter");
    let reply = stack.judged(Verdict::Admitted(1), "an answered call", || {
        stack.sim.answer("peter", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    assert_eq!(stack.app.last().values("x-duo-mfa-factor"), ["phone"]);
    assert_eq!(stack.sim.pushes(), 0);
}

#[test]
fn one_check_of_duo_serves_all_workers() {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!([stack.sim.calls("ping"), stack.sim.calls("check")], [1, 1]);
}
