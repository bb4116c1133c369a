//! The effect of other plugins and listeners of the same Envoy on a user's limits.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::envoy;
use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::setup::{COOKIE_KEY, FirstFactor, Setup, guest};
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;

const OTHER_COOKIE_KEY: &str = "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=";

/// An Envoy that has a neighbor before the filter, in the same `vm_id`.
fn beside_a_neighbor() -> Stack {
    let setup = Setup { workers: 1, ..Setup::default() };
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let mut bootstrap = given.envoy(parts.module, parts.app, parts.duo);
        let filters = bootstrap
            .pointer_mut(
                "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters",
            )
            .and_then(Value::as_array_mut)
            .expect("filters");
        filters.insert(0, neighbor(&envoy::neighbor()));
        bootstrap
    })
}

fn neighbor(module: &Path) -> Value {
    json!({
        "name": "neighbor",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "neighbor",
                "vm_config": {
                    "vm_id": "duo_mfa",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
            },
        },
    })
}

#[test]
fn neighbor_of_the_same_vm_id_cannot_make_the_limits_forget() {
    crate::of_another_host!();
    let stack = beside_a_neighbor();
    let request = Request::get("/").user("alice");
    stack.answered_push(request.clone(), "alice", "deny").assert_problem(403, "mfa_denied");
    let wrong = request.clone().header("x-duo-mfa-passcode", "000000");
    for _ in 0..5 {
        stack.denied(&wrong).assert_problem(422, "passcode_incorrect");
    }
    for _ in 0..2 {
        let written = request.clone().header("x-neighbor", "write");
        stack.denied(&written).assert_problem(429, "too_many_requests");
        stack.denied(&request).assert_problem(429, "too_many_requests");
        stack.denied(&wrong).assert_problem(429, "too_many_requests");
    }
    assert_eq!(stack.sim.pushes(), 1);
    assert_eq!(stack.envoy.stat("wasmcustom.duo_mfa_limits_unreadable"), 0);
}

/// Listeners of one Envoy whose settings differ, but lead to the same users at Duo.
fn listeners() -> Stack {
    let setup = Setup {
        environment: vec![("DUO_MFA_OTHER_COOKIE_KEY", OTHER_COOKIE_KEY.to_owned())]
            .into_iter()
            .chain(Setup::default().environment)
            .collect(),
        ..Setup::default()
    };
    let other_key = json!([{"env": "DUO_MFA_OTHER_COOKIE_KEY"}]);
    assert_ne!(OTHER_COOKIE_KEY, COOKIE_KEY);
    let metadata = json!({
        "source": "metadata", "header": null, "metadata": ["first_factor", "user"],
    });
    let all = [
        setup.clone(),
        setup.clone().plugin(json!({"session": {"application": "payroll"}})),
        setup.clone().plugin(json!({"session": {"keys": other_key}})),
        Setup { first_factor: FirstFactor::Metadata, ..setup.clone() }
            .plugin(json!({"identity": metadata})),
    ];
    Stack::start_as(setup, |parts| {
        let mut bootstraps = all.iter().map(|it| it.envoy(parts.module, parts.app, parts.duo));
        let mut bootstrap = bootstraps.next().expect("a first");
        for (number, other) in bootstraps.enumerate() {
            add_listener(&mut bootstrap, other, &format!("other{number}"));
        }
        bootstrap
    })
}

/// Adds a listener with another setup to an Envoy's configuration.
fn add_listener(bootstrap: &mut Value, mut other: Value, name: &str) {
    let mut listener = other["static_resources"]["listeners"][0].take();
    listener["name"] = json!(name);
    bootstrap["static_resources"]["listeners"].as_array_mut().unwrap().push(listener);
}

fn addresses(stack: &Stack) -> Vec<SocketAddr> {
    let listeners: Value =
        serde_json::from_str(&stack.envoy.admin("/listeners?format=json")).unwrap();
    let statuses = listeners["listener_statuses"].as_array().unwrap();
    let port = |status: &Value| {
        let port = status["local_address"]["socket_address"]["port_value"].as_u64().unwrap();
        SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()))
    };
    statuses.iter().map(port).collect()
}

fn at(listener: SocketAddr, request: &Request) -> Reply {
    Connection::open(listener).exchange(request).expect("an answer")
}

#[test]
fn listeners_of_one_duo_application_ring_a_phone_once() {
    let stack = listeners();
    let listeners = addresses(&stack);
    assert_eq!(listeners.len(), 4);
    let request = Request::get("/").user("alice");
    let replies = stack.judged(Verdict::Denied, "alice at four listeners", || {
        let (send, held) = std::sync::mpsc::channel();
        for listener in listeners.clone() {
            let (send, request) = (send.clone(), request.clone());
            thread::spawn(move || send.send(at(listener, &request)));
        }
        let mut replies: Vec<_> = held.iter().take(3).collect();
        // The others are refused before the push is out.
        stack.sim.pending("alice");
        assert_eq!(stack.sim.pushes(), 1);
        stack.sim.answer("alice", "deny");
        replies.extend(held.iter().take(1));
        replies
    });
    let (denied, others): (Vec<&Reply>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 403);
    assert_eq!(denied.len(), 1);
    others.iter().for_each(|reply| reply.assert_problem(429, "pending_elsewhere"));
    let wrong = request.clone().header("x-duo-mfa-passcode", "000000");
    stack.judged(Verdict::Denied, "alice at each listener in turn", || {
        for listener in &listeners {
            at(*listener, &request).assert_problem(429, "too_many_requests");
        }
        for listener in listeners.iter().cycle().take(5) {
            at(*listener, &wrong).assert_problem(422, "passcode_incorrect");
        }
        for listener in &listeners {
            at(*listener, &wrong).assert_problem(429, "too_many_requests");
        }
    });
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (1, 6));
}

/// What docs/limits.md says of two files of the library.
#[test]
fn copies_of_the_library_have_separate_limits() {
    crate::of_another_host!();
    let setup = Setup::default();
    let given = setup.clone();
    let stack = Stack::start_as(setup, |parts| {
        let copy = parts.directory.join("libcopy.so");
        std::fs::copy(parts.module, &copy).unwrap();
        let mut bootstrap = given.envoy(parts.module, parts.app, parts.duo);
        for (name, module) in [("again", parts.module), ("copy", copy.as_path())] {
            add_listener(&mut bootstrap, given.envoy(module, parts.app, parts.duo), name);
        }
        bootstrap
    });
    let [first, again, copy] = addresses(&stack).try_into().unwrap();
    let request = Request::get("/").user("alice");
    stack.judged(Verdict::Denied, "alice at three listeners", || {
        let asked = request.clone();
        let held = thread::spawn(move || at(first, &asked));
        stack.sim.answer("alice", "deny");
        held.join().unwrap().assert_problem(403, "mfa_denied");
        at(again, &request).assert_problem(429, "too_many_requests");
        assert_eq!(stack.sim.pushes(), 1);
        let held = thread::spawn(move || at(copy, &request));
        stack.sim.answer("alice", "deny");
        held.join().unwrap().assert_problem(403, "mfa_denied");
    });
    assert_eq!(stack.sim.pushes(), 2);
}

#[test]
fn spellings_of_one_duo_user_ring_a_phone_once() {
    let setup = Setup { first_factor: FirstFactor::Absent, ..Setup::default() };
    let stack = Stack::start(setup.plugin(json!({"identity": {"username": "{local}"}})));
    let spelled =
        |number: usize| Request::get("/").header("x-basic-user", format!("alice@tenant{number}"));
    let held = stack.held_push(spelled(0), Protocol::Http1, "alice");
    for number in 1..20 {
        stack.denied(&spelled(number)).assert_problem(429, "pending_elsewhere");
    }
    stack.judged(Verdict::Denied, "a denial", || {
        stack.sim.answer("alice", "deny");
        held.reply().assert_problem(403, "mfa_denied");
    });
    for number in 0..20 {
        stack.denied(&spelled(number)).assert_problem(429, "too_many_requests");
    }
    let wrong = |number| spelled(number).header("x-duo-mfa-passcode", "000000");
    for number in 0..5 {
        stack.denied(&wrong(number)).assert_problem(422, "passcode_incorrect");
    }
    for number in 5..20 {
        stack.denied(&wrong(number)).assert_problem(429, "too_many_requests");
    }
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (1, 6));
}

/// Two names of one user at Duo.
#[test]
fn names_of_one_phone_ring_it_once_at_a_time() {
    let stack = Stack::standard();
    let [first, second] = [0, 1].map(guest);
    let phone = json!({
        "platform": "Apple iOS", "number": "XXX-XXX-0000", "capabilities": ["auto", "push"],
    });
    stack.sim.put_user(&json!({"username": first, "aliases": [second], "devices": [phone]}));
    let of = |user: &str| Request::get("/").user(user);
    let held = stack.held_push(of(&first), Protocol::Http1, &first);
    stack.denied(&of(&second)).assert_problem(429, "pending_elsewhere");
    stack.judged(Verdict::Denied, "a denial", || {
        stack.sim.answer(&first, "deny");
        held.reply().assert_problem(403, "mfa_denied");
    });
    stack.denied(&of(&second)).assert_problem(429, "too_many_requests");
    assert_eq!((stack.sim.pushes(), stack.sim.calls("auth")), (1, 1));
}
