//! The sign-in of a browser, from the page to the approval.

use crate::browser::{Browser, posted};
use crate::rig::{
    Response, Rig, Scripted, forwarded_header, get, one_phone, preauth, started, status,
};
use serde_json::json;
use std::time::Duration;

const PHONE: &str = "DPFZRS9FB0D46QFTM891";
const PENDING: &str = "__Host-duo_txn";
const APPROVAL: &str = "__Host-duo_mfa";
const STATUS: &str = "/.duo-mfa/status";

/// The address that a button for a push leads to.
fn push_to(device: &str, return_to: &str) -> String {
    format!("/.duo-mfa/auth?factor=push&device={device}&return_to={return_to}")
}

fn waits() -> Scripted {
    status("waiting", "pushed")
}

/// Starts a push by the script.
fn pushes(rig: &mut Rig, browser: &mut Browser, return_to: &str) -> Response {
    let path = push_to(PHONE, return_to);
    browser.asks(rig, &browser.posts(&path), &[one_phone(), started()])
}

#[test]
fn page_preauth_push_status_and_the_application() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    alice.asks(&mut rig, &alice.opens("/reports?q=1"), &[]);
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/preauth"), &[one_phone()]);
    pushes(&mut rig, &mut alice, "%2Freports%3Fq%3D1");
    alice.asks(&mut rig, &alice.fetches(STATUS), &[waits()]);

    let allow = status("allow", "allow").after(7);
    let approved = alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allow]);
    assert_eq!((approved.0.status, &approved.json()["state"]), (200, &json!("approved")));
    assert_eq!(approved.json()["return_to"], "/reports?q=1");
    assert!(!alice.has(PENDING) && alice.has(APPROVAL));

    let forward = rig.send(&alice.opens("/reports?q=1"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
    assert_eq!(rig.called(), ["preauth", "preauth", "auth", "auth_status", "auth_status"]);
}

#[test]
fn preauth_tells_what_there_is_to_choose_from() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let choices = alice.asks(&mut rig, &alice.posts("/.duo-mfa/preauth"), &[one_phone()]);
    assert_eq!(choices.0.status, 200);
    let answer = choices.json();
    assert_eq!(answer["result"], "auth");
    assert_eq!(answer["factors"], json!(["push", "passcode", "phone", "sms"]));
    let device = json!({
        "device": PHONE, "name": "iOS (XXX-XXX-0100)", "type": "phone",
        "factors": ["push", "phone", "sms"], "preferred": false,
    });
    assert_eq!(answer["devices"], json!([device]));
    assert_eq!(choices.cookies(), [""; 0]);
}

#[test]
fn push_that_was_started_is_followed_by_its_cookie() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let begun = pushes(&mut rig, &mut alice, "%2F");
    assert_eq!(begun.0.status, 202);
    let state = begun.json();
    assert_eq!(state["state"], "waiting");
    assert_eq!((&state["seconds_left"], &state["poll_after_ms"]), (&json!(60), &json!(1000)));
    assert!(state["transaction"].is_string(), "no cookie says that this client keeps any");
    let lines = begun.cookies();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("__Host-duo_txn=") && lines[0].contains("SameSite=Strict"));
    let sent = rig.body(1);
    assert_eq!((&sent["factor"], &sent["device"]), (&json!("push"), &json!(PHONE)));
    assert_eq!(sent["ipaddr"], "192.0.2.7");

    let waiting = alice.asks(&mut rig, &alice.fetches(STATUS), &[waits()]);
    assert_eq!((waiting.0.status, &waiting.json()["state"]), (200, &json!("waiting")));
    assert_eq!(waiting.json()["status"], "pushed");
    assert!(waiting.json().get("transaction").is_none(), "the cookie has it");
}

#[test]
fn refusal_says_where_the_push_of_this_browser_is_followed() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    pushes(&mut rig, &mut alice, "%2F");
    let again = alice.posts(&push_to(PHONE, "%2F"));
    let mut other = Browser::of("alice");
    let look = [one_phone(), status("waiting", "pushed")];
    let elsewhere = other.asks(&mut rig, &other.posts(&push_to(PHONE, "%2F")), &look);
    assert_eq!(elsewhere.code(), "pending_elsewhere");
    assert!(elsewhere.json().get("status_url").is_none(), "it has begun no push");
    let refused = alice.asks(&mut rig, &again, &[one_phone()]);
    assert_eq!(refused.code(), "pending_elsewhere");
    assert_eq!(refused.json()["status_url"], STATUS);
    rig.now = rig.now.plus(Duration::from_secs(60));
    let late = alice.asks(&mut rig, &again, &look);
    assert!(late.json().get("status_url").is_none(), "nobody waits for it any more");
}

#[test]
fn plain_forms_do_the_same() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/reports"), &[]);
    assert!(
        page.text()
            .contains(r#"formaction="/.duo-mfa/preauth?return_to=%2Freports&amp;reference="#)
    );

    let preauth = alice.submits("/.duo-mfa/preauth?return_to=%2Freports");
    let chooser = alice.asks(&mut rig, &preauth, &[one_phone()]);
    assert_eq!(chooser.0.status, 200);
    let path = push_to(PHONE, "%2Freports");
    assert!(chooser.text().contains(&path.replace('&', "&amp;")), "{}", chooser.text());

    let begun = alice.asks(&mut rig, &alice.submits(&path), &[one_phone(), started()]);
    assert_eq!(begun.0.status, 303);
    let location = begun.header("location").unwrap();
    assert_eq!(location, "/.duo-mfa/?return_to=%2Freports");

    let waiting = alice.asks(&mut rig, &alice.opens(&location), &[waits()]);
    assert_eq!(waiting.0.status, 200);
    assert!(waiting.text().contains("Check your phone"));
    assert!(waiting.text().contains(r#"http-equiv="refresh""#));

    let allow = [status("allow", "allow")];
    let approved = alice.is_approved(&mut rig, &alice.opens(&location), &allow);
    assert_eq!(approved.0.status, 303);
    assert_eq!(approved.header("location").as_deref(), Some("/reports"));
    rig.send(&alice.opens("/reports"), &[]).admitted();
}

#[test]
fn program_without_cookies_carries_the_transaction() {
    let mut rig = Rig::new();
    let start = posted(get("/.duo-mfa/auth?factor=push"));
    let begun = rig.send(&start, &[one_phone(), started()]).answered();
    assert_eq!(begun.0.status, 202);
    let transaction = begun.json()["transaction"].as_str().unwrap().to_owned();
    let ask = get(STATUS).with("x-duo-mfa-transaction", &transaction);
    assert_eq!(rig.send(&ask, &[waits()]).answered().json()["state"], "waiting");
    let approved = Browser::of("alice").is_approved(&mut rig, &ask, &[status("allow", "allow")]);
    assert_eq!(approved.json()["state"], "approved");
}

#[test]
fn preauth_that_allows_is_an_approval() {
    let mut rig = Rig::new();
    let mut bella = Browser::of("bella");
    let ask = bella.posts("/.duo-mfa/preauth");
    let allowed = bella.is_approved(&mut rig, &ask, &[preauth("allow")]);
    assert_eq!((allowed.0.status, &allowed.json()["result"]), (200, &json!("allow")));
    let forward = rig.send(&bella.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("bypass"));
}
