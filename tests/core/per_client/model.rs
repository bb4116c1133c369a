//! Random runs of programs of several users on several clients, at once and in turn. A request that passes
//! without a call to Duo has an approval of the same user, client and rule.

use super::{ELSEWHERE, HERE, rule, ruled};
use crate::browser::{Browser, posted};
use crate::rig::{
    Outcome, Progress, Request, Rig, Scripted, allows, get, phone_of, started, status,
};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::SignedCall;
use duo_mfa::gate::limit::Permit;
use duo_mfa::gate::{AwaitingPermit, Flow};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::time::Duration;

const PEOPLE: [&str; 4] = ["alice", "alice", "alice", "bob"];
const PEERS: [&[u8]; 4] = [HERE, HERE, HERE, ELSEWHERE];
const PATHS: [&str; 5] = ["/api/x", "/api/x", "/api/x", "/b/x", "/plain/x"];
const FOR: Duration = Duration::from_secs(300);
const SPANS: [u64; 6] = [1, 3, 20, 70, 299, 2_000];

/// User, network and path of a request.
type Asked = (&'static str, &'static [u8], &'static str);

/// A request that is under way.
struct Flight {
    asked: Asked,
    at: At,
    is_program: bool,
}

enum At {
    Duo(Box<SignedCall>, Box<Flow>),
    Waits(UnixTime, Box<Permit>, Box<AwaitingPermit>),
}

struct World {
    rig: Rig,
    flights: Vec<Flight>,
    /// The approvals that Duo gave, and when.
    approved: Vec<(Asked, UnixTime)>,
    passed: usize,
}

impl World {
    fn new() -> Self {
        let rules = json!([
            rule(&json!({})),
            rule(&json!({"paths": ["/b/*"]})),
            {"paths": ["/plain/*"], "policy": "two_factor"},
        ]);
        let mut rig = ruled(&rules);
        rig.pauses = true;
        Self { rig, flights: Vec::new(), approved: Vec::new(), passed: 0 }
    }

    fn is_open(&self, asked: Asked) -> bool {
        let now = self.rig.now;
        let opens = |(by, at): &(Asked, UnixTime)| *by == asked && *at <= now && now < at.plus(FOR);
        asked.2 != "/plain/x" && self.approved.iter().any(opens)
    }

    fn send(&mut self, asked: Asked, request: &Request, is_program: bool) {
        self.rig.peer = Some(asked.1);
        let was_open = self.is_open(asked) && is_program;
        let progress = self.rig.start(request);
        assert!(!was_open || matches!(progress, Progress::Done(_)), "{asked:?} is asked again");
        self.take(asked, progress, false, is_program);
    }

    fn take(&mut self, asked: Asked, progress: Progress, is_allowed: bool, is_program: bool) {
        let at = match progress {
            Progress::Done(Outcome::Forwarded(_)) => {
                let is_open = is_program && self.is_open(asked);
                assert!(is_allowed || is_open, "{asked:?} is admitted by nobody");
                self.passed += usize::from(!is_allowed);
                if is_allowed {
                    self.approved.push((asked, self.rig.now));
                }
                return;
            }
            Progress::Done(Outcome::Replied(_)) => return,
            Progress::Waits(call, flow) => At::Duo(call, flow),
            Progress::Pauses(due, permit, then) => At::Waits(due, permit, then),
        };
        self.flights.push(Flight { asked, at, is_program });
    }

    /// Continues one of the requests under way.
    fn go_on(&mut self, which: usize, word: usize) {
        if self.flights.is_empty() {
            return;
        }
        // Mostly the request that continued last.
        let ago = if which.is_multiple_of(4) { which % self.flights.len() } else { 0 };
        let flight = self.flights.remove(self.flights.len() - 1 - ago);
        let Flight { asked, at, is_program } = flight;
        self.rig.peer = Some(asked.1);
        match at {
            At::Waits(due, permit, then) => {
                let progress = self.rig.go_on(due, *permit, then);
                self.take(asked, progress, false, is_program);
            }
            At::Duo(call, flow) => {
                let (answer, is_allowed) = answer(&call, asked.0, word, &flow);
                let progress = self.rig.resume(*flow, &answer);
                self.take(asked, progress, is_allowed, is_program);
            }
        }
    }

    /// Ends all requests under way. Then no new one waits for another.
    fn end(&mut self) {
        while !self.flights.is_empty() {
            self.go_on(1, 1);
        }
        for (user, peer) in [("alice", HERE), ("alice", ELSEWHERE), ("bob", HERE)] {
            self.rig.peer = Some(peer);
            for path in ["/api/x", "/b/x"] {
                let progress = self.rig.start(&get(path).of(user));
                assert!(!matches!(progress, Progress::Pauses(..)), "{user} waits for nobody");
            }
        }
    }

    fn play(&mut self, [what, a, b, c]: [usize; 4]) {
        let asked = (PEOPLE[a % 4], PEERS[b % 4], PATHS[c % 5]);
        let (user, _, path) = asked;
        match what % 16 {
            0..=3 => self.send(asked, &get(path).of(user), true),
            4 => self.send(asked, &Browser::of(user).fetches(path), false),
            5..=12 => self.go_on(a, b),
            13 => {
                let Some(Flight { at: At::Duo(_, flow), .. }) = self.flights.pop() else { return };
                self.rig.leave(&flow);
            }
            14 => {
                self.rig.peer = Some(asked.1);
                let logout = posted(get("/.duo-mfa/logout").of(user));
                self.rig.send(&logout, &[]).answered();
                self.approved.retain(|((of, ..), _)| *of != user);
            }
            _ => self.rig.now = self.rig.now.plus(Duration::from_secs(SPANS[b % SPANS.len()])),
        }
    }
}

/// Duo's response, and whether it admits this request.
fn answer(call: &SignedCall, user: &str, word: usize, flow: &Flow) -> (Scripted, bool) {
    match call.endpoint.name() {
        "preauth" => (phone_of(user), false),
        "auth" => (started(), false),
        // A poll of another request's push does not approve this one.
        _ if !flow.left().is_empty() && is_followed(flow) => match word % 8 {
            0 => (status("waiting", "pushed"), false),
            1 => (status("deny", "deny"), false),
            _ => (allows(), true),
        },
        _ => (status("waiting", "pushed"), false),
    }
}

fn is_followed(flow: &Flow) -> bool {
    format!("{flow:?}").contains("waiting: Status(")
}

#[test]
fn passes_need_an_approval() {
    let event = proptest::array::uniform4(0..1_000_usize);
    let run = proptest::collection::vec(event, 1..80);
    let config = Config { failure_persistence: None, cases: 400, ..Config::default() };
    let passed = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&run, |events| {
        let mut world = World::new();
        for event in events {
            world.play(event);
        }
        world.end();
        passed.set(passed.get() + world.passed);
        Ok(())
    });
    outcome.unwrap();
    assert!(passed.get() > 100, "{}", passed.get());
}
