//! A pending sign-in: each way in which it ends, and attempts of others to use its token.

use crate::browser::{Browser, posted};
use crate::rig::{Rig, Scripted, allows, get, one_phone, says, started, status};
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Counter, Signal};
use serde_json::json;
use std::time::Duration;

const PENDING: &str = "__Host-duo_txn";
const APPROVAL: &str = "__Host-duo_mfa";
const STATUS: &str = "/.duo-mfa/status";
const PUSH: &str = "/.duo-mfa/auth?factor=push&return_to=%2Freports";

fn waits() -> Scripted {
    status("waiting", "pushed")
}

#[test]
fn every_end_but_allow_has_a_different_state() {
    for (result, word, state, code) in [
        ("deny", "deny", "denied", "mfa_denied"),
        ("deny", "timeout", "timeout", "mfa_timeout"),
        ("deny", "fraud", "fraud", "mfa_fraud"),
        ("deny", "locked_out", "locked_out", "mfa_locked_out"),
        ("deny", "never_heard_of", "denied", "mfa_denied"),
        ("deny", "allow", "denied", "mfa_denied"),
    ] {
        let mut rig = Rig::new();
        let mut alice = Browser::pushed(&mut rig);
        let mut other_tab = alice.clone();
        let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[status(result, word)]);
        assert_eq!(ended.0.status, 200);
        assert_eq!(ended.json()["state"], state, "{word}");
        assert_eq!(ended.json()["code"], code);
        assert!(!alice.has(PENDING));
        let page = other_tab.opens("/.duo-mfa/");
        let page = other_tab.asks(&mut rig, &page, &[status(result, word)]);
        assert_eq!((page.0.status, page.0.details.clone()), (403, format!("duo_mfa_{code}")));
        let again = alice.asks(&mut rig, &alice.posts(PUSH), &[one_phone()]);
        assert_eq!(again.0.status, 429, "{word}: no second push so soon");
    }
}

#[test]
fn only_an_exact_allow_approves() {
    for body in [
        r#"{"stat":"OK","response":{"result":"Allow","status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":true,"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":"deny","result":"allow"}}"#,
        r#"{"stat":"FAIL","response":{"result":"allow","status":"allow"}}"#,
        r#"{"response":{"result":"allow","status":"allow"}}"#,
        "allow",
        "",
    ] {
        let mut rig = Rig::new();
        let mut alice = Browser::pushed(&mut rig);
        alice.asks(&mut rig, &alice.fetches(STATUS), &[says(200, body)]);
        alice.asks(&mut rig, &alice.opens("/.duo-mfa/"), &[says(200, body)]);
        assert!(!alice.has(APPROVAL));
    }
    let allow = r#"{"stat":"OK","response":{"result":"allow","status":"allow"}}"#;
    for http in [201, 204, 400, 403, 429, 500, 503] {
        let mut rig = Rig::new();
        let mut alice = Browser::pushed(&mut rig);
        alice.asks(&mut rig, &alice.fetches(STATUS), &[says(http, allow)]);
    }
}

#[test]
fn lost_look_ends_nothing() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    for lost in [says(504, "upstream request timeout"), Scripted::Fails(Unanswered::Cut)] {
        let state = alice.asks(&mut rig, &alice.fetches(STATUS), &[lost]);
        assert_eq!((state.0.status, &state.json()["state"]), (200, &json!("waiting")));
    }
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
}

#[test]
fn no_look_takes_longer_than_ten_seconds_and_a_page_two() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let script = alice.fetches(STATUS);
    alice.asks(&mut rig, &script, &[waits().after(55)]);
    alice.asks(&mut rig, &script, &[waits()]);
    alice.asks(&mut rig, &alice.opens("/.duo-mfa/"), &[waits()]);
    let spans: Vec<Duration> = rig.calls.iter().skip(2).map(|(_, call)| call.timeout).collect();
    assert_eq!(spans, [10, 5, 2].map(Duration::from_secs));
}

#[test]
fn push_that_nobody_answers_ends_after_its_time() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.now = rig.now.plus(Duration::from_secs(60));
    let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[waits()]);
    assert_eq!(ended.json()["state"], "timeout");
    assert!(!alice.has(PENDING));
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.now = rig.now.plus(Duration::from_secs(60));
    let lost = Scripted::Fails(Unanswered::Cut);
    let unknown = alice.asks(&mut rig, &alice.fetches(STATUS), &[lost]);
    assert_eq!(unknown.code(), "duo_unavailable");
    assert!(alice.has(PENDING), "it may have been approved in time");
    let late = says(504, "upstream request timeout");
    let ended = alice.asks(&mut rig, &alice.fetches(STATUS), &[late]);
    assert_eq!(ended.json()["state"], "timeout");
    assert!(!alice.has(PENDING));
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.now = rig.now.plus(Duration::from_secs(200));
    // The tab slept, and the push was approved in time.
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
}

#[test]
fn sign_in_lives_five_minutes() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.now = rig.now.plus(Duration::from_secs(301));
    let gone = alice.asks(&mut rig, &alice.fetches(STATUS), &[]);
    assert_eq!((gone.code().as_str(), gone.0.status), ("bad_request", 400));
    let page = alice.asks(&mut rig, &alice.opens("/.duo-mfa/"), &[]);
    assert!(page.text().contains(r#"data-pane="start""#));
}

#[test]
fn token_is_valid_for_its_user_alone() {
    let mut rig = Rig::new();
    let alice = Browser::pushed(&mut rig);
    let calls = rig.calls.len();
    let mut mallory = Browser::of("mallory");
    mallory.jar.clone_from(&alice.jar);
    assert_eq!(mallory.asks(&mut rig, &mallory.fetches(STATUS), &[]).code(), "bad_request");
    let token = alice.jar[PENDING].split_once('=').unwrap().1.to_owned();
    let carried = get(STATUS).of("mallory").with("x-duo-mfa-transaction", &token);
    assert_eq!(rig.send(&carried, &[]).answered().code(), "bad_request");
    assert_eq!(rig.calls.len(), calls, "Duo's answer would name no user");
}

#[test]
fn transaction_comes_from_a_sealed_token_alone() {
    let mut rig = Rig::new();
    let alice = Browser::pushed(&mut rig);
    let token = alice.jar[PENDING].split_once('=').unwrap().1.to_owned();
    let calls = rig.calls.len();
    let txid = "45f7c92b-f45f-4862-8545-e0f58e78075a";
    let swapped = |place: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        bytes
    };
    let mut forged: Vec<Vec<u8>> = (0..token.len()).step_by(7).map(swapped).collect();
    forged.extend([txid.into(), Vec::new(), token[..token.len() - 1].into()]);
    for transaction in forged {
        let ask = get(&format!("{STATUS}?txid={txid}")).with("x-duo-mfa-transaction", transaction);
        assert_eq!(rig.send(&ask, &[]).answered().code(), "bad_request");
    }
    let twice = get(STATUS).with("x-duo-mfa-transaction", &token).with("x_duo_mfa_transaction", "");
    assert_eq!(rig.send(&twice, &[]).answered().code(), "bad_request");
    assert_eq!(rig.calls.len(), calls);
}

#[test]
fn second_browser_never_joins_the_first_ones_push() {
    let mut rig = Rig::new();
    let mut first = Browser::pushed(&mut rig);
    let mut second = Browser::of("alice");
    let look = [one_phone(), waits()];
    let refused = second.asks(&mut rig, &second.posts(PUSH), &look);
    assert_eq!((refused.code().as_str(), refused.0.status), ("pending_elsewhere", 429));
    assert_eq!(refused.header("retry-after").as_deref(), Some("65"));
    assert_eq!(second.asks(&mut rig, &second.fetches(STATUS), &[]).code(), "bad_request");
    let held = rig.send(&get("/"), &[one_phone()]).answered();
    assert_eq!(held.code(), "pending_elsewhere");
    first.is_approved(&mut rig, &first.fetches(STATUS), &[allows()]);
    assert!(!second.has(APPROVAL));
    second.asks(&mut rig, &second.posts(PUSH), &[one_phone(), started()]);
    assert_eq!(rig.called().iter().filter(|name| **name == "auth").count(), 2);
}

#[test]
fn denials_on_the_page_cost_a_minute_five_and_thirty() {
    let mut rig = Rig::new();
    for wait in [60, 300, 1_800] {
        let mut alice = Browser::pushed(&mut rig);
        alice.asks(&mut rig, &alice.fetches(STATUS), &[status("deny", "deny")]);
        for at in [0, wait - 1] {
            rig.now = rig.now.plus(Duration::from_secs(at));
            let other = Browser::of("alice");
            for browser in [&alice, &other] {
                let refused = rig.send(&browser.posts(PUSH), &[one_phone()]).answered();
                assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
                assert_eq!(refused.header("retry-after"), Some((wait - at).to_string()));
            }
        }
        rig.now = rig.now.plus(Duration::from_secs(1));
    }
    assert_eq!(rig.called().iter().filter(|name| **name == "auth").count(), 3);
}

#[test]
fn fraud_on_the_page_costs_half_an_hour() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    alice.asks(&mut rig, &alice.fetches(STATUS), &[status("deny", "fraud")]);
    let refused = alice.asks(&mut rig, &alice.posts(PUSH), &[one_phone()]);
    assert_eq!(refused.header("retry-after").as_deref(), Some("1800"));
    rig.now = rig.now.plus(Duration::from_secs(1_800));
    Browser::pushed(&mut rig);
}

#[test]
fn cancelled_push_stays_the_one_pending_push_until_duo_says_that_it_is_over() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    for second in 0..3 {
        let done = alice.asks(&mut rig, &alice.posts("/.duo-mfa/cancel"), &[]);
        assert_eq!((done.0.status, done.text().as_str()), (200, "{}"));
        assert!(!alice.has(PENDING));
        // Cancelling polls Duo at most every three seconds.
        let look: &[_] = if second == 0 { &[one_phone(), waits()] } else { &[one_phone()] };
        let refused = alice.asks(&mut rig, &alice.posts(PUSH), look);
        assert_eq!((refused.code().as_str(), refused.0.status), ("pending_elsewhere", 429));
        rig.now = rig.now.plus(Duration::from_secs(1));
    }
    let back = alice.asks(&mut rig, &alice.submits("/.duo-mfa/cancel?return_to=%2Fa"), &[]);
    assert_eq!(
        (back.0.status, back.header("location").as_deref()),
        (303, Some("/.duo-mfa/?return_to=%2Fa"))
    );
    assert_eq!(rig.called().iter().filter(|name| **name == "auth").count(), 1);
    let over = [one_phone(), status("deny", "timeout")];
    assert_eq!(alice.asks(&mut rig, &alice.posts(PUSH), &over).code(), "too_many_requests");
    rig.now = rig.now.plus(Duration::from_secs(15));
    alice.asks(&mut rig, &alice.posts(PUSH), &[one_phone(), started()]);
}

#[test]
fn text_messages_count_and_keep_no_push_waiting() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let text = "/.duo-mfa/auth?factor=sms";
    for _ in 0..2 {
        alice.asks(&mut rig, &alice.posts(text), &[one_phone(), status("deny", "sent")]);
    }
    alice.asks(&mut rig, &alice.posts(PUSH), &[one_phone(), started()]);
    alice.asks(&mut rig, &alice.fetches(STATUS), &[status("deny", "timeout")]);
    rig.now = rig.now.plus(Duration::from_secs(15));
    let fourth = alice.asks(&mut rig, &alice.posts(text), &[one_phone()]);
    assert_eq!((fourth.code().as_str(), fourth.0.status), ("too_many_requests", 429));
}

#[test]
fn page_in_place_shows_the_push_that_waits() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let page = alice.asks(&mut rig, &alice.opens("/reports"), &[]);
    assert_eq!(page.0.status, 403);
    assert!(page.text().contains(r#"data-pane="wait""#) && page.text().contains("192.0.2.7"));
    rig.now = rig.now.plus(Duration::from_secs(61));
    let page = alice.asks(&mut rig, &alice.opens("/reports"), &[]);
    assert!(page.text().contains(r#"data-pane="start""#));
    assert_eq!(rig.calls.len(), 2);
}

#[test]
fn other_tab_learns_of_the_approval() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
    let state = alice.asks(&mut rig, &alice.fetches(STATUS), &[]);
    assert_eq!((state.0.status, &state.json()["state"]), (200, &json!("approved")));
    let page = alice.asks(&mut rig, &alice.opens("/.duo-mfa/?return_to=%2Fa"), &[]);
    assert_eq!(page.0.status, 200);
    assert!(page.text().contains(r#"href="/a""#), "{}", page.text());
}

#[test]
fn prefetch_and_head_look_at_nothing() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let calls = rig.calls.len();
    let prefetch = alice.opens("/.duo-mfa/").with("sec-purpose", "prefetch");
    alice.asks(&mut rig, &prefetch, &[]);
    let head = alice.opens("/.duo-mfa/").without(":method").with(":method", "HEAD");
    alice.asks(&mut rig, &head, &[]);
    assert_eq!(rig.calls.len(), calls);
}

#[test]
fn logout_takes_the_approval_back() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let none = alice.asks(&mut rig, &alice.fetches("/.duo-mfa/userinfo"), &[]);
    assert_eq!((none.code().as_str(), none.0.status), ("mfa_required", 403));
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
    let info = alice.asks(&mut rig, &alice.fetches("/.duo-mfa/userinfo"), &[]).json();
    assert_eq!((&info["user"], &info["factor"]), (&json!("alice"), &json!("push")));
    assert_eq!(info["expires_at"], info["authenticated_at"].as_u64().unwrap() + 8 * 3600);
    let out = alice.asks(&mut rig, &alice.posts("/.duo-mfa/logout"), &[]);
    assert_eq!((out.0.status, out.text().as_str()), (200, "{}"));
    assert!(!alice.has(APPROVAL));
    assert_eq!(alice.asks(&mut rig, &alice.opens("/reports"), &[]).0.status, 403);
    let page = alice.asks(&mut rig, &alice.submits("/.duo-mfa/logout"), &[]);
    assert_eq!(page.0.status, 200);
}

#[test]
fn unreachable_duo_is_reported_and_nothing_is_repeated() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let gone = || Scripted::Fails(Unanswered::Cut);
    let refused = alice.asks(&mut rig, &alice.posts("/.duo-mfa/preauth"), &[gone(), gone()]);
    assert_eq!((refused.code().as_str(), refused.0.status), ("duo_unavailable", 503));
    let page = alice.asks(&mut rig, &alice.submits(PUSH), &[one_phone(), gone()]);
    assert_eq!((page.0.status, page.header("retry-after").as_deref()), (503, Some("5")));
    assert_eq!(rig.called(), ["preauth", "preauth", "preauth", "auth"]);
}

#[test]
fn approval_without_random_bytes_is_none() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.random = None;
    let passcode = "/.duo-mfa/auth?factor=passcode";
    let typed = Browser::of("two").posts(passcode).with("x-duo-mfa-passcode", "123456");
    let refused = rig.send(&typed, &[one_phone(), allows()]).answered();
    assert_eq!(refused.code(), "duo_unavailable");
    // The random bytes of alice's push were drawn when it began.
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
    let mut bella = Browser::of("bella");
    let push = bella.asks(&mut rig, &bella.posts(PUSH), &[one_phone()]);
    assert_eq!(push.code(), "duo_unavailable");
}

#[test]
fn own_addresses_are_for_programs_too_and_counted() {
    let mut rig = Rig::new();
    let start = posted(get(PUSH)).with("accept", "*/*");
    let begun = rig.send(&start, &[one_phone(), started()]).answered();
    let token = begun.json()["transaction"].as_str().unwrap().to_owned();
    let ask = get(STATUS).with("x-duo-mfa-transaction", &token);
    let denied = rig.send(&ask, &[status("deny", "deny")]).answered();
    assert_eq!(denied.json()["state"], "denied");
    let counted = |signal: &&Signal| matches!(signal, Signal::Count(Counter::Refused(_)));
    assert_eq!(rig.signals.iter().filter(counted).count(), 1);
}
