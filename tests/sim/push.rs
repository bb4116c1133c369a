//! Pushes: approved, denied, late, verified, and how polls see them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Sim, unix_now};

fn standing(answer: &Value) -> (&str, &str) {
    (answer["result"].as_str().unwrap(), answer["status"].as_str().unwrap())
}

#[tokio::test]
async fn an_approved_push_ends_the_poll_that_waits_for_it() {
    let sim = Sim::start(&[]).await;
    let txid = sim.push("alice").await;
    let started = Instant::now();
    assert_eq!(standing(&sim.status(&txid).await), ("waiting", "pushed"));
    assert!(started.elapsed() < Duration::from_secs(5), "the first poll is answered at once");
    let approval = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        sim.act(&txid, "approve").await;
    };
    let started = Instant::now();
    let (last, ()) = tokio::join!(sim.status(&txid), approval);
    assert!(started.elapsed() >= Duration::from_millis(300), "the second poll is held");
    assert_eq!(standing(&last), ("allow", "allow"));
    assert_eq!(last["status_msg"], "Success. Logging you in...");
    assert_eq!(
        standing(&sim.status(&txid).await),
        ("allow", "allow"),
        "the end may be asked again"
    );
}

#[tokio::test]
async fn a_poll_without_news_is_answered_when_the_hold_is_over() {
    let sim = Sim::start(&["--max-hold", "0.4"]).await;
    let txid = sim.push("alice").await;
    sim.status(&txid).await;
    let started = Instant::now();
    assert_eq!(standing(&sim.status(&txid).await), ("waiting", "pushed"));
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn every_end_has_its_status_and_its_result() {
    let sim = Sim::start(&[]).await;
    for (action, expected) in [
        ("approve", ("allow", "allow")),
        ("deny", ("deny", "deny")),
        ("fraud", ("deny", "fraud")),
        ("timeout", ("deny", "timeout")),
    ] {
        let txid = sim.push("alice").await;
        sim.act(&txid, action).await;
        assert_eq!(standing(&sim.status(&txid).await), expected);
        let again =
            sim.control("POST", &format!("/sim/transactions/{txid}/approve"), Value::Null).await;
        assert_eq!(again.status, 409, "an end is an end");
    }
}

#[tokio::test]
async fn a_push_that_nobody_answers_times_out() {
    let sim = Sim::start(&["--push-timeout", "0.3"]).await;
    let txid = sim.push("alice").await;
    sim.status(&txid).await;
    let last = sim.status(&txid).await;
    assert_eq!(standing(&last), ("deny", "timeout"));
    assert_eq!(last["status_msg"], "Login timed out.");
}

#[tokio::test]
async fn a_push_that_did_not_arrive_can_still_be_approved() {
    let sim = Sim::start(&[]).await;
    let txid = sim.push("alice").await;
    sim.act(&txid, "fail").await;
    assert_eq!(standing(&sim.status(&txid).await), ("waiting", "push_failed"));
    sim.act(&txid, "approve").await;
    assert_eq!(standing(&sim.status(&txid).await), ("allow", "allow"));
}

#[tokio::test]
async fn a_synchronous_push_blocks_until_it_is_answered() {
    let sim = Sim::start(&[]).await;
    let params = [("username", "alice"), ("factor", "push"), ("device", "auto")];
    let denial = async {
        let body = json!({"username": "alice", "answer": "deny", "wait_ms": 5000});
        sim.tell("POST", "/sim/answer", body).await
    };
    let (answer, _) = tokio::join!(sim.post("auth", &params), denial);
    assert_eq!(standing(&answer.response()), ("deny", "deny"));
}

#[tokio::test]
async fn an_automatic_answer_comes_after_its_time() {
    let sim = Sim::start(&[]).await;
    let auto = json!({"answer": "approve", "after_ms": 200});
    sim.tell("PUT", "/sim/users/alice/auto", auto).await;
    let txid = sim.push("alice").await;
    assert_eq!(standing(&sim.status(&txid).await), ("waiting", "pushed"));
    assert_eq!(standing(&sim.status(&txid).await), ("allow", "allow"));
    sim.tell("DELETE", "/sim/users/alice/auto", Value::Null).await;
    let txid = sim.push("alice").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(standing(&sim.status(&txid).await), ("waiting", "pushed"));
}

#[tokio::test]
async fn a_verified_push_needs_the_code_of_the_same_preauth() {
    let sim = Sim::start(&[]).await;
    let offer = sim.preauth("bob").await;
    let code = offer["verification_code"].as_str().unwrap();
    assert_eq!(code.len(), 3);
    assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
    let left = offer["expiration"].as_i64().unwrap() - unix_now();
    assert!((55..=60).contains(&left), "{left}");
    let txid = offer["txid"].as_str().unwrap();
    let params = |username, txid| {
        [
            ("username", username),
            ("factor", "push"),
            ("device", "auto"),
            ("async", "1"),
            ("txid", txid),
        ]
    };
    let foreign = sim.post("auth", &params("alice", txid)).await.refusal();
    assert_eq!(foreign, (40002, Some("txid".to_owned())));
    let started = sim.post("auth", &params("bob", txid)).await.response();
    assert_eq!(started["txid"], txid);
    let used = sim.post("auth", &params("bob", txid)).await.refusal();
    assert_eq!(used, (40002, Some("txid".to_owned())));
    let path = format!("/sim/transactions/{txid}/approve");
    let other = if code == "111" { "222" } else { "111" };
    assert_eq!(sim.control("POST", &path, Value::Null).await.status, 409);
    assert_eq!(sim.control("POST", &path, json!({"code": other})).await.status, 409);
    assert_eq!(standing(&sim.status(txid).await), ("waiting", "pushed"));
    sim.tell("POST", &path, json!({"code": code})).await;
    assert_eq!(standing(&sim.status(txid).await), ("allow", "allow"));
}

#[tokio::test]
async fn a_user_of_verified_push_cannot_be_pushed_without_a_code() {
    let sim = Sim::start(&[]).await;
    let params = [("username", "bob"), ("factor", "push"), ("device", "auto"), ("async", "1")];
    let refusal = sim.post("auth", &params).await.refusal();
    assert_eq!(refusal, (40002, Some("txid".to_owned())));
    let unaware = sim.post("preauth", &[("username", "bob")]).await.response();
    assert!(unaware.get("txid").is_none());
    assert_eq!(unaware["devices"][0]["capabilities"], json!(["auto", "mobile_otp"]));
    let plain = sim.preauth("alice").await;
    assert!(plain.get("verification_code").is_none(), "alice needs no code");
}

#[tokio::test]
async fn a_push_goes_to_the_device_that_was_named() {
    let sim = Sim::start(&[]).await;
    let devices = sim.preauth("two").await["devices"].clone();
    let home = devices[1]["device"].as_str().unwrap();
    assert_eq!(devices[1]["display_name"], "Home (XXX-XXX-7890)");
    let params =
        |device| [("username", "two"), ("factor", "push"), ("device", device), ("async", "1")];
    let txid = sim.post("auth", &params(home)).await.response()["txid"].clone();
    let pending = sim.look("/sim/transactions?username=two&pending=true").await;
    assert_eq!(pending.as_array().unwrap().len(), 1);
    assert_eq!((&pending[0]["txid"], pending[0]["device"].as_str()), (&txid, Some(home)));
    let unknown = sim.post("auth", &params("DPXXXXXXXXXXXXXXXXXX")).await.refusal();
    assert_eq!(unknown, (40002, Some("device".to_owned())));
    let carol = [("username", "carol"), ("factor", "push"), ("device", "auto")];
    assert_eq!(sim.post("auth", &carol).await.refusal(), (40002, Some("device".to_owned())));
}

#[tokio::test]
async fn an_unknown_txid_is_an_invalid_parameter() {
    let sim = Sim::start(&[]).await;
    let unknown = [("txid", "45f7c92b-f45f-4862-8545-e0f58e78075a")];
    let refusal = sim.get("auth_status", &unknown).await.refusal();
    assert_eq!(refusal, (40002, Some("txid".to_owned())));
    assert_eq!(sim.get("auth_status", &[]).await.refusal(), (40001, Some("txid".to_owned())));
}

#[tokio::test]
async fn what_the_application_tells_is_decoded_for_the_phone() {
    let sim = Sim::start(&[]).await;
    let params = [
        ("username", "alice"),
        ("factor", "push"),
        ("device", "auto"),
        ("async", "1"),
        ("type", "Sign-in"),
        ("display_username", "Alice Ö"),
        ("ipaddr", "203.0.113.9"),
        ("pushinfo", "path=%2Fadmin%3Fa&%C3%BC=%E2%82%AC"),
    ];
    sim.post("auth", &params).await.response();
    let context = sim.look("/sim/transactions").await[0]["context"].clone();
    let expected = json!({
        "type": "Sign-in",
        "display_username": "Alice Ö",
        "ipaddr": "203.0.113.9",
        "pushinfo": [["path", "/admin?a"], ["ü", "€"]],
    });
    assert_eq!(context, expected);
    let long = "x".repeat(20_000);
    let params =
        [("username", "alice"), ("factor", "push"), ("device", "auto"), ("pushinfo", &long)];
    assert_eq!(sim.post("auth", &params).await.refusal(), (40002, Some("pushinfo".to_owned())));
}
