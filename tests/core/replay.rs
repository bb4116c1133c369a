//! Replays of a sign-in's token after Duo has allowed the sign-in.

use crate::browser::Browser;
use crate::rig::{LEDGER_BYTES, Response, Rig, allows, get, is_of_users, one_phone};
use serde_json::{Value, json};
use std::time::Duration;

const PENDING: &str = "__Host-duo_txn";
const STATUS: &str = "/.duo-mfa/status";

/// Two browsers: one whose push was approved, and one with a copy of the token from before.
fn approved(rig: &mut Rig) -> (Browser, Browser) {
    let mut alice = Browser::pushed(rig);
    let replay = alice.clone();
    alice.is_approved(rig, &alice.fetches(STATUS), &[allows()]);
    (alice, replay)
}

fn after(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

fn token(browser: &Browser) -> String {
    browser.jar[PENDING].split_once('=').unwrap().1.to_owned()
}

#[track_caller]
fn assert_over(answer: &Response) {
    assert_eq!((answer.code().as_str(), answer.0.status), ("bad_request", 400));
}

fn expiry(rig: &mut Rig, browser: &mut Browser) -> Value {
    let info = browser.asks(rig, &browser.fetches("/.duo-mfa/userinfo"), &[]);
    info.json()["expires_at"].clone()
}

#[test]
fn lost_answer_is_given_again_for_ten_seconds() {
    for waits in [0, 1, 9] {
        let mut rig = Rig::new();
        let (mut alice, mut again) = approved(&mut rig);
        after(&mut rig, waits);
        again.is_approved(&mut rig, &again.fetches(STATUS), &[allows()]);
        assert_eq!(expiry(&mut rig, &mut alice), expiry(&mut rig, &mut again));
        assert_eq!(rig.called().iter().filter(|name| **name == "auth").count(), 1);
    }
}

#[test]
fn replay_after_allow_is_refused() {
    for waits in [10, 60, 299] {
        let mut rig = Rig::new();
        let (_, mut replay) = approved(&mut rig);
        after(&mut rig, waits);
        let carried = get(STATUS).with("x-duo-mfa-transaction", token(&replay));
        assert_over(&rig.send(&carried, &[allows()]).answered());
        assert_over(&replay.asks(&mut rig, &replay.fetches(STATUS), &[allows()]));
        assert!(!replay.has(PENDING), "it is forgotten");
        let page = replay.asks(&mut rig, &replay.opens("/reports"), &[]);
        assert_eq!(page.0.status, 403);
    }
}

#[test]
fn sign_in_is_remembered_until_its_very_end() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let replay = alice.clone();
    let late = |millis| Duration::from_millis(millis);
    let begun = rig.now;
    rig.now = begun.plus(late(10_900));
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
    rig.now = begun.plus(late(299_500));
    assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
}

#[test]
fn replay_on_the_page_is_refused() {
    let mut rig = Rig::new();
    let (_, mut replay) = approved(&mut rig);
    after(&mut rig, 10);
    let page = replay.asks(&mut rig, &replay.opens("/.duo-mfa/"), &[allows()]);
    assert_eq!((page.0.status, page.0.details.as_str()), (400, "duo_mfa_bad_request"));
    assert!(!replay.has(PENDING));
}

#[test]
fn lost_answer_does_not_make_the_grace_longer() {
    let mut rig = Rig::new();
    let (_, replay) = approved(&mut rig);
    after(&mut rig, 6);
    replay.clone().is_approved(&mut rig, &replay.fetches(STATUS), &[allows()]);
    after(&mut rig, 6);
    assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
}

#[test]
fn replay_after_logout_is_refused_at_once() {
    let mut rig = Rig::new();
    let (mut alice, replay) = approved(&mut rig);
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/logout"), &[]);
    for waits in [0, 5, 290] {
        after(&mut rig, waits);
        assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
    }
}

#[test]
fn logout_or_cancel_ends_what_is_on_the_device() {
    for end in ["logout", "cancel"] {
        let mut rig = Rig::new();
        let mut alice = Browser::pushed(&mut rig);
        let replay = alice.clone();
        alice.asks(&mut rig, &alice.posts(&format!("/.duo-mfa/{end}")), &[]);
        assert!(!alice.has(PENDING));
        assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
    }
}

#[test]
fn passcode_ends_the_push_that_waits() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    let replay = alice.clone();
    let typed = alice.posts("/.duo-mfa/auth?factor=passcode").with("x-duo-mfa-passcode", "123456");
    alice.is_approved(&mut rig, &typed, &[one_phone(), allows()]);
    assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
}

#[test]
fn sign_ins_of_one_user_end_each_for_itself() {
    let mut rig = Rig::new();
    let (mut first, replay) = approved(&mut rig);
    let (_, second) = approved(&mut rig);
    first.asks(&mut rig, &first.posts("/.duo-mfa/logout"), &[]);
    assert_over(&rig.send(&replay.fetches(STATUS), &[allows()]).answered());
    second.clone().is_approved(&mut rig, &second.fetches(STATUS), &[allows()]);
}

#[test]
fn table_that_cannot_be_read_gives_no_approval() {
    let mut rig = Rig::new();
    let mut alice = Browser::pushed(&mut rig);
    rig.spoil_the_table();
    for waits in [0, 4, 200] {
        after(&mut rig, waits);
        let refused = alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
        assert_eq!((refused.code().as_str(), refused.0.status), ("duo_unavailable", 503));
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
        assert!(alice.has(PENDING), "a later poll may get the result");
    }
    after(&mut rig, 97);
    assert_over(&alice.asks(&mut rig, &alice.fetches(STATUS), &[]));
}

#[test]
fn full_bucket_gives_no_approval() {
    let mut rig = Rig::new();
    // Fills a bucket with as many uses as it takes, so that the table accepts no other use as a first one.
    let mut bytes = vec![3_u8];
    bytes.extend(u32::try_from(rig.now.seconds()).unwrap().to_be_bytes());
    bytes.extend([0; 3]);
    for entry in 0..16_u8 {
        bytes.extend([entry; 8]);
        bytes.extend([0, 0, 1, 0]);
    }
    for number in 0x4000..0x5000 {
        rig.put_bucket(number, bytes.clone());
    }
    let mut alice = Browser::pushed(&mut rig);
    let refused = alice.asks(&mut rig, &alice.fetches(STATUS), &[allows()]);
    assert_eq!((refused.code().as_str(), refused.0.status), ("duo_unavailable", 503));
    after(&mut rig, 256);
    alice.is_approved(&mut rig, &alice.fetches(STATUS), &[allows()]);
}

#[test]
fn sign_ins_beyond_number_share_a_table_of_one_size() {
    let mut rig = Rig::with(json!({"limits": {"pushes": 9}}));
    for _ in 0..300 {
        approved(&mut rig);
        after(&mut rig, 1);
    }
    assert!(rig.table.len() <= 8_192);
    let mut values = rig.table.values();
    assert!(values.all(|bytes| is_of_users(bytes) || bytes.len() == LEDGER_BYTES));
}
