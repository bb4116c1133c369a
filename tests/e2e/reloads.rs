//! Envoy takes another plugin configuration into use, or refuses it. Requests of the old one may be waiting,
//! and outlive it or not.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::envoy;
use crate::filter::Host;
use crate::http1::encode;
use crate::message::{Body, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Directory, Protocol, Stack, write_authority};
use crate::tally::Verdict;

/// A configuration with three faults, and a part of what the log says of each.
const FAULTS: [&str; 3] = ["path_prefix", "duo.api_host", "session.keys"];

fn faulty() -> Value {
    json!({"path_prefix": "duo", "duo": {"api_host": "https://x"}, "session": {"keys": []}})
}

/// A stack whose listener comes from a file. A listener that is replaced ends its requests after a second.
fn reloadable() -> Stack {
    let listener_file = Some("listener.json".into());
    Stack::start(Setup { listener_file, drain_seconds: 1, ..Setup::default() })
}

#[test]
fn faulty_configuration_is_refused_and_the_present_one_serves_on() {
    let mut stack = reloadable();
    let cookie = stack.signed_in("alice");
    let held = stack.held_push(Request::get("/held").user("two"), Protocol::Http1, "two");
    for count in 1..=3 {
        stack.offer(faulty());
        eventually("a refusal", || {
            (stack.envoy.stat("listener_manager.lds.update_rejected") == count).then_some(())
        });
        stack.admitted(&Request::get("/").user("alice").cookie(&cookie));
        stack.denied(&Request::get("/").user("mallory")).assert_problem(403, "duo_denied");
    }
    let log = stack.envoy.log();
    for fault in FAULTS {
        assert!(log.contains(fault), "{fault} is not in:\n{log}");
    }
    let reply = stack.judged(Verdict::Admitted(1), "an approval after the refusals", || {
        stack.sim.answer("two", "approve");
        held.reply()
    });
    assert_eq!(reply.status, 200, "{reply:?}");
    stack.reload(json!({"push": {"title": "Right again"}}));
    stack.admitted(&Request::get("/").user("alice").cookie(&cookie));
}

#[test]
fn envoy_with_a_faulty_configuration_does_not_start_and_logs_each_fault() {
    let directory = Directory::new();
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let authority = directory.0.join("authority.pem");
    write_authority(&authority);
    let duo = crate::setup::DuoEnd { address: nowhere, authority };
    let setup = Setup::default().plugin(faulty());
    let configuration = setup.envoy(&envoy::module(), nowhere, &duo);
    let (status, output) = envoy::start_in_vain(&directory.0, &configuration, &setup);
    assert_eq!(status.code(), Some(1), "{output}");
    for fault in FAULTS {
        assert!(output.contains(fault), "{fault} is not in:\n{output}");
    }
    assert!(!output.contains("starting main dispatch loop"), "{output}");
}

/// Requests of the old configuration wait for a call of each kind, for a push, and for a body, when it ends.
#[test]
fn configuration_that_ends_takes_its_waiting_requests_along() {
    let mut stack = reloadable();
    for (turn, endpoint) in ["preauth", "auth", "auth_status", "none"].into_iter().enumerate() {
        let fault = json!({"endpoint": endpoint, "kind": "latency", "ms": 2_500, "acts": true});
        if endpoint != "none" {
            stack.sim.fault(&fault);
        }
        let users: Vec<_> = (0..8).map(|number| stack.sim.guest(8 * turn + number)).collect();
        let mut connections: Vec<_> = users.iter().map(|_| stack.connect()).collect();
        for (connection, user) in connections.iter_mut().zip(&users) {
            connection.send_part(&encode(&Request::get("/reports").user(user)));
        }
        let mut uploading = stack.connect();
        let body = Body::Chunked(vec![b'x'; 200_000], 1_000);
        let upload = encode(&Request::post("/upload").user("alice").body(body));
        uploading.send_part(&upload[..upload.len() / 2]);
        let pushes = stack.sim.pushes();
        if endpoint == "none" {
            eventually("the pushes", || (stack.sim.pushes() >= pushes + 8).then_some(()));
        } else {
            sleep(Duration::from_millis(300));
        }
        stack.reload(json!({"push": {"title": format!("Turn {turn}")}}));
        let active = || stack.envoy.stat("http.e2e.downstream_cx_active");
        stack.judged(Verdict::Denied, endpoint, || {
            eventually("the end of the old requests", || (active() == 0).then_some(()));
            for user in &users {
                if matches!(endpoint, "auth_status" | "none") {
                    stack.sim.answer(user, "approve");
                }
                stack.sim.always(user, "approve");
            }
            sleep(Duration::from_secs(3));
        });
        stack.sim.clear_faults();
        stack.signed_in("two");
        stack.assert_alive();
        drop((connections, uploading));
    }
    if Host::of_this_run() == Host::Native {
        let timers = || stack.envoy.threads("duo_mfa_timer");
        eventually("one timer", || (timers() == 1).then_some(()));
    }
}
