//! Faults of the filter itself: a panic at each hook and each stage ends one request, and nothing
//! else.

use crate::exchange::{Exchange, Turn, config, duo, program, returning, run, signed_in, turn};
use crate::host::{Ends, Host};
use crate::requests::form_of_a_browser;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// The folder with the names of places. The module looks there while it exists.
struct Faults(PathBuf, #[expect(dead_code, reason = "held")] Turn);

impl Faults {
    fn new() -> Self {
        let turn = turn();
        let folder = std::env::temp_dir().join(format!("duo-mfa-faults-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // SAFETY: only Rust code reads the environment here, and takes the lock of `std`.
        unsafe { std::env::set_var("DUO_MFA_FAULTS", &folder) };
        Self(folder, turn)
    }

    fn plant(&self, place: &str) {
        fs::write(self.0.join(place), "").unwrap();
    }

    fn has(&self, place: &str) -> bool {
        self.0.join(place).exists()
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { std::env::remove_var("DUO_MFA_FAULTS") };
        fs::remove_dir_all(&self.0).ok();
    }
}

fn is_internal(exchange: &Exchange) -> bool {
    let replies = exchange.outcome.replies.borrow();
    let is_internal =
        replies.last().is_some_and(|it| it.status == 500 && it.details == "duo_mfa_internal");
    if is_internal {
        assert!(exchange.outcome.upstream.borrow().is_none(), "refused, and forwarded");
    }
    is_internal
}

/// Asserts that the filter works, and that it has counted `count` faults.
fn works(host: &Host, count: u64) {
    let (user, cookie) = signed_in(host);
    assert!(Exchange::of(host, &returning(user, &cookie)).is_decided());
    assert!(Exchange::of(host, &returning(user, &cookie)).upstream("x-duo-mfa-user").is_some());
    assert_eq!(host.metric("duo_mfa_internal_errors"), count);
}

#[test]
fn held_request_whose_work_panics_gets_500() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({})));
    let mut count = 0;
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
    for place in places {
        for ends in [Ends::Never, Ends::InReply] {
            // Checks of Duo are calls of the configuration, too.
            for _ in 0..200 {
                host.step(&duo);
            }
            faults.plant(place);
            let exchange = Exchange::begin(&host, &program()).ends(ends);
            exchange.headers(true);
            let exchange = exchange.decided(&host);
            assert!(!faults.has(place), "{place}");
            assert!(is_internal(&exchange), "{place}");
            count += 1;
            works(&host, count);
        }
    }
}

#[test]
fn fault_of_the_main_thread_or_the_clock_leaves_no_request_waiting() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({})));
    for (number, place) in ["config_scheduled", "timer", "config_callout_done"].iter().enumerate() {
        let exchange = Exchange::of(&host, &program());
        // Somewhere on the way; a tick may meet it.
        for _ in 0..number {
            exchange.step(&duo);
        }
        faults.plant(place);
        run(&host, &[&exchange], &duo, &|| exchange.is_decided() && !faults.has(place));
        drop(exchange);
        signed_in(&host);
    }
}

#[test]
fn fault_after_the_effect_changes_nothing() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({})));
    for ends in [Ends::Never, Ends::InResume] {
        faults.plant("resumed");
        let held = Exchange::of(&host, &program()).ends(ends).decided(&host);
        assert!(held.upstream("x-duo-mfa-user").is_some());
        assert!(held.outcome.replies.borrow().is_empty());
    }
    for ends in [Ends::Never, Ends::InReply] {
        let mut nobody = program();
        nobody.pop();
        faults.plant("replied");
        let refused = Exchange::begin(&host, &nobody).ends(ends);
        assert_eq!(refused.headers(true), 4);
        assert_eq!(refused.refusal().1, "duo_mfa_identity_missing");
        assert_eq!(refused.outcome.replies.borrow().len(), 1);
    }
    // A fault before the reply, as the reply is made.
    faults.plant("reply");
    let mut nobody = program();
    nobody.pop();
    assert!(is_internal(&Exchange::of(&host, &nobody)));
    works(&host, 5);
}

#[test]
fn body_or_trailers_whose_work_panics_get_500() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({"request_bodies": true})));
    for place in ["request_body", "request_trailers"] {
        let form = Exchange::begin(&host, &form_of_a_browser());
        form.headers(false);
        faults.plant(place);
        assert_eq!(form.body(b"passcode=", false), if place == "request_body" { 2 } else { 1 });
        if place == "request_trailers" {
            assert_eq!(form.trailers(&[("x-checksum", "1")]), 1);
        }
        assert!(is_internal(&form), "{place}");
    }
    works(&host, 2);
}

#[test]
fn response_whose_work_panics_becomes_500() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({})));
    for place in ["response_headers", "taken"] {
        let held = Exchange::of(&host, &program()).decided(&host);
        assert!(held.upstream("x-duo-mfa-user").is_some());
        faults.plant(place);
        assert_eq!(held.respond(&[(":status", "200"), ("x-app", "reached")]), 1);
        assert_eq!(held.response(":status").as_deref(), Some("500"));
        assert_eq!(held.response("x-app"), None);
    }
    works(&host, 2);
}

#[test]
fn fault_at_the_end_of_a_stream_loses_nothing() {
    let faults = Faults::new();
    let host = Host::start(&config(&json!({})));
    for steps in 0..4 {
        let exchange = Exchange::of(&host, &program());
        for _ in 0..steps {
            exchange.step(&duo);
            host.step(&duo);
        }
        faults.plant("filter_destroy");
        exchange.leave();
        assert!(!faults.has("filter_destroy"));
    }
    works(&host, 4);
}

#[test]
fn stream_or_configuration_that_cannot_begin_is_refused() {
    let faults = Faults::new();
    faults.plant("config_new");
    assert!(Host::try_start(&config(&json!({}))).is_none());
    let host = Host::start(&config(&json!({})));
    faults.plant("filter_new");
    assert!(host.try_stream(&program()).is_none());
    works(&host, 1);
}
