//! Browsers that come back from Duo's page as they should, and the ones that come back otherwise.

use crate::browser::Browser;
use crate::message::Request;
use crate::stack::APPROVAL;
use crate::universal::{
    BROWSER, CALLBACK, PAGE, approved_at_duo, approves, assert_arrived, assert_no_token_call,
    assert_refused, at_duo, back, denied, parameter, start, target,
};
use serde_json::json;

const LOST: &str = "sign_in_lost";

#[test]
fn approved_browser_goes_on_to_the_page_that_was_asked_for() {
    let stack = start();
    let mut alice = Browser::of("alice");
    alice.signs_in_at_duo(&stack, PAGE);
    assert_eq!(stack.sim.calls("token"), 1);
    let seen = alice.is_admitted(&stack, PAGE);
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    assert_eq!(seen.values("cookie"), [""; 0], "the filter's cookies stay here");
    assert_eq!(stack.sim.codes()["used"], 1);
}

#[test]
fn callback_loaded_again_after_success_asks_duo_nothing() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
    for _ in 0..3 {
        assert_arrived(&alice.returns(&stack, &target), PAGE);
    }
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn tabs_finish_in_any_order_and_each_shows_its_own_page() {
    for order in [[0, 1], [1, 0]] {
        let stack = start();
        let mut alice = Browser::of("alice");
        let pages = ["/first?a=1", "/second?b=2"];
        let addresses = pages.map(|page| alice.leaves(&stack, page));
        let targets = addresses.map(|address| approved_at_duo(&stack.sim, &address));
        for tab in order {
            assert_arrived(&alice.returns(&stack, &targets[tab]), pages[tab]);
        }
        alice.is_admitted(&stack, pages[0]);
    }
}

#[test]
fn callback_in_another_browser_is_lost() {
    let stack = start();
    approves(&stack.sim, "bob");
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    // Of the same user, without a browser cookie.
    assert_refused(&Browser::of("alice").returns(&stack, &target), 403, LOST);
    // Of the same user, with a browser cookie.
    let mut other = Browser::of("alice");
    other.leaves(&stack, PAGE);
    assert_refused(&other.returns(&stack, &target), 403, LOST);
    // Of another user: an attacker's own sign-in in somebody else's browser.
    let mut bob = Browser::of("bob");
    assert_refused(&bob.returns(&stack, &target), 403, LOST);
    bob.leaves(&stack, PAGE);
    let reply = bob.returns(&stack, &target);
    assert_refused(&reply, 403, LOST);
    assert!(!reply.text().contains("year=2026"), "nothing of alice's page: {}", reply.text());
    // The first factor changed between start and callback, and the cookies stayed.
    let mut changed = Browser::of("bob");
    changed.jar = alice.jar.clone();
    assert_refused(&changed.returns(&stack, &target), 403, LOST);
    assert_no_token_call(&stack);
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

#[test]
fn browser_cookie_and_state_have_to_be_one_pair() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let own = alice.jar[BROWSER].clone();
    let mut other = Browser::of("alice");
    other.leaves(&stack, PAGE);
    let foreign = other.jar[BROWSER].clone();
    for cookies in [
        format!("{BROWSER}={own}; {BROWSER}={own}"),
        format!("{BROWSER}={own}; {BROWSER}={foreign}"),
        format!("{BROWSER}={foreign}"),
        format!("{BROWSER}="),
        format!("{BROWSER}={}", &own[1..]),
        format!("duo_universal={own}"),
    ] {
        let request = back(&target).user("alice").header("cookie", &cookies);
        assert_refused(&stack.denied(&request), 403, LOST);
    }
    let without = target.split_once("state=").unwrap().0.to_owned() + "duo_code=0123456789abcdef";
    assert_refused(&alice.returns(&stack, &without), 400, "bad_request");
    assert_no_token_call(&stack);
}

#[test]
fn code_of_another_users_sign_in_is_exchanged_and_refused() {
    let stack = start();
    approves(&stack.sim, "bob");
    let mut alice = Browser::of("alice");
    let own = alice.is_approved(&stack, PAGE);
    let theirs = Browser::of("bob").is_approved(&stack, PAGE);
    let state = parameter(&own, "state");
    let mixed = format!("{CALLBACK}?state={state}&duo_code={}", parameter(&theirs, "duo_code"));
    assert_refused(&alice.returns(&stack, &mixed), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 1);
    assert!(!alice.has(APPROVAL));
    crate::sim::eventually("the count of the refusal", || {
        let count = stack.envoy.stat("wasmcustom.duo_mfa_refused.code.sign_in_lost");
        (count == 1).then_some(())
    });
    // The attempt is used up, with the right code too.
    assert_refused(&alice.returns(&stack, &own), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn id_token_for_another_user_approves_nobody() {
    let stack = start();
    stack.sim.fault(&json!({"endpoint": "token", "kind": "user", "user": "bob", "times": 1}));
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    assert_refused(&alice.returns(&stack, &target), 403, "other_user");
    assert!(!alice.has(APPROVAL));
}

#[test]
fn return_path_elsewhere_becomes_the_root() {
    let stack = start();
    for path in ["//evil.test", "/\\evil.test", "https://evil.test", "/%2f/evil.test", "x"] {
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, path);
        assert_arrived(&alice.returns(&stack, &target), "/");
    }
}

#[test]
fn long_return_paths_are_kept_and_of_two_long_ones_the_newer() {
    let stack = start();
    let long = |start: &str, length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    for page in [long("/a?", 640), long("/b?", 2048)] {
        let mut alice = Browser::of("alice");
        let target = alice.is_approved(&stack, &page);
        assert!(target.len() < 1200, "{}", target.len());
        assert_arrived(&alice.returns(&stack, &target), &page);
    }
    let (first, second) = (long("/first?", 2048), long("/second?", 2048));
    let mut alice = Browser::of("alice");
    let older = alice.is_approved(&stack, &first);
    let newer = alice.is_approved(&stack, &second);
    assert_arrived(&alice.returns(&stack, &older), "/");
    assert_arrived(&alice.returns(&stack, &newer), &second);
}

#[test]
fn malformed_codes_and_states_are_refused_before_any_call() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let (state, code) = (parameter(&target, "state"), parameter(&target, "duo_code"));
    let long_state = "s".repeat(1025);
    let huge_state = "s".repeat(60_000);
    let long_code = "c".repeat(513);
    for query in [
        format!("state={state}&duo_code={code}%0d%0aX-Evil:%201"),
        format!("state={state}&duo_code={code}%00"),
        format!("state={state}&duo_code={code}%26redirect_uri%3Dhttps%3A%2F%2Fevil.test"),
        format!("state={state}&duo_code={code}%C3%A9"),
        format!("state={state}&duo_code={long_code}"),
        format!("state={state}&duo_code="),
        format!("state={state}&duo_code={code}&duo_code={code}"),
        format!("state={state}&duo_code={code}&duo%5Fcode={code}"),
        format!("state={state}&state={state}&duo_code={code}"),
        format!("state={state}&st%61te={state}&duo_code={code}"),
        format!("state=&duo_code={code}"),
        format!("state={long_state}&duo_code={code}"),
        format!("state={huge_state}&duo_code={code}"),
        format!("state={state}"),
        format!("duo_code={code}"),
        "state".to_owned(),
        String::new(),
    ] {
        let reply = alice.returns(&stack, &format!("{CALLBACK}?{query}"));
        let shown: String = query.chars().take(200).collect();
        // Envoy itself refuses a request head above its limit.
        assert!(matches!(reply.status, 400 | 414 | 431), "{shown}: {reply:?}");
        assert_eq!(reply.set_cookie(APPROVAL), None, "{shown}");
    }
    for query in [
        format!("state={}&duo_code={code}", changed(&state, state.len() / 2)),
        format!("state={}&duo_code={code}", changed(&state, 0)),
        format!("state={}&duo_code={code}", &state[..state.len() - 4]),
    ] {
        assert_refused(&alice.returns(&stack, &format!("{CALLBACK}?{query}")), 403, LOST);
    }
    assert_no_token_call(&stack);
    stack.assert_alive();
    let log = stack.envoy.log().to_ascii_lowercase();
    assert!(!log.contains("x-evil") && !log.contains(&code), "a part of the address was logged");
    assert_arrived(&alice.returns(&stack, &target), PAGE);
}

/// The text with another letter at this place.
fn changed(text: &str, place: usize) -> String {
    let letter = if &text[place..=place] == "A" { "B" } else { "A" };
    format!("{}{letter}{}", &text[..place], &text[place + 1..])
}

#[test]
fn error_from_duo_ends_the_attempt_and_is_never_shown() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let fault = |error: &str| {
        stack.sim.fault(&json!({"endpoint": "authorize", "kind": "callback", "times": 1,
            "error": error, "error_description": "<script>alert(1)</script>"}));
    };
    fault("access_denied");
    let target = alice.is_approved(&stack, PAGE);
    let reply = alice.returns(&stack, &target);
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(!reply.text().contains("alert(1)"), "{}", reply.text());
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    fault("server_error");
    let target = alice.is_approved(&stack, PAGE);
    let reply = alice.returns(&stack, &target);
    assert_refused(&reply, 403, LOST);
    assert!(!reply.text().contains("alert(1)"), "{}", reply.text());
    let without_state = format!("{CALLBACK}?error=access_denied&error_description=x");
    assert_refused(&alice.returns(&stack, &without_state), 400, "bad_request");
    assert_no_token_call(&stack);
}

#[test]
fn callback_takes_navigations_by_get_alone() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let mut post = back(&target);
    post.method = "POST".to_owned();
    let reply = alice.ask(&stack, post.header("content-length", "0"));
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")), "{reply:?}");
    let mut head = back(&target);
    head.method = "HEAD".to_owned();
    assert_eq!(alice.ask(&stack, head).status, 405);
    let fetch = Request::get(&target).all(&[
        ("accept", "*/*"),
        ("user-agent", "Mozilla/5.0 Chrome/156"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
    ]);
    let reply = alice.ask(&stack, fetch);
    assert_eq!(reply.status, 403, "{reply:?} {}", reply.text());
    let mut frame = back(&target);
    frame.headers.retain(|(name, _)| name != b"sec-fetch-dest");
    assert_eq!(alice.ask(&stack, frame.header("sec-fetch-dest", "iframe")).status, 403);
    assert_no_token_call(&stack);
    // The reply does not wait for the body, which never comes.
    let with_body = alice.with_cookies(back(&target)).header("content-length", "10");
    let reply = denied(&stack, "a callback with a body", || stack.send(&with_body));
    assert_arrived(&reply, PAGE);
}

#[test]
fn callback_without_the_first_factor_says_so_and_uses_no_code() {
    let setup = crate::universal::setup();
    let first_factor = crate::setup::FirstFactor::Absent;
    let stack = crate::stack::Stack::start(crate::setup::Setup { first_factor, ..setup });
    approves(&stack.sim, "alice");
    let mut jar = Browser::of("alice");
    let reply = jar.ask(&stack, crate::universal::press(PAGE).header("x-basic-user", "alice"));
    let address = reply.header("location").expect("an address").to_owned();
    let target = approved_at_duo(&stack.sim, &address);
    let cookie = format!("{BROWSER}={}", jar.jar[BROWSER]);
    let reply = stack.denied(&back(&target).header("cookie", &cookie));
    assert!(crate::universal::says(&reply, "identity_missing"), "{reply:?} {}", reply.text());
    assert_no_token_call(&stack);
    let reply =
        stack.send(&back(&target).header("cookie", &cookie).header("x-basic-user", "alice"));
    assert_arrived(&reply, PAGE);
}

#[test]
fn sign_out_in_another_tab_ends_the_sign_in_at_duo() {
    let stack = start();
    let mut alice = Browser::of("alice");
    alice.signs_in_at_duo(&stack, PAGE);
    let target = {
        // A rule or a lapsed approval sends another tab to Duo.
        let approval = alice.jar.remove(APPROVAL).unwrap();
        let target = alice.is_approved(&stack, "/other");
        alice.jar.insert(APPROVAL.to_owned(), approval);
        target
    };
    let reply = alice.fetch(&stack, "POST", "logout");
    assert!(reply.status < 300, "{reply:?}");
    assert!(!alice.has(BROWSER) && !alice.has(APPROVAL), "{:?}", alice.jar);
    assert_refused(&alice.returns(&stack, &target), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn callback_moved_to_another_host_is_lost() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(&stack, PAGE);
    let moved = back(&target).header("host", "one.apps.example.com");
    assert_refused(&alice.ask(&stack, moved), 403, LOST);
    let nowhere = back(&target).header("host", "evil.test");
    assert_eq!(alice.ask(&stack, nowhere).status, 403);
    assert_no_token_call(&stack);
}

#[test]
fn redirect_uri_changed_in_the_address_brings_its_owner_nothing() {
    let stack = start();
    let mut alice = Browser::of("alice");
    let address = alice.leaves(&stack, PAGE) + "&redirect_uri=https%3A%2F%2Fevil.test%2Fcatch";
    let reply = at_duo(&stack.sim, &address);
    let stolen = reply.header("location").unwrap();
    assert!(stolen.starts_with("https://evil.test/catch?state="), "{stolen}");
    // The code is bound to the other address; with it nobody gets in here, not even alice.
    let target = format!("{CALLBACK}?{}", stolen.split_once('?').unwrap().1);
    assert_refused(&Browser::of("alice").returns(&stack, &target), 403, LOST);
    assert_no_token_call(&stack);
    assert_refused(&alice.returns(&stack, &target), 403, LOST);
    assert_eq!(stack.sim.calls("token"), 1);
}

#[test]
fn address_given_to_another_user_approves_neither() {
    let stack = start();
    // An attacker with alice's password starts; alice opens the address and approves.
    let mut attacker = Browser::of("alice");
    let address = attacker.leaves(&stack, PAGE);
    let reply = at_duo(&stack.sim, &address);
    let target = target(reply.header("location").unwrap()).to_owned();
    let mut alice = Browser::of("alice");
    let lost = alice.returns(&stack, &target);
    assert_refused(&lost, 403, LOST);
    let code = parameter(&target, "duo_code");
    assert!(!lost.text().contains(&code), "nothing of the address on the page");
    assert!(!alice.has(APPROVAL) && !attacker.has(APPROVAL));
    assert_no_token_call(&stack);
}
