//! Devices that lose Duo Mobile and get it back.

use serde_json::{Value, json};

use crate::client::Sim;

/// The capabilities of the user's first device, by preauth.
async fn capabilities(sim: &Sim, username: &str) -> Value {
    sim.preauth(username).await["devices"][0]["capabilities"].clone()
}

async fn change(sim: &Sim, username: &str, change: &str) {
    let device = sim.preauth(username).await["devices"][0]["device"].clone();
    let path = format!("/sim/users/{username}/devices/{}/{change}", device.as_str().unwrap());
    sim.tell("POST", &path, Value::Null).await;
}

#[tokio::test]
async fn a_deactivated_device_takes_calls_and_texts_but_no_push() {
    let sim = Sim::start(&[]).await;
    let all = capabilities(&sim, "alice").await;
    assert_eq!(all, json!(["auto", "push", "sms", "phone", "mobile_otp"]));
    change(&sim, "alice", "deactivate").await;
    assert_eq!(capabilities(&sim, "alice").await, json!(["auto", "sms", "phone"]));
    let params = [("username", "alice"), ("factor", "push"), ("device", "auto")];
    assert_eq!(sim.post("auth", &params).await.refusal(), (40002, Some("device".to_owned())));

    change(&sim, "alice", "reactivate").await;
    assert_eq!(capabilities(&sim, "alice").await, all);
    sim.push("alice").await;
}

#[tokio::test]
async fn nothing_is_left_of_a_device_that_has_duo_mobile_alone() {
    let sim = Sim::start(&[]).await;
    change(&sim, "bob", "deactivate").await;
    assert_eq!(capabilities(&sim, "bob").await, json!([]));
}

#[tokio::test]
async fn a_device_can_be_deactivated_from_the_start() {
    let sim = Sim::start(&[]).await;
    let phone = json!({"capabilities": ["auto", "push", "sms"], "deactivated": true});
    sim.tell("PUT", "/sim/users", json!({"username": "zoe", "devices": [phone]})).await;
    assert_eq!(capabilities(&sim, "zoe").await, json!(["sms"]));
}

#[tokio::test]
async fn a_device_of_somebody_else_is_not_found() {
    let sim = Sim::start(&[]).await;
    for path in ["nobody/devices/DP/deactivate", "alice/devices/DP/deactivate"] {
        let answer = sim.control("POST", &format!("/sim/users/{path}"), Value::Null).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
