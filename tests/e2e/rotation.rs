//! A key is added, signs, and is removed under load, in three reloads of a running Envoy. No user has to sign
//! in again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use serde_json::{Value, json};

use crate::discovery::{self, LISTENER};
use crate::envoy::module;
use crate::http1::Connection;
use crate::message::Request;
use crate::setup::{COOKIE_KEY, SECRET_KEY, Setup, guest};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

const SESSIONS: usize = 500;
const CLIENTS: usize = 4;

const OLD: &str = "OLD_COOKIE_KEY";
const NEW: &str = "NEW_COOKIE_KEY";
const NEW_KEY: &str = "x3Qf0mJ9TzY1rK7uVbW5oLd2hSgCaEeP8nNiXtZkMwU=";

/// A setup that signs cookies with the first of these keys.
fn under(keys: &[&str]) -> Setup {
    let keys: Vec<Value> = keys.iter().map(|name| json!({"env": name})).collect();
    let environment = [("DUO_SECRET_KEY", SECRET_KEY), (OLD, COOKIE_KEY), (NEW, NEW_KEY)];
    Setup {
        environment: environment.map(|(name, value)| (name, value.to_owned())).into(),
        ..Setup::default().plugin(json!({"session": {"keys": keys}}))
    }
}

/// An Envoy whose listener comes from a file, so that it can be replaced while Envoy runs.
struct Reloadable {
    stack: Stack,
    listeners: PathBuf,
}

impl Reloadable {
    fn start(setup: Setup) -> Self {
        let (given, mut listeners) = (setup.clone(), PathBuf::new());
        let stack = Stack::start_as(setup, |parts| {
            let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
            listeners = parts.directory.join("listeners.json");
            write_listeners(&listeners, &mut configuration);
            discovery::subscribe(&mut configuration, "lds_config", &listeners);
            configuration
        });
        Self { stack, listeners }
    }

    /// Replaces the listener by that of another setup.
    fn reload(&self, setup: &Setup) {
        let Stack { envoy, app, sim, .. } = &self.stack;
        let updated = || envoy.stat("listener_manager.listener_in_place_updated");
        let before = updated();
        let mut configuration = setup.envoy(&module(), app.address, &sim.end);
        write_listeners(&self.listeners, &mut configuration);
        eventually("the new listener", || {
            let is_warm = envoy.stat("listener_manager.total_listeners_warming") == 0;
            (updated() > before && is_warm).then_some(())
        });
    }
}

/// Moves the listeners of a configuration to a file.
fn write_listeners(file: &Path, configuration: &mut Value) {
    let listeners = configuration["static_resources"]["listeners"].take();
    discovery::write(file, LISTENER, listeners.as_array().unwrap());
}

/// A signed-in user and the approval cookie.
struct Session {
    user: String,
    /// The latest `Set-Cookie` line.
    approval: String,
    renewals: usize,
}

impl Session {
    /// A request that is refused at once if its cookie does not admit it.
    fn request(&self) -> Request {
        let request = Request::get("/")
            .user(&self.user)
            .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]);
        request.cookie(&self.approval)
    }

    /// Sends a request and stores a new cookie, as a browser does. Returns whether the request passed.
    fn goes_on(&mut self, connection: &mut Connection, to: SocketAddr) -> bool {
        let reply = connection.exchange(&self.request()).unwrap_or_else(|_| {
            // A listener that drains may close a connection between two requests.
            *connection = Connection::open(to);
            connection.exchange(&self.request()).expect("an answer")
        });
        if let Some(renewed) = reply.set_cookie(APPROVAL) {
            renewed.clone_into(&mut self.approval);
            self.renewals += 1;
        }
        if reply.header("connection") == Some("close") {
            *connection = Connection::open(to);
        }
        reply.status == 200
    }
}

/// Counts of the clients' requests so far.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    admitted: AtomicUsize,
    lost: AtomicUsize,
    /// How often each client has used all of its sessions.
    rounds: [AtomicUsize; CLIENTS],
}

impl Load {
    fn run(&self, client: usize, sessions: &mut [Session], to: SocketAddr) {
        while !self.is_over.load(SeqCst) {
            // A connection from before a reload may keep the old keys.
            let mut connection = Connection::open(to);
            for session in &mut *sessions {
                let count =
                    if session.goes_on(&mut connection, to) { &self.admitted } else { &self.lost };
                count.fetch_add(1, SeqCst);
            }
            self.rounds[client].fetch_add(1, SeqCst);
        }
    }

    /// Waits until each client has started and finished a round.
    fn whole_round(&self) {
        let rounds = || self.rounds.each_ref().map(|count| count.load(SeqCst));
        let before = rounds();
        eventually("a round of every client", || {
            let is_past = |(before, now): (&usize, &usize)| *now >= before + 2;
            before.iter().zip(&rounds()).all(is_past).then_some(())
        });
    }
}

/// Ends the load, even if the test fails.
struct End<'a>(&'a Load);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, SeqCst);
    }
}

fn sign_in(stack: &Stack) -> Vec<Session> {
    for number in 0..SESSIONS {
        stack.sim.put_user(&json!({"username": guest(number), "status": "bypass"}));
    }
    let mut connection = stack.connect();
    let mut sign_in = |user: String| {
        let reply = connection.exchange(&Request::get("/").user(&user)).expect("an answer");
        let approval = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
        Session { user, approval, renewals: 0 }
    };
    stack.judged(Verdict::Admitted(SESSIONS), "signing in", || {
        (0..SESSIONS).map(|number| sign_in(guest(number))).collect()
    })
}

#[test]
fn rotation_under_load_loses_no_session() {
    let envoy = Reloadable::start(under(&[OLD]));
    let stack = &envoy.stack;
    let mut sessions = sign_in(stack);
    let calls = stack.sim.user_calls();
    let old: Vec<_> = sessions.iter().map(Session::request).collect();

    let (load, to) = (Load::default(), stack.envoy.listener);
    thread::scope(|scope| {
        for (client, sessions) in sessions.chunks_mut(SESSIONS.div_ceil(CLIENTS)).enumerate() {
            let load = &load;
            scope.spawn(move || load.run(client, sessions, to));
        }
        let _end = End(&load);
        load.whole_round();
        for keys in [&[OLD, NEW][..], &[NEW, OLD], &[NEW]] {
            envoy.reload(&under(keys));
            load.whole_round();
        }
    });
    assert_eq!(load.lost.load(SeqCst), 0, "requests refused during the rotation");
    stack.settle(Verdict::Admitted(load.admitted.load(SeqCst)), "the rotation");
    assert_eq!(stack.sim.user_calls(), calls, "nobody signed in again");
    for Session { user, renewals, .. } in &sessions {
        assert_eq!(*renewals, 1, "{user}: one cookie under the new key");
    }

    let mut connection = stack.connect();
    for request in &old {
        let reply = stack.judged(Verdict::Denied, "a key that is gone", || {
            connection.exchange(request).expect("an answer")
        });
        reply.assert_problem(403, "mfa_required");
    }
    eventually("the count", || {
        let count = stack.envoy.stat("wasmcustom.duo_mfa_cookie_refused.reason.unknown_key");
        (count == SESSIONS as u64).then_some(())
    });
}
