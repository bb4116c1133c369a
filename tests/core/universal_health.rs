//! The background check of Web SDK applications, and `readyz`.

use crate::rig::{Checked, NOON, Rig, Scripted, fail, get, ok, says};
use crate::universal_flow::duo::{
    CLIENT_ID, OTHER_CLIENT_ID, assertion_of, healthy_at, invalid_client,
};
use crate::universal_flow::{keyless, rig_with, with_payments};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use duo_mfa::clock::ClockOffset;
use duo_mfa::gate::{Api, Found, Health, HealthRecord, KeyPair, Standing, Unanswered};
use duo_mfa::signal::{Level, Signal};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const WEB_SDK: KeyPair = KeyPair { application: 0, api: Api::WebSdk };
const AUTH_API: KeyPair = KeyPair { application: 0, api: Api::AuthApi };

fn rig() -> Rig {
    rig_with(json!({}))
}

/// Runs the check of the Web SDK application. Duo responds by the script, all of which must be used.
fn check(rig: &mut Rig, script: &[Scripted]) -> Checked {
    check_of(rig, WEB_SDK, script)
}

fn check_of(rig: &mut Rig, keys: KeyPair, script: &[Scripted]) -> Checked {
    let mut script = script.iter();
    let checked = rig.check(keys, |call| {
        let next = script.next().cloned();
        next.unwrap_or_else(|| panic!("unscripted: {} {}", call.method, call.path))
    });
    assert_eq!(script.count(), 0, "scripted answers were not asked for");
    checked
}

fn names(checked: &Checked) -> Vec<&'static str> {
    checked.calls.iter().map(|call| call.endpoint.name()).collect()
}

#[track_caller]
fn line(checked: &Checked) -> (Level, &str) {
    match &checked.line {
        Signal::Log(level, text) => (*level, text),
        Signal::Count(counter) => panic!("{counter}"),
    }
}

#[test]
fn one_health_check_tells_that_all_is_well() {
    let mut rig = rig();
    let checked = check(&mut rig, &[healthy_at(NOON)]);
    assert_eq!((checked.found, names(&checked)), (Found::Well, vec!["health_check"]));
    assert_eq!(checked.offset, Some(ClockOffset::default()));
    let text = "Duo's Universal Prompt answers and accepts the credentials";
    assert_eq!(line(&checked), (Level::Info, text));
    let first = assertion_of(&checked.calls[0]);
    let next = assertion_of(&check(&mut rig, &[ok(&json!({}))]).calls[0]);
    assert_ne!(first["jti"], next["jti"], "each call has its own id");
    assert_eq!(first["iss"], CLIENT_ID);
}

#[test]
fn each_fault_has_its_own_line() {
    let mut limited = says(429, "");
    let faults = [
        (Scripted::Fails(Unanswered::NotSent), "unreached", "cannot be reached: not sent"),
        (says(503, "upstream connect error"), "unreached", "cannot be reached: HTTP 503"),
        (says(504, "upstream request timeout"), "timeout", "cannot be reached: HTTP 504"),
        (Scripted::Fails(Unanswered::Cut), "timeout", "cannot be reached: no answer"),
        (fail(50_001, "Internal server error", ""), "unreached", "Duo's code 50001"),
        (limited.clone(), "unwell", "Duo limits the rate of calls"),
        (fail(42_901, "Too many requests", ""), "unwell", "Duo limits the rate of calls"),
        (says(200, "<html>"), "unwell", "not from Duo: not a JSON object"),
        (says(200, r#"{"stat":"OK","stat":"OK"}"#), "unwell", "malformed"),
        (
            says(403, "<html>"),
            "misconfigured",
            "HTTP 403 from something that is not Duo; which proxy",
        ),
        (
            fail(40_301, "Access forbidden", ""),
            "misconfigured",
            "does the application at Duo exist",
        ),
        (fail(40_001, "invalid_request", ""), "misconfigured", "does no proxy change the request"),
        (
            Scripted::Fails(Unanswered::Overflow),
            "nothing",
            "circuit breaker for Duo's cluster is full",
        ),
    ];
    let mut lines = BTreeSet::new();
    for (fault, result, text) in faults {
        let mut rig = rig();
        let checked = check(&mut rig, std::slice::from_ref(&fault));
        let found = match result {
            "unreached" => Found::Unreached { is_timeout: false },
            "timeout" => Found::Unreached { is_timeout: true },
            "unwell" => Found::Unwell,
            "misconfigured" => Found::Misconfigured,
            _ => Found::Nothing,
        };
        assert_eq!((checked.found, names(&checked)), (found, vec!["health_check"]), "{fault:?}");
        let (level, written) = line(&checked);
        assert_eq!(level, Level::Error);
        assert!(written.starts_with("the check of Duo's Universal Prompt failed: "), "{written}");
        assert!(written.contains(text), "{written}");
        lines.insert(written.to_owned());
    }
    limited = invalid_client(rig().now);
    let checked = check(&mut rig(), &[limited, fail(40_103, "Invalid signature", "")]);
    assert!(lines.insert(line(&checked).1.to_owned()));
    assert!(lines.len() > 11, "{lines:?}");
}

#[test]
fn application_for_browsers_alone_is_checked_without_the_auth_api() {
    let mut rig = keyless();
    assert_eq!(rig.gate.key_pairs().collect::<Vec<_>>(), [WEB_SDK]);
    assert!(AUTH_API.shared_key(rig.gate.config()).is_none());
    let checked = check(&mut rig, &[healthy_at(NOON)]);
    assert_eq!((checked.found, names(&checked)), (Found::Well, vec!["health_check"]));
    let checked = check(&mut rig, &[invalid_client(NOON)]);
    assert_eq!((checked.found, names(&checked)), (Found::Misconfigured, vec!["health_check"]));
    assert!(line(&checked).1.contains("the client secret is not that of the client ID"));
    let checked = check_of(&mut rig, AUTH_API, &[]);
    assert_eq!((checked.found, names(&checked)), (Found::Nothing, vec![]));
}

#[test]
fn wrong_secret_and_keys_of_the_auth_api_have_different_lines() {
    let mut rig = rig();
    let now = rig.now;
    let refused_too = [
        fail(40_103, "Invalid signature in request credentials", ""),
        fail(40_102, "Invalid integration key in request credentials", ""),
        fail(40_301, "Access forbidden", ""),
        says(503, "upstream connect error"),
        Scripted::Fails(Unanswered::Overflow),
        says(200, "<html>"),
    ];
    for refused in refused_too {
        let checked = check(&mut rig, &[invalid_client(now), refused.clone()]);
        assert_eq!(names(&checked), ["health_check", "check"]);
        assert_eq!(
            (checked.found, checked.offset),
            (Found::Misconfigured, Some(ClockOffset::default()))
        );
        let (level, text) = line(&checked);
        assert_eq!(level, Level::Error);
        let start = "the check of Duo's Universal Prompt failed: Duo refuses the Web SDK application: 40002 \
                     invalid_client The provided client_assertion was invalid.; the client secret is not that of the \
                     client ID";
        assert!(text.starts_with(start), "{refused:?}: {text}");
    }
    let checked = check(&mut rig, &[invalid_client(now), ok(&json!({"time": now.seconds()}))]);
    assert_eq!(checked.found, Found::Misconfigured);
    let (_, text) = line(&checked);
    assert!(text.contains("invalid_client") && text.contains("of type Auth API"), "{text}");
    assert!(!text.contains("the client secret is not"), "{text}");
    // The keys in question sign that call, and no other.
    let call = &checked.calls[1];
    let header = |name| call.headers.iter().find(|(known, _)| *known == name).unwrap().1.as_bytes();
    let basic = header("authorization").strip_prefix(b"Basic ").unwrap();
    let basic = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
    assert!(basic.starts_with(&format!("{CLIENT_ID}:")), "{basic}");
    assert_eq!((call.method, call.path.as_str()), ("GET", "/auth/v2/check"));
}

#[test]
fn clock_of_duo_is_learned_from_its_response_to_a_refused_date() {
    // A date up to an hour ahead is none that Duo refuses.
    for seconds in [-4_000_i64, 600, 86_400] {
        let mut rig = rig();
        let offset = ClockOffset::from_seconds(seconds);
        let theirs = rig.now.shifted(offset);
        let checked = check(&mut rig, &[invalid_client(theirs), healthy_at(theirs)]);
        assert_eq!((checked.found, checked.offset), (Found::Well, Some(offset)));
        let (level, text) = line(&checked);
        assert_eq!(level, Level::Warn);
        assert!(text.contains(&format!("its clock is {seconds} s ahead of this host's")), "{text}");
        let [first, second] = [&checked.calls[0], &checked.calls[1]].map(assertion_of);
        assert_eq!(second["exp"], theirs.seconds() + 300);
        assert_ne!(first["jti"], second["jti"]);
        // The next check is signed with it.
        rig.offsets[0] = offset;
        let checked = check(&mut rig, &[healthy_at(theirs)]);
        assert_eq!(assertion_of(&checked.calls[0])["exp"], theirs.seconds() + 300);
    }
}

#[test]
fn date_that_duo_refuses_twice_is_a_misconfiguration_of_the_clock() {
    let mut rig = rig();
    let [ahead, behind] =
        [600, -4_000].map(|seconds| rig.now.shifted(ClockOffset::from_seconds(seconds)));
    let checked = check(&mut rig, &[invalid_client(behind), invalid_client(ahead)]);
    // With the offset of the first response, the second one is again too far away.
    assert_eq!((checked.found, names(&checked)), (Found::Misconfigured, vec!["health_check"; 2]));
    let (_, text) = line(&checked);
    assert!(
        text.ends_with("its clock is 600 s ahead of this host's: synchronize this host's clock"),
        "{text}"
    );
    // Without Duo's time there is nothing to correct it by.
    let checked = check(&mut rig, &[fail(40_105, "Bad request timestamp", "")]);
    assert_eq!((checked.found, names(&checked)), (Found::Misconfigured, vec!["health_check"]));
    assert!(line(&checked).1.contains("synchronize this host's clock"));
}

#[test]
fn wrong_secret_under_a_wrong_clock_is_still_a_wrong_secret() {
    let mut rig = rig();
    let theirs = rig.now.shifted(ClockOffset::from_seconds(600));
    let script =
        [invalid_client(theirs), invalid_client(theirs), fail(40_103, "Invalid signature", "")];
    let checked = check(&mut rig, &script);
    assert_eq!(names(&checked), ["health_check", "health_check", "check"]);
    assert!(line(&checked).1.contains("the client secret is not that of the client ID"));
    assert_eq!(checked.offset, Some(ClockOffset::from_seconds(600)));
}

#[test]
fn each_application_has_a_check_for_each_pair_of_keys() {
    let keys = |rig: &Rig| rig.gate.key_pairs().collect::<Vec<_>>();
    let pair = |application, api| KeyPair { application, api };
    assert_eq!(keys(&Rig::new()), [AUTH_API]);
    assert_eq!(keys(&rig()), [AUTH_API, WEB_SDK]);
    let payments = [pair(1, Api::AuthApi), pair(1, Api::WebSdk)];
    assert_eq!(keys(&with_payments(json!({}))), [[AUTH_API, WEB_SDK], payments].concat());
    let own_page = with_payments(json!({"prompt": "own", "universal": null}));
    assert_eq!(keys(&own_page), [AUTH_API, WEB_SDK, pair(1, Api::AuthApi)]);

    let mut two = with_payments(json!({}));
    let checked = check_of(&mut two, payments[1], &[healthy_at(NOON)]);
    assert_eq!(assertion_of(&checked.calls[0])["iss"], OTHER_CLIENT_ID);
    assert!(line(&checked).1.starts_with("Duo's Universal Prompt (application payments) answers"));
}

/// The names of the records of all keys in shared data.
fn records(rig: &Rig) -> Vec<String> {
    let config = rig.gate.config();
    let keys = rig.gate.key_pairs().map(|keys| keys.shared_key(config).expect("such keys"));
    keys.map(|key| HealthRecord::new(&key).name()).collect()
}

#[test]
fn applications_with_the_same_keys_and_cluster_share_a_record() {
    let same = json!({"universal": {
        "client_id": CLIENT_ID, "client_secret": {"env": "DUO_CLIENT_SECRET"},
    }});
    let names = records(&with_payments(same.clone()));
    assert_eq!(names[1], names[3], "one check serves both");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(names[..2], records(&rig())[..], "as in another configuration of this Envoy");
    let mut elsewhere = same;
    elsewhere["cluster"] = json!("other_duo");
    let names = records(&with_payments(elsewhere));
    assert_ne!(names[1], names[3], "another cluster is another way to Duo");
    assert_eq!(records(&with_payments(json!({}))).iter().collect::<BTreeSet<_>>().len(), 4);
    let missing = KeyPair { application: 0, api: Api::WebSdk };
    assert!(missing.shared_key(Rig::new().gate.config()).is_none());
}

#[test]
fn keys_that_an_application_does_not_have_are_not_asked_about() {
    let mut rig = Rig::new();
    let checked = check(&mut rig, &[]);
    assert_eq!((checked.found, checked.calls.len()), (Found::Nothing, 0));
}

#[test]
fn readyz_names_the_keys_that_are_not_well() {
    let ready = |rig: &mut Rig| {
        let reply = rig.send(&get("/.duo-mfa/readyz"), &[]).refused();
        (reply.0.status, reply.json())
    };
    let standing = |standing| Health { standing, ..Health::default() };
    let mut rig = with_payments(json!({}));
    rig.health = standing(Standing::Well);
    assert_eq!(ready(&mut rig), (200, json!({"status": "ok"})));
    for (of_web_sdk, cause) in [
        (Standing::Unknown, "unchecked"),
        (Standing::Unavailable, "unavailable"),
        (Standing::Misconfigured, "misconfigured"),
    ] {
        rig.web_sdk_health = Some(standing(of_web_sdk));
        let causes = json!([
            {"keys": "web_sdk", "cause": cause},
            {"application": "payments", "keys": "web_sdk", "cause": cause},
        ]);
        assert_eq!(ready(&mut rig), (503, json!({"status": "unavailable", "causes": causes})));
    }
    rig.web_sdk_health = Some(standing(Standing::Well));
    rig.health = standing(Standing::Unavailable);
    let (status, body) = ready(&mut rig);
    assert_eq!((status, &body["causes"][0]["keys"]), (503, &json!("auth_api")));
    assert_eq!(body["causes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn fail_safe_waits_for_the_check_of_the_same_keys() {
    let gone = || says(503, "upstream connect error");
    let safe = || {
        let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}}));
        let well = Health { standing: Standing::Well, ..Health::default() };
        (rig.health, rig.web_sdk_health) = (well, Some(well));
        rig.now = rig.now.plus(Duration::from_secs(10));
        rig
    };
    let start = |rig: &mut Rig| {
        let mut alice = crate::browser::Browser::of("alice");
        let press = alice.submits("/.duo-mfa/start?return_to=%2F");
        alice.asks(rig, &press, &[gone(), gone()]).0.details
    };
    // The Auth API's check has failed: programs pass unverified, browsers do not.
    let mut rig = safe();
    check_of(&mut rig, AUTH_API, &[gone()]);
    rig.send(&get("/"), &[gone(), gone()]).admitted();
    assert_eq!(start(&mut rig), "duo_mfa_duo_unavailable");
    // The check of the Web SDK application has failed: the other way round.
    let mut rig = safe();
    check(&mut rig, &[gone()]);
    let refused = rig.send(&get("/"), &[gone(), gone()]).refused();
    assert_eq!(refused.code(), "duo_unavailable");
    let mut alice = crate::browser::Browser::of("alice");
    let press = alice.submits("/.duo-mfa/start?return_to=%2F");
    alice.is_approved(&mut rig, &press, &[gone(), gone()]);
    // Any refusal or response of Duo's is no outage.
    for answer in [invalid_client(rig.now), says(429, ""), says(200, "<html>")] {
        let mut rig = safe();
        let mut script = vec![answer.clone()];
        if matches!(&answer, Scripted::Says { status: 400, .. }) {
            script.push(gone());
        }
        check(&mut rig, &script);
        assert_eq!(rig.web_sdk_health.unwrap().unreached_since(), None, "{answer:?}");
        assert_eq!(start(&mut rig), "duo_mfa_duo_unavailable");
    }
}
