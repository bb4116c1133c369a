//! Minutes of sign-ins beside requests with approvals, and the time of a pass while many requests are held. `make load` runs it
//! and prints the figures.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::chaos::crowd::{End, Front};
use crate::http1::{Connection, encode};
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::Stack;
use crate::tally::Verdict;

/// Sign-ins that begin in a second.
const RATE: u32 = 20;
/// Users who sign in, one after the other. Each is done before it is their turn again.
const USERS: usize = 900;
/// How long a user takes to answer.
const ANSWERS_AFTER: Duration = Duration::from_secs(3);
/// Connections that send requests with an approval, each as fast as it is answered.
const CONNECTIONS: usize = 4;
/// The longest time in which connections, code and buckets take their memory.
const WARM: Duration = Duration::from_secs(60);
/// The largest growth of Envoy's memory after that, in percent.
const MOST: f64 = 5.0;

fn start() -> Stack {
    let log = "wasm:error";
    Stack::start(Setup { log, ..Setup::default() })
}

/// Sends a request again and again until `is_over`. Returns how long each took. Each must reach the application.
fn passes(stack: &Stack, request: &Request, is_over: impl Fn() -> bool) -> Vec<Duration> {
    let bytes = encode(request);
    let mut connection = Connection::open(stack.envoy.listener);
    let mut times = Vec::new();
    while !is_over() {
        let from = Instant::now();
        connection.send_part(&bytes);
        let reply = connection.receive().expect("an answer");
        assert_eq!((reply.status, reply.header("x-app")), (200, Some("reached")), "{reply:?}");
        times.push(from.elapsed());
    }
    times
}

/// The median, and the time below which 99 of 100 are.
fn quantiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort();
    [50, 99].map(|percent| times.get(times.len() * percent / 100).copied().unwrap_or_default())
}

#[test]
#[ignore = "takes ten minutes: make load"]
fn sign_ins_and_passes_go_on_for_minutes() {
    let minutes = std::env::var("MINUTES").ok();
    let minutes: u32 = minutes.map_or(10, |minutes| minutes.parse().expect("MINUTES is a number"));
    let duration = Duration::from_secs(60) * minutes;
    let warm = WARM.min(duration / 2);
    let stack = start();
    let users: Vec<_> = (0..USERS).map(|number| stack.sim.guest(number)).collect();
    for user in &users {
        stack.sim.always_after(user, "approve", ANSWERS_AFTER);
    }
    let cookie = stack.signed_in("two");
    let pass = Request::get("/").user("two").cookie(&cookie);
    let front = Front::at(&stack, USERS);
    front.answers_at_once();
    let (is_over, mut sign_ins, admitted) = (AtomicBool::new(false), 0_usize, AtomicUsize::new(0));
    let begun = Instant::now();
    let (mut warmed, mut largest) = (0, 0);
    let times = thread::scope(|scope| {
        let traffic: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| passes(&stack, &pass, || is_over.load(Relaxed))))
            .collect();
        let mut due = begun;
        while begun.elapsed() < duration {
            let (user, front, admitted) = (&users[sign_ins % USERS], &front, &admitted);
            let is_browser = sign_ins.is_multiple_of(2);
            scope.spawn(move || {
                let end = front.sign_in(user, is_browser);
                assert_eq!(end, End::Admitted, "{user}");
                admitted.fetch_add(1, Relaxed);
            });
            sign_ins += 1;
            due += Duration::from_secs(1) / RATE;
            sleep(due.saturating_duration_since(Instant::now()));
            if sign_ins.is_multiple_of(RATE as usize) {
                stack.app.forget();
                let resident = stack.envoy.resident();
                if begun.elapsed() < warm {
                    warmed = resident;
                }
                largest = largest.max(resident);
            }
        }
        // The last ones end before the traffic does.
        sleep(3 * ANSWERS_AFTER);
        is_over.store(true, Relaxed);
        traffic.into_iter().flat_map(|client| client.join().expect("a client")).collect::<Vec<_>>()
    });
    let seconds = begun.elapsed().as_secs();
    let growth = 100.0 * (largest as f64 / warmed as f64 - 1.0);
    let (passed, [median, slow], errors) = (times.len(), quantiles(times), front.sent_again());
    crate::say!(
        "minutes={minutes} sign_ins={sign_ins} pushes={} admitted={admitted:?} passes={passed} ({}/s, half below \
         {median:?}, 99 of 100 below {slow:?}) errors={errors:?} resident_after_{}s={warmed} largest={largest} \
         growth={growth:.1}%",
        stack.sim.pushes(),
        passed as u64 / seconds,
        warm.as_secs(),
    );
    stack.settle(Verdict::Admitted(passed + sign_ins), "sign-ins and passes");
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(stack.sim.pushes(), sign_ins + 1);
    assert!(growth < MOST, "{growth:.1} % more, of {MOST} % at most");
}

/// A pass takes the same work however many requests wait: tests/wasm/scale.rs counts its instructions. Here are the times,
/// beside the polls of those that wait.
#[test]
#[ignore = "measures times: make load"]
fn passes_while_many_requests_are_held() {
    let stack = start();
    let cookie = stack.signed_in("two");
    let pass = Request::get("/").user("two").cookie(&cookie);
    let mut held = Vec::new();
    for wanted in [0, 100, 1_000] {
        while held.len() < wanted {
            let user = stack.sim.guest(held.len());
            let mut connection = stack.connect();
            connection.send_part(&encode(&Request::get("/held").user(&user)));
            held.push(connection);
            // At once, they would be more calls than a worker makes at a time.
            sleep(Duration::from_millis(10));
        }
        // On a busy machine a few are refused, since their calls take too long.
        let begun = Instant::now();
        while stack.sim.pushes() < wanted + 1 && begun.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(50));
        }
        let from = Instant::now();
        let times = passes(&stack, &pass, || from.elapsed() > Duration::from_secs(8));
        let (passed, [median, slow]) = (times.len(), quantiles(times));
        let waiting = stack.envoy.stat("http.e2e.downstream_rq_active");
        stack.settle(Verdict::Admitted(passed), "passes");
        let resident = stack.envoy.resident();
        crate::say!(
            "held={waiting}: {passed} passes, half below {median:?}, 99 of 100 below {slow:?}; resident={resident}"
        );
        assert!(waiting >= wanted as u64 * 95 / 100, "{waiting} requests wait");
    }
}
