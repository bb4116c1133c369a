//! Enrollment of a first device on the page: the code, and the sign-in after the user scanned it.

use crate::browser::{Browser, posted};
use crate::rig::{Rig, Scripted, fail, get, ok, one_phone, preauth};
use duo_mfa::gate::Unanswered;
use serde_json::{Value, json};
use std::time::Duration;

const PENDING: &str = "__Host-duo_txn";
const ENROLL: &str = "/.duo-mfa/enroll?return_to=%2Freports";
const STATUS: &str = "/.duo-mfa/enroll/status";

fn inline() -> Rig {
    Rig::with(json!({"duo": {"enrollment": "inline"}}))
}

fn made() -> Scripted {
    ok(&json!({
        "user_id": "DU3RP9I2WOC59VZX672N", "username": "dave", "expiration": 1_800_000_300,
        "activation_barcode": "https://api-x.duosecurity.com/frame/qr?value=duo%3A%2F%2FAbCdEf-SeCrEt",
        "activation_code": "duo://AbCdEf-SeCrEt",
        "activation_url": "https://m-x.duosecurity.com/activate/AbCdEf",
    }))
}

fn says(word: &str) -> Scripted {
    ok(&Value::from(word))
}

/// Dave's browser after it has started an enrollment.
fn begun(rig: &mut Rig) -> Browser {
    let mut dave = Browser::of("dave");
    let form = dave.asks(rig, &dave.submits(ENROLL), &[preauth("enroll"), made()]);
    assert_eq!((form.0.status, form.header("location").as_deref()), (303, Some(ENROLL)));
    assert!(dave.has(PENDING));
    dave
}

#[test]
fn code_is_shown_until_it_is_scanned() {
    let mut rig = inline();
    let mut dave = Browser::of("dave");
    let told = dave.asks(&mut rig, &dave.posts("/.duo-mfa/preauth"), &[preauth("enroll")]);
    assert_eq!(told.json()["enroll_url"], "/.duo-mfa/enroll");
    let mut dave = begun(&mut rig);
    let page = dave.asks(&mut rig, &dave.opens(ENROLL), &[says("waiting")]);
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_enrollment_required"));
    assert!(page.text().contains("<svg") && page.text().contains("duo://AbCdEf-SeCrEt"));
    assert!(page.text().contains(r#"href="https://m-x.duosecurity.com/activate/AbCdEf""#));

    let waiting = dave.asks(&mut rig, &dave.fetches(STATUS), &[says("waiting")]).json();
    assert_eq!(waiting["result"], "waiting");
    assert_eq!(rig.body(4)["user_id"], "DU3RP9I2WOC59VZX672N");
    let mut page = dave.clone();
    let done = dave.asks(&mut rig, &dave.fetches(STATUS), &[says("success")]).json();
    assert_eq!(done["result"], "done");
    assert!(!dave.has(PENDING));
    let onward = page.asks(&mut rig, &page.opens(ENROLL), &[says("success")]);
    let start = "/.duo-mfa/?return_to=%2Freports";
    assert_eq!((onward.0.status, onward.header("location").as_deref()), (303, Some(start)));
}

/// Duo Mobile has to be installed first.
#[test]
fn code_lasts_an_hour() {
    let mut rig = inline();
    let mut dave = begun(&mut rig);
    assert_eq!(rig.body(1)["valid_secs"], "3600");
    rig.now = rig.now.plus(Duration::from_secs(3600));
    let page = dave.asks(&mut rig, &dave.opens(ENROLL), &[says("waiting")]);
    assert!(page.text().contains("duo://AbCdEf-SeCrEt"));
    rig.now = rig.now.plus(Duration::from_secs(1));
    let late = dave.asks(&mut rig, &dave.fetches(STATUS), &[]);
    assert_eq!(late.code(), "bad_request");
}

#[test]
fn one_user_is_made_however_often_the_page_is_loaded() {
    let mut rig = inline();
    let mut dave = begun(&mut rig);
    for _ in 0..5 {
        dave.asks(&mut rig, &dave.opens(ENROLL), &[says("waiting")]);
        assert_eq!(dave.asks(&mut rig, &dave.submits(ENROLL), &[]).0.status, 303);
    }
    assert_eq!(rig.called().iter().filter(|name| **name == "enroll").count(), 1);
}

#[test]
fn user_is_the_one_who_signed_in() {
    let mut rig = inline();
    let mut dave = Browser::of("dave");
    let forged = dave.submits("/.duo-mfa/enroll?username=mallory&user_id=DU1");
    dave.asks(&mut rig, &forged, &[preauth("enroll"), made()]);
    assert_eq!(rig.body(1)["username"], "dave");
    assert!(!dave.jar[PENDING].contains("AbCdEf"));

    let mut mallory = Browser::of("mallory");
    mallory.jar.clone_from(&dave.jar);
    assert_eq!(mallory.asks(&mut rig, &mallory.fetches(STATUS), &[]).code(), "bad_request");
}

#[test]
fn user_with_a_device_is_not_enrolled() {
    let mut rig = inline();
    let mut alice = Browser::of("alice");
    let chooser = alice.asks(&mut rig, &alice.submits(ENROLL), &[one_phone()]);
    assert_eq!(chooser.0.status, 200);
    assert!(chooser.text().contains("iOS (XXX-XXX-0100)"));
    assert_eq!(rig.called(), ["preauth"]);
}

#[test]
fn enrollment_that_fails_is_reported_and_not_repeated() {
    let taken = || fail(40_002, "Invalid request parameters", "username");
    for (answer, code) in
        [(taken(), "enrollment_required"), (Scripted::Fails(Unanswered::Cut), "duo_unavailable")]
    {
        let mut rig = inline();
        let mut dave = Browser::of("dave");
        let refused = dave.asks(&mut rig, &dave.posts(ENROLL), &[preauth("enroll"), answer]);
        assert_eq!(refused.code(), code);
        assert_eq!(rig.called(), ["preauth", "enroll"]);
        assert!(!dave.has(PENDING));
    }
    let mut rig = inline();
    let mut dave = begun(&mut rig);
    let page = dave.asks(&mut rig, &dave.opens(ENROLL), &[says("invalid")]);
    assert_eq!(page.0.status, 403);
    assert!(!page.text().contains("/.duo-mfa/enroll"), "Duo gives no second code for the name");
    assert!(!dave.has(PENDING));
}

#[test]
fn addresses_are_there_only_where_it_is_configured() {
    for setting in ["off", "portal"] {
        let mut rig = Rig::with(json!({"duo": {"enrollment": setting}}));
        for request in [get(ENROLL), posted(get(ENROLL)), get(STATUS)] {
            assert_eq!(rig.send(&request, &[]).answered().code(), "not_found");
        }
    }
    let mut rig = inline();
    for (request, allow) in [
        (get(ENROLL).without(":method").with(":method", "PUT"), "GET, POST"),
        (posted(get(STATUS)), "GET"),
    ] {
        let refused = rig.send(&request, &[]).answered();
        assert_eq!(refused.code(), "method_not_allowed");
        assert_eq!(refused.header("allow").as_deref(), Some(allow));
    }
    let cross = posted(get(ENROLL)).with("origin", "https://evil.example");
    assert_eq!(rig.send(&cross, &[]).answered().0.details, "duo_mfa_cross_site");
}
