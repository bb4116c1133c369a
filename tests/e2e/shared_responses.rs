//! Cookies of the filter on responses that shared caches may store.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::stack::{APPROVAL, Stack};

/// A stack whose approvals last four seconds without a request.
fn short() -> Stack {
    let session = json!({"session": {"inactivity": "4s", "expiration": "1m"}});
    Stack::start(Setup::default().plugin(session))
}

fn cache_control(reply: &Reply) -> String {
    reply.values("cache-control").join(", ")
}

#[test]
fn person_who_opens_pages_for_everybody_stays_signed_in() {
    let stack = short();
    let mut approval = stack.signed_in("alice");
    stack.app.answer_with("cache-control", "public, max-age=60");
    for _ in 0..4 {
        sleep(Duration::from_millis(2500));
        let script = Request::get("/a.js")
            .user("alice")
            .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
        let (reply, _) = stack.admitted(&script.cookie(&approval));
        assert_eq!((reply.set_cookie(APPROVAL), cache_control(&reply).as_str()), {
            (None, "public, max-age=60")
        });
        let page = Request::get("/page").user("alice").navigation().cookie(&approval);
        let (reply, _) = stack.admitted(&page);
        assert_eq!(cache_control(&reply), "max-age=60, private");
        approval = reply.set_cookie(APPROVAL).expect("a renewal").to_owned();
    }
}

#[test]
fn renewal_on_a_response_with_a_private_field_makes_it_private() {
    let stack = short();
    let approval = stack.signed_in("alice");
    stack.app.answer_with("cache-control", "max-age=60, private=\"x-foo\"");
    sleep(Duration::from_millis(1500));
    let request = Request::get("/")
        .user("alice")
        .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
    let (reply, _) = stack.admitted(&request.cookie(&approval));
    assert!(reply.set_cookie(APPROVAL).is_some(), "{reply:?}");
    let cache_control = cache_control(&reply);
    let mut directives = cache_control.split(',').map(str::trim);
    assert!(directives.any(|directive| directive == "private"), "{cache_control}");
}
