//! If Duo refuses one factor, the user learns why and can use the others.

use crate::browser::Browser;
use crate::rig::{Rig, Scripted, fail, get, one_phone, started, status};
use duo_mfa::signal::{Counter, Level, Signal};

const PREAUTH: &str = "/.duo-mfa/preauth";
const PUSH: &str = "/.duo-mfa/auth?factor=push";
const CALL: &str = "/.duo-mfa/auth?factor=phone";
const WORDS: &str = "Invalid request parameters";

fn refuses(parameter: &str) -> Scripted {
    fail(40_002, WORDS, parameter)
}

fn errors(rig: &Rig) -> usize {
    let is_error = |signal: &&Signal| matches!(signal, Signal::Log(Level::Error, _));
    rig.signals.iter().filter(is_error).count()
}

#[test]
fn page_keeps_the_other_factors() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let push = alice.posts(PUSH).with("accept-language", "de");
    let refused = alice.asks(&mut rig, &push, &[one_phone(), refuses("factor")]);
    assert_eq!((refused.code().as_str(), refused.0.status), ("factor_refused", 403));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("Duo nimmt") && detail.contains(WORDS), "{detail}");
    assert!(detail.contains("factor"), "{detail}");
    assert_eq!(errors(&rig), 0, "{:?}", rig.signals);
    assert!(rig.signals.contains(&Signal::Count(Counter::DuoFailures("auth"))));

    let choices = alice.asks(&mut rig, &alice.posts(PREAUTH), &[one_phone()]).json();
    assert!(choices["factors"].as_array().unwrap().len() == 4, "{choices}");
    alice.asks(&mut rig, &alice.posts(CALL), &[one_phone(), started()]);
    alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[status("allow", "allow")]);
}

#[test]
fn page_without_script_says_why_and_leads_to_the_other_factors() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let refused = alice.asks(&mut rig, &alice.submits(PUSH), &[one_phone(), refuses("device")]);
    assert_eq!((refused.0.status, refused.0.details.as_str()), (403, "duo_mfa_factor_refused"));
    let page = refused.text();
    assert!(page.contains(WORDS) && page.contains("Use another way"), "{page}");
    assert!(page.contains("/.duo-mfa/preauth"), "{page}");
}

#[test]
fn program_learns_the_reason_and_where_to_go_on() {
    let mut rig = Rig::new();
    let refused = rig.send(&get("/"), &[one_phone(), refuses("factor")]).refused();
    assert_eq!((refused.code().as_str(), refused.0.status), ("factor_refused", 403));
    let problem = refused.json();
    assert!(problem["detail"].as_str().unwrap().contains(WORDS), "{problem}");
    assert!(problem["start_url"].as_str().unwrap().starts_with("/.duo-mfa/"), "{problem}");
    assert_eq!(errors(&rig), 0, "{:?}", rig.signals);
    // No phone rang, so the next push is not too early.
    let script = [one_phone(), started(), status("allow", "allow")];
    rig.send(&get("/"), &script).admitted();
}

#[test]
fn passcode_that_duo_does_not_take_as_a_factor_leaves_the_others() {
    let mut rig = Rig::new();
    let request = get("/").with("x-duo-mfa-passcode", "123456");
    let refused = rig.send(&request, &[one_phone(), refuses("factor")]).refused();
    assert_eq!(refused.code(), "factor_refused");
    assert_eq!(errors(&rig), 0);
}

#[test]
fn what_duo_refuses_of_a_user_is_not_the_operators() {
    for (answer, code) in [
        (refuses("factor"), "factor_refused"),
        (refuses("device"), "factor_refused"),
        (refuses("pushinfo"), "factor_refused"),
        (refuses("ipaddr"), "factor_refused"),
        (refuses(""), "factor_refused"),
        (fail(40_003, "Some other refusal", ""), "factor_refused"),
        (refuses("username"), "enrollment_required"),
        // The filter left a parameter out, which no user can correct.
        (fail(40_001, "Missing required request parameters", "device"), "duo_misconfigured"),
        (fail(40_103, "Invalid signature in request credentials", ""), "duo_misconfigured"),
        (fail(40_301, "Access forbidden", ""), "duo_misconfigured"),
        (fail(40_401, "Resource not found", ""), "duo_misconfigured"),
    ] {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/"), &[one_phone(), answer.clone()]).refused();
        assert_eq!(refused.code(), code, "{answer:?}");
        assert_eq!(errors(&rig) > 0, code == "duo_misconfigured", "{answer:?} {:?}", rig.signals);
    }
}

/// If Duo refuses a parameter that the filter generates, the user can use another factor, and the log warns.
#[test]
fn refused_parameter_of_the_filters_own_is_a_warning() {
    for (parameter, warns) in [("pushinfo", true), ("ipaddr", true), ("factor", false)] {
        let mut rig = Rig::new();
        rig.send(&get("/"), &[one_phone(), refuses(parameter)]).refused();
        let is_warning = |signal: &Signal| matches!(signal, Signal::Log(Level::Warn, _));
        assert_eq!(rig.signals.iter().any(is_warning), warns, "{parameter} {:?}", rig.signals);
    }
}
