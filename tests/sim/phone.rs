//! Calls, and the page that acts as the phone.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::client::Sim;

async fn call(sim: &Sim, username: &str, factor: &str) -> String {
    let params = [("username", username), ("factor", factor), ("device", "auto"), ("async", "1")];
    sim.post("auth", &params).await.response()["txid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_call_rings_is_answered_and_then_decided() {
    let sim = Sim::start(&[]).await;
    let txid = call(&sim, "peter", "phone").await;
    let ringing = sim.status(&txid).await;
    assert_eq!(ringing["status"], "calling");
    assert_eq!(ringing["status_msg"], "Dialing XXX-XXX-4567...");
    sim.act(&txid, "answer").await;
    let answered = sim.status(&txid).await;
    assert_eq!((&answered["result"], &answered["status"]), (&json!("waiting"), &json!("answered")));
    sim.act(&txid, "approve").await;
    assert_eq!(sim.status(&txid).await["result"], "allow");
    let deliveries = sim.look("/sim/counters").await["deliveries"].clone();
    assert_eq!(deliveries, json!({"pushes": 0, "calls": 1, "messages": 0}));
}

#[tokio::test]
async fn auto_is_a_push_where_the_device_can_and_else_a_call() {
    let sim = Sim::start(&[]).await;
    let pushed = call(&sim, "alice", "auto").await;
    assert_eq!(sim.status(&pushed).await["status"], "pushed");
    let called = call(&sim, "peter", "auto").await;
    assert_eq!(sim.status(&called).await["status"], "calling");
}

#[tokio::test]
async fn an_automatic_approval_of_a_call_picks_up_first() {
    let sim = Sim::start(&[]).await;
    let auto = json!({"answer": "approve", "after_ms": 400});
    sim.tell("PUT", "/sim/users/peter/auto", auto).await;
    let txid = call(&sim, "peter", "phone").await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(sim.status(&txid).await["status"].clone());
    }
    assert_eq!(seen, [json!("calling"), json!("answered"), json!("allow")]);
}

#[tokio::test]
async fn the_page_says_what_it_may_do_and_shows_nothing_from_elsewhere() {
    let sim = Sim::start(&[]).await;
    let page = sim.control("GET", "/phone", Value::Null).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let text = String::from_utf8(page.body).unwrap();
    assert!(!text.contains("innerHTML"));
    assert!(!text.contains("http://") && !text.contains("https://"));
}

#[tokio::test]
async fn events_carry_a_pending_push_to_the_page() {
    let sim = Sim::start(&[]).await;
    let mut stream = TcpStream::connect(sim.control_address()).await.unwrap();
    stream.write_all(b"GET /sim/events HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut next = async || loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str::<Value>(data).unwrap();
        }
    };
    assert_eq!(next().await["transactions"], json!([]));
    let txid = sim.push("alice").await;
    let shown = loop {
        let snapshot = next().await;
        if snapshot["transactions"] != json!([]) {
            break snapshot["transactions"][0].clone();
        }
    };
    assert_eq!(shown["txid"], txid.as_str());
    assert_eq!((&shown["pending"], &shown["needs_code"]), (&json!(true), &json!(false)));
    assert_eq!(shown["device"], "Apple iOS (XXX-XXX-1234)");
}
