//! Passcodes of all kinds, text messages, lockout.

use serde_json::json;

use crate::client::Sim;

#[tokio::test]
async fn a_right_passcode_is_allowed_and_a_wrong_one_denied() {
    let sim = Sim::start(&[]).await;
    let right = sim.passcode("alice", "123456").await;
    assert_eq!((&right["result"], &right["status"]), (&json!("allow"), &json!("allow")));
    let wrong = sim.passcode("alice", "000000").await;
    assert_eq!((&wrong["result"], &wrong["status"]), (&json!("deny"), &json!("deny")));
    assert_eq!(wrong["status_msg"], "Incorrect passcode. Please try again.");
    assert_eq!(sim.passcode("tom", "654321").await["result"], "allow");
    let missing = sim.post("auth", &[("username", "alice"), ("factor", "passcode")]).await;
    assert_eq!(missing.refusal(), (40001, Some("passcode".to_owned())));
}

#[tokio::test]
async fn a_bypass_code_is_good_once() {
    let sim = Sim::start(&[]).await;
    assert_eq!(sim.passcode("alice", "999999999").await["result"], "allow");
    assert_eq!(sim.passcode("alice", "999999999").await["result"], "deny");
}

#[tokio::test]
async fn an_asynchronous_passcode_is_decided_before_the_first_poll() {
    let sim = Sim::start(&[]).await;
    let params =
        [("username", "alice"), ("factor", "passcode"), ("passcode", "000000"), ("async", "1")];
    let txid = sim.post("auth", &params).await.response()["txid"].as_str().unwrap().to_owned();
    let status = sim.status(&txid).await;
    assert_eq!(status["result"], "deny");
    assert_eq!(status["status_msg"], "Incorrect passcode. Please try again.");
}

#[tokio::test]
async fn a_text_message_brings_codes_that_are_good_once() {
    let sim = Sim::start(&[]).await;
    assert!(sim.preauth("carol").await["devices"][0].get("sms_nextcode").is_none());
    let params = [("username", "carol"), ("factor", "sms"), ("device", "auto")];
    let sent = sim.post("auth", &params).await.response();
    assert_eq!((&sent["result"], &sent["status"]), (&json!("deny"), &json!("sent")));
    assert_eq!(sent["status_msg"], "New SMS passcodes sent.");
    let first = sim.look("/sim/messages").await[0]["codes"].clone();
    let code = first[0].as_str().unwrap();
    assert_eq!(code.len(), 7);
    let next = sim.preauth("carol").await["devices"][0]["sms_nextcode"].clone();
    assert_eq!(next.as_str().unwrap(), code.split_at(1).0);
    assert_eq!(sim.passcode("carol", code).await["result"], "allow");
    assert_eq!(sim.passcode("carol", code).await["result"], "deny");
    let next = sim.preauth("carol").await["devices"][0]["sms_nextcode"].clone();
    assert_eq!(next, "2");
    sim.post("auth", &params).await.response();
    let old = first[1].as_str().unwrap();
    assert_eq!(sim.passcode("carol", old).await["result"], "deny", "a new text voids the old");
    let fresh = sim.look("/sim/messages").await[1]["codes"][0].clone();
    assert_eq!(sim.passcode("carol", fresh.as_str().unwrap()).await["result"], "allow");
}

#[tokio::test]
async fn too_many_failures_lock_the_user_out() {
    let sim = Sim::start(&["--lockout-threshold", "3"]).await;
    assert_eq!(sim.passcode("alice", "1").await["status"], "deny");
    assert_eq!(sim.passcode("alice", "2").await["status"], "deny");
    assert_eq!(sim.passcode("alice", "123456").await["status"], "allow", "a success starts anew");
    assert_eq!(sim.passcode("alice", "3").await["status"], "deny");
    let txid = sim.push("alice").await;
    sim.act(&txid, "timeout").await;
    assert_eq!(sim.preauth("alice").await["result"], "auth");
    let last = sim.passcode("alice", "4").await;
    assert_eq!((&last["result"], &last["status"]), (&json!("deny"), &json!("locked_out")));
    assert_eq!(sim.preauth("alice").await["result"], "deny");
    let right = sim.passcode("alice", "123456").await;
    assert_eq!((&right["result"], &right["status"]), (&json!("deny"), &json!("locked_out")));
}
