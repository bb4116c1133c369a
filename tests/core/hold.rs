//! The held request, from preauth to Duo's result.

use crate::rig::{
    Request, Rig, approval, devices, forwarded_header, get, is_reference, ok, one_phone, pair,
    preauth, says, started, status,
};
use duo_mfa::http::Edit;
use serde_json::json;
use std::time::Duration;

#[test]
fn approved_push_forwards_the_same_request_with_a_cookie() {
    let mut rig = Rig::new();
    let script = [one_phone(), started(), status("waiting", "pushed"), status("allow", "allow")];
    let forward = rig.send(&get("/reports?q=1"), &script).admitted();
    assert_eq!(rig.called(), ["preauth", "auth", "auth_status", "auth_status"]);
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-time"), Some(rig.now.seconds().to_string()));
    let line = approval(&forward);
    let (value, attributes) = line.split_once(';').unwrap();
    assert_eq!(value.len(), "__Host-duo_mfa=".len() + 182);
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax");

    let passed = rig.send(&get("/reports").with("cookie", pair(&line)), &[]).admitted();
    assert_eq!(rig.calls.len(), 4, "an approved request asks nobody");
    assert_eq!(forwarded_header(&passed, "x-duo-mfa-factor").as_deref(), Some("push"));
    assert_eq!(passed.cookie, None);
    assert!(passed.request.contains(&Edit::Remove(b"cookie".to_vec())));
}

#[test]
fn every_end_but_allow_is_a_different_refusal() {
    for (result, word, code, http) in [
        ("deny", "deny", "mfa_denied", 403),
        ("deny", "timeout", "mfa_timeout", 403),
        ("deny", "fraud", "mfa_fraud", 403),
        ("deny", "locked_out", "mfa_locked_out", 403),
        ("deny", "never_heard_of", "mfa_denied", 403),
        ("deny", "allow", "mfa_denied", 403),
    ] {
        let mut rig = Rig::new();
        let script = [one_phone(), started(), status(result, word)];
        let refused = rig.send(&get("/"), &script).refused();
        assert_eq!((refused.code().as_str(), refused.0.status), (code, http), "{word}");
        let reference = refused.json()["reference"].clone();
        assert!(is_reference(reference.as_str().unwrap()), "{reference}");
        assert_eq!(rig.phone_reference(1), reference);
    }
}

#[test]
fn preauth_allow_and_deny_need_no_other_call() {
    let forward = Rig::new().send(&get("/"), &[preauth("allow")]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("bypass"));
    assert!(approval(&forward).starts_with("__Host-duo_mfa="));

    let denied = Rig::new().send(&get("/"), &[preauth("deny")]).refused();
    assert_eq!(denied.code(), "duo_denied");
    assert_eq!(denied.json()["detail"], "Words of Duo.");

    let enroll = json!({"result": "enroll", "status_msg": "Enroll", "enroll_portal_url":
        "https://api-xxxxxxxx.duosecurity.com/portal?code=48bac5d9393fb2c2"});
    let unknown = Rig::new().send(&get("/"), &[ok(&enroll)]).refused();
    assert_eq!(unknown.code(), "enrollment_required");
    assert!(!unknown.json().to_string().contains("48bac5d9"), "no thief may enroll a phone");
}

#[test]
fn only_an_exact_allow_admits() {
    let bodies = [
        r#"{"stat":"OK","response":{"result":"Allow","status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":"ALLOW","status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":" allow","status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":["allow"],"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":true,"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":null,"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":"deny","result":"allow","status":"allow"}}"#,
        r#"{"stat":"OK","response":{"result":"allow","result":"deny","status":"allow"}}"#,
        r#"{"stat":"FAIL","response":{"result":"allow","status":"allow"}}"#,
        r#"{"stat":"ok","response":{"result":"allow","status":"allow"}}"#,
        r#"{"stat":"FAIL","stat":"OK","response":{"result":"allow","status":"allow"}}"#,
        r#"{"response":{"result":"allow","status":"allow"}}"#,
        r#"{"stat":"OK","result":"allow"}"#,
        r#"{"stat":"OK","response":"allow"}"#,
        r#"[{"stat":"OK","response":{"result":"allow"}}]"#,
        r#"{"stat":"OK","response":{"result":"allow","status":"allow"}"#,
        r#"{"stat":"OK","response":{"result":"allow","status":"allow"}} trailing"#,
        "",
        "allow",
    ];
    for body in bodies {
        let mut rig = Rig::new();
        let answers = [one_phone(), started()];
        let mut script = answers.into_iter();
        let outcome =
            rig.drive(&get("/"), |_| Some(script.next().unwrap_or_else(|| says(200, body))));
        outcome.refused();
    }
    for http in [201, 204, 400, 403, 429, 500, 503] {
        let allow = r#"{"stat":"OK","response":{"result":"allow","status":"allow"}}"#;
        let mut script = [one_phone(), started()].into_iter();
        let answer = |_: &_| Some(script.next().unwrap_or_else(|| says(http, allow)));
        Rig::new().drive(&get("/"), answer).refused();
    }
}

#[test]
fn duo_gets_the_peers_address_in_both_calls() {
    let mut rig = Rig::new();
    let request = get("/").with("x-forwarded-for", "10.0.0.5").with("x-real-ip", "10.0.0.5");
    let script = [one_phone(), started(), status("allow", "allow")];
    rig.send(&request, &script).admitted();
    assert_eq!(rig.body(0)["ipaddr"], "192.0.2.7");
    assert_eq!(rig.body(1)["ipaddr"], "192.0.2.7");
    assert_eq!(rig.body(0)["client_supports_verified_push"], "1");
}

#[test]
fn push_tells_what_it_is_for() {
    let mut rig = Rig::with(json!({"push": {"title": "Sign-in", "info": {"service": "a&b"}}}));
    let script = [one_phone(), started(), status("allow", "allow")];
    rig.send(&get("/pay/ä b?secret=1"), &script).admitted();
    let auth = rig.body(1);
    assert_eq!(auth["factor"], "push");
    assert_eq!(auth["async"], "1");
    assert_eq!(auth["device"], "DPFZRS9FB0D46QFTM891");
    assert_eq!(auth["type"], "Sign-in");
    let info = "service=a%26b&request=GET&path=%2Fpay%2F%25C3%25A4%20b";
    assert_eq!(rig.phone_shows(1), info);
}

#[test]
fn factors_are_tried_in_the_configured_order() {
    for (factors, factor, told_factor) in
        [(json!(["phone", "push"]), "phone", "phone"), (json!(["sms", "push"]), "push", "push")]
    {
        let mut rig = Rig::with(json!({"duo": {"factors": factors}}));
        let script = [one_phone(), started(), status("allow", "allow")];
        let forward = rig.send(&get("/"), &script).admitted();
        assert_eq!(rig.body(1)["factor"], factor);
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some(told_factor));
    }
}

#[test]
fn user_whose_devices_cannot_approve_learns_what_can() {
    let token = json!([{"device": "DHEKH0JJIYC1LX3AZWO4", "type": "token", "name": "0"}]);
    let sms = json!([{"device": "DPFZRS9FB0D46QFTM892", "type": "phone", "capabilities": ["sms"]}]);
    for (list, factors, code) in [
        (&token, json!(["push", "any_passcode"]), "mfa_required"),
        (&sms, json!(["push", "passcode", "phone", "sms"]), "mfa_required"),
        (&sms, json!(["push"]), "no_device"),
        (&token, json!(["push", "phone"]), "no_device"),
        (&json!([]), json!(["push", "any_passcode"]), "no_device"),
    ] {
        let mut rig = Rig::with(json!({"duo": {"factors": factors}}));
        assert_eq!(rig.send(&get("/"), &[devices(list)]).refused().code(), code);
        assert_eq!(rig.called(), ["preauth"]);
    }
}

#[test]
fn verified_push_is_never_sent_for_a_request_that_cannot_show_its_code() {
    let verified = ok(&json!({
        "result": "auth", "status_msg": "", "txid": "45f7c92b-f45f-4862-8545-e0f58e78075a",
        "verification_code": "708", "expiration": 1_800_000_060,
        "devices": [{"device": "DPFZRS9FB0D46QFTM891", "type": "phone",
                     "capabilities": ["auto", "push", "mobile_otp"]}],
    }));
    let mut rig = Rig::new();
    assert_eq!(
        rig.send(&get("/"), std::slice::from_ref(&verified)).refused().code(),
        "mfa_required"
    );
    assert_eq!(rig.called(), ["preauth"]);

    let with_code = get("/").with("x-duo-mfa-passcode", "123456");
    let mut rig = Rig::new();
    rig.send(&with_code, &[verified, status("allow", "allow")]).admitted();
    assert_eq!(rig.body(1)["factor"], "passcode");
}

#[test]
fn passcode_up_front_is_decided_without_a_push() {
    let request = || get("/").with("x-duo-mfa-passcode", " 123456 ");
    let mut rig = Rig::new();
    let forward = rig.send(&request(), &[one_phone(), status("allow", "allow")]).admitted();
    assert_eq!(rig.called(), ["preauth", "auth"]);
    assert_eq!(rig.body(1)["passcode"], "123456");
    assert_eq!(rig.body(1).get("async"), None);
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("passcode"));
    assert!(forward.request.contains(&Edit::Remove(b"x-duo-mfa-passcode".to_vec())));

    let wrong = Rig::new().send(&request(), &[one_phone(), status("deny", "deny")]).refused();
    assert_eq!((wrong.code().as_str(), wrong.0.status), ("passcode_incorrect", 422));
    let locked = [one_phone(), status("deny", "locked_out")];
    assert_eq!(Rig::new().send(&request(), &locked).refused().code(), "mfa_locked_out");
    let waiting = [one_phone(), status("waiting", "pushed")];
    Rig::new().send(&request(), &waiting).refused();
}

#[test]
fn passcode_that_is_none_never_reaches_duo() {
    for sent in ["", "12 34", "1&factor=push", "ü", &"1".repeat(65)] {
        let mut rig = Rig::new();
        let refused = rig.send(&get("/").with("x-duo-mfa-passcode", sent), &[]).refused();
        assert_eq!(refused.code(), "passcode_incorrect", "{sent:?}");
    }
    let twice = get("/").with("x-duo-mfa-passcode", "1").with("x_duo_mfa_passcode", "2");
    assert_eq!(Rig::new().send(&twice, &[]).refused().code(), "bad_request");
    let mut rig = Rig::with(json!({"duo": {"factors": ["push"]}}));
    let request = get("/").with("x-duo-mfa-passcode", "123456");
    assert_eq!(rig.send(&request, &[one_phone()]).refused().code(), "bad_request");
}

#[test]
fn transaction_is_looked_at_once_a_second_at_most() {
    let mut rig = Rig::new();
    let mut script = vec![one_phone(), started()];
    script.extend((0..5).map(|_| status("waiting", "pushed")));
    script.push(status("allow", "allow"));
    rig.send(&get("/"), &script).admitted();
    let polls: Vec<u64> = rig.calls.iter().skip(2).map(|(at, _)| at.millis()).collect();
    assert!(polls.windows(2).all(|pair| pair[1] - pair[0] >= 1_000), "{polls:?}");
    let (at, call) = rig.calls.last().unwrap();
    let second = Duration::from_secs(1);
    assert_eq!([at.minus(second), *at].map(|now| call.is_due(now)), [false, true]);
    assert!(call.is_due(at.minus(3_600 * second)), "the clock was set back meanwhile");
}

#[test]
fn request_is_held_no_longer_than_configured() {
    for (changes, seconds) in [
        (json!({"api": {"hold_timeout": "20s"}}), 20),
        (json!({"duo": {"push_timeout": "7s"}}), 7),
        (json!({}), 60),
    ] {
        let mut rig = Rig::with(changes);
        let begun = rig.now;
        let mut script = [one_phone(), started()].into_iter();
        let waits = |_: &_| Some(script.next().unwrap_or_else(|| status("waiting", "pushed")));
        let refused = rig.drive(&get("/"), waits).refused();
        assert_eq!(refused.code(), "mfa_timeout");
        let held = rig.now.since(begun).as_secs();
        assert!((seconds..=seconds + 1).contains(&held), "{held} s of {seconds}");
    }
}

#[test]
fn long_poll_never_outlasts_the_request() {
    let mut rig = Rig::with(json!({"api": {"hold_timeout": "20s"}}));
    let script = [
        one_phone().after(1),
        started().after(1),
        status("waiting", "pushed").after(1),
        status("waiting", "pushed").after(10),
        status("allow", "allow"),
    ];
    rig.send(&get("/"), &script).admitted();
    let waits: Vec<u64> =
        rig.calls.iter().skip(2).map(|(_, call)| call.timeout.as_secs()).collect();
    assert_eq!(waits, [18, 17, 7]);
}

#[test]
fn last_look_has_a_timeout_too() {
    let mut rig = Rig::with(json!({"api": {"hold_timeout": "20s"}}));
    let waits = || status("waiting", "pushed");
    let script = [one_phone(), started(), waits().after(19), waits(), status("allow", "allow")];
    rig.send(&get("/"), &script).admitted();
    let timeouts: Vec<u128> =
        rig.calls.iter().skip(2).map(|(_, call)| call.timeout.as_millis()).collect();
    assert_eq!(timeouts, [20_000, 1_000, 100], "Envoy would wait for ever with 0");
}

#[test]
fn only_a_client_without_a_mark_of_a_browser_is_held() {
    let marks: [&[(&str, &str)]; 7] = [
        &[("accept", "text/html")],
        &[("user-agent", "Mozilla/5.0")],
        &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        &[("origin", "https://evil.example")],
        &[("referer", "https://evil.example/")],
        &[("upgrade", "websocket")],
    ];
    for mark in marks {
        let request =
            mark.iter().fold(get("/"), |request: Request, (name, value)| request.with(name, value));
        let mut rig = Rig::new();
        let refused = rig.send(&request, &[]).refused();
        assert_eq!(refused.0.details, "duo_mfa_mfa_required", "{mark:?}");
        assert_eq!(rig.calls.len(), 0);
    }
    let grpc = get("/pkg.Service/Method").with("content-type", "application/grpc");
    let refused = Rig::new().send(&grpc, &[]).refused();
    assert_eq!(refused.0.grpc.as_ref().unwrap().0.number(), 16);

    let mut rig = Rig::with(json!({"api": {"mode": "refuse"}}));
    assert_eq!(rig.send(&get("/"), &[]).refused().code(), "mfa_required");
}

#[test]
fn approval_without_random_bytes_is_no_approval() {
    let mut rig = Rig::new();
    rig.random = None;
    assert_eq!(rig.send(&get("/"), &[one_phone()]).refused().code(), "duo_unavailable");
    assert_eq!(rig.called(), ["preauth"], "what cannot be approved rings no phone");
    let with_code = get("/").with("x-duo-mfa-passcode", "123456");
    let script = [one_phone(), status("allow", "allow")];
    assert_eq!(rig.send(&with_code, &script).refused().code(), "duo_unavailable");
}
