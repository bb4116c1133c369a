//! Failures of Duo, Envoy and the module, and their effect on users. `midway` has those in the middle of sign-ins.
//!
//! Here Duo hangs while a crowd without approvals comes: how fast each is refused, whether passes by cookie suffer, and how
//! soon Duo's return is noticed. `make chaos` runs it and prints the figures; it takes a machine that is otherwise idle.

pub(crate) mod crowd;
mod midway;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::breaker::is_open;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// Requests without an approval, and passes, in a second.
const RATE: usize = 1_000;
/// Connections of each kind.
const CONNECTIONS: usize = 16;
/// How long each part is measured.
const MEASURED: Duration = Duration::from_secs(12);

/// Ends the load when it is dropped, also by a failed assertion.
struct Load<'a>(&'a AtomicBool);

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// A reply and the time until it came.
struct Outcome {
    status: u16,
    at: Instant,
    took: Duration,
}

/// Sends requests at [`RATE`] from [`CONNECTIONS`] connections until `is_over`, each as soon as it is due and its
/// connection is free. A request that was due while the connection waited is left out.
fn send_at_rate(
    stack: &Stack,
    is_over: &AtomicBool,
    request: impl Fn(usize) -> Request + Sync,
) -> Vec<Outcome> {
    let outcomes = Mutex::new(Vec::new());
    let pace = Duration::from_secs(1).mul_f64(CONNECTIONS as f64 / RATE as f64);
    let number = AtomicUsize::new(0);
    thread::scope(|scope| {
        for place in 0..CONNECTIONS {
            let (outcomes, request, number) = (&outcomes, &request, &number);
            scope.spawn(move || {
                let mut connection = stack.connect();
                let mut seen = Vec::new();
                let mut due = Instant::now() + pace.mul_f64(place as f64 / CONNECTIONS as f64);
                while !is_over.load(Relaxed) {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let at = Instant::now();
                    let asked = request(number.fetch_add(1, Relaxed));
                    match connection.exchange(&asked) {
                        Ok(reply) => {
                            seen.push(Outcome { status: reply.status, at, took: at.elapsed() });
                        }
                        Err(_) => connection = stack.connect(),
                    }
                    due += pace;
                    if due + pace < Instant::now() {
                        due = Instant::now();
                    }
                }
                outcomes.lock().unwrap().extend(seen);
            });
        }
    });
    outcomes.into_inner().unwrap()
}

/// The time below which so many of a thousand replies came.
fn quantile(outcomes: &[Outcome], thousandths: usize) -> Duration {
    let mut times: Vec<_> = outcomes.iter().map(|outcome| outcome.took).collect();
    times.sort();
    times.get(times.len() * thousandths / 1_000).copied().unwrap_or_default()
}

fn within(outcomes: Vec<Outcome>, from: Instant, to: Instant) -> Vec<Outcome> {
    outcomes.into_iter().filter(|outcome| from <= outcome.at && outcome.at < to).collect()
}

fn rate(outcomes: &[Outcome], time: Duration) -> f64 {
    outcomes.len() as f64 / time.as_secs_f64()
}

#[test]
#[ignore = "measures times: make chaos"]
fn duo_hangs_while_a_crowd_comes() {
    // No first factor, so that users need no passwords.
    let stack = Stack::start(Setup { first_factor: FirstFactor::Absent, ..Setup::default() });
    let of = |user: &str| Request::get("/").header("x-basic-user", user);
    eventually("a check that goes well", || {
        (stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1).then_some(())
    });
    stack.sim.always("two", "approve");
    let (reply, _) = stack.admitted(&of("two"));
    let cookie = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    let pass = |_| of("two").cookie(&cookie);
    let crowd = |number: usize| of(&format!("crowd-{}", number % 5_000));

    let is_over = AtomicBool::new(false);
    let (mut began, mut ended) = (Instant::now(), Instant::now());
    let (mut opened_after, mut returned) = (Duration::ZERO, Instant::now());
    let (mut recovered_after, mut usual_time) = (Duration::ZERO, Duration::ZERO);
    let usual_from = Instant::now();
    let (passes, refused) = thread::scope(|scope| {
        let load = Load(&is_over);
        let passes = scope.spawn(|| send_at_rate(&stack, &is_over, pass));
        thread::sleep(MEASURED);
        usual_time = usual_from.elapsed();
        stack.sim.fault(&json!({"kind": "hang"}));
        let from = Instant::now();
        let refused = scope.spawn(|| send_at_rate(&stack, &is_over, crowd));
        while !is_open(&stack) {
            assert!(from.elapsed() < Duration::from_secs(60), "the breaker did not open");
            thread::sleep(Duration::from_millis(50));
        }
        opened_after = from.elapsed();
        // Requests that have begun to wait before.
        thread::sleep(Duration::from_secs(11));
        began = Instant::now();
        thread::sleep(MEASURED);
        ended = Instant::now();
        stack.sim.clear_faults();
        returned = Instant::now();
        while is_open(&stack) {
            assert!(returned.elapsed() < Duration::from_secs(60), "the breaker did not close");
            thread::sleep(Duration::from_millis(50));
        }
        recovered_after = returned.elapsed();
        drop(load);
        (passes.join().unwrap(), refused.join().unwrap())
    });
    let admitted = passes.iter().filter(|outcome| outcome.status == 200).count();
    assert_eq!(admitted, passes.len(), "each pass is admitted");
    stack.settle(Verdict::Admitted(admitted), "passes by cookie while Duo hangs");

    let refused = within(refused, began, ended);
    let usual: Vec<_> =
        passes.iter().filter(|outcome| outcome.at < usual_from + usual_time).collect();
    let usual = usual.len() as f64 / usual_time.as_secs_f64();
    let passes = within(passes, began, ended);
    let time = ended.duration_since(began);
    let kept = rate(&passes, time) / usual;
    let p99 = quantile(&refused, 990);
    crate::say!(
        "Duo hangs: the breaker opened after {opened_after:?}. Then {:.0} requests/s without a cookie are refused: half \
         below {:?}, 99 of 100 below {p99:?}. Passes by cookie: {usual:.0}/s before, {:.0}/s meanwhile ({:.1} %), 99 of \
         100 below {:?}. The breaker closed {recovered_after:?} after Duo's return",
        rate(&refused, time),
        quantile(&refused, 500),
        rate(&passes, time),
        100.0 * kept,
        quantile(&passes, 990),
    );
    assert!(refused.iter().all(|outcome| outcome.status == 503), "each is refused");
    assert!(p99 < Duration::from_millis(50), "{p99:?}");
    assert!(kept >= 0.95, "{kept}");
    assert!(recovered_after < Duration::from_secs(15), "{recovered_after:?}");
}
