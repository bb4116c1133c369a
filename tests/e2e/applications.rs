//! Two Duo applications on one host, of two accounts at Duo: `examples/applications`, with a
//! simulator for each account.

use crate::browser::Browser;
use crate::examples::{started, with_users};
use crate::message::{Reply, Request};
use crate::setup::OTHER_SECRET_KEY;
use crate::sim::{Sim, eventually};
use crate::stack::{APPROVAL, Directory, Protocol, Stack};
use crate::tally::{self, Verdict};

const API_HOST: &str = "api-payments.duosecurity.test";
const INTEGRATION_KEY: &str = "DIPAYM4E2E7TESTS2KEY";
const PAYMENTS: &str = "__Host-duo_mfa-payments";
const STATUS: &str = "status?return_to=%2Fpayments%2Fx";

struct Two {
    stack: Stack,
    /// The simulator for paths under `/payments`. The stack's simulator serves all others.
    payments: Sim,
    _directory: Directory,
}

impl Two {
    fn start() -> Self {
        Self::start_with("", "")
    }

    /// Starts the example with `from` replaced by `to` in its text.
    fn start_with(from: &str, to: &str) -> Self {
        let directory = Directory::new();
        let payments = Sim::of(&directory.0, API_HOST, INTEGRATION_KEY, OTHER_SECRET_KEY);
        let stack = started("examples/applications/envoy.yaml", |directory, text| {
            let text = with_users(directory, text);
            assert!(text.contains(from));
            let (ours, theirs) = text.split_once("  - name: duo_api_payments").unwrap();
            let authority = payments.end.authority.to_str().unwrap();
            let theirs = theirs.replace("/etc/ssl/certs/ca-certificates.crt", authority);
            format!("{ours}  - name: duo_api_payments{theirs}")
                .replacen(from, to, usize::from(!from.is_empty()))
                .replace(
                    "{address: api-yyyyyyyy.duosecurity.com, port_value: 443}",
                    &format!(
                        "{{address: {}, port_value: {}}}",
                        payments.end.address.ip(),
                        payments.end.address.port()
                    ),
                )
                .replace("api-yyyyyyyy.duosecurity.com", API_HOST)
                .replace("DIYYYYYYYYYYYYYYYYYY", INTEGRATION_KEY)
        });
        Self { stack, payments, _directory: directory }
    }

    /// Sends a request to `/payments`, which is held until the user answers the push.
    fn answered_push(&self, request: Request, user: &str, action: &str) -> Reply {
        let held = self.stack.judged(Verdict::Denied, "before Duo's answer", || {
            let held = self.stack.hold(request, Protocol::Http1);
            self.payments.pending(user);
            held
        });
        let verdict = if action == "approve" { Verdict::Admitted(1) } else { Verdict::Denied };
        self.stack.judged(verdict, action, || {
            self.payments.answer(user, action);
            held.reply()
        })
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            tally::pushes(self.payments.pushes());
        }
    }
}

fn value(cookie: &str) -> &str {
    cookie.split(';').next().unwrap().split_once('=').unwrap().1
}

#[test]
fn approval_of_one_application_does_not_open_the_other() {
    let two = Two::start();
    let stack = &two.stack;
    let main = stack.signed_in("alice");
    assert_eq!(two.payments.user_calls(), 0);
    let there = || Request::get("/payments/x").user("alice");

    let denied = two.answered_push(there().cookie(&main), "alice", "deny");
    denied.assert_problem(403, "mfa_denied");
    let renamed = format!("{PAYMENTS}={}", value(&main));
    for cookie in [main.clone(), renamed, format!("{main}; {PAYMENTS}={}", value(&main))] {
        // The cookie is not valid here, and the recent denial forbids another push.
        stack.denied(&there().cookie(&cookie)).assert_problem(429, "too_many_requests");
    }
    let pushes = stack.sim.pushes();
    let passcode = there().cookie(&main).header("x-duo-mfa-passcode", "123456");
    let (reply, seen) = stack.admitted(&passcode);
    assert_eq!(seen.values("cookie"), [""; 0], "no approval goes upstream");
    let payments = reply.set_cookie(PAYMENTS).expect("an approval").to_owned();
    assert_eq!(reply.set_cookie(APPROVAL), None);
    let back = Request::get("/").user("alice").navigation();
    for cookie in [payments.clone(), format!("{APPROVAL}={}", value(&payments))] {
        assert_eq!(stack.denied(&back.clone().cookie(&cookie)).status, 403);
    }

    let pair = |line: &str| line.split(';').next().unwrap().to_owned();
    let both = format!("{}; {}", pair(&main), pair(&payments));
    for (path, factor) in [("/", "push"), ("/payments/x", "passcode"), ("/PAYMENTS", "passcode")] {
        let (_, seen) = stack.admitted(&Request::get(path).user("alice").header("cookie", &both));
        assert_eq!(seen.values("x-duo-mfa-factor"), [factor], "{path}");
        assert_eq!(seen.values("cookie"), [""; 0]);
    }
    assert_eq!(stack.sim.pushes(), pushes, "the main application was not asked again");
}

#[test]
fn held_requests_are_asked_for_at_two_applications_at_once() {
    let two = Two::start();
    let main = two.stack.held_push(Request::get("/").user("alice"), Protocol::Http1, "alice");
    let reply = two.answered_push(Request::get("/payments").user("two"), "two", "approve");
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie(PAYMENTS).is_some());
    let reply = two.stack.judged(Verdict::Admitted(1), "the one that waited", || {
        two.stack.sim.answer("alice", "approve");
        main.reply()
    });
    assert_eq!(reply.status, 200);
    assert!(reply.set_cookie(APPROVAL).is_some());
    assert_eq!([two.stack.sim.pushes(), two.payments.pushes()], [1, 1]);
}

/// A push at `/payments`, by the page's script.
fn pushed(two: &Two) -> Browser {
    let mut alice = Browser::of("alice");
    assert_eq!(alice.open(&two.stack, "/payments/x").status, 403);
    let there = "return_to=%2Fpayments%2Fx";
    let choices = alice.fetch(&two.stack, "POST", &format!("preauth?{there}")).json();
    assert_eq!(choices["factors"], serde_json::json!(["push", "passcode"]), "{choices}");
    let push = format!("auth?factor=push&device=auto&{there}");
    assert_eq!(alice.fetch(&two.stack, "POST", &push).status, 202);
    alice
}

#[test]
fn page_signs_in_at_the_application_that_it_leads_to() {
    let two = Two::start();
    let mut alice = pushed(&two);
    two.payments.answer("alice", "approve");
    let end = eventually("the approval", || {
        let state = alice.fetch(&two.stack, "GET", STATUS).json();
        (state["state"] != "waiting").then_some(state)
    });
    assert_eq!((&end["state"], &end["return_to"]), (&"approved".into(), &"/payments/x".into()));
    assert_eq!(two.stack.sim.user_calls(), 0);
    alice.reaches_the_application(&two.stack, "/payments/x");
    assert_eq!(alice.open(&two.stack, "/reports").status, 403);
    alice.sign_in(&two.stack);
    for target in ["/reports", "/payments/x"] {
        alice.reaches_the_application(&two.stack, target);
    }
    assert_eq!(alice.fetch(&two.stack, "POST", "logout").status, 200);
    assert!(!alice.has(APPROVAL) && !alice.has(PAYMENTS), "{:?}", alice.jar);
    for target in ["/reports", "/payments/x"] {
        assert_eq!(alice.open(&two.stack, target).status, 403);
    }
}

#[test]
fn pending_sign_in_of_one_application_is_refused_at_the_other() {
    let two = Two::start();
    let mut alice = pushed(&two);
    two.payments.answer("alice", "approve");
    let token = alice.jar["__Host-duo_txn-payments"].clone();
    let mut moved = Browser::of("alice");
    moved.jar.insert("__Host-duo_txn".to_owned(), token.clone());
    let refused = |browser: &mut Browser, endpoint| {
        browser.fetch(&two.stack, "GET", endpoint).assert_problem(400, "bad_request");
        assert!(!browser.has(APPROVAL) && !browser.has(PAYMENTS));
    };
    refused(&mut alice, "status?return_to=%2F");
    for endpoint in ["status", "status?return_to=%2F", STATUS] {
        refused(&mut moved, endpoint);
    }
    let shown = Request::get("/.duo-mfa/status?return_to=%2F").user("alice");
    let shown = shown.header("x-duo-mfa-transaction", token);
    two.stack.denied(&shown).assert_problem(400, "bad_request");
    assert_eq!(two.stack.sim.user_calls(), 0);
    assert_eq!(alice.fetch(&two.stack, "GET", STATUS).json()["state"], "approved");
    assert!(alice.has(PAYMENTS) && !alice.has(APPROVAL));
}

#[test]
fn shared_approval_opens_both() {
    let shared = r#""payments": {"session": {"application": "default"},"#;
    let two = Two::start_with(r#""payments": {"#, shared);
    let main = two.stack.signed_in("alice");
    two.stack.admitted(&Request::get("/payments").user("alice").cookie(&main));
    let reply = two.answered_push(Request::get("/payments").user("two"), "two", "approve");
    let payments = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    two.stack.admitted(&Request::get("/").user("two").cookie(&payments));
    assert_eq!([two.stack.sim.pushes(), two.payments.pushes()], [1, 1]);
}

#[test]
fn one_application_goes_on_while_the_other_is_gone() {
    let soon = r#""cluster": "duo_api", "check_interval": "1s""#;
    let two = Two::start_with(r#""cluster": "duo_api""#, soon);
    let ready = |two: &Two| {
        let reply = two.stack.denied(&Request::get("/.duo-mfa/readyz").user("alice"));
        reply.status == 200
    };
    eventually("both to be well", || ready(&two).then_some(()));
    eventually("both gauges", || {
        // Envoy 1.38 takes values of a native module only for a request. Another worker may be well later.
        if !ready(&two) {
            return None;
        }
        let ups = ["duo_mfa_duo_up", "duo_mfa_duo_up.application.payments"]
            .map(|name| two.stack.envoy.stat(&format!("wasmcustom.{name}")));
        (ups == [1, 1]).then_some(())
    });
    two.payments.fault(&serde_json::json!({"kind": "refuse"}));
    eventually("the fault to be seen", || (!ready(&two)).then_some(()));
    let refused = two.stack.denied(&Request::get("/payments").user("alice"));
    refused.assert_problem(503, "duo_unavailable");
    two.stack.signed_in("alice");
    let log = two.stack.envoy.log();
    assert!(log.contains("the check of Duo (application payments) failed"), "{log}");
    assert!(log.contains(r#""application":"payments""#), "{log}");
}
