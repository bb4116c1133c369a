//! The filter's memory in Envoy does not grow with the number of users who sign in.
//!
//! `SOAK_USERS` is their number, for `make soak`, which prints the measured growth.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::browser::fetched;
use crate::http1::{Connection, encode};
use crate::setup::{FirstFactor, Setup};
use crate::stack::{APPROVAL, Stack};

/// The largest growth of Envoy's memory, in bytes, beside what waiting pushes take.
const MOST: u64 = 2 << 20;

/// The bytes of a waiting push in the table of limits: an entry for the user and one for the phone, and as much
/// again for what the allocator loses when a bucket grows.
const OF_A_PUSH: u64 = 2 * 2 * 180;

/// How many pushes wait at once, at most.
const PUSHES: usize = 10_000;

/// How many users sign in, unless `SOAK_USERS` is set.
const USERS: usize = 20_000;

/// How many clients sign in at a time.
const CLIENTS: usize = 16;

#[derive(Clone, Copy)]
enum Factor {
    Passcode,
    Push,
}

/// How many sign-ins had each outcome.
#[derive(Default)]
struct Outcomes {
    /// Users who signed in by passcode and got an approval.
    approved: AtomicUsize,
    /// Users whose push waits for an answer.
    waiting: AtomicUsize,
    /// Users without a push, since the table of limits was full.
    refused: AtomicUsize,
}

impl Outcomes {
    /// Has one user sign in.
    fn of(&self, user: usize, by: Factor, connection: &mut Connection) {
        let request = match by {
            Factor::Passcode => fetched("POST", "auth?factor=passcode")
                .header("x-duo-mfa-passcode", format!("{:06}", user % 1_000_000)),
            Factor::Push => fetched("POST", "auth?factor=push&device=auto"),
        };
        let request = request.header("x-basic-user", format!("user{user}"));
        connection.send_part(&encode(&request));
        let reply = connection.receive().expect("an answer");
        let is_approved = reply.set_cookie(APPROVAL).is_some();
        let outcome = match (by, reply.status, is_approved) {
            (Factor::Passcode, 200, true) => &self.approved,
            (Factor::Push, 202, false) => &self.waiting,
            (Factor::Push, 429, false) => &self.refused,
            _ => panic!("user{user}: {reply:?} {}", reply.text()),
        };
        outcome.fetch_add(1, SeqCst);
    }
}

/// Has each of these users sign in once.
fn sign_in(stack: &Stack, users: Range<usize>, by: Factor, outcomes: &Outcomes) {
    let next = AtomicUsize::new(users.start);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut connection = Connection::open(stack.envoy.listener);
                loop {
                    let user = next.fetch_add(1, SeqCst);
                    if user >= users.end {
                        break;
                    }
                    outcomes.of(user, by, &mut connection);
                }
            });
        }
    });
}

/// A stack in which every user has a different phone, each push is sent, and each passcode is right.
fn start() -> Stack {
    let mut setup = Setup { log: "wasm:error", ..Setup::default() };
    setup.first_factor = FirstFactor::Absent;
    let stack = Stack::start(setup);
    let says = |response| json!({"stat": "OK", "response": response}).to_string();
    let phone = json!({"device": "DP-{username}", "type": "phone", "number": "",
        "name": "", "capabilities": ["auto", "push", "mobile_otp"]});
    let preauth = says(json!({"result": "auth", "status_msg": "", "devices": [phone]}));
    // For a push the filter reads the transaction id, for a passcode the result.
    let auth = says(json!({"txid": "45f7c92b-f45f-4862-8545-e0f58e78075a",
        "result": "allow", "status": "allow", "status_msg": ""}));
    for (endpoint, body) in [("preauth", preauth), ("auth", auth)] {
        let answer = json!({"endpoint": endpoint, "kind": "raw", "status": 200, "body": body});
        stack.sim.fault(&answer);
    }
    stack
}

#[test]
fn memory_does_not_grow_with_the_users_who_sign_in() {
    let users = std::env::var("SOAK_USERS").ok();
    let users = users.map_or(USERS, |users| users.parse().expect("SOAK_USERS is a number"));
    let stack = start();
    // First let connections and code take their memory, and have every bucket of the table used: it is
    // created then.
    let warm = (users / 2).min(50_000);
    sign_in(&stack, 0..warm, Factor::Passcode, &Outcomes::default());
    let before = stack.envoy.resident();
    let begun = Instant::now();
    let outcomes = Outcomes::default();
    // A waiting push keeps its place in the table of limits for minutes, so pushes come last.
    let pushed = (users / 10).min(PUSHES);
    let (pushes, end) = (warm + users - pushed, warm + users);
    sign_in(&stack, warm..pushes, Factor::Passcode, &outcomes);
    sign_in(&stack, pushes..end, Factor::Push, &outcomes);
    let seconds = begun.elapsed().as_secs_f64();
    let after = stack.envoy.resident();
    let growth = after.saturating_sub(before);
    let Outcomes { approved, waiting, refused } = outcomes;
    let [approved, waiting, refused] = [approved, waiting, refused].map(AtomicUsize::into_inner);
    crate::say!(
        "users={users} approved={approved} waiting={waiting} refused={refused} \
         seconds={seconds:.0} resident_before={before} resident_after={after} growth={growth}"
    );
    assert_eq!((approved, waiting, refused), (users - pushed, pushed, 0));
    let most = MOST + OF_A_PUSH * u64::try_from(waiting).unwrap();
    assert!(growth < most, "{growth} bytes more after {users} users, of {most} at most");
}
