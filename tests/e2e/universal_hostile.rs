//! Callbacks made from a real one by changes of state, cookie, code, host, order and spelling.

use crate::browser::Browser;
use crate::http1::Connection;
use crate::message::Request;
use crate::say;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;
use crate::universal::{
    BROWSER, CALLBACK, PAGE, approves, assert_arrived, back, denied, parameter, start,
};

/// Mutated callbacks of one run.
const CALLBACKS: usize = 2400;

/// A small generator, the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// The parts of a real callback, and foreign ones of the same kinds.
struct Real {
    state: String,
    code: String,
    cookie: String,
    foreign_state: String,
    foreign_cookie: String,
}

/// Letters that the alphabet of states has, and bytes that it lacks, escaped.
const PIECES: [&str; 12] =
    ["A", "_", "-", "0", "%00", "%0d%0aX:1", "%41", "%c3%a9", "%ff", "+", "%2e", "=="];

/// Changes one text at one place or in length; never gives the same text.
fn mutated(text: &str, random: &mut Random) -> String {
    let place = random.below(text.len());
    let piece = random.one(&PIECES);
    match random.below(5) {
        0 => format!("{}{piece}{}", &text[..place], &text[place..]),
        1 => text[..place].to_owned(),
        2 => text[place + 1..].to_owned(),
        3 => text.repeat(2 + random.below(20)),
        _ => {
            let letter = if &text[place..=place] == "A" { "B" } else { "A" };
            format!("{}{letter}{}", &text[..place], &text[place + 1..])
        }
    }
}

/// A callback with at least one thing wrong that shows before Duo has to be asked.
fn hostile(real: &Real, random: &mut Random) -> Request {
    let (mut state, mut code) = (real.state.clone(), real.code.clone());
    let mut cookies = vec![format!("{BROWSER}={}", real.cookie)];
    let mut host = None;
    let mut query = None;
    let mut user = "alice";
    match random.below(12) {
        0 | 1 => state = mutated(&state, random),
        2 => cookies = vec![format!("{BROWSER}={}", mutated(&real.cookie, random))],
        3 => state.clone_from(&real.foreign_state),
        4 => cookies = vec![format!("{BROWSER}={}", real.foreign_cookie)],
        5 => cookies.push(format!("{BROWSER}={}", mutated(&real.cookie, random))),
        6 => cookies.clear(),
        7 => host = Some(random.one(&["one.apps.example.com", "evil.test", "app.example.com."])),
        8 => user = "bob",
        9 => {
            let piece = random.one(&["%00", "%0d%0aX:1", "%26x", "%c3%a9", "%ff", "%20", "/"]);
            code.insert_str(random.below(code.len()), piece);
        }
        10 => {
            query = Some(match random.below(6) {
                0 => format!("state={state}&state={state}&duo_code={code}"),
                1 => format!("duo_code={code}&state={state}&duo%5fcode={code}"),
                2 => format!("state={state}"),
                3 => format!("duo_code={code}"),
                4 => format!("state={state}&duo_code="),
                _ => format!(
                    "{}={state}&duo_code={code}",
                    random.one(&["State", "state%00", "%20state"])
                ),
            });
        }
        _ => {
            state = mutated(&state, random);
            code = mutated(&code, random);
            cookies.push(format!("{APPROVAL}={}", mutated(&real.cookie, random)));
        }
    }
    let query = query.unwrap_or_else(|| match random.below(3) {
        0 => format!("duo_code={code}&state={state}"),
        1 => format!("x=1&state={state}&y&duo_code={code}&code=z"),
        _ => format!("state={state}&duo_code={code}"),
    });
    let mut request = back(&format!("{CALLBACK}?{query}")).user(user);
    if !cookies.is_empty() {
        request = request.header("cookie", cookies.join("; "));
    }
    if let Some(host) = host {
        request = request.header("host", host);
    }
    request
}

fn real(stack: &Stack) -> (Browser, String, Real) {
    let mut alice = Browser::of("alice");
    let target = alice.is_approved(stack, PAGE);
    let mut foreign = Browser::of("alice");
    let foreign_target = foreign.is_approved(stack, PAGE);
    let real = Real {
        state: parameter(&target, "state"),
        code: parameter(&target, "duo_code"),
        cookie: alice.jar[BROWSER].clone(),
        foreign_state: parameter(&foreign_target, "state"),
        foreign_cookie: foreign.jar[BROWSER].clone(),
    };
    (alice, target, real)
}

#[test]
fn thousands_of_changed_callbacks_approve_nobody_and_ask_duo_nothing() {
    let mut stack = start();
    approves(&stack.sim, "bob");
    let (mut alice, target, real) = real(&stack);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut answered, mut closed) = (0_usize, 0_usize);
    let mut statuses = std::collections::BTreeMap::new();
    denied(&stack, "changed callbacks", || {
        let mut connection = Connection::open(stack.envoy.listener);
        for _ in 0..CALLBACKS {
            let request = hostile(&real, &mut random);
            match connection.exchange(&request) {
                Ok(reply) => {
                    answered += 1;
                    *statuses.entry(reply.status).or_insert(0) += 1;
                    let shown = request.summary();
                    assert_eq!(reply.set_cookie(APPROVAL), None, "{shown}");
                    assert!((400..500).contains(&reply.status), "{shown}: {reply:?}");
                    assert_eq!(reply.header("location"), None, "{shown}");
                    if reply.header("connection") == Some("close") {
                        connection = Connection::open(stack.envoy.listener);
                    }
                }
                Err(_) => {
                    closed += 1;
                    connection = Connection::open(stack.envoy.listener);
                }
            }
        }
    });
    assert_eq!(answered + closed, CALLBACKS);
    assert_eq!(stack.sim.calls("token"), 0, "nothing of it was asked of Duo");
    assert_eq!(stack.envoy.damage(), None, "no VM was loaded again");
    // The real one still works: nothing of the above has used it up.
    assert_arrived(&alice.returns(&stack, &target), PAGE);
    stack.judged(Verdict::Admitted(1), "the real one", || {
        let request = alice.with_cookies(Request::get(PAGE).navigation());
        assert_eq!(stack.send(&request).status, 200);
    });
    say!("changed callbacks: {CALLBACKS}, by status {statuses:?}, closed {closed}, approvals 0");
}
