//! The control interface itself: answers, counters, reset, and who may ask.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Sim;
use crate::signer::Signed;

#[tokio::test]
async fn answer_takes_the_newest_that_waits_or_waits_for_one() {
    let sim = Sim::start(&[]).await;
    let deny = json!({"username": "alice", "answer": "deny"});
    assert_eq!(sim.control("POST", "/sim/answer", deny.clone()).await.status, 404);
    let older = sim.push("alice").await;
    let newer = sim.push("alice").await;
    let answered = sim.tell("POST", "/sim/answer", deny).await;
    assert_eq!(answered["txid"], newer.as_str());
    assert_eq!(sim.status(&older).await["status"], "pushed");
    let pick_up = format!("/sim/transactions/{older}/answer");
    let wrong = sim.control("POST", &pick_up, Value::Null).await;
    assert_eq!(wrong.status, 400, "a push can't be picked up");
    let unknown = sim.control("POST", "/sim/transactions/none/approve", Value::Null).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn counters_tell_calls_and_outcomes_by_endpoint() {
    let sim = Sim::start(&[]).await;
    sim.get("ping", &[]).await;
    sim.preauth("alice").await;
    sim.post("preauth", &[]).await;
    sim.push("alice").await;
    let counters = sim.look("/sim/counters").await;
    let endpoints = &counters["endpoints"];
    assert_eq!(endpoints["ping"], json!({"calls": 1, "outcomes": {"OK": 1}}));
    assert_eq!(endpoints["preauth"], json!({"calls": 2, "outcomes": {"OK": 1, "40001": 1}}));
    assert_eq!(endpoints["auth_status"], json!({"calls": 0, "outcomes": {}}));
    assert_eq!(counters["deliveries"], json!({"pushes": 1, "calls": 0, "messages": 0}));
}

#[tokio::test]
async fn a_held_poll_is_in_the_journal_before_its_answer() {
    let sim = Sim::start(&[]).await;
    let txid = sim.push("alice").await;
    sim.status(&txid).await;
    let held = sim.status(&txid);
    let look = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let polls = sim.look("/sim/requests?endpoint=auth_status").await;
        sim.act(&txid, "approve").await;
        polls
    };
    let (_, polls) = tokio::join!(held, look);
    assert_eq!(polls[0]["outcome"], "OK");
    assert_eq!(polls[1]["outcome"], Value::Null);
    assert_eq!(polls[1]["params"]["txid"], txid.as_str());
}

#[tokio::test]
async fn reset_goes_back_to_the_start() {
    let sim = Sim::start(&["--lockout-threshold", "1"]).await;
    sim.push("alice").await;
    sim.passcode("alice", "wrong").await;
    sim.fault(json!({"kind": "empty"})).await;
    sim.tell("POST", "/sim/reset", Value::Null).await;
    assert_eq!(sim.look("/sim/transactions").await, json!([]));
    assert_eq!(sim.look("/sim/requests").await, json!([]));
    assert_eq!(sim.look("/sim/faults").await, json!([]));
    assert_eq!(sim.preauth("alice").await["result"], "auth");
    sim.tell("DELETE", "/sim/requests", Value::Null).await;
    assert_eq!(sim.look("/sim/counters").await["endpoints"]["preauth"]["calls"], 0);
}

#[tokio::test]
async fn pages_of_other_sites_cannot_press_buttons() {
    let sim = Sim::start(&[]).await;
    let txid = sim.push("alice").await;
    for (site, expected) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200)] {
        let request = Signed {
            method: "POST".to_owned(),
            target: format!("/sim/transactions/{txid}/approve"),
            headers: vec![("sec-fetch-site".to_owned(), site.to_owned())],
            body: String::new(),
        };
        assert_eq!(sim.control_with(&request).await.status, expected, "{site}");
    }
}

#[tokio::test]
async fn it_ends_when_its_standard_input_is_closed() {
    let mut sim = Sim::start(&[]).await;
    drop(sim.child.stdin.take());
    let ended = tokio::time::timeout(Duration::from_secs(10), sim.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

#[tokio::test]
async fn an_address_for_others_needs_to_be_asked_for() {
    let run = async |arguments: &[&str]| {
        tokio::process::Command::new(env!("CARGO_BIN_EXE_duo-sim"))
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .unwrap()
    };
    let refused = run(&["--http", "0.0.0.0:0"]).await;
    assert!(!refused.status.success());
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("0.0.0.0:0 is not a loopback address; use --listen"), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&["--https", &address]).await;
    assert!(!refused.status.success());
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains(&format!("{address}: Address already in use")), "{error}");
    let unreadable = run(&["--users", "/nowhere/users.yaml"]).await;
    assert!(!unreadable.status.success());
    let error = String::from_utf8(unreadable.stderr).unwrap();
    assert!(error.contains("can't read the users file"), "{error}");
}
