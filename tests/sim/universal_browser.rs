//! `authorize` and the prompt page, as a browser sees them.

use serde_json::{Value, json};

use crate::client::{Answer, Sim, unix_now};
use crate::web_sdk::{CLIENT_ID, REDIRECT_URI, STATE, encoded, request};

/// The page that `authorize` leads to for a user, and its address.
async fn opened(sim: &Sim, user: &str) -> (String, Answer) {
    let answer = sim.authorize(&request(&json!({"duo_uname": user})), &[]).await;
    let address = answer.location().to_owned();
    let page = sim.raw("GET", &address, &[], "").await;
    (address, page)
}

fn sid(address: &str) -> &str {
    address.split_once("sid=").unwrap().1
}

/// Presses a button of the prompt page.
async fn press(sim: &Sim, address: &str, factor: &str, passcode: &str) -> Answer {
    let pairs = [("sid", sid(address)), ("factor", factor), ("passcode", passcode)];
    sim.form("/frame/prompt", &pairs).await
}

/// The factor in the id_token of a browser that came back.
async fn factor(sim: &Sim, back: &Answer) -> Value {
    let claims = sim.exchange(&back.brings("duo_code").unwrap()).await.claims();
    claims["auth_context"]["factor"].clone()
}

#[tokio::test]
async fn opening_the_prompt_rings_the_phone_and_an_approval_leads_back() {
    let sim = Sim::start(&[]).await;
    let (address, page) = opened(&sim, "alice").await;
    assert_eq!((page.status, page.header("x-frame-options")), (200, "DENY"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(page.text().contains("Pushed a login request"), "{}", page.text());
    let pending = sim.look("/sim/transactions?pending=true").await;
    assert_eq!(pending[0]["context"]["title"], Value::Null);
    assert_eq!(pending[0]["context"]["type"], "Universal Prompt");
    sim.act(pending[0]["txid"].as_str().unwrap(), "approve").await;
    let back = sim.raw("GET", &address, &[], "").await;
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?state={STATE}&duo_code=")));
    assert_eq!(factor(&sim, &back).await, "duo_push");
    assert_eq!(sim.raw("GET", &address, &[], "").await.status, 400, "the prompt has ended");
}

#[tokio::test]
async fn the_phone_can_be_rung_by_a_press_alone() {
    let sim = Sim::start(&[]).await;
    sim.universal(json!({"start": "press"})).await;
    let (address, page) = opened(&sim, "alice").await;
    assert!(!page.text().contains("Pushed"));
    assert_eq!(sim.look("/sim/transactions").await, json!([]));
    assert!(press(&sim, &address, "push", "").await.location().starts_with("/frame/prompt?sid="));
    assert_eq!(sim.look("/sim/counters").await["deliveries"]["pushes"], 1);
}

#[tokio::test]
async fn each_button_is_a_factor() {
    let sim = Sim::start(&[]).await;
    for (user, button, passcode, expected) in [
        ("alice", "passkey", "", "webauthn_security_key"),
        ("alice", "passcode", "123456", "duo_mobile_passcode"),
        ("alice", "bypass_code", "999999999", "bypass_code"),
        ("tom", "passcode", "654321", "hardware_token"),
    ] {
        let (address, _) = opened(&sim, user).await;
        let back = press(&sim, &address, button, passcode).await;
        assert_eq!(factor(&sim, &back).await, expected, "{button}");
    }
    let (address, page) = opened(&sim, "carol").await;
    assert!(page.text().contains("Text me codes"));
    press(&sim, &address, "sms", "").await;
    let code = sim.look("/sim/messages").await[0]["codes"][0].as_str().unwrap().to_owned();
    let back = press(&sim, &address, "passcode", &code).await;
    assert_eq!(factor(&sim, &back).await, "sms_passcode");
    let (address, _) = opened(&sim, "peter").await;
    let pending = sim.look("/sim/transactions?pending=true&username=peter").await;
    sim.act(pending[0]["txid"].as_str().unwrap(), "approve").await;
    let back = sim.raw("GET", &address, &[], "").await;
    assert_eq!(factor(&sim, &back).await, "phone_call");
}

#[tokio::test]
async fn a_verified_push_shows_its_code() {
    let sim = Sim::start(&[]).await;
    let (address, page) = opened(&sim, "bob").await;
    let pending = sim.look("/sim/transactions?pending=true").await;
    let code = pending[0]["verification_code"].as_str().unwrap();
    assert!(page.text().contains(&format!("<code>{code}</code>")), "{}", page.text());
    let path = format!("/sim/transactions/{}/approve", pending[0]["txid"].as_str().unwrap());
    sim.tell("POST", &path, json!({"code": code})).await;
    let back = sim.raw("GET", &address, &[], "").await;
    assert_eq!(factor(&sim, &back).await, "verified_duo_push");
}

#[tokio::test]
async fn denials_and_wrong_passcodes_stay_on_the_page() {
    let sim = Sim::start(&[]).await;
    let (address, _) = opened(&sim, "alice").await;
    press(&sim, &address, "deny", "").await;
    let page = sim.raw("GET", &address, &[], "").await;
    assert!(page.text().contains("Login request denied."), "{}", page.text());
    assert_eq!(sim.look("/sim/transactions?pending=true").await, json!([]));
    press(&sim, &address, "passcode", "000000").await;
    let page = sim.raw("GET", &address, &[], "").await;
    assert!(page.text().contains("Incorrect passcode."), "{}", page.text());
    sim.universal(json!({"user": "alice", "answer": "deny"})).await;
    let page = sim.authorize(&request(&json!({})), &[]).await;
    assert!(page.status == 200 && page.text().contains("denied"));
    assert_eq!(sim.codes().await, json!({"given": 0, "used": 0, "reused": 0}));
}

#[tokio::test]
async fn personas_go_straight_back_or_stay() {
    let sim = Sim::start(&[]).await;
    let at = |user: &str| request(&json!({"duo_uname": user}));
    let back = sim.authorize(&at("bella"), &[]).await;
    let claims = sim.exchange(&back.brings("duo_code").unwrap()).await.claims();
    assert_eq!(claims["auth_context"]["factor"], Value::Null);
    assert_eq!(claims["auth_context"]["reason"], "bypass_user");
    for user in ["mallory", "eve", "dave", "nobody"] {
        let page = sim.authorize(&at(user), &[]).await;
        assert_eq!(page.status, 200, "{user}");
        assert!(page.text().contains("role=\"alert\""), "{user}");
    }
    assert_eq!(sim.codes().await["given"], 1);
}

#[tokio::test]
async fn a_remembered_device_goes_straight_back_unless_it_is_too_old() {
    let sim = Sim::start(&[]).await;
    let (address, _) = opened(&sim, "rita").await;
    let back = press(&sim, &address, "passcode", "123456").await;
    let cookie = back.header("set-cookie").split(';').next().unwrap().to_owned();
    let again = async |changes: Value| {
        let mut all = json!({"duo_uname": "rita"});
        crate::web_sdk::change(&mut all, &changes);
        let query = encoded(&[("client_id", CLIENT_ID), ("request", &request(&all))]);
        let target = format!("/oauth/v1/authorize?{query}");
        sim.raw("GET", &target, &[("cookie", &cookie)], "").await
    };
    let back = again(json!({})).await;
    assert_eq!(factor(&sim, &back).await, "remembered_device");
    assert!(again(json!({"max_age": 600})).await.location().starts_with(REDIRECT_URI));
    assert!(again(json!({"max_age": 0})).await.location().starts_with("/frame/"));
    assert!(again(json!({"prompt": "login"})).await.location().starts_with("/frame/"));
    assert!(again(json!({"duo_uname": "alice"})).await.location().starts_with("/frame/"));
}

#[tokio::test]
async fn values_in_the_query_win_over_signed_ones() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let more = [("redirect_uri", "https://evil.test/?a=b"), ("state", "another-state-0123")];
    let back = sim.authorize(&request(&json!({})), &more).await;
    let start = "https://evil.test/?a=b&state=another-state-0123&duo_code=";
    assert!(back.location().starts_with(start), "{}", back.location());
    let code = back.brings("duo_code").unwrap();
    assert_eq!(sim.exchange(&code).await.status, 400, "the code is bound to the used URI");
    sim.universal(json!({"redirect_uri": "signed"})).await;
    assert_eq!(sim.exchange(&code).await.status, 200);
}

#[tokio::test]
async fn requests_are_checked() {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    let (short, long) = ("s".repeat(15), "s".repeat(1025));
    for changes in [
        json!({"state": short}),
        json!({"state": long}),
        json!({"state": null}),
        json!({"nonce": short}),
        json!({"nonce": long}),
        json!({"exp": unix_now() - 1}),
        json!({"exp": unix_now() + 4000}),
        json!({"aud": "https://other.test"}),
        json!({"iss": "DIOTHER"}),
        json!({"client_id": "DIOTHER"}),
        json!({"response_type": "token"}),
        json!({"scope": "email"}),
        json!({"redirect_uri": "javascript:alert(1)"}),
        json!({"duo_uname": ""}),
        json!({"max_age": "soon"}),
    ] {
        // Without the query's own values: they would win.
        let query = encoded(&[("client_id", CLIENT_ID), ("request", &request(&changes))]);
        let answer = sim.raw("GET", &format!("/oauth/v1/authorize?{query}"), &[], "").await;
        assert_eq!(answer.status, 400, "{changes}");
        assert_eq!(answer.json()["message"], "invalid_request", "{changes}");
    }
    for changes in [
        json!({"state": "s".repeat(16), "nonce": "n".repeat(16)}),
        json!({"state": "s".repeat(1024), "nonce": "n".repeat(1024)}),
        json!({"aud": "https://api-sim.duo.test/oauth/v1/authorize", "iss": null}),
        json!({"aud": null, "nonce": null}),
        json!({"exp": format!("{}", unix_now() + 300), "use_duo_code_attribute": "true"}),
        json!({"redirect_uri": "http://localhost:8080/callback"}),
    ] {
        let answer = sim.authorize(&request(&changes), &[]).await;
        assert!(answer.brings("duo_code").is_some(), "{changes}");
    }
    let plain = sim.authorize(&request(&json!({"use_duo_code_attribute": false})), &[]).await;
    assert!(plain.brings("code").is_some() && plain.brings("duo_code").is_none());
}

#[tokio::test]
async fn the_control_interface_answers_without_a_browser() {
    let sim = Sim::start(&[]).await;
    let wish = json!({"user": "alice", "answer": "approve", "factor": null,
        "reason": "trusted_network", "auth_time": 1_700_000_000});
    sim.universal(wish).await;
    let claims = sim.exchange(&sim.code().await).await.claims();
    assert_eq!(claims["auth_context"]["factor"], Value::Null);
    assert_eq!(claims["auth_context"]["reason"], "trusted_network");
    assert_eq!(claims["auth_time"], 1_700_000_000);
    sim.universal(json!({"user": "alice", "answer": "ask"})).await;
    assert!(sim.authorize(&request(&json!({})), &[]).await.location().starts_with("/frame/"));
    sim.universal(json!({"jti": "any", "code_seconds": 5})).await;
    assert_eq!(sim.look("/sim/universal").await["code_seconds"], 5);
    sim.tell("DELETE", "/sim/universal", Value::Null).await;
    assert_eq!(sim.look("/sim/universal").await["code_seconds"], 60);
}
