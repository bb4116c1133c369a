//! Approval cookies of other users, and altered ones, are refused.

use std::thread::sleep;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// A request that is refused at once if its cookie does not admit it.
fn background(user: &str) -> Request {
    Request::get("/")
        .user(user)
        .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")])
}

fn value(approval: &str) -> &str {
    let pair = approval.split(';').next().unwrap();
    pair.split_once('=').unwrap().1
}

/// Sends a request with each cookie line over one connection, and asserts that each is denied.
fn assert_all_denied(stack: &Stack, cookies: impl IntoIterator<Item = Vec<u8>>) {
    let mut connection = stack.connect();
    for cookie in cookies {
        let occasion = String::from_utf8_lossy(&cookie).into_owned();
        let request = background("alice").header("cookie", &cookie);
        let reply = stack.judged(Verdict::Denied, &occasion, || {
            connection.exchange(&request).expect("an answer")
        });
        reply.assert_problem(403, "mfa_required");
    }
}

#[test]
fn every_flipped_bit_denies() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let genuine = URL_SAFE_NO_PAD.decode(value(&approval)).expect("base64url without padding");
    let flipped = (0..genuine.len() * 8).map(|bit| {
        let mut bytes = genuine.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        format!("{APPROVAL}={}", URL_SAFE_NO_PAD.encode(bytes)).into_bytes()
    });
    assert_all_denied(&stack, flipped);
    let swapped = (0..value(&approval).len()).map(|position| {
        let mut text = format!("{APPROVAL}={}", value(&approval)).into_bytes();
        let at = APPROVAL.len() + 1 + position;
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        text
    });
    assert_all_denied(&stack, swapped);
    stack.admitted(&background("alice").cookie(&approval));
}

#[test]
fn cookies_of_another_shape_deny() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let value = value(&approval);
    let cut = &value[..value.len() - 1];
    let shapes = [
        String::new(),
        "x".to_owned(),
        "true".to_owned(),
        "alice".to_owned(),
        "A".repeat(value.len()),
        cut.to_owned(),
        value[1..].to_owned(),
        format!("{value}A"),
        format!("{value}="),
        format!("{value}AAAA"),
        format!("\"{value}\""),
        format!("{value} {value}"),
        format!("{value}%3D"),
        value.to_uppercase(),
        value.chars().rev().collect(),
        "A".repeat(8_000),
        "\u{e9}".repeat(40),
    ];
    assert_all_denied(&stack, shapes.map(|shape| format!("{APPROVAL}={shape}").into_bytes()));
    stack.admitted(&background("alice").cookie(&approval));
}

#[test]
fn two_approvals_count_as_none() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let pair = format!("{APPROVAL}={}", value(&approval));
    assert_all_denied(
        &stack,
        [
            format!("{pair}; {pair}").into_bytes(),
            format!("{pair}; a=1; {APPROVAL}=x").into_bytes(),
            format!("{APPROVAL}=; {pair}").into_bytes(),
        ],
    );
    let lines = background("alice").header("cookie", &pair).header("cookie", &pair);
    stack.denied(&lines).assert_problem(403, "mfa_required");
    let junk =
        background("alice").header("cookie", &pair).header("cookie", format!("{APPROVAL}=x"));
    stack.denied(&junk).assert_problem(403, "mfa_required");
    let beside =
        background("alice").header("cookie", "a=1").header("cookie", format!("b=2; {pair}"));
    stack.admitted(&beside);
}

#[test]
fn names_that_look_alike_deny() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let value = value(&approval);
    let names = [
        "__HoSt-duo_mfa",
        "__host-duo_mfa",
        "__Host-duo_mfa2",
        "__Host-duo-mfa",
        "__Host-duo_txn",
        "duo_mfa",
        "__Secure-duo_mfa",
        "__Host-duo_mfa%20",
        "__Host-duo_mfa ",
        "\"__Host-duo_mfa\"",
    ];
    assert_all_denied(&stack, names.map(|name| format!("{name}={value}").into_bytes()));
}

#[test]
fn approval_of_another_user_denies() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    for user in ["two", "bob", "mallory", "bella"] {
        let reply = stack.denied(&background(user).cookie(&approval));
        reply.assert_problem(403, "mfa_required");
    }
    stack.admitted(&background("alice").cookie(&approval));
}

#[test]
fn approval_of_another_application_or_key_denies() {
    let stack = Stack::standard();
    let approval = stack.signed_in("alice");
    let application = Setup::default().plugin(json!({"session": {"application": "other"}}));
    let mut key = Setup::default();
    key.environment[1].1 = "d2Vha25lc3MgaXMgbm90IHdoYXQgdGhpcyBrZXkgaGFzISEh".to_owned();
    for setup in [application, key] {
        let other = Stack::start(setup);
        let reply = other.denied(&background("alice").cookie(&approval));
        reply.assert_problem(403, "mfa_required");
    }
}

#[test]
fn approval_of_another_process_with_the_same_key_admits() {
    let approval = Stack::standard().signed_in("alice");
    let stack = Stack::standard();
    stack.admitted(&background("alice").cookie(&approval));
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn approval_in_use_is_renewed_and_an_idle_one_expires() {
    let session = json!({"session": {"inactivity": "4s", "expiration": "1m"}});
    let stack = Stack::start(Setup::default().plugin(session));
    let first = stack.signed_in("alice");
    sleep(Duration::from_millis(2500));
    let (reply, _) = stack.admitted(&background("alice").cookie(&first));
    let renewed = reply.set_cookie(APPROVAL).expect("a later sight of it").to_owned();
    assert_ne!(value(&renewed), value(&first));
    sleep(Duration::from_millis(2500));
    stack.denied(&background("alice").cookie(&first)).assert_problem(403, "mfa_required");
    stack.admitted(&background("alice").cookie(&renewed));
    sleep(Duration::from_millis(2500));
    stack.denied(&background("alice").cookie(&renewed)).assert_problem(403, "mfa_required");
}

/// A browser sends a cookie to every port of a host. Two Envoys represent two ports.
#[test]
fn two_ports_of_one_host_need_two_cookie_names_or_one_session() {
    let start = |session: Value| Stack::start(Setup::default().plugin(json!({"session": session})));
    let navigation = || Request::get("/reports").navigation();
    let main = Stack::standard();

    // Another application under the same name: each sign-in replaces the other's.
    let other = start(json!({"application": "admin"}));
    let mut browser = Browser::of("alice");
    browser.sign_in(&main);
    browser.sign_in(&other);
    browser.reaches_the_application(&other, "/reports");
    assert_eq!(main.denied(&browser.with_cookies(navigation())).status, 403);

    // With separate cookie names both approvals are valid, and each application sees only its cookies.
    let other = start(json!({"application": "admin", "cookie": "__Host-duo_mfa_admin"}));
    let mut browser = Browser::of("alice");
    browser.sign_in(&main);
    browser.push(&other);
    other.sim.answer("alice", "approve");
    assert_eq!(browser.ended(&other)["state"], "approved");
    browser.reaches_the_application(&main, "/reports");
    browser.reaches_the_application(&other, "/reports");

    // With the same session: one approval opens both.
    let other = Stack::standard();
    let mut browser = Browser::of("alice");
    browser.sign_in(&main);
    browser.reaches_the_application(&other, "/reports");
}
