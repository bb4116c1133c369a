//! Approval cookies that the gate accepts, renews and refuses.

use crate::rig::{Request, Rig, approval, forwarded_header, get, one_phone, pair, started, status};
use duo_mfa::gate::NewCookie;
use serde_json::json;
use std::time::Duration;

const OTHER_KEY: &str = "9pB2H0aC0v3dYt0mSmsQm0QhbTn5l9b0QXQ2Wv3o1hE=";

/// A rig that refuses every request without a valid cookie at once, and Alice's cookie.
fn signed_in() -> (Rig, String) {
    let script = [one_phone(), started(), status("allow", "allow")];
    let cookie = approval(&Rig::new().send(&get("/"), &script).admitted());
    (refusing(&json!({})), pair(&cookie).to_owned())
}

fn refusing(session: &serde_json::Value) -> Rig {
    Rig::with(json!({"api": {"mode": "refuse"}, "session": session}))
}

fn with_cookie(cookie: &str) -> Request {
    get("/").with("cookie", cookie)
}

#[test]
fn another_replica_takes_the_cookie() {
    let (mut rig, cookie) = signed_in();
    rig.send(&with_cookie(&cookie), &[]).admitted();
}

#[test]
fn every_flipped_bit_is_refused() {
    let (mut rig, cookie) = signed_in();
    let (name, value) = cookie.split_once('=').unwrap();
    rig.send(&with_cookie(&cookie), &[]).admitted();
    for place in 0..value.len() {
        for bit in 0..8 {
            let mut bytes = value.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            let forged = [name.as_bytes(), b"=", &bytes].concat();
            let request = get("/").with("cookie", forged);
            assert_eq!(rig.send(&request, &[]).refused().code(), "mfa_required");
        }
    }
}

#[test]
fn cookie_of_another_user_application_or_key_is_refused() {
    let (mut rig, cookie) = signed_in();
    assert_eq!(rig.send(&with_cookie(&cookie).of("bob"), &[]).refused().code(), "mfa_required");
    let session = json!({"application": "other"});
    refusing(&session).send(&with_cookie(&cookie), &[]).refused();
    let foreign = json!({"allow_inline_secrets": true, "api": {"mode": "refuse"},
        "session": {"keys": [OTHER_KEY]}});
    Rig::with(foreign).send(&with_cookie(&cookie), &[]).refused();
    let rotated = json!({"allow_inline_secrets": true, "api": {"mode": "refuse"},
        "session": {"keys": [OTHER_KEY, {"env": "DUO_MFA_COOKIE_KEY"}]}});
    Rig::with(rotated).send(&with_cookie(&cookie), &[]).admitted();
}

#[test]
fn cookie_sent_twice_is_none() {
    let (mut rig, cookie) = signed_in();
    rig.send(&with_cookie(&format!("{cookie}; {cookie}")), &[]).refused();
    rig.send(&with_cookie(&cookie).with("cookie", &cookie), &[]).refused();
    rig.send(&with_cookie(&format!("{cookie}; __Host-duo_mfa=")), &[]).refused();
}

#[test]
fn cookie_under_another_name_or_spelling_is_none() {
    let (mut rig, cookie) = signed_in();
    let (name, value) = cookie.split_once('=').unwrap();
    for odd in [
        format!("__HoSt-duo_mfa={value}"),
        format!("{name}2={value}"),
        format!("{name}={value}="),
        format!("{name}=\"{value}\""),
        format!("{name} ={value}"),
    ] {
        rig.send(&with_cookie(&odd), &[]).refused();
    }
}

#[test]
fn cookie_ends_when_idle_or_old_and_never_comes_from_the_future() {
    let (mut rig, cookie) = signed_in();
    let issued = rig.now;
    for (seconds, passes) in [(0, true), (1_800, true), (1_801, false), (28_800, false)] {
        rig.now = issued.plus(Duration::from_secs(seconds));
        let outcome = rig.send(&with_cookie(&cookie), &[]);
        if passes {
            outcome.admitted();
        } else {
            outcome.refused();
        }
    }
    rig.now = issued.minus(Duration::from_secs(60));
    rig.send(&with_cookie(&cookie), &[]).admitted();
    rig.now = issued.minus(Duration::from_secs(62));
    rig.send(&with_cookie(&cookie), &[]).refused();
}

#[test]
fn use_keeps_an_approval_alive_but_never_beyond_its_end() {
    let (mut rig, mut cookie) = signed_in();
    let begun = rig.now;
    let mut last = begun;
    loop {
        rig.now = rig.now.plus(Duration::from_secs(600));
        if rig.now.since(begun) > Duration::from_secs(50_000) {
            panic!("a session outlived its end");
        }
        match rig.send(&with_cookie(&cookie), &[]) {
            crate::rig::Outcome::Forwarded(forward) => {
                assert_eq!(
                    forwarded_header(&forward, "x-duo-mfa-time"),
                    Some(begun.seconds().to_string())
                );
                last = rig.now;
                let Some(NewCookie::Renewal(line)) = forward.cookie else {
                    panic!("no renewal after ten minutes");
                };
                let line = String::from_utf8(line.as_bytes().to_vec()).unwrap();
                cookie = pair(&line).to_owned();
            }
            crate::rig::Outcome::Replied(_) => break,
        }
    }
    let lived = last.since(begun).as_secs();
    assert!((28_200..28_800).contains(&lived), "{lived}");
}

#[test]
fn page_that_somebody_opens_is_renewed_before_half_the_idle_time_is_lost() {
    let (mut rig, cookie) = signed_in();
    let script = with_cookie(&cookie).with("sec-fetch-mode", "cors");
    let page = with_cookie(&cookie).with("sec-fetch-mode", "navigate").with("accept", "text/html");
    let page = page.with("sec-fetch-dest", "document");
    let post = page.clone().without(":method").with(":method", "POST");
    let begun = rig.now;
    for (minutes, request, is_overdue) in [
        (7, &page, None),
        (8, &page, Some(false)),
        (15, &page, Some(false)),
        (16, &page, Some(true)),
        (29, &page, Some(true)),
        (29, &script, Some(false)),
        (29, &post, Some(false)),
    ] {
        rig.now = begun.plus(Duration::from_secs(minutes * 60));
        let cookie = rig.send(request, &[]).admitted().cookie;
        let renewed = match cookie {
            None => None,
            Some(NewCookie::Renewal(_)) => Some(false),
            Some(NewCookie::OverdueRenewal(_)) => Some(true),
            Some(other) => panic!("{other:?}"),
        };
        assert_eq!(renewed, is_overdue, "{minutes} {request:?}");
    }
}
