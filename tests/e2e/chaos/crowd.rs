//! A crowd in the middle of signing in: half by the page of a browser, which polls, and half by a program whose request is
//! held. If a request is lost, each does what its client does: it tries again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::browser::{Browser, PENDING, fetched};
use crate::http1::Connection;
use crate::message::{Lost, Reply, Request};
use crate::sim::Sim;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// The longest time for which the page's script waits for the answer to a poll.
const PAGE: Duration = Duration::from_secs(13);
/// The longest time from the user's answer to the response.
const HUNG: Duration = Duration::from_secs(15);
/// The longest time of a sign-in, with all tries.
const LONGEST: Duration = Duration::from_secs(150);
/// The time between the first requests of two people.
const APART: Duration = Duration::from_millis(10);

/// How a sign-in ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Admitted,
    Denied,
    /// Neither, and why.
    Lost(String),
}

/// The state that the crowd shares: the address of Envoy, and the results of requests.
pub(crate) struct Front {
    listener: Mutex<SocketAddr>,
    /// People with a higher number deny.
    approvers: usize,
    /// Since when each push is answered at once.
    answered_since: Mutex<Option<Instant>>,
    /// How often requests had a result after which they are sent again.
    again: Mutex<BTreeMap<String, usize>>,
    slowest: Mutex<Duration>,
    /// How long a page waits for the answer to a poll. Other than here, a browser keeps the cookies of one that comes later.
    patience: Duration,
}

/// The effect of a disturbance on a crowd.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) lost: Vec<String>,
    /// Users whose request was held.
    pub(super) programs: usize,
    /// Requests without an answer for more than [`HUNG`] after the user's.
    pub(super) hung: usize,
    /// Second pushes of users who sign in by the page.
    pub(super) pushed_again_by_page: usize,
    /// Second pushes of users whose request was held.
    pub(super) pushed_again_by_program: usize,
}

impl Front {
    /// The front of this stack, before people with these numbers.
    pub(crate) fn at(stack: &Stack, approvers: usize) -> Self {
        Self {
            listener: Mutex::new(stack.envoy.listener),
            approvers,
            answered_since: Mutex::new(None),
            again: Mutex::new(BTreeMap::new()),
            slowest: Mutex::new(Duration::ZERO),
            patience: LONGEST,
        }
    }

    /// From now on each push is answered at once, so that a request without an answer hangs.
    pub(crate) fn answers_at_once(&self) {
        *self.answered_since.lock().unwrap() = Some(Instant::now());
    }

    /// How often requests had a result after which they were sent again.
    pub(crate) fn sent_again(&self) -> BTreeMap<String, usize> {
        self.again.lock().unwrap().clone()
    }

    /// Signs a user in, by the page or by a program.
    pub(crate) fn sign_in(&self, user: &str, is_browser: bool) -> End {
        let end = if is_browser { self.by_page(user) } else { self.by_program(user) };
        end.unwrap_or_else(|end| end)
    }

    fn is_hung(&self, sent: Instant) -> bool {
        let since = *self.answered_since.lock().unwrap();
        since.is_some_and(|since| since.max(sent).elapsed() > HUNG)
    }

    fn note(&self, what: impl Into<String>) {
        *self.again.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    /// Envoy listens at another address.
    pub(super) fn moved(&self, to: SocketAddr) {
        *self.listener.lock().unwrap() = to;
    }

    /// Sends a request of a user, who waits for `patience`. `None` if it is to be sent again.
    fn exchange(&self, user: &str, request: &Request, patience: Duration) -> Option<Reply> {
        let listener = *self.listener.lock().unwrap();
        let Some(mut connection) = Connection::try_open(listener) else {
            self.note("nobody listens");
            sleep(Duration::from_millis(500));
            return None;
        };
        let sent = Instant::now();
        let is_late = || self.is_hung(sent) || sent.elapsed() > patience;
        match connection.exchange_until(request, is_late) {
            // The next request after a denial that no request heard of.
            Ok(reply) if number(user) >= self.approvers && is_cooling_down(&reply) => Some(reply),
            Ok(reply) if matches!(reply.status, 429 | 500..) => {
                let words = String::from_utf8_lossy(&reply.body);
                let code =
                    words.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next());
                self.note(format!("{} {}", reply.status, code.unwrap_or("of Envoy")));
                let wait = reply.header("retry-after").map_or(1, |wait| wait.parse().unwrap());
                sleep(Duration::from_secs(wait));
                None
            }
            Ok(reply) => {
                if let Some(since) = *self.answered_since.lock().unwrap() {
                    let mut slowest = self.slowest.lock().unwrap();
                    *slowest = slowest.max(since.max(sent).elapsed());
                }
                Some(reply)
            }
            Err(Lost::Closed) => {
                self.note("connection ended");
                sleep(Duration::from_millis(500));
                None
            }
            Err(Lost::TimedOut) => {
                self.note(if self.is_hung(sent) { "hung" } else { "given up" });
                None
            }
        }
    }

    /// Sends a request until it has an answer that counts.
    fn insist(
        &self,
        user: &str,
        from: Instant,
        patience: Duration,
        request: impl Fn() -> Request,
    ) -> Result<Reply, End> {
        while from.elapsed() < LONGEST {
            if let Some(reply) = self.exchange(user, &request(), patience) {
                return Ok(reply);
            }
        }
        Err(End::Lost("it never ended".to_owned()))
    }

    fn by_page(&self, user: &str) -> Result<End, End> {
        let from = Instant::now();
        let mut browser = Browser::of(user);
        let start = "auth?factor=push&device=auto&return_to=%2Freports";
        let begun =
            self.insist(user, from, LONGEST, || browser.with_cookies(fetched("POST", start)))?;
        browser.keep(&begun);
        if !browser.has(PENDING) {
            return Err(unexpected(&begun));
        }
        loop {
            let state = self.insist(user, from, self.patience, || {
                browser.with_cookies(fetched("GET", "status"))
            })?;
            browser.keep(&state);
            let word = state.json()["state"].as_str().unwrap_or_default().to_owned();
            match word.as_str() {
                "waiting" => sleep(Duration::from_millis(500)),
                "approved" if browser.has(APPROVAL) => break,
                _ => return Ok(refused(&state)),
            }
        }
        let open = Request::get("/reports").navigation();
        let reply = self.insist(user, from, LONGEST, || browser.with_cookies(open.clone()))?;
        Ok(of_application(&reply))
    }

    fn by_program(&self, user: &str) -> Result<End, End> {
        let request = Request::get("/reports").user(user).header("user-agent", "curl/8.5.0");
        Ok(of_application(&self.insist(user, Instant::now(), LONGEST, || request.clone())?))
    }

    /// Answers the pushes that ring, at most so many.
    pub(super) fn answer(&self, sim: &Sim, most: usize) {
        for pending in sim.transactions(true).into_iter().take(most) {
            let user = pending["username"].as_str().unwrap();
            let is_approver = number(user) < self.approvers;
            let action = if is_approver { "approve" } else { "deny" };
            sim.answer_to(pending["txid"].as_str().unwrap(), action);
        }
    }
}

fn number(user: &str) -> usize {
    user.strip_prefix("guest").unwrap().parse().unwrap()
}

fn unexpected(reply: &Reply) -> End {
    End::Lost(format!("{} {}", reply.status, reply.text()))
}

fn refused(reply: &Reply) -> End {
    if reply.text().contains("mfa_denied") || is_cooling_down(reply) {
        End::Denied
    } else {
        unexpected(reply)
    }
}

fn is_cooling_down(reply: &Reply) -> bool {
    reply.status == 429 && reply.text().contains("too_many_requests")
}

fn of_application(reply: &Reply) -> End {
    if reply.status == 200 && reply.header("x-app").is_some() {
        End::Admitted
    } else {
        refused(reply)
    }
}

/// How many people sign in: `SIGN_INS`, for `make chaos` and `make fleet`.
pub(crate) fn many() -> usize {
    let people = std::env::var("SIGN_INS").ok();
    people.map_or(500, |people| people.parse().expect("SIGN_INS is a number"))
}

/// Has `people` approve their push, and a tenth as many deny theirs. `disturb` runs while all of them wait; a part is
/// answered before it and the rest after it. Asserts that each sign-in ends as its user answered, and that nobody else
/// is admitted.
pub(super) fn endure(
    name: &str,
    stack: &mut Stack,
    people: usize,
    disturb: impl FnOnce(&mut Stack, &Front),
) -> Report {
    let users: Vec<_> =
        (0..people + people.div_ceil(10)).map(|person| stack.sim.guest(person)).collect();
    let front = Front { patience: PAGE, ..Front::at(stack, people) };
    let ends: Vec<End> = thread::scope(|scope| {
        let clients: Vec<_> = users
            .iter()
            .enumerate()
            .map(|(person, user)| {
                let front = &front;
                scope.spawn(move || {
                    sleep(APART * u32::try_from(person).unwrap());
                    front.sign_in(user, person % 2 == 0)
                })
            })
            .collect();
        let begun = Instant::now();
        while stack.sim.pushes() < users.len() {
            assert!(begun.elapsed() < LONGEST, "{} pushes", stack.sim.pushes());
            sleep(Duration::from_millis(100));
        }
        let early = std::mem::take(&mut *front.again.lock().unwrap());
        crate::say!("{name}: {} pushes after {:?}; {early:?}", users.len(), begun.elapsed());
        stack.settle(Verdict::Denied, "before an answer");
        disturb(stack, &front);
        front.answer(&stack.sim, usize::MAX);
        front.answers_at_once();
        while clients.iter().any(|client| !client.is_finished()) {
            front.answer(&stack.sim, usize::MAX);
            sleep(Duration::from_millis(100));
        }
        clients.into_iter().map(|client| client.join().expect("a client")).collect()
    });
    report(name, stack, &front, &users, &ends)
}

fn report(name: &str, stack: &Stack, front: &Front, users: &[String], ends: &[End]) -> Report {
    let mut pushes = BTreeMap::<String, usize>::new();
    for transaction in stack.sim.transactions(false) {
        *pushes.entry(transaction["username"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let again = |rest: usize| -> usize {
        let users = users.iter().filter(|user| number(user) % 2 == rest);
        users.map(|user| pushes.get(user).map_or(0, |pushes| pushes - 1)).sum()
    };
    let lost = |(user, end): (&String, &End)| {
        let expected = if number(user) < front.approvers { End::Admitted } else { End::Denied };
        (*end != expected).then(|| format!("{user}: {end:?}"))
    };
    let results = front.sent_again();
    let report = Report {
        lost: users.iter().zip(ends).filter_map(lost).collect(),
        programs: users.iter().filter(|user| number(user) % 2 == 1).count(),
        hung: results.get("hung").copied().unwrap_or(0),
        pushed_again_by_page: again(0),
        pushed_again_by_program: again(1),
    };
    let admitted = ends.iter().filter(|end| **end == End::Admitted).count();
    let reached = stack.unjudged();
    crate::say!(
        "{name}: sign_ins={} of which held={} lost={} pushed_again_by_page={} pushed_again_by_program={} hung={} wrongly_admitted={} \
         slowest_answer={:?} sent_again={results:?}",
        users.len(),
        report.programs,
        report.lost.len(),
        report.pushed_again_by_page,
        report.pushed_again_by_program,
        report.hung,
        reached.saturating_sub(admitted),
        front.slowest.lock().unwrap(),
    );
    assert!(report.lost.is_empty(), "{:?}", report.lost);
    stack.settle(Verdict::Admitted(front.approvers), name);
    report
}
