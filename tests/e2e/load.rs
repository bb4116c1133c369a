//! An attack with one user's password: thousands of requests at once, and thousands of polls of one push. No
//! request is admitted because of it, and other users can sign in meanwhile. Prints the measured times.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http2;
use crate::message::{Lost, Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// The cookie of a pending sign-in.
const PENDING: &str = "__Host-duo_txn";

/// The longest sign-in of another user meanwhile, on an otherwise idle machine.
const SIGN_IN: Duration = Duration::from_secs(3);

/// The number of requests with an approval during an attack.
const PASSES: usize = 400;

fn start(fail_mode: &str) -> Stack {
    let stack = Stack::start(Setup::default().plugin(json!({
        "duo": {"fail_mode": fail_mode, "push_timeout": "8s"},
        "api": {"hold_timeout": "8s"},
    })));
    eventually("a check that goes well", || {
        (stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1).then_some(())
    });
    stack
}

/// How many processes share one processor; 1 on an otherwise idle machine.
fn crowding() -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse::<f64>().ok()).unwrap_or(0.0);
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (load / processors as f64).max(1.0)
}

/// How often each outcome occurred.
fn told(outcomes: &[Result<Reply, Lost>]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for outcome in outcomes {
        let words = match outcome {
            Ok(reply) if reply.status == 200 => {
                reply.json()["state"].as_str().unwrap_or("200").to_owned()
            }
            Ok(reply) => format!("{} {}", reply.status, reply.json()["code"]),
            Err(lost) => format!("{lost:?}"),
        };
        *told.entry(words).or_default() += 1;
    }
    told
}

/// Signs a user in as the page does, and returns the duration.
fn sign_in_by_page(stack: &Stack, user: &str) -> Duration {
    let from = Instant::now();
    let mut connection = stack.connect();
    let mut ask = |request: &Request| connection.exchange(request).expect("an answer");
    let begun = ask(&Request::post("/.duo-mfa/auth?factor=push").user(user));
    assert_eq!(begun.status, 202, "{}", begun.text());
    let pending = begun.set_cookie(PENDING).expect("a sign-in").to_owned();
    let look = Request::get("/.duo-mfa/status").user(user).cookie(&pending);
    while ask(&look).set_cookie(APPROVAL).is_none() {
        assert!(from.elapsed() < 4 * SIGN_IN, "{user} is not approved");
        thread::sleep(Duration::from_millis(200));
    }
    from.elapsed()
}

/// Runs an attack. Meanwhile another user signs in, and requests with an approval pass.
fn under_attack(
    stack: &Stack,
    other: &str,
    occasion: &str,
    attack: impl FnOnce() -> Vec<Result<Reply, Lost>> + Send,
) -> Vec<Result<Reply, Lost>> {
    let cookie = stack.signed_in("two");
    stack.sim.always(other, "approve");
    let undisturbed = sign_in_by_page(stack, other);
    let verdict = Verdict::Admitted(PASSES);
    let (outcomes, signed_in, mut passes) = stack.judged(verdict, occasion, || {
        thread::scope(|scope| {
            let attack = scope.spawn(attack);
            thread::sleep(Duration::from_millis(100));
            let signs_in = scope.spawn(|| sign_in_by_page(stack, other));
            let mut connection = stack.connect();
            let pass = Request::get("/").user("two").cookie(&cookie);
            let passes: Vec<_> = (0..PASSES)
                .map(|_| {
                    let from = Instant::now();
                    assert_eq!(connection.exchange(&pass).expect("an answer").status, 200);
                    from.elapsed()
                })
                .collect();
            let signed_in = signs_in.join().expect("a sign-in");
            (attack.join().expect("an attack"), signed_in, passes)
        })
    });
    passes.sort();
    crate::say!(
        "{occasion}: {} requests: {:?}; another user signed in after {signed_in:?} \
         ({undisturbed:?} before); passes by \
         cookie: median {:?}, 99 of 100 below {:?}; preauths {}, looks {}",
        outcomes.len(),
        told(&outcomes),
        passes[PASSES / 2],
        passes[PASSES * 99 / 100],
        stack.sim.calls("preauth"),
        stack.sim.calls("auth_status"),
    );
    let most = SIGN_IN.mul_f64(crowding());
    assert!(signed_in < most, "{signed_in:?}, of {most:?} at most");
    outcomes
}

fn assert_holds(fail_mode: &str) {
    let stack = start(fail_mode);
    let to = stack.envoy.listener;
    let request = Request::get("/reports").user("alice");
    let occasion = format!("4,000 requests of one user, {fail_mode}");
    let outcomes = under_attack(&stack, "rita", &occasion, || http2::burst(to, &request, 40, 100));
    for reply in outcomes.iter().flatten() {
        assert_eq!(reply.set_cookie(APPROVAL), None, "{reply:?}");
        assert!(matches!(reply.status, 403 | 429 | 503), "{reply:?}");
        assert!(reply.status == 403 || reply.header("retry-after").is_some(), "{reply:?}");
    }
    // Two workers, each a burst of 61 and 3 a second.
    assert!(stack.sim.calls("preauth") < 2 * (61 + 3 * 20), "{}", stack.sim.calls("preauth"));

    let user = stack.sim.guest(0);
    let begun = stack.denied(&Request::post("/.duo-mfa/auth?factor=push").user(&user));
    assert_eq!(begun.status, 202, "{}", begun.text());
    let pending = begun.set_cookie(PENDING).expect("a sign-in").to_owned();
    let look = Request::get("/.duo-mfa/status").user(&user).cookie(&pending);
    let occasion = format!("2,300 looks at one push, {fail_mode}");
    let other = stack.sim.guest(1);
    let outcomes = under_attack(&stack, &other, &occasion, || http2::burst(to, &look, 23, 100));
    assert!(told(&outcomes)["waiting"] > 2_000, "{:?}", told(&outcomes));
    for reply in outcomes.iter().flatten() {
        assert_eq!(reply.set_cookie(APPROVAL), None, "{reply:?}");
    }
    let counted = |name: &str| stack.envoy.stat(&format!("wasmcustom.duo_mfa_{name}"));
    assert_eq!(counted("admitted.factor.fail_safe"), 0);
    eventually("the counts", || {
        (counted("crowded.limit.user_rate") + counted("crowded.limit.user_calls") > 3_000
            && counted("crowded.limit.sign_in") > 0)
            .then_some(())
    });
}

/// One after the other: two attacks at once would measure the machine.
#[test]
fn thousands_of_requests_of_one_user_keep_nobody_from_signing_in() {
    for fail_mode in ["safe", "secure"] {
        assert_holds(fail_mode);
    }
}

#[test]
fn thousands_of_preauths_of_a_user_with_bypass_status_are_bounded() {
    let stack = start("safe");
    let to = stack.envoy.listener;
    let preauth = Request::post("/.duo-mfa/preauth").user("bella");
    let occasion = "2,000 preauths of a user with bypass status";
    let outcomes = under_attack(&stack, "rita", occasion, || http2::burst(to, &preauth, 20, 100));
    let replies = || outcomes.iter().flatten();
    let approvals = replies().filter(|reply| reply.set_cookie(APPROVAL).is_some()).count();
    crate::say!("{occasion}: {approvals} approvals");
    assert!(approvals < 2 * (61 + 3 * 10), "{approvals}");
    assert!(replies().all(|reply| matches!(reply.status, 200 | 429)), "{:?}", told(&outcomes));
}
