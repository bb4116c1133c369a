//! The settings of `session` decide how long, and for which application, an approval is valid.

use super::document::{full, minimal, with, with_all};
use super::{minutes, parse};
use duo_mfa::clock::UnixTime;
use duo_mfa::factor::Factor;
use duo_mfa::session::{ApprovedBy, NewApproval, Refusal, Sessions, Subject};
use serde_json::json;
use std::time::Duration;

#[test]
fn approvals_last_as_long_as_configured() {
    let default = parse(&minimal()).unwrap().applications.main.sessions;
    let short = parse(&full()).unwrap().applications.main.sessions;
    let both =
        with_all(&[("/session/expiration", json!("24h")), ("/session/inactivity", json!("24h"))]);
    let long = parse(&both).unwrap().applications.main.sessions;
    // If only the lifetime is set and it is below 30 minutes, the idle time equals it.
    let brief =
        parse(&with("/session/expiration", json!("10m"))).unwrap().applications.main.sessions;

    for (sessions, inactivity, expiration) in [
        (default, minutes(30), minutes(8 * 60)),
        (short, minutes(10), minutes(60)),
        (long, minutes(24 * 60), minutes(24 * 60)),
        (brief, minutes(10), minutes(10)),
    ] {
        let start = UnixTime::from_seconds(1_700_000_000);
        let second = Duration::from_secs(1);
        let cookie = issue(&sessions, start);
        let approval = sessions.open(&cookie, &ALICE, start.plus(inactivity).minus(second));
        assert_eq!(approval.unwrap().expires(), start.plus(expiration));
        assert!(sessions.open(&cookie, &ALICE, start.plus(inactivity).plus(second)).is_err());
    }
}

#[test]
fn approvals_are_valid_for_one_application_and_void_before_a_time() {
    let start = UnixTime::from_seconds(1_700_000_000);
    let sessions =
        |pointer, value| parse(&with(pointer, value)).unwrap().applications.main.sessions;
    let default = parse(&minimal()).unwrap().applications.main.sessions;
    let cookie = issue(&default, start);

    let named = sessions("/session/application", json!("default"));
    let other = sessions("/session/application", json!("payments"));
    let voided = sessions("/session/not_before", json!(1_700_000_001));
    assert!(named.open(&cookie, &ALICE, start).is_ok());
    assert_eq!(other.open(&cookie, &ALICE, start), Err(Refusal::OtherApplication));
    assert_eq!(voided.open(&cookie, &ALICE, start), Err(Refusal::Void));
}

const ALICE: Subject<'_> = Subject { source: "header", user: "alice", bound: &[] };

/// The value of a cookie for Alice.
fn issue(sessions: &Sessions, now: UnixTime) -> Vec<u8> {
    let approval = NewApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: now,
        lifetime: None,
    };
    let set_cookie = sessions.issue(&approval, &ALICE, now, [7; 16]);
    let pair = set_cookie.as_bytes().split(|byte| *byte == b';').next().unwrap();
    pair[sessions.cookie_name().len() + 1..].to_vec()
}
