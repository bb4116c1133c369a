//! Fault switches of the Universal Prompt.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::client::Sim;
use crate::web_sdk::{STATE, assertion, request};

/// A simulator where alice approves, under a fault of `token`.
async fn spoilt(fault: Value) -> Sim {
    let sim = Sim::start(&[]).await;
    sim.alice_approves().await;
    sim.fault(fault).await;
    sim
}

async fn id_token(sim: &Sim) -> Value {
    let code = sim.code().await;
    sim.exchange(&code).await.json()["id_token"].clone()
}

/// Header or payload of a JWT.
fn part(token: &Value, position: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(position).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn the_usual_faults_hold_for_each_endpoint_by_name() {
    let sim = Sim::start(&[]).await;
    for endpoint in ["health_check", "authorize", "token"] {
        let fault = json!({"endpoint": endpoint, "kind": "status", "status": 502, "times": 1});
        sim.fault(fault).await;
    }
    assert_eq!(sim.health(&assertion("health_check", &json!({}))).await.status, 502);
    assert_eq!(sim.authorize(&request(&json!({})), &[]).await.status, 502);
    assert_eq!(sim.exchange("x").await.status, 502);
    assert_eq!(sim.health(&assertion("health_check", &json!({}))).await.status, 200);
    sim.fault(json!({"endpoint": "health_check", "kind": "rate_limit", "times": 1})).await;
    assert_eq!(sim.health(&assertion("health_check", &json!({}))).await.refusal().0, 42901);
    sim.fault(json!({"endpoint": "health_check", "kind": "skew", "seconds": 700})).await;
    assert_eq!(sim.health(&assertion("health_check", &json!({}))).await.status, 400);
}

#[tokio::test]
async fn a_token_answer_can_get_lost_after_the_code_is_used() {
    let fault =
        json!({"endpoint": "token", "kind": "status", "status": 502, "acts": true, "times": 1});
    let sim = spoilt(fault).await;
    let code = sim.code().await;
    assert_eq!(sim.exchange(&code).await.status, 502);
    assert_eq!(sim.exchange(&code).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn claims_are_merged_and_dropped() {
    let sim = spoilt(json!({"endpoint": "token", "kind": "claims",
        "merge": {"auth_result": {"result": "deny"}, "x": [1]},
        "drop": ["auth_time", "auth_context.factor", "not.there"]}))
    .await;
    let claims = sim.exchange(&sim.code().await).await.claims();
    let result = json!({"result": "deny", "status": "allow", "status_msg": "Login Successful"});
    assert_eq!((&claims["auth_result"], &claims["x"]), (&result, &json!([1])));
    assert!(claims.get("auth_time").is_none());
    let context = claims["auth_context"].as_object().unwrap();
    assert!(!context.contains_key("factor") && context.contains_key("reason"));
    let journal = sim.look("/sim/requests?endpoint=token").await;
    assert_eq!(journal[0]["fault"]["kind"], "claims");
}

#[tokio::test]
async fn header_algorithm_secret_and_the_whole_token_can_be_others() {
    let sim = spoilt(
        json!({"endpoint": "token", "kind": "header", "text": "{\"alg\":\"x\"}", "times": 1}),
    )
    .await;
    assert_eq!(part(&id_token(&sim).await, 0), json!({"alg": "x"}));
    for (algorithm, length) in [("HS256", 43), ("HS384", 64), ("none", 0)] {
        sim.fault(
            json!({"endpoint": "token", "kind": "algorithm", "algorithm": algorithm, "times": 1}),
        )
        .await;
        let token = id_token(&sim).await;
        assert_eq!(part(&token, 0)["alg"], algorithm);
        assert_eq!(token.as_str().unwrap().rsplit('.').next().unwrap().len(), length);
    }
    sim.fault(json!({"endpoint": "token", "kind": "raw_id_token", "value": {"a": 1}, "times": 1}))
        .await;
    assert_eq!(id_token(&sim).await, json!({"a": 1}));
    sim.fault(json!({"endpoint": "token", "kind": "secret", "secret": "other", "times": 1})).await;
    let answer = sim.exchange(&sim.code().await).await;
    let read = std::panic::AssertUnwindSafe(|| answer.claims());
    assert!(std::panic::catch_unwind(read).is_err(), "signed with another secret");
}

#[tokio::test]
async fn nonce_and_user_can_be_wrong() {
    let sim =
        spoilt(json!({"endpoint": "token", "kind": "nonce", "nonce": "omit", "times": 1})).await;
    assert!(sim.exchange(&sim.code().await).await.claims().get("nonce").is_none());
    sim.fault(json!({"endpoint": "token", "kind": "user", "user": "bob", "times": 1})).await;
    let claims = sim.exchange(&sim.code().await).await.claims();
    assert_eq!((&claims["preferred_username"], &claims["sub"]), (&json!("bob"), &json!("bob")));
    assert_eq!(claims["auth_context"]["user"]["name"], "bob");
}

#[tokio::test]
async fn a_code_can_be_made_to_work_twice() {
    let sim = spoilt(json!({"endpoint": "token", "kind": "code", "code": "reuse"})).await;
    let code = sim.code().await;
    assert_eq!(sim.exchange(&code).await.status, 200);
    assert_eq!(sim.exchange(&code).await.status, 200);
    assert_eq!(sim.codes().await, json!({"given": 1, "used": 2, "reused": 1}));
}

#[tokio::test]
async fn the_way_back_can_bring_an_error_no_state_or_everything_twice() {
    let sim = spoilt(json!({"endpoint": "authorize", "kind": "callback", "times": 1,
        "error": "access_denied", "error_description": "<script>"}))
    .await;
    let plain = || request(&json!({}));
    let back = sim.authorize(&plain(), &[]).await;
    assert_eq!(back.brings("error").as_deref(), Some("access_denied"));
    assert_eq!(back.brings("error_description").as_deref(), Some("<script>"));
    assert_eq!(back.brings("state").as_deref(), Some(STATE));
    assert_eq!(back.brings("duo_code"), None);
    sim.fault(
        json!({"endpoint": "authorize", "kind": "callback", "without_state": true, "times": 1}),
    )
    .await;
    let back = sim.authorize(&plain(), &[]).await;
    assert!(back.brings("state").is_none() && back.brings("duo_code").is_some());
    sim.fault(json!({"endpoint": "authorize", "kind": "callback", "twice": true, "times": 1}))
        .await;
    let back = sim.authorize(&plain(), &[]).await;
    assert_eq!(back.location().matches("state=").count(), 2);
    assert_eq!(back.location().matches("duo_code=").count(), 2);
}
