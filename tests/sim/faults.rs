//! Each fault switch, by what a client meets.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Sim, unix_now};

const ALICE: [(&str, &str); 1] = [("username", "alice")];

/// Sends a signed preauth. `Err` if the connection broke.
async fn preauth(sim: &Sim) -> Result<crate::client::Answer, crate::client::Broken> {
    let form = crate::signer::Form::V5;
    sim.send(&crate::client::signed(form, "POST", "preauth", &ALICE)).await
}

#[tokio::test]
async fn latency_delays_the_right_answer() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "latency", "ms": 300})).await;
    let started = Instant::now();
    assert_eq!(preauth(&sim).await.unwrap().response()["result"], "auth");
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn hang_never_answers() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "hang"})).await;
    let answer = tokio::time::timeout(Duration::from_millis(500), preauth(&sim)).await;
    assert!(answer.is_err(), "there was an answer: {answer:?}");
}

#[tokio::test]
async fn refuse_closes_the_connection() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "refuse", "times": 1})).await;
    assert!(preauth(&sim).await.is_err());
    assert_eq!(preauth(&sim).await.unwrap().status, 200);
}

#[tokio::test]
async fn status_and_raw_send_the_given_response() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "status", "status": 503, "body": "<h1>away</h1>", "times": 1})).await;
    let headers = [["x-from", "raw"], ["content-type", "text/plain"]];
    let body = r#"{"stat":"OK","response":{"result":"ALLOW"}}"#;
    sim.fault(json!({"kind": "raw", "status": 202, "body": body, "headers": headers})).await;
    let away = preauth(&sim).await.unwrap();
    assert_eq!((away.status, away.body.as_slice()), (503, b"<h1>away</h1>".as_slice()));
    let raw = preauth(&sim).await.unwrap();
    assert_eq!((raw.status, raw.body.as_slice()), (202, body.as_bytes()));
    assert_eq!(
        (&raw.headers["x-from"], &raw.headers["content-type"]),
        (&"raw".parse().unwrap(), &"text/plain".parse().unwrap())
    );
}

#[tokio::test]
async fn rate_limits_come_with_and_without_a_time() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "rate_limit", "times": 1})).await;
    sim.fault(json!({"kind": "rate_limit", "retry_after": "7"})).await;
    let bare = preauth(&sim).await.unwrap();
    assert_eq!(bare.refusal(), (42901, None));
    assert_eq!(bare.json()["message"], "Too many requests");
    assert!(bare.headers.get("retry-after").is_none());
    let timed = preauth(&sim).await.unwrap();
    assert_eq!((timed.refusal().0, &timed.headers["retry-after"]), (42901, &"7".parse().unwrap()));
}

#[tokio::test]
async fn any_refusal_of_duos_can_be_asked_for() {
    let sim = Sim::start(&[]).await;
    for (code, message) in [(40301, "Access forbidden"), (50001, "Unknown internal server error")] {
        sim.fault(json!({"kind": "fail", "code": code, "times": 1})).await;
        let answer = preauth(&sim).await.unwrap();
        assert_eq!(answer.json(), json!({"stat": "FAIL", "code": code, "message": message}));
        assert_eq!(i64::from(answer.status), code / 100);
    }
    let detailed = json!({"kind": "fail", "code": 40002, "detail": "username"});
    sim.fault(detailed).await;
    assert_eq!(preauth(&sim).await.unwrap().refusal(), (40002, Some("username".to_owned())));
}

#[tokio::test]
async fn malformed_and_empty_bodies_are_no_json() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "malformed", "times": 1})).await;
    sim.fault(json!({"kind": "empty", "times": 1})).await;
    let malformed = preauth(&sim).await.unwrap();
    assert_eq!(malformed.status, 200);
    assert!(malformed.body.starts_with(b"{"));
    assert!(serde_json::from_slice::<Value>(&malformed.body).is_err());
    let empty = preauth(&sim).await.unwrap();
    assert_eq!((empty.status, empty.body.len()), (200, 0));
}

#[tokio::test]
async fn truncated_breaks_off_within_the_announced_length() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "truncated", "times": 1})).await;
    assert!(preauth(&sim).await.is_err());
    assert_eq!(preauth(&sim).await.unwrap().status, 200);
}

#[tokio::test]
async fn huge_sends_as_many_bytes_as_told() {
    let sim = Sim::start(&[]).await;
    let bytes = 33 * 1024 * 1024;
    sim.fault(json!({"kind": "huge", "bytes": bytes})).await;
    let answer = preauth(&sim).await.unwrap();
    assert_eq!(answer.json()["response"].as_str().unwrap().len(), bytes);
}

#[tokio::test]
async fn headers_adds_as_many_as_told() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "headers", "count": 500})).await;
    let answer = preauth(&sim).await.unwrap();
    assert_eq!(answer.response()["result"], "auth");
    let added = answer.headers.keys().filter(|name| name.as_str().starts_with("x-sim-")).count();
    assert_eq!(added, 500);
}

#[tokio::test]
async fn drip_sends_the_right_answer_slowly() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "drip", "ms": 5, "endpoint": "check"})).await;
    let started = Instant::now();
    let answer = sim.get("check", &[]).await;
    assert!(answer.response()["time"].is_i64());
    let least = Duration::from_millis(5 * u64::try_from(answer.body.len()).unwrap());
    assert!(started.elapsed() >= least);
}

#[tokio::test]
async fn a_skewed_clock_refuses_dates_and_tells_its_time() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "skew", "seconds": 1000})).await;
    assert_eq!(sim.get("check", &[]).await.refusal(), (40105, None));
    let time = sim.get("ping", &[]).await.response()["time"].as_i64().unwrap();
    assert!((time - unix_now() - 1000).abs() < 5);
    let shifted = crate::signer::sign(
        crate::signer::Form::V5,
        ("GET", crate::client::HOST, "/auth/v2/check"),
        &[],
        &crate::client::date(1000),
    );
    assert_eq!(sim.send(&shifted).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_fault_holds_for_its_endpoint_until_it_is_cleared() {
    let sim = Sim::start(&[]).await;
    sim.fault(json!({"kind": "empty", "endpoint": "check"})).await;
    sim.fault(json!({"kind": "fail", "code": 50001, "endpoint": "preauth", "times": 2})).await;
    let outcomes = async || {
        let empty = sim.get("check", &[]).await.body.is_empty();
        (empty, preauth(&sim).await.unwrap().status)
    };
    assert_eq!(outcomes().await, (true, 500));
    assert_eq!(outcomes().await, (true, 500));
    assert_eq!(outcomes().await, (true, 200));
    let left = sim.look("/sim/faults").await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    sim.tell("DELETE", "/sim/faults?endpoint=auth", Value::Null).await;
    assert_eq!(outcomes().await, (true, 200));
    sim.tell("DELETE", "/sim/faults?endpoint=check", Value::Null).await;
    assert_eq!(outcomes().await, (false, 200));
    let unknown = json!({"kind": "empty", "endpoint": "nothing"});
    assert_eq!(sim.control("POST", "/sim/faults", unknown).await.status, 422);
}

#[tokio::test]
async fn a_lost_answer_can_hide_a_push_that_was_sent() {
    let sim = Sim::start(&[]).await;
    let params = [("username", "alice"), ("factor", "push"), ("device", "auto"), ("async", "1")];
    let pushes = async || sim.look("/sim/counters").await["deliveries"]["pushes"].clone();
    sim.fault(json!({"kind": "fail", "code": 50001, "times": 1})).await;
    assert_eq!(sim.post("auth", &params).await.status, 500);
    assert_eq!(pushes().await, 0);
    sim.fault(json!({"kind": "fail", "code": 50001, "times": 1, "acts": true})).await;
    assert_eq!(sim.post("auth", &params).await.status, 500);
    assert_eq!(pushes().await, 1);
    let entries = sim.look("/sim/requests?endpoint=auth").await;
    assert_eq!(entries[0]["outcome"], "fault");
    assert_eq!(entries[1]["outcome"], "OK");
    assert_eq!(entries[1]["fault"]["kind"], "fail");
}
