//! Pending sign-ins of another user, of another attempt, or that have ended give no approval.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use duo_mfa::clock::UnixTime;
use duo_mfa::http::ReturnPath;
use duo_mfa::session::{CookieOwner, KeyRing, MasterKey, Pending, PendingKind, Pendings, Subject};

use crate::browser::{Browser, PENDING, fetched};
use crate::message::Request;
use crate::setup::{COOKIE_KEY, Setup};
use crate::stack::{APPROVAL, Stack};

fn asks_with_header(user: &str, transaction: &str) -> Request {
    fetched("GET", "status").user(user).header("x-duo-mfa-transaction", transaction)
}

/// Asserts that a poll is refused without a call to Duo.
fn assert_none(stack: &Stack, request: &Request) {
    let looks = stack.sim.calls("auth_status");
    stack.denied(request).assert_problem(400, "bad_request");
    assert_eq!(stack.sim.calls("auth_status"), looks, "{}", request.summary());
}

fn assert_refused(stack: &Stack, browser: &Browser) {
    let request = browser.with_cookies(Request::get("/reports").navigation());
    assert_eq!(stack.denied(&request).status, 403);
}

#[test]
fn transaction_of_another_sign_in_is_never_looked_at() {
    let stack = Stack::standard();
    let guest = stack.sim.guest(0);
    let (mut alice, mut other) = (Browser::of("alice"), Browser::of(&guest));
    alice.push(&stack);
    other.push(&stack);
    let txid = stack.sim.pending(&guest)["txid"].as_str().unwrap().to_owned();
    stack.sim.answer(&guest, "approve");
    // Duo delays every poll after the first. So one poll names the transaction in every way.
    let everywhere = format!("status?txid={txid}&transaction={txid}&username={guest}");
    let names = ["x-duo-mfa-txid", "x_duo_mfa_txid", "txid"];
    let request =
        names.iter().fold(fetched("GET", &everywhere), |request, name| request.header(name, &txid));
    assert_eq!(alice.ask(&stack, request).json()["state"], "waiting");
    assert_none(&stack, &asks_with_header("alice", &txid));
    let both = fetched("GET", "status").header("x-duo-mfa-transaction", &txid);
    assert_none(&stack, &alice.with_cookies(both));
    let asked = stack.sim.journal();
    let is_of_guest = |entry: &&serde_json::Value| entry["params"]["txid"] == txid.as_str();
    assert_eq!(asked.iter().filter(is_of_guest).count(), 0, "nobody but its owner asks for it");
    assert_refused(&stack, &alice);
    assert_eq!(other.ended(&stack)["state"], "approved");
}

#[test]
fn token_with_another_byte_is_no_sign_in() {
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    stack.sim.answer("alice", "approve");
    let token = alice.jar[PENDING].clone();
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let mut forger = Browser::of("alice");
        forger.jar.insert(PENDING.to_owned(), String::from_utf8(bytes).unwrap());
        stack
            .denied(&forger.with_cookies(fetched("GET", "status")))
            .assert_problem(400, "bad_request");
    }
    for shape in [&token[1..], &token[..token.len() - 1], "", "A", "null"] {
        assert_none(&stack, &asks_with_header("alice", shape));
    }
    assert_eq!(stack.sim.calls("auth_status"), 0);
    assert_eq!(alice.ended(&stack)["state"], "approved");
}

/// Mallory knows alice's password and owns a phone that Duo knows as the guest's.
#[test]
fn approved_sign_in_of_another_user_approves_nobody() {
    let stack = Stack::standard();
    let guest = stack.sim.guest(0);
    let mut own = Browser::of(&guest);
    own.push(&stack);
    stack.sim.answer(&guest, "approve");
    let mut as_alice = Browser::of("alice");
    as_alice.jar.clone_from(&own.jar);
    assert_none(&stack, &as_alice.with_cookies(fetched("GET", "status")));
    assert_none(&stack, &asks_with_header("alice", &own.jar[PENDING]));
    let page = as_alice.open(&stack, "/.duo-mfa/status");
    assert_eq!((page.status, page.set_cookie(APPROVAL)), (400, None));
    assert_refused(&stack, &as_alice);
    // Nor with the approval that came of it.
    assert_eq!(own.ended(&stack)["state"], "approved");
    as_alice.jar.clone_from(&own.jar);
    assert_refused(&stack, &as_alice);
    own.reaches_the_application(&stack, "/reports");
}

fn expiry(stack: &Stack, browser: &mut Browser) -> u64 {
    browser.fetch(stack, "GET", "userinfo").json()["expires_at"].as_u64().expect("an expiry")
}

/// A stack of four workers, an approved browser of alice, and one with the token from before.
fn replayed() -> (Stack, Browser, Browser) {
    let stack = Stack::start(Setup { workers: 4, ..Setup::default() });
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    let replay = alice.clone();
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    (stack, alice, replay)
}

/// Replays the token, as a cookie and in a header, over connections to any worker. Asserts that none succeeds.
fn assert_over(stack: &Stack, replay: &Browser) {
    for _ in 0..8 {
        let cookie = replay.with_cookies(fetched("GET", "status"));
        stack.denied(&cookie).assert_problem(400, "bad_request");
        let carried = asks_with_header("alice", &replay.jar[PENDING]);
        stack.denied(&carried).assert_problem(400, "bad_request");
        let page = replay.with_cookies(Request::get("/.duo-mfa/").navigation());
        assert_eq!(stack.denied(&page).status, 400);
    }
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn answer_that_was_lost_is_given_again_and_lasts_no_longer() {
    let (stack, mut alice, replay) = replayed();
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(1_100));
        let mut again = replay.clone();
        assert_eq!(again.ended(&stack)["state"], "approved");
        assert_eq!(expiry(&stack, &mut alice), expiry(&stack, &mut again));
        let mut thief = Browser::of("two");
        thief.jar.clone_from(&again.jar);
        assert_refused(&stack, &thief);
    }
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn replay_after_allow_is_refused() {
    let (stack, alice, replay) = replayed();
    std::thread::sleep(Duration::from_secs(11));
    assert_over(&stack, &replay);
    alice.reaches_the_application(&stack, "/reports");
}

#[test]
fn replay_after_logout_is_refused() {
    let (stack, mut alice, replay) = replayed();
    assert_eq!(alice.fetch(&stack, "POST", "logout").status, 200);
    assert_over(&stack, &replay);
    assert_refused(&stack, &alice);
}

#[test]
fn sign_in_that_was_denied_stays_denied() {
    for (action, state) in [("deny", "denied"), ("fraud", "fraud"), ("timeout", "timeout")] {
        let stack = Stack::standard();
        let mut alice = Browser::of("alice");
        alice.push(&stack);
        let replay = alice.clone();
        stack.sim.answer("alice", action);
        assert_eq!(alice.ended(&stack)["state"], state);
        for _ in 0..3 {
            let told = stack.denied(&replay.with_cookies(fetched("GET", "status")));
            assert_eq!(told.json()["state"], state);
        }
        let again = replay.with_cookies(fetched("POST", "auth?factor=push"));
        stack.denied(&again).assert_problem(429, "too_many_requests");
        assert_refused(&stack, &replay);
        assert_eq!(stack.sim.pushes(), 1, "{action}");
    }
}

#[test]
fn token_of_a_sign_in_is_no_approval() {
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    let token = alice.jar[PENDING].clone();
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    let approval = alice.jar[APPROVAL].clone();
    let mut forger = Browser::of("alice");
    forger.jar.insert(APPROVAL.to_owned(), token);
    assert_refused(&stack, &forger);
    forger.jar = [(PENDING.to_owned(), approval.clone())].into();
    assert_refused(&stack, &forger);
    assert_none(&stack, &forger.with_cookies(fetched("GET", "status")));
    assert_none(&stack, &asks_with_header("alice", &approval));
    alice.reaches_the_application(&stack, "/reports");
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// Seals sign-ins as the filter of these tests, or as another one.
fn pendings(application: &str, key: &str) -> Pendings {
    let ring = KeyRing::new(vec![MasterKey::from_base64(key).unwrap()]).unwrap();
    Pendings::new(CookieOwner::Main(application), &ring)
}

const ALICE: Subject<'static> = Subject { source: "header", user: "alice", bound: &[] };

/// A browser of Alice with an approved push, in a sign-in that started at `began` and that `sealer` sealed.
fn begun_at(stack: &Stack, began: UnixTime, sealer: &Pendings) -> Browser {
    let mut alice = Browser::of("alice");
    alice.push(stack);
    let own = pendings("default", COOKIE_KEY);
    let genuine = own.open(alice.jar[PENDING].as_bytes(), &ALICE, now()).expect("a sign-in");
    let pending = Pending {
        txid: genuine.txid.clone(),
        device: genuine.device.clone(),
        ..Pending::new(PendingKind::Push, began, genuine.browser(), ReturnPath::default())
    };
    let token = sealer.seal(&pending, &ALICE);
    alice.jar.insert(PENDING.to_owned(), token.as_str().to_owned());
    stack.sim.answer("alice", "approve");
    alice
}

#[test]
fn approval_after_five_minutes_comes_too_late() {
    let stack = Stack::standard();
    let own = pendings("default", COOKIE_KEY);
    let mut late = begun_at(&stack, now().minus(Duration::from_secs(301)), &own);
    assert_none(&stack, &late.with_cookies(fetched("GET", "status")));
    assert_none(&stack, &asks_with_header("alice", &late.jar[PENDING]));
    let page = late.open(&stack, "/.duo-mfa/");
    assert!(page.text().contains(r#"data-pane="start""#), "{}", page.text());
    assert_eq!(page.set_cookie(APPROVAL), None);
    assert_refused(&stack, &late);

    let stack = Stack::standard();
    let mut in_time = begun_at(&stack, now().minus(Duration::from_secs(240)), &own);
    assert_eq!(in_time.ended(&stack)["state"], "approved");
    in_time.reaches_the_application(&stack, "/reports");
}

#[test]
fn sign_in_from_the_future_is_none() {
    let stack = Stack::standard();
    let own = pendings("default", COOKIE_KEY);
    let early = begun_at(&stack, now().plus(Duration::from_secs(120)), &own);
    assert_none(&stack, &early.with_cookies(fetched("GET", "status")));
}

#[test]
fn sign_in_of_another_key_or_application_is_none() {
    let other_key = "mWxrDnyeWHMtmxY+lrDGkgLHnvEUoe5XZF+edtQ7Vbg=";
    for sealer in [pendings("payroll", COOKIE_KEY), pendings("default", other_key)] {
        let stack = Stack::standard();
        let forged = begun_at(&stack, now(), &sealer);
        assert_none(&stack, &forged.with_cookies(fetched("GET", "status")));
        assert_none(&stack, &asks_with_header("alice", &forged.jar[PENDING]));
        assert_refused(&stack, &forged);
    }
}

#[test]
fn second_browser_gets_nothing_of_the_first_ones_push() {
    let stack = Stack::standard();
    let (mut first, mut second) = (Browser::of("alice"), Browser::of("alice"));
    first.push(&stack);
    let start = |second: &mut Browser| second.fetch(&stack, "POST", "auth?factor=push");
    start(&mut second).assert_problem(429, "pending_elsewhere");
    assert_eq!(second.submit(&stack, "/.duo-mfa/auth?factor=push").status, 429);
    stack.denied(&Request::get("/").user("alice")).assert_problem(429, "pending_elsewhere");
    assert!(second.jar.is_empty(), "{:?}", second.jar);
    assert_none(&stack, &second.with_cookies(fetched("GET", "status")));

    stack.sim.answer("alice", "approve");
    assert_none(&stack, &second.with_cookies(fetched("GET", "status")));
    assert_refused(&stack, &second);
    assert!(second.open(&stack, "/.duo-mfa/").text().contains(r#"data-pane="start""#));
    assert_eq!(first.ended(&stack)["state"], "approved");
    assert_none(&stack, &second.with_cookies(fetched("GET", "status")));
    assert_refused(&stack, &second);
    first.reaches_the_application(&stack, "/reports");
    assert_eq!(stack.sim.pushes(), 1);
    // The second browser's sign-in sends another push.
    second.sign_in(&stack);
    assert_eq!(stack.sim.pushes(), 2);
}
