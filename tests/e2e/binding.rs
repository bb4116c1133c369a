//! A thief cannot use a stolen cookie if approvals are bound (`session.bind`) to something that the thief
//! does not have: the network, the certificate, or a value that the first factor sets.

use rcgen::DnType;
use serde_json::json;

use crate::browser::{Browser, fetched};
use crate::certificates::{Authority, exchange, listening};
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// A stack behind a trusted proxy, which writes the client's address.
fn behind_a_proxy() -> Stack {
    let setup = Setup { manager: json!({"xff_num_trusted_hops": 1}), ..Setup::default() };
    Stack::start(setup.plugin(json!({"session": {"bind": ["ip_prefix"]}})))
}

fn from(address: &str, request: Request) -> Request {
    request.header("x-forwarded-for", address)
}

#[test]
fn cookie_in_another_network_is_refused() {
    let stack = behind_a_proxy();
    let held = from("203.0.113.7", Request::get("/").user("alice"));
    let reply = stack.answered_push(held, "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    let at =
        |address: &str| from(address, Request::get("/").user("alice").cookie(&cookie).navigation());
    for address in ["203.0.113.7", "203.0.113.200", "10.0.0.5, 203.0.113.9"] {
        stack.admitted(&at(address));
    }
    for address in
        ["203.0.112.7", "198.51.100.7", "2001:db8::7", "203.0.113.7, 198.51.100.7", "unknown"]
    {
        for _ in 0..4 {
            assert_eq!(stack.denied(&at(address)).status, 403, "{address}");
        }
    }
    let calls = ["preauth", "auth"].map(|endpoint| stack.sim.calls(endpoint));
    assert_eq!(calls, [1, 1], "a page that is shown asks Duo for nothing");
    stack.admitted(&at("203.0.113.7"));
}

#[test]
fn sign_in_begun_in_another_network_is_not_finished() {
    let stack = behind_a_proxy();
    let mut alice = Browser::of("alice");
    let start = from("2001:db8:0:1::7", fetched("POST", "auth?factor=push&device=auto"));
    assert_eq!(alice.ask(&stack, start).status, 202);
    stack.sim.answer("alice", "approve");
    let status = |address: &str| from(address, fetched("GET", "status"));
    let mut thief = alice.clone();
    let stolen = thief.ask(&stack, status("2001:db8:0:2::7"));
    assert_ne!(stolen.status, 200, "{stolen:?}");
    assert!(!thief.has(APPROVAL));
    let finished = alice.ask(&stack, status("2001:db8:0:1:ffff::9"));
    assert_eq!(finished.json()["state"], "approved", "{finished:?}");
    assert!(alice.has(APPROVAL));
}

#[test]
fn cookie_with_another_certificate_is_refused() {
    let authority = Authority::new();
    let [laptop, other] =
        [(); 2].map(|()| authority.sign(&[(DnType::CommonName, "alice")], vec![]));
    let stack = listening(&authority, &json!({"session": {"bind": ["certificate"]}}));
    stack.sim.always("alice", "approve");
    let send = |client, request: Request, verdict| {
        stack.judged(verdict, "bound to a certificate", || {
            exchange(stack.envoy.listener, &authority, client, &request).expect("an answer")
        })
    };
    let by_alice = || Request::get("/").header("x-basic-user", "alice");
    let (status, text) = send(Some(&laptop), by_alice(), Verdict::Admitted(1));
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let with_cookie = || by_alice().cookie(line).navigation();
    for _ in 0..4 {
        assert_eq!(send(Some(&laptop), with_cookie(), Verdict::Admitted(1)).0, 200);
        let (status, text) = send(Some(&other), with_cookie(), Verdict::Denied);
        assert_eq!(status, 403, "{text}");
        let (status, text) = send(None, by_alice().cookie(line), Verdict::Denied);
        assert!(status == 403 && text.contains("access_denied"), "{text}");
    }
    assert_eq!(stack.sim.calls("auth"), 1, "nobody is asked without a certificate");
}

#[test]
fn cookie_with_other_metadata_is_refused() {
    // The first factor's filter writes its user into the metadata. So bob's metadata differ from alice's,
    // even if the header names the same user for both.
    let mut setup = Setup::default().plugin(json!({
        "identity": {"source": "header", "header": "x-person"},
        "session": {"bind": [{"metadata": ["first_factor", "user"]}]},
    }));
    setup.first_factor = FirstFactor::Metadata;
    let stack = Stack::start(setup);
    let person = |user: &str| Request::get("/").user(user).header("x-person", "alice");
    let reply = stack.answered_push(person("alice"), "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    for _ in 0..4 {
        stack.admitted(&person("alice").cookie(&cookie));
        let stolen = person("bob").cookie(&cookie).navigation();
        assert_eq!(stack.denied(&stolen).status, 403);
    }
}
