//! Faults of Duo, of the connection to it, and of the clock, and the replies that they lead to.

use crate::rig::{Rig, Scripted, fail, get, ok, one_phone, says, started, status};
use duo_mfa::duo::Endpoint;
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Level, Signal};
use serde_json::json;

fn outages() -> Vec<Scripted> {
    vec![
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
        says(503, "upstream connect error or disconnect/reset before headers"),
        says(502, "protocol error"),
        says(504, "upstream request timeout"),
        says(500, "<html>"),
        says(500, ""),
        fail(50_001, "Unknown internal server error", ""),
        says(200, "<html>"),
        says(200, ""),
        says(200, r#"{"stat":"OK","respon"#),
    ]
}

#[test]
fn outage_at_preauth_is_tried_once_more_and_then_refused() {
    for outage in outages() {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/"), &[outage.clone(), outage.clone()]).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), ("duo_unavailable", 503));
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"), "{outage:?}");
        assert_eq!(rig.called(), ["preauth", "preauth"]);

        let script = [outage.clone(), one_phone(), started(), status("allow", "allow")];
        Rig::new().send(&get("/"), &script).admitted();
    }
}

#[test]
fn outage_at_auth_never_sends_a_second_push() {
    for outage in outages() {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/"), &[one_phone(), outage.clone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{outage:?}");
        assert_eq!(rig.called(), ["preauth", "auth"]);
    }
}

#[test]
fn lost_look_at_a_transaction_is_no_end() {
    for outage in outages() {
        let script = [one_phone(), started(), outage.clone(), outage, status("allow", "allow")];
        Rig::new().send(&get("/"), &script).admitted();
    }
}

#[test]
fn transaction_that_cannot_be_looked_at_ends_with_its_time() {
    for (outage, code) in [
        (Scripted::Fails(Unanswered::Cut), "duo_unavailable"),
        (says(503, "upstream connect error"), "duo_unavailable"),
        (says(504, "upstream request timeout"), "mfa_timeout"),
        (fail(40_002, "Invalid request parameters", "txid"), "mfa_timeout"),
    ] {
        let mut rig = Rig::new();
        let mut script = [one_phone(), started()].into_iter();
        let outcome =
            rig.drive(&get("/"), |_| Some(script.next().unwrap_or_else(|| outage.clone())));
        assert_eq!(outcome.refused().code(), code, "{outage:?}");
        assert!(rig.calls.len() < 70, "one look a second at most");
    }
}

#[test]
fn operators_fault_is_refused_at_once_and_logged_as_an_error() {
    for (answer, word) in [
        (fail(40_101, "Missing request credentials", ""), "40101"),
        (fail(40_102, "Invalid integration key in request credentials", ""), "40102"),
        (fail(40_103, "Invalid signature in request credentials", ""), "40103"),
        (fail(40_301, "Access forbidden", ""), "40301"),
        (fail(40_401, "Resource not found", ""), "40401"),
        (fail(40_001, "Missing required request parameters", "factor"), "40001"),
        (says(407, "Proxy Authentication Required"), "407"),
    ] {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/"), std::slice::from_ref(&answer)).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), ("duo_misconfigured", 503));
        assert!(!refused.json()["detail"].as_str().unwrap().contains(word));
        let line = rig.signals.iter().find_map(|signal| match signal {
            Signal::Log(Level::Error, line) => Some(line.as_str()),
            Signal::Log(..) | Signal::Count(_) => None,
        });
        assert!(line.unwrap().contains(word), "{line:?}");
    }
}

#[test]
fn duos_wait_is_handed_on_and_nothing_is_repeated() {
    let limited = || fail(42_901, "Too many requests", "");
    for (answer, wait) in [(limited().retry_after("17"), "17"), (limited(), "30")] {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/"), &[answer]).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), ("too_many_requests", 429));
        assert_eq!(refused.header("retry-after").as_deref(), Some(wait));
    }
}

#[test]
fn refused_date_is_put_right_once() {
    let skew = || fail(40_105, "Bad request timestamp", "");
    let ping = |seconds: u64| ok(&json!({"time": 1_800_000_000 + seconds}));
    let mut rig = Rig::new();
    let script = [skew(), ping(600), one_phone(), started(), status("allow", "allow")];
    rig.send(&get("/"), &script).admitted();
    assert_eq!(rig.called(), ["preauth", "ping", "preauth", "auth", "auth_status"]);
    assert_eq!(rig.offsets[0].seconds(), 600, "the host learns the offset");
    let date = |call: usize| {
        let headers = &rig.calls[call].1.signed.headers;
        let found = headers.iter().find(|(name, _)| *name == "date").unwrap();
        String::from_utf8(found.1.as_bytes().to_vec()).unwrap()
    };
    assert_eq!(date(0), "Fri, 15 Jan 2027 08:00:00 -0000");
    assert_eq!(date(2), "Fri, 15 Jan 2027 08:10:00 -0000");
    assert_eq!(date(3), "Fri, 15 Jan 2027 08:10:00 -0000");

    let mut rig = Rig::new();
    let refused = rig.send(&get("/"), &[skew(), ping(0), skew()]).refused();
    assert_eq!(refused.code(), "duo_misconfigured");
    let mut rig = Rig::new();
    let lasting = [one_phone(), skew(), ping(0), skew()];
    assert_eq!(rig.send(&get("/"), &lasting).refused().code(), "duo_misconfigured");
    let auths = rig.calls.iter().filter(|(_, call)| call.signed.endpoint == Endpoint::Auth);
    assert_eq!(auths.count(), 2);
}

#[test]
fn what_duo_says_of_the_user_by_a_parameter_is_understood() {
    for (script, code) in [
        (vec![fail(40_002, "Invalid", "username")], "enrollment_required"),
        (vec![one_phone(), fail(40_002, "Invalid", "username")], "enrollment_required"),
        (vec![one_phone(), fail(40_002, "Invalid", "device")], "factor_refused"),
        (vec![one_phone(), fail(40_002, "Invalid", "pushinfo")], "factor_refused"),
    ] {
        assert_eq!(Rig::new().send(&get("/"), &script).refused().code(), code);
    }
}
