//! Ten minutes of clients that leave, sign-ins that end, and configurations that are replaced.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::fetched;
use crate::filter::Host;
use crate::http1::{Connection, encode};
use crate::message::{Body, Request};
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// No first factor sets it here, so there may be any number of users.
const USER: &str = "x-basic-user";

/// How long it lasts in seconds, unless `CHURN_SECONDS` is set.
const SECONDS: u64 = 600;

/// The rounds after which connections, buckets and code have their memory.
const WARM: usize = 12;

/// Clients of each kind that leave in one round.
const LEAVING: usize = 8;

/// Users who sign in in one round.
const SIGNING_IN: usize = 4;

/// The largest growth of Envoy's memory, in bytes.
const MOST: u64 = 8 << 20;

/// Requests that are under way when their client leaves: one held by a push, one in the middle of its body, one that
/// started a push from the page.
fn requests(user: &str) -> [Vec<u8>; 3] {
    let body = Body::Chunked(vec![b'x'; 100_000], 1_000);
    let mut upload = encode(&Request::post("/upload").header(USER, user).body(body));
    upload.truncate(upload.len() / 2);
    let page = fetched("POST", "auth?factor=push&device=auto").header(USER, user);
    [encode(&Request::get("/reports").header(USER, user)), upload, encode(&page)]
}

/// Has clients leave, each a little later than the one before.
fn leave(stack: &Stack, users: &[String]) {
    let sent = users.iter().flat_map(|user| {
        requests(user).map(|bytes| {
            let mut connection = stack.connect();
            connection.send_part(&bytes);
            connection
        })
    });
    for connection in sent.collect::<Vec<_>>() {
        sleep(Duration::from_millis(10));
        connection.leave();
    }
}

/// Signs users in at the same time, and has each come back with the approval. Returns how many requests that makes.
fn sign_in(stack: &Stack, users: &[String]) -> usize {
    thread::scope(|scope| {
        for user in users {
            scope.spawn(move || {
                let mut connection = Connection::open(stack.envoy.listener);
                let reply =
                    connection.exchange(&Request::get("/").header(USER, user)).expect("an answer");
                assert_eq!(reply.status, 200, "{user}: {reply:?} {}", reply.text());
                let cookie = reply.set_cookie(APPROVAL).expect("an approval");
                let again = Request::get("/again").header(USER, user).cookie(cookie);
                assert_eq!(connection.exchange(&again).expect("an answer").status, 200, "{user}");
            });
        }
    });
    2 * users.len()
}

/// One round with new users. Every other one replaces the configuration while clients wait.
fn round(stack: &mut Stack, number: usize) {
    let users = LEAVING + SIGNING_IN;
    let names = (number * users..).take(users).map(|it| format!("user{it}"));
    let names: Vec<_> = names.inspect(|name| stack.sim.add(name)).collect();
    let (leaving, signing_in) = names.split_at(LEAVING);
    stack.judged(Verdict::Denied, "clients that leave", || leave(stack, leaving));
    if number % 2 == 1 {
        stack.reload(json!({"push": {"title": format!("Round {number}")}}));
    }
    for user in signing_in {
        stack.sim.always(user, "approve");
    }
    let passes = Verdict::Admitted(2 * SIGNING_IN);
    stack.judged(passes, "sign-ins", || sign_in(stack, signing_in));
    assert_eq!(stack.envoy.damage(), None);
}

#[ignore = "takes ten minutes: make churn"]
#[test]
fn clients_that_leave_and_new_configurations_leave_nothing_behind() {
    let seconds = std::env::var("CHURN_SECONDS").ok();
    let seconds =
        seconds.map_or(SECONDS, |seconds| seconds.parse().expect("CHURN_SECONDS is a number"));
    let listener_file = Some("listener.json".into());
    let log = "wasm:error,dynamic_modules:error";
    let mut stack = Stack::start(Setup {
        first_factor: FirstFactor::Absent,
        listener_file,
        drain_seconds: 1,
        log,
        ..Setup::default()
    });
    for number in 0..WARM {
        round(&mut stack, number);
    }
    let at_rest = |stack: &Stack| {
        let old = || stack.envoy.stat("listener_manager.total_listeners_draining");
        eventually("the end of the old configurations", || (old() == 0).then_some(()));
        (stack.envoy.resident(), stack.envoy.all_threads())
    };
    let (before, threads_before) = at_rest(&stack);
    let begun = Instant::now();
    let mut rounds = WARM;
    while begun.elapsed() < Duration::from_secs(seconds) {
        round(&mut stack, rounds);
        rounds += 1;
    }
    let (after, threads_after) = at_rest(&stack);
    let done = rounds - WARM;
    crate::say!(
        "rounds={done} left={} signed_in={} configurations={} seconds={} resident_before={before} resident_after={after} \
         threads_before={threads_before} threads_after={threads_after}",
        3 * LEAVING * done,
        SIGNING_IN * done,
        done / 2,
        begun.elapsed().as_secs(),
    );
    if Host::of_this_run() == Host::Native {
        assert_eq!(stack.envoy.threads("duo_mfa_timer"), 1);
    }
    assert_eq!(threads_after, threads_before);
    assert!(after.saturating_sub(before) < MOST, "{before} bytes before, {after} after");
    stack.assert_alive();
}
