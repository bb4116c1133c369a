//! Events that end an approval per client: its lifetime, a sign-out, a clock that goes back, foreign bytes in
//! the table.

use super::{approved, back, config, is_asked, passes, rig, rule, wait};
use crate::browser::Browser;
use crate::rig::{Rig, allows, get, phone_of, started};
use duo_mfa::gate::NewCookie;
use duo_mfa::gate::limit::Table;
use duo_mfa::signal::{Counter, Signal};
use serde_json::json;
use std::time::Duration;

/// The number of the first bucket of approvals per client.
const FIRST: u16 = 0xc000;
const BUCKETS: u16 = 4_096;

#[test]
fn an_approval_ends_with_its_time_however_it_is_used() {
    for (written, seconds) in [("10s", 10), ("5m", 300), ("30m", 1_800)] {
        let rules = json!([rule(&json!({"approval": {"per": "client", "for": written}}))]);
        let mut rig = super::ruled(&rules);
        approved(&mut rig, &get("/api/a"));
        let since = rig.now;
        for at in [1, seconds / 2, seconds - 1] {
            rig.now = since.plus(Duration::from_secs(at));
            passes(&mut rig, &get("/api/a"));
        }
        rig.now = since.plus(Duration::from_secs(seconds));
        is_asked(&mut rig, &get("/api/a"));
        approved(&mut rig, &get("/api/a"));
        passes(&mut rig, &get("/api/a"));
    }
}

#[test]
fn a_clock_that_goes_back_ends_it() {
    for seconds in [1, 30, 59, 61, 3_600] {
        let mut rig = rig();
        approved(&mut rig, &get("/api/a"));
        back(&mut rig, seconds);
        is_asked(&mut rig, &get("/api/a"));
    }
}

/// A sign-out also ends an approval that is unreadable while the clock is wrong.
#[test]
fn a_sign_out_while_the_clock_is_wrong_counts() {
    for seconds in [1, 61, 3_600] {
        let mut rig = rig();
        approved(&mut rig, &get("/api/a"));
        let right = rig.now;
        back(&mut rig, seconds);
        let alice = Browser::of("alice");
        assert_eq!(rig.send(&alice.posts("/.duo-mfa/logout"), &[]).answered().0.status, 200);
        rig.now = right;
        is_asked(&mut rig, &get("/api/a"));
    }
}

#[test]
fn a_sign_out_ends_all_of_the_user_and_none_of_others() {
    let rules = json!([rule(&json!({})), rule(&json!({"paths": ["/other/*"]})), {
            "paths": ["/signout"], "policy": "bypass"}]);
    let alice = Browser::of("alice");
    let by_page = alice.posts("/.duo-mfa/logout");
    let by_form = alice.submits("/.duo-mfa/logout");
    let by_program = crate::browser::posted(get("/.duo-mfa/logout"));
    let by_first_factor = get("/signout");
    let capitals = crate::browser::posted(get("/.duo-mfa/logout")).of("ALICE");
    for sign_out in [by_page, by_form, by_program, by_first_factor, capitals] {
        let mut rig = super::ruled(&rules);
        approved(&mut rig, &get("/api/a"));
        approved(&mut rig, &get("/other/a"));
        rig.peer = Some(super::ELSEWHERE);
        approved(&mut rig, &get("/api/a"));
        let bobs = get("/api/a").of("bob");
        rig.send(&bobs, &[phone_of("bob"), started(), allows()]).admitted();

        let calls = rig.calls.len();
        rig.send(&sign_out, &[]);
        assert_eq!(rig.calls.len(), calls);
        passes(&mut rig, &bobs);
        is_asked(&mut rig, &get("/api/a"));
        rig.peer = Some(super::HERE);
        is_asked(&mut rig, &get("/api/a"));
        is_asked(&mut rig, &get("/other/a"));
    }
}

/// A sign-out that a page of another site sends, or a bare GET, ends nothing.
#[test]
fn what_is_no_sign_out_ends_nothing() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let alice = Browser::of("alice");
    let foreign = alice.submits("/.duo-mfa/logout").without("sec-fetch-site");
    let foreign = foreign.with("sec-fetch-site", "cross-site");
    assert_eq!(rig.send(&foreign, &[]).refused().0.details, "duo_mfa_cross_site");
    rig.send(&alice.opens("/.duo-mfa/logout"), &[]).answered();
    passes(&mut rig, &get("/api/a"));
}

/// The program requests the first factor's sign-out, which is under the same rule.
#[test]
fn a_sign_out_under_the_rule_itself_passes_and_ends_it() {
    let rules = json!([rule(&json!({"paths": ["/api/*", "/signout"]}))]);
    let mut rig = super::ruled(&rules);
    approved(&mut rig, &get("/api/a"));
    let forward = passes(&mut rig, &get("/signout"));
    assert!(matches!(forward.cookie, Some(NewCookie::SignedOut(_))), "{forward:?}");
    is_asked(&mut rig, &get("/api/a"));
    // A held sign-out keeps nothing, and ends the approval of the user's other client.
    approved(&mut rig, &get("/api/a"));
    rig.peer = Some(super::ELSEWHERE);
    approved(&mut rig, &get("/signout"));
    is_asked(&mut rig, &get("/api/a"));
    rig.peer = Some(super::HERE);
    is_asked(&mut rig, &get("/api/a"));
}

/// The sign-out may happen at another listener of the Envoy, which has no such rule.
#[test]
fn a_sign_out_at_another_listener_counts() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let mut other = rig.beside(json!({"session": {"application": "wiki"}}));
    other.send(&Browser::of("alice").posts("/.duo-mfa/logout"), &[]).answered();
    rig.table = other.table;
    is_asked(&mut rig, &get("/api/a"));
}

/// After a sign-out the sign-in's token gives no approval, so no approval is stored for the client.
#[test]
fn a_sign_in_that_was_ended_keeps_nothing() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let auth = "/.duo-mfa/auth?factor=push&return_to=%2Fapi%2Fa";
    alice.asks(&mut rig, &alice.posts(auth), &[phone_of("alice"), started()]);
    let before = alice.clone();
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[allows()]);
    rig.send(&alice.posts("/.duo-mfa/logout"), &[]).answered();
    let again = rig.send(&before.fetches("/.duo-mfa/status"), &[allows()]).answered();
    assert_eq!(again.code(), "bad_request");
    is_asked(&mut rig, &get("/api/a"));
}

/// The values of the table that hold approvals per client, by their names.
fn kept(rig: &Rig) -> Vec<(String, Vec<u8>)> {
    let table = Table::new(&rig.gate.config().shared);
    let names = (FIRST..FIRST + BUCKETS).map(|number| table.values().name(number));
    names.filter_map(|name| Some((name.clone(), rig.table.get(&name)?.clone()))).collect()
}

#[test]
fn bytes_of_a_neighbor_open_nothing_and_raise_an_alarm() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let [(name, genuine)] = &kept(&rig)[..] else { panic!() };
    assert_eq!(genuine.len(), 504 + 16);
    for place in (0..genuine.len()).step_by(7) {
        let mut forged = genuine.clone();
        forged[place] ^= 1;
        rig.table.insert(name.clone(), forged);
        rig.signals.clear();
        is_asked(&mut rig, &get("/api/a"));
        let unreadable = Signal::Count(Counter::LimitsUnreadable);
        assert!(rig.signals.contains(&unreadable), "byte {place}");
    }
    for junk in [Vec::new(), b"junk".to_vec(), vec![0; genuine.len()], genuine[1..].to_vec()] {
        rig.table.insert(name.clone(), junk);
        is_asked(&mut rig, &get("/api/a"));
    }
    // Valid bytes of another bucket, or under another key.
    for number in [FIRST, FIRST + 1, FIRST + 4_095] {
        let moved = Table::new(&rig.gate.config().shared).values().name(number);
        if moved != *name {
            rig.table.insert(moved, genuine.clone());
            rig.table.remove(name);
            is_asked(&mut rig, &get("/api/a"));
        }
    }
    let key = json!({"limits": {"key": {"env": "DUO_MFA_LIMITS_KEY"}}});
    let mut config = config(&json!([rule(&json!({}))]));
    config["limits"] = key["limits"].clone();
    let mut other = rig.beside(config);
    let bucket = Table::new(&other.gate.config().shared);
    for number in FIRST..FIRST + BUCKETS {
        other.table.insert(bucket.values().name(number), genuine.clone());
    }
    is_asked(&mut other, &get("/api/a"));
    approved(&mut rig, &get("/api/a"));
    passes(&mut rig, &get("/api/a"));
}

/// If a bucket has no room for another user, that user needs a second factor each time, and no other user does.
#[test]
fn a_full_bucket_asks_and_admits_nobody() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let [(name, genuine)] = &kept(&rig)[..] else { panic!() };
    let table = Table::new(&rig.gate.config().shared);
    let number = (FIRST..FIRST + BUCKETS).find(|it| table.values().name(*it) == *name).unwrap();
    // A head of 8 bytes, then alice's entry of 31 bytes and 15 empty ones.
    let (head, entries) = genuine[..504].split_at(8);
    let of_others = |others: u8, alices: &[u8]| {
        let other = |number: u8| {
            let mut entry = entries[..31].to_vec();
            entry[..24].fill(number);
            entry
        };
        let others = (1..=others).flat_map(other).collect();
        [head.to_vec(), others, alices.to_vec()].concat()
    };
    rig.put_bucket(number, of_others(15, &entries[..31]));
    passes(&mut rig, &get("/api/a"));

    rig.put_bucket(number, of_others(16, &[]));
    for _ in 0..3 {
        approved(&mut rig, &get("/api/a"));
        assert_eq!(kept(&rig).len(), 1);
    }
    wait(&mut rig, 299);
    approved(&mut rig, &get("/api/a"));
    is_asked(&mut rig, &get("/api/a"));
    wait(&mut rig, 1);
    approved(&mut rig, &get("/api/a"));
    passes(&mut rig, &get("/api/a"));
}
