//! People who sign in over three Envoys, in turn, while each Envoy is restarted after the other. With few people these are
//! ordinary tests; `make fleet` runs them with `SIGN_INS` (500), and prints the figures.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::{Browser, fetched};
use crate::chaos::crowd::many;
use crate::envoy::Envoy;
use crate::http1::Connection;
use crate::limiter::{Limiter, limited_by};
use crate::message::{Reply, Request};
use crate::setup::{COOKIE_KEY, SECRET_KEY, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// How many people sign in where the count does not matter.
const FEW: usize = 12;
/// How many of them are active at a time.
const ACTIVE: usize = 8;
const FIRST: &str = "FIRST_COOKIE_KEY";
const SECOND: &str = "SECOND_COOKIE_KEY";
const NEW_KEY: &str = "x3Qf0mJ9TzY1rK7uVbW5oLd2hSgCaEeP8nNiXtZkMwU=";
const SPARE_KEY: &str = "qPq3uFz7u0n2m9b4c8d1e6f5g7h3j2k1l0MNBVCXZas=";

/// The place of one Envoy in the fleet.
struct Place {
    envoy: Mutex<Envoy>,
    listener: Mutex<SocketAddr>,
    /// Whether it gets new requests.
    is_open: AtomicBool,
    under_way: AtomicUsize,
}

/// Three Envoys that get requests in turn.
struct Fleet {
    places: [Place; 3],
    next: AtomicUsize,
}

impl Fleet {
    fn start(stack: &Stack) -> Self {
        let place = |_| {
            let envoy = stack.another_envoy();
            Place {
                listener: Mutex::new(envoy.listener),
                envoy: Mutex::new(envoy),
                is_open: AtomicBool::new(true),
                under_way: AtomicUsize::new(0),
            }
        };
        Self { places: [0, 1, 2].map(place), next: AtomicUsize::new(0) }
    }

    /// Sends a request to the Envoy whose turn it is.
    fn send(&self, request: &Request) -> Reply {
        loop {
            let place = &self.places[self.next.fetch_add(1, SeqCst) % self.places.len()];
            place.under_way.fetch_add(1, SeqCst);
            if place.is_open.load(SeqCst) {
                let listener = *place.listener.lock().unwrap();
                let reply = Connection::open(listener).exchange(request);
                place.under_way.fetch_sub(1, SeqCst);
                return reply.expect("an answer");
            }
            place.under_way.fetch_sub(1, SeqCst);
        }
    }

    /// Replaces each Envoy after the other, as a rolling update does: it gets no new requests, finishes those that it has,
    /// and ends.
    fn restart(&self, stack: &Stack, variables: &[(&'static str, &str)]) {
        for place in &self.places {
            place.is_open.store(false, SeqCst);
            eventually("the last request", || (place.under_way.load(SeqCst) == 0).then_some(()));
            let next = stack.another_envoy_with(variables);
            *place.listener.lock().unwrap() = next.listener;
            let mut last = std::mem::replace(&mut *place.envoy.lock().unwrap(), next);
            assert_eq!(last.damage(), None);
            last.kill();
            place.is_open.store(true, SeqCst);
        }
    }

    /// Signs a user in and returns the approval. Each request may go to another Envoy.
    fn sign_in(&self, user: &str, is_browser: bool) -> Browser {
        let mut browser = Browser::of(user);
        let mut ask = |request: Request, status| {
            let reply = self.send(&browser.with_cookies(request));
            assert_eq!(reply.status, status, "{user}: {reply:?} {}", reply.text());
            browser.keep(&reply);
            reply
        };
        if is_browser {
            ask(fetched("POST", "preauth"), 200);
            ask(fetched("POST", "auth?factor=push&device=auto&return_to=%2F"), 202);
            eventually("the end of the sign-in", || {
                let state = ask(fetched("GET", "status"), 200).json();
                (state["state"] == "approved").then_some(())
            });
            ask(Request::get("/").navigation(), 200);
        } else {
            ask(Request::get("/"), 200);
        }
        assert!(browser.has(APPROVAL));
        browser
    }
}

/// Runs `work` for the numbers below `count`, for [`ACTIVE`] of them at a time.
fn each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..ACTIVE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, SeqCst);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Adds users who approve each push.
fn people(stack: &Stack, count: usize) -> Vec<String> {
    let add = |number| {
        let user = stack.sim.guest(number);
        stack.sim.always(&user, "approve");
        user
    };
    (0..count).map(add).collect()
}

fn rolling_restart(count: usize) {
    let limiter = Limiter::start(super::BUDGET);
    let stack = limited_by(limiter.address, "deny", Setup::default());
    let fleet = Fleet::start(&stack);
    let users = people(&stack, count);
    let (completed, restarts, is_over) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(SeqCst) {
                fleet.restart(&stack, &[]);
                restarts.fetch_add(1, SeqCst);
            }
        });
        each(count, |number| {
            fleet.sign_in(&users[number], number % 2 == 0);
            completed.fetch_add(1, SeqCst);
        });
        is_over.store(true, SeqCst);
    });
    let (completed, restarts) = (completed.into_inner(), restarts.into_inner());
    stack.settle(Verdict::Admitted(count), "sign-ins over three Envoys");
    let pushes = stack.sim.pushes();
    crate::say!(
        "Fleet: {completed} of {count} sign-ins over three Envoys complete in {:.1} s, pushes={pushes}, each Envoy restarted \
         {restarts} times",
        began.elapsed().as_secs_f64()
    );
    assert_eq!((completed, pushes), (count, count));
    assert!(restarts > 0);
}

/// A key is added on each Envoy, then it signs, then the old one is removed, while users with approvals send requests to all
/// three.
fn keys_change(count: usize) {
    let keys = |first: &'static str, second: &'static str| [(FIRST, first), (SECOND, second)];
    let [before, added] = [SPARE_KEY, NEW_KEY].map(|second| keys(COOKIE_KEY, second));
    let [signs, removed] = [COOKIE_KEY, SPARE_KEY].map(|second| keys(NEW_KEY, second));
    let mut setup =
        Setup::default().plugin(json!({"session": {"keys": [{"env": FIRST}, {"env": SECOND}]}}));
    setup.environment = vec![("DUO_SECRET_KEY", SECRET_KEY.to_owned())];
    before.iter().for_each(|(name, value)| setup.set_variable(name, value));
    let limiter = Limiter::start(super::BUDGET);
    let stack = limited_by(limiter.address, "deny", setup);
    let fleet = Fleet::start(&stack);
    let users = people(&stack, count);
    let sessions = Mutex::new(Vec::new());
    each(count, |number| {
        let session = fleet.sign_in(&users[number], false);
        sessions.lock().unwrap().push(Mutex::new(session));
    });
    let sessions = sessions.into_inner().unwrap();
    let (passed, lost, is_over) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let visit = |session: &Mutex<Browser>| {
        let mut session = session.lock().unwrap();
        let reply = fleet.send(&session.with_cookies(Request::get("/").navigation()));
        session.keep(&reply);
        let count = if reply.status == 200 { &passed } else { &lost };
        count.fetch_add(1, SeqCst);
    };
    thread::scope(|scope| {
        for worker in 0..4 {
            let (sessions, visit, is_over) = (&sessions, &visit, &is_over);
            scope.spawn(move || {
                let mine = sessions.iter().skip(worker).step_by(4).cycle();
                for session in mine.take_while(|_| !is_over.load(SeqCst)) {
                    visit(session);
                    sleep(Duration::from_millis(2));
                }
            });
        }
        fleet.restart(&stack, &added);
        fleet.restart(&stack, &signs);
        // Each approval is signed anew when it is used.
        sessions.iter().for_each(visit);
        fleet.restart(&stack, &removed);
        is_over.store(true, SeqCst);
    });
    sessions.iter().for_each(visit);
    let (passed, lost) = (passed.into_inner(), lost.into_inner());
    stack.settle(Verdict::Admitted(count + passed), "sessions while keys change");
    crate::say!(
        "Fleet: one key takes the place of another on three Envoys under load: {count} sessions, {passed} requests passed, lost={lost}"
    );
    assert_eq!(lost, 0);
    assert_eq!(stack.sim.pushes(), count);
}

#[test]
fn sign_ins_over_three_envoys_outlive_a_rolling_restart() {
    rolling_restart(FEW);
}

#[test]
#[ignore = "takes a minute: make fleet"]
fn many_sign_ins_over_three_envoys_outlive_a_rolling_restart() {
    rolling_restart(many());
}

#[test]
#[ignore = "takes a minute: make fleet"]
fn sessions_outlive_a_new_key_on_three_envoys() {
    keys_change(many() / 5);
}
