//! A fault of the native module ends one request. `make panics` builds the library with faults and
//! runs this.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::message::{Body, Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Directory, Stack};
use crate::tally::Verdict;

/// An Envoy with a folder for faults. The module panics, once, at a place that a file there names.
struct Faulty {
    stack: Stack,
    folder: Directory,
}

impl Faulty {
    fn start() -> Self {
        let folder = Directory::new();
        let mut setup = Setup { listener_file: Some("listener.json".into()), ..Setup::default() };
        setup = setup.plugin(json!({"request_bodies": true}));
        setup.set_variable("DUO_MFA_FAULTS", folder.0.to_str().unwrap());
        Self { stack: Stack::start(setup), folder }
    }

    fn file(&self, place: &str) -> PathBuf {
        self.folder.0.join(place)
    }

    fn plant(&self, place: &str) {
        fs::write(self.file(place), "").unwrap();
    }

    fn is_met(&self, place: &str) -> bool {
        !self.file(place).exists()
    }

    /// Asserts that a request which meets a fault gets 500 and does not reach the application.
    fn refused(&self, place: &str, request: &Request) {
        self.plant(place);
        let reply = self.stack.denied(request);
        assert!(self.is_met(place), "{place}: {reply:?}");
        assert_internal(place, &reply);
    }

    /// Asserts that the filter works, for a new user.
    fn works(&self, number: usize) {
        let user = self.stack.sim.guest(number);
        self.stack.sim.always(&user, "approve");
        let (reply, _) = self.stack.admitted(&Request::get("/").user(&user));
        let cookie = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
        let pass = Request::get("/").user(&user).cookie(&cookie);
        self.stack.admitted(&pass);
    }
}

fn assert_internal(place: &str, reply: &Reply) {
    assert_eq!(reply.status, 500, "{place}: {reply:?}");
    assert_eq!(reply.json()["code"], "internal", "{place}: {}", reply.text());
}

#[ignore = "needs a library with faults: make panics"]
#[test]
fn panic_at_any_hook_or_stage_ends_one_request() {
    crate::of_another_host!();
    let mut it = Faulty::start();
    it.works(0);
    let places = [
        "request_headers",
        "lock",
        "callout_done",
        "scheduled",
        "taken",
        "send",
        "config_callout_done",
        "resume",
    ];
    for (number, place) in (1..).zip(places) {
        let user = it.stack.sim.guest(number);
        it.stack.sim.always(&user, "approve");
        it.refused(place, &Request::get("/held").user(&user));
        it.works(number + 20);
    }
    let form = Request::post("/.duo-mfa/auth?factor=passcode&return_to=%2F").user("alice");
    let form = form.navigation().header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(Body::Chunked(b"passcode=123456".to_vec(), 4));
    it.refused("request_body", &form);

    // A response is replaced, and the application has had its request.
    let user = it.stack.sim.guest(41);
    it.stack.sim.always(&user, "approve");
    it.plant("response_headers");
    let reply = it.stack.judged(Verdict::Admitted(1), "a response that a fault meets", || {
        it.stack.send(&Request::get("/").user(&user))
    });
    assert_internal("response_headers", &reply);

    // After the effect a fault changes nothing.
    for place in ["resumed", "filter_destroy"] {
        it.plant(place);
        it.works(if place == "resumed" { 42 } else { 43 });
        eventually("the fault", || it.is_met(place).then_some(()));
    }
    it.plant("replied");
    let reply = it.stack.denied(&Request::get("/").user("mallory"));
    reply.assert_problem(403, "duo_denied");

    // The main thread and the clock go on.
    for (number, place) in (44..).zip(["config_scheduled", "timer"]) {
        it.plant(place);
        eventually("the fault", || it.is_met(place).then_some(()));
        it.works(number);
    }

    // A stream without a filter does not reach the application.
    it.plant("filter_new");
    let outcome = it.stack.judged(Verdict::Denied, "a stream without a filter", || {
        it.stack.connect().exchange(&Request::get("/").user("alice"))
    });
    assert_eq!(outcome.expect("Envoy's own reply").status, 500);
    it.works(46);

    // A configuration that panics is refused, the present one serves on.
    it.plant("config_new");
    it.stack.offer(json!({"push": {"title": "Another"}}));
    eventually("a refusal", || {
        (it.stack.envoy.stat("listener_manager.lds.update_rejected") == 1).then_some(())
    });
    it.works(47);
    it.stack.reload(json!({"push": {"title": "A third one"}}));
    it.works(48);
    eventually("the count", || {
        let count = it.stack.envoy.stat("wasmcustom.duo_mfa_internal_errors");
        (count >= 12).then_some(())
    });
}
