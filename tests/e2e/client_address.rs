//! The client's address, by the connection manager's `use_remote_address` and `xff_num_trusted_hops`.
//! Calls to Duo and rules by network use the peer's address, or the address that the trusted proxy wrote.
//! They never use an address that a client wrote.

use serde_json::json;

use crate::browser::{Browser, fetched};
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::Stack;
use crate::tally::Verdict;

const PEER: &str = "127.0.0.1";

/// The lines of `x-forwarded-for` that arrive, and the client's address according to them.
type Case = (&'static [&'static str], &'static str);

/// Without a proxy in front, no header affects the client's address.
const DIRECT: [Case; 7] = [
    (&[], PEER),
    (&["10.0.0.5"], PEER),
    (&["10.0.0.5, 203.0.113.7"], PEER),
    (&["10.0.0.5", "203.0.113.7"], PEER),
    (&["2001:db8::7"], PEER),
    (&["127.0.0.2"], PEER),
    (&["unknown, ,;=\""], PEER),
];

/// The proxy has written the last entry. If that is not a plain address, the peer's address counts, which is
/// the proxy's.
const ONE_PROXY: [Case; 15] = [
    (&["203.0.113.7"], "203.0.113.7"),
    (&["10.0.0.5, 203.0.113.7"], "203.0.113.7"),
    (&["10.0.0.5,10.0.0.6,  203.0.113.7  "], "203.0.113.7"),
    (&["10.0.0.5", "203.0.113.7"], "203.0.113.7"),
    (&["10.0.0.5, 10.0.0.6", "10.0.0.7", "203.0.113.7"], "203.0.113.7"),
    (&["garbage, ,\"10.0.0.5\", 203.0.113.7"], "203.0.113.7"),
    (&["2001:db8::7"], "2001:db8::7"),
    (&["10.0.0.5, 2001:db8:0:0::7"], "2001:db8::7"),
    (&["10.0.0.5, ::ffff:203.0.113.7"], "203.0.113.7"),
    (&[], PEER),
    (&["10.0.0.5, unknown"], PEER),
    (&["10.0.0.5, 203.0.113.7:4711"], PEER),
    (&["10.0.0.5, [2001:db8::7]"], PEER),
    (&["10.0.0.5, [2001:db8::7]:4711"], PEER),
    (&["10.0.0.5,"], PEER),
];

/// The first of the two proxies has written the last entry but one.
const TWO_PROXIES: [Case; 8] = [
    (&["203.0.113.7, 198.51.100.1"], "203.0.113.7"),
    (&["10.0.0.5, 203.0.113.7, 198.51.100.1"], "203.0.113.7"),
    (&["10.0.0.5", "203.0.113.7", "198.51.100.1"], "203.0.113.7"),
    (&["10.0.0.5", "203.0.113.7, 198.51.100.1"], "203.0.113.7"),
    (&["10.0.0.5, 2001:db8::7, 2001:db8::8"], "2001:db8::7"),
    (&["203.0.113.7"], PEER),
    (&["10.0.0.5, unknown, 198.51.100.1"], PEER),
    (&["10.0.0.5, 203.0.113.7:4711, 198.51.100.1"], PEER),
];

/// Other headers into which clients and proxies write an address.
const OTHERS: [(&str, &str); 8] = [
    ("x-real-ip", "10.0.0.5"),
    ("x-envoy-external-address", "10.0.0.5"),
    ("forwarded", "for=10.0.0.5"),
    ("x-client-ip", "10.0.0.5"),
    ("true-client-ip", "10.0.0.5"),
    ("cf-connecting-ip", "10.0.0.5"),
    ("x-forwarded-client-ip", "10.0.0.5"),
    ("x_forwarded_for", "10.0.0.5"),
];

fn behind(proxies: usize) -> Setup {
    Setup { manager: json!({"xff_num_trusted_hops": proxies}), ..Setup::default() }
}

fn through(lines: &[&str], request: Request) -> Request {
    lines.iter().fold(request, |request, line| request.header("x-forwarded-for", line)).all(&OTHERS)
}

/// Asserts that each call for `user` that names an address names this one.
fn assert_told(stack: &Stack, user: &str, address: &str, occasion: &str) {
    let journal = stack.sim.journal();
    let calls = journal.iter().filter(|entry| entry["params"]["username"] == user);
    let told: Vec<_> = calls.map(|call| (&call["endpoint"], &call["params"]["ipaddr"])).collect();
    let (preauth, auth, address) = (json!("preauth"), json!("auth"), json!(address));
    assert_eq!(told, [(&preauth, &address), (&auth, &address)], "{occasion}");
}

fn assert_duo_gets(setup: Setup, cases: &[Case]) {
    let stack = Stack::start(setup);
    let mut numbers = 0..;
    let mut guest = || stack.sim.guest(numbers.next().unwrap());
    for (lines, address) in cases {
        let held = guest();
        let occasion = format!("{lines:?}, held");
        stack.sim.always(&held, "approve");
        let request = through(lines, Request::get("/").user(&held));
        let reply = stack.judged(Verdict::Admitted(1), &occasion, || stack.send(&request));
        assert_eq!(reply.status, 200, "{occasion}: {reply:?}");
        assert_told(&stack, &held, address, &occasion);

        let page = guest();
        let occasion = format!("{lines:?}, on the page");
        let mut browser = Browser::of(&page);
        let start = through(lines, fetched("POST", "auth?factor=push&device=auto"));
        let begun = browser.ask(&stack, start);
        assert_eq!(begun.status, 202, "{occasion}: {begun:?}");
        assert_told(&stack, &page, address, &occasion);
    }
}

#[test]
fn forged_addresses_are_not_told_to_duo_without_a_proxy() {
    assert_duo_gets(behind(0), &DIRECT);
}

#[test]
fn address_that_one_proxy_has_written_is_sent_to_duo() {
    assert_duo_gets(behind(1), &ONE_PROXY);
}

#[test]
fn address_that_the_first_of_two_proxies_has_written_is_sent_to_duo() {
    assert_duo_gets(behind(2), &TWO_PROXIES);
}

/// Rules by network: clients in 10.0.0.0/8 pass, clients in 203.0.113.0/24 or in the network of 2001:db8::7
/// are denied, and all others need a second factor.
#[test]
fn forged_addresses_do_not_change_what_rules_by_network_say() {
    let rules = json!([
        {"networks": ["203.0.113.0/24", "2001:db8::/64"], "policy": "deny"},
        {"networks": ["10.0.0.0/8"], "policy": "bypass"},
    ]);
    for (proxies, cases) in [(0, &DIRECT[..]), (1, &ONE_PROXY[..]), (2, &TWO_PROXIES[..])] {
        let setup = behind(proxies).plugin(json!({
            "api": {"mode": "refuse"}, "access_control": {"rules": rules},
        }));
        let stack = Stack::start(setup);
        for (lines, address) in cases {
            let code = if *address == PEER { "mfa_required" } else { "access_denied" };
            let reply = stack.denied(&through(lines, Request::get("/").user("alice")));
            assert_eq!(reply.json()["code"], code, "{proxies} {lines:?}: {reply:?}");
        }
        // A client inside the network passes if the trusted entry says so: the denials have no other cause.
        let inside = [None, Some("192.0.2.9, 10.0.0.5"), Some("192.0.2.9, 10.0.0.5, 192.0.2.1")];
        if let Some(inside) = inside[proxies] {
            stack.admitted(&through(&[inside], Request::get("/").user("alice")));
        }
        assert_eq!(stack.sim.user_calls(), 0);
    }
}
