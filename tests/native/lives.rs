//! Streams and configurations that end at every point.

use crate::exchange::{Exchange, config, duo, program, returning, run, signed_in, turn};
use crate::host::{Ends, Host, Response, WORKER};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// Does one thing, and waits for it if need be.
fn step(host: &Host, exchange: &Exchange) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !exchange.is_decided() {
        if exchange.step(&duo) || host.step(&duo) {
            return;
        }
        assert!(Instant::now() < deadline, "nothing happens");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn clients_may_leave_after_any_step() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    signed_in(&host);
    for steps in 0.. {
        let exchange = Exchange::of(&host, &program());
        for _ in 0..steps {
            step(&host, &exchange);
        }
        let is_decided = exchange.is_decided();
        exchange.leave();
        // Its calls end.
        for _ in 0..20 {
            host.step(&duo);
        }
        if is_decided {
            assert!(steps > 3, "{steps} steps");
            break;
        }
    }
    signed_in(&host);
}

#[test]
fn stream_may_end_before_its_headers_come() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    drop(Exchange::begin(&host, &program()));
}

#[test]
fn configuration_may_end_after_any_step() {
    let _turn = turn();
    for steps in 0..12 {
        let host = Host::start(&config(&json!({})));
        let exchange = Exchange::of(&host, &program());
        for _ in 0..steps {
            step(&host, &exchange);
        }
        exchange.leave();
        drop(host);
    }
}

#[test]
fn calls_that_fail_or_break_off_are_answered() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    let broken = [
        Response::Reset,
        Response::Answered(200, String::new()),
        Response::Answered(200, "x".repeat(200_000)),
        Response::Answered(500, "{}".to_owned()),
    ];
    for response in &broken {
        let answer = |_: &_| match response {
            Response::Answered(status, body) => Response::Answered(*status, body.clone()),
            Response::Reset => Response::Reset,
        };
        let exchange = Exchange::of(&host, &program()).ends(Ends::InReply);
        run(&host, &[&exchange], &answer, &|| exchange.is_decided());
        assert_eq!(exchange.refusal().0, 503);
    }
}

#[test]
fn unknown_cluster_is_refused_at_once() {
    let _turn = turn();
    let mut text: serde_json::Value = serde_json::from_str(&config(&json!({}))).unwrap();
    text["duo"]["cluster"] = json!("another");
    let host = Host::start(&text.to_string());
    // The first background check, which the host ends while it is begun.
    while !host.step(&duo) {
        thread::sleep(Duration::from_millis(2));
    }
    let exchange = Exchange::of(&host, &program()).decided(&host);
    assert_eq!(exchange.refusal().0, 503);
}

#[test]
fn two_workers_share_a_configuration() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    let (user, cookie) = signed_in(&host);
    let (host, cookie) = (&host, &cookie);
    let rounds = if cfg!(miri) { 5 } else { 500 };
    thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || {
                WORKER.set(worker);
                for round in 0..rounds {
                    let pass = Exchange::of(host, &returning(user, cookie));
                    assert!(pass.upstream("x-duo-mfa-user").is_some());
                    // A held request that is left while the main thread makes its calls.
                    let held = Exchange::of(host, &program());
                    for _ in 0..round % 7 {
                        held.step(&duo);
                    }
                }
            });
        }
        for _ in 0..rounds {
            host.step(&duo);
            thread::sleep(Duration::from_millis(1));
        }
    });
}
