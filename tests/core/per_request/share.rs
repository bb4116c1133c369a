//! How many places in the record of single uses one user may take.

use super::{WIRE, approved, rig, used_up};
use crate::browser::Browser;
use crate::rig::{Outcome, Response, Rig, preauth};
use serde_json::json;
use std::time::Duration;

/// The number in docs/limits.md.
const SHARE: usize = 128;

/// Bella, a user with bypass status at Duo, approves one request and uses the approval.
fn uses_one(rig: &mut Rig) -> Result<(), Response> {
    let mut bella = Browser::of("bella");
    let ask = bella.posts("/.duo-mfa/preauth?return_to=%2Fwire%3Fto%3D7");
    bella.asks(rig, &ask, &[preauth("allow")]);
    match rig.send(&bella.opens(WIRE), &[]) {
        Outcome::Forwarded(forward) => {
            used_up(&forward);
            Ok(())
        }
        refused @ Outcome::Replied(_) => Err(refused.refused()),
    }
}

#[test]
fn user_with_bypass_status_uses_up_a_share_and_no_more() {
    let mut rig = rig();
    for _ in 0..SHARE {
        uses_one(&mut rig).unwrap_or_else(|refused| panic!("{}", refused.text()));
    }
    let places = rig.table.len();
    rig.now = rig.now.plus(Duration::from_secs(20));
    for _ in 0..100 {
        let refused = uses_one(&mut rig).unwrap_err();
        assert_eq!(
            (refused.0.status, refused.0.details.as_str()),
            (429, "duo_mfa_too_many_requests")
        );
        assert_eq!(refused.header("retry-after").as_deref(), Some("400"));
    }
    assert_eq!(rig.table.len(), places, "a refused use takes no place");
    let alice = approved(&mut rig, WIRE);
    used_up(&rig.send(&alice.opens(WIRE), &[]).admitted());
    rig.now = rig.now.plus(Duration::from_secs(400));
    uses_one(&mut rig).unwrap_or_else(|refused| panic!("{}", refused.text()));
}

#[test]
fn replayed_use_does_not_count_against_the_share() {
    let mut rig = rig();
    let mut bella = Browser::of("bella");
    let ask = bella.posts("/.duo-mfa/preauth?return_to=%2Fwire%3Fto%3D7");
    bella.asks(&mut rig, &ask, &[preauth("allow")]);
    used_up(&rig.send(&bella.opens(WIRE), &[]).admitted());
    for _ in 0..2 * SHARE {
        assert_eq!(rig.send(&bella.opens(WIRE), &[]).refused().0.status, 403);
    }
    uses_one(&mut rig).unwrap_or_else(|refused| panic!("{}", refused.text()));
}

/// A sign-in without a prompt cannot be finished twice, so its end is not recorded in the table.
#[test]
fn sign_in_without_a_prompt_takes_no_place() {
    let mut rig = Rig::with(json!({}));
    for _ in 0..50 {
        let mut bella = Browser::of("bella");
        let ask = bella.posts("/.duo-mfa/auth?factor=push&return_to=%2F");
        bella.is_approved(&mut rig, &ask, &[preauth("allow")]);
        bella.asks(&mut rig, &bella.posts("/.duo-mfa/cancel"), &[]);
        bella.asks(&mut rig, &bella.posts("/.duo-mfa/logout"), &[]);
    }
    assert_eq!(rig.table.len(), 0);
}
