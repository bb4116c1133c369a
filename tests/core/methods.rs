//! Rules that name methods: a sign-in is under the rule of the request that led to it.

use crate::accounts::{asked, two_more};
use crate::browser::Browser;
use crate::rig::{Rig, one_phone, overlay, started, status};
use serde_json::{Value, json};
use std::time::Duration;

const STATUS: &str = "/.duo-mfa/status";

/// A rule for `POST /transfer`, with these terms.
fn rule(terms: Value) -> Value {
    let mut rule = json!({"paths": ["/transfer"], "methods": ["POST"], "policy": "two_factor"});
    overlay(&mut rule, terms);
    json!({"access_control": {"rules": [rule]}})
}

/// Alice's browser with an approval that is older than five minutes.
fn approved_before(rig: &mut Rig) -> Browser {
    let mut alice = Browser::of("alice");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2F");
    alice.asks(rig, &push, &[one_phone(), started()]);
    alice.is_approved(rig, &alice.fetches(STATUS), &[status("allow", "allow")]);
    rig.now = rig.now.plus(Duration::from_secs(301));
    alice
}

#[test]
fn form_is_approved_at_the_application_of_its_rule() {
    let mut config = two_more();
    overlay(&mut config, json!({"applications": {"wiki": null}}));
    overlay(&mut config, rule(json!({"application": "payments"})));
    let mut rig = Rig::with(config);
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.submits("/transfer"), &[]).text();
    let there = "return_to=%2Ftransfer&amp;method=POST&amp;reference=";
    assert!(page.contains(&format!(r#"formaction="/.duo-mfa/preauth?{there}"#)), "{page}");
    assert!(page.contains(r#"data-return="/transfer" data-method="POST""#), "{page}");

    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Ftransfer&method=POST");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    assert_eq!(asked(&rig.calls.last().unwrap().1.signed).1, "DIPAYMENTSXXXXXXXXXX");
    // The pending sign-in knows the method.
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[status("allow", "allow")]);
    assert!(alice.has("__Host-duo_mfa-payments"));
    rig.send(&alice.submits("/transfer"), &[]).admitted();
}

#[test]
fn script_is_led_to_a_page_that_asks_for_what_its_request_lacked() {
    let mut rig = Rig::with(rule(json!({"max_age": "5m"})));
    let mut alice = approved_before(&mut rig);
    let refused = alice.asks(&mut rig, &alice.posts("/transfer"), &[]).json();
    let start = refused["start_url"].as_str().unwrap();
    assert_eq!(start, "/.duo-mfa/?return_to=%2Ftransfer&method=POST");

    let page = alice.asks(&mut rig, &alice.opens(start), &[]);
    let there = "return_to=%2Ftransfer&amp;method=POST&amp;reference=";
    let button = format!(r#"formaction="/.duo-mfa/preauth?{there}"#);
    assert!(page.text().contains(&button), "{}", page.text());
    let look = alice.fetches(&format!("{STATUS}?return_to=%2Ftransfer&method=POST"));
    assert_eq!(alice.asks(&mut rig, &look, &[]).code(), "bad_request", "nothing is approved");
    let look = alice.fetches(&format!("{STATUS}?return_to=%2Ftransfer"));
    assert_eq!(alice.asks(&mut rig, &look, &[]).json()["state"], "approved", "a GET would pass");
}

#[test]
fn text_that_is_no_method_counts_as_get() {
    let mut rig = Rig::with(rule(json!({"max_age": "5m"})));
    let mut alice = approved_before(&mut rig);
    for method in ["", "GET", "P%20OST", "%22", "X".repeat(21).as_str()] {
        let page = alice.opens(&format!("/.duo-mfa/?return_to=%2Ftransfer&method={method}"));
        let page = alice.asks(&mut rig, &page, &[]).text();
        assert!(!page.contains("method=") && page.contains(r#"href="/transfer""#), "{page}");
    }
}

/// A link with so long a query that no return path holds it.
#[test]
fn long_target_is_approved_at_the_application_of_its_rule() {
    let mut config = two_more();
    overlay(&mut config, json!({"applications": {"wiki": null}}));
    overlay(&mut config, rule(json!({"application": "payments", "methods": null})));
    let mut rig = Rig::with(config);
    let mut alice = Browser::of("alice");
    let long = format!("/transfer?{}", "q".repeat(4_000));
    let page = alice.asks(&mut rig, &alice.opens(&long), &[]).text();
    assert!(page.contains("return_to=%2Ftransfer&amp;reference="), "{page}");
    let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Ftransfer");
    alice.asks(&mut rig, &push, &[one_phone(), started()]);
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[status("allow", "allow")]);
    rig.send(&alice.opens(&long), &[]).admitted();
}
