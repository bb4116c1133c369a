//! Random conversations of some people with several applications at once, in which cookies and
//! tokens are stolen, kept and planted: whoever gets in was allowed in by Duo, for what they ask
//! for, and no phone rings too often.

use crate::applications::{asked, two_more};
use crate::browser::{Browser, posted};
use crate::rig::{Outcome, Refused, Request, Rig, Scripted, allows, fail, get, is_deletion, ok};
use crate::rig::{pair, status, their_phone, told};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::{Forward, NewCookie};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const PATHS: [&str; 6] = ["/", "/payments/x", "/wiki/x", "/admin", "/wire?to=7", "/wire?to=8"];
const PEOPLE: [&str; 3] = ["alice", "alice", "bob"];
const SPANS: [u64; 8] = [0, 1, 11, 61, 200, 301, 1_700, 28_801];
const MINUTE: Duration = Duration::from_secs(60);
const SIGN_IN: Duration = Duration::from_secs(300);
const SESSION: Duration = Duration::from_secs(8 * 60 * 60);

fn rig() -> Rig {
    let mut config = two_more();
    let rules = config["access_control"]["rules"].as_array_mut().unwrap();
    rules.push(json!({"paths": ["/admin"], "policy": "two_factor", "max_age": "5m"}));
    rules.push(json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"}));
    Rig::with(config)
}

/// What an approval is good for that was asked for on the way to a path.
fn good_for(path: &str) -> &str {
    match path {
        "/payments/x" => "payments",
        wire if wire.starts_with("/wire") => wire,
        _ => "default",
    }
}

/// A second factor that Duo was asked for.
struct Factor {
    user: String,
    key: String,
    /// Where it was to lead.
    path: &'static str,
    since: UnixTime,
    /// What the user said, and when.
    answer: Option<(bool, UnixTime)>,
    /// The filter has learned how it ended.
    is_heard: bool,
    is_used: bool,
}

/// A request that reached the application.
struct Admitted<'a> {
    user: &'static str,
    path: &'static str,
    forward: &'a Forward,
    now: UnixTime,
}

/// Duo, which knows nothing of browsers: whoever has the id of a transaction is told how it stands.
#[derive(Default)]
struct Duo {
    factors: Vec<Factor>,
    /// Whom it has rung since their last approval, and when.
    rings: Vec<(String, UnixTime)>,
}

/// What a request is for, and what its user says at once, where they do.
#[derive(Clone, Copy)]
struct Occasion {
    path: &'static str,
    at_once: Option<bool>,
    now: UnixTime,
}

impl Duo {
    fn answer(&mut self, call: &SignedCall, occasion: Occasion) -> Scripted {
        let Occasion { path, at_once, now } = occasion;
        let key = asked(call).1;
        match call.endpoint {
            Endpoint::Preauth => their_phone(call),
            Endpoint::Auth => {
                let body: Value = serde_json::from_slice(&call.body).unwrap();
                let user = body["username"].as_str().unwrap().to_owned();
                let is_typed = body["factor"] == "passcode";
                let answer = is_typed.then_some((true, now));
                if !is_typed {
                    self.ring(&user, now);
                }
                let (is_heard, is_used) = (is_typed, false);
                let factor = Factor { user, key, path, since: now, answer, is_heard, is_used };
                self.factors.push(factor);
                let txid = format!("{:08}-f45f-4862-8545-e0f58e78075a", self.factors.len() - 1);
                if is_typed { allows() } else { ok(&json!({"txid": txid})) }
            }
            Endpoint::AuthStatus => {
                let (_, id) = call.path.split_once("txid=").unwrap();
                let factor = &mut self.factors[id[..8].parse::<usize>().unwrap()];
                if factor.key != key {
                    return fail(40_002, "Invalid request parameters", "txid");
                }
                let is_late = now >= factor.since.plus(MINUTE);
                factor.answer = factor.answer.or_else(|| Some((at_once? && !is_late, now)));
                factor.is_heard |= factor.answer.is_some();
                match factor.answer {
                    None if is_late => status("deny", "timeout"),
                    None => status("waiting", "pushed"),
                    Some((false, _)) => status("deny", "deny"),
                    Some((true, _)) => {
                        self.rings.retain(|(rung, _)| *rung != factor.user);
                        allows()
                    }
                }
            }
            Endpoint::Ping
            | Endpoint::Check
            | Endpoint::Logo
            | Endpoint::Enroll
            | Endpoint::EnrollStatus => panic!("nobody asks for {:?}", call.endpoint),
        }
    }

    /// One at a time, none after an answer that the filter has not heard, and three in ten minutes
    /// that no approval has answered.
    fn ring(&mut self, user: &str, now: UnixTime) {
        for factor in self.factors.iter().filter(|it| it.user == user) {
            match factor.answer {
                None => assert!(now >= factor.since.plus(MINUTE), "{user}'s phone rings already"),
                Some((is_allowed, _)) => {
                    assert!(factor.is_heard || is_allowed, "{user}'s denial was not heard");
                }
            }
        }
        let since = |(rung, at): &&(String, UnixTime)| {
            rung == user && now.since(*at) <= Duration::from_secs(600)
        };
        assert!(self.rings.iter().filter(since).count() < 3, "{user}'s phone rings too often");
        self.rings.push((user.to_owned(), now));
    }

    /// Holds that a request was allowed in by the factor that the application is told of, and that
    /// its sender knew of that.
    fn check(&mut self, admitted: &Admitted<'_>, known: &BTreeSet<usize>) {
        let Admitted { user, path, forward, now } = *admitted;
        let is_one = good_for(path) == path;
        let time = told(forward, "x-duo-mfa-time").unwrap();
        let opens = |(number, factor): &(usize, &mut Factor)| {
            let Some((true, at)) = factor.answer else { return false };
            let life = if is_one { SIGN_IN + MINUTE } else { SESSION };
            factor.user == user
                && known.contains(number)
                && factor.since.seconds().to_string() == time
                && good_for(factor.path) == good_for(path)
                && at <= factor.since.plus(SIGN_IN)
                && now <= factor.since.plus(life)
                && (path != "/admin" || now.since(factor.since) <= SIGN_IN)
                && !(is_one && factor.is_used)
        };
        let opening = self.factors.iter_mut().enumerate().find(opens);
        let (_, factor) = opening.unwrap_or_else(|| panic!("{user} is admitted to {path}"));
        factor.is_used = true;
    }
}

/// Somebody's browser, and the factors that may stand behind what is in its jar.
struct Visitor {
    user: &'static str,
    browser: Browser,
    known: BTreeSet<usize>,
}

/// A cookie that somebody had once.
#[derive(Clone)]
struct Kept {
    name: String,
    pair: String,
    known: BTreeSet<usize>,
}

struct World {
    rig: Rig,
    duo: Duo,
    visitors: Vec<Visitor>,
    kept: Vec<Kept>,
}

impl World {
    fn new() -> Self {
        let visitor = |user| Visitor { user, browser: Browser::of(user), known: BTreeSet::new() };
        let visitors = PEOPLE.map(visitor).into();
        Self { rig: rig(), duo: Duo::default(), visitors, kept: Vec::new() }
    }

    /// Sends a request of a visitor's, who keeps what comes of it.
    fn send(&mut self, who: usize, request: &Request, path: &'static str) {
        let occasion = Occasion { path, at_once: None, now: self.rig.now };
        let before = self.duo.factors.len();
        let outcome = self.rig.drive(request, |call| Some(self.duo.answer(call, occasion)));
        let visitor = &mut self.visitors[who];
        visitor.known.extend(before..self.duo.factors.len());
        let lines = match outcome {
            Outcome::Forwarded(forward) => {
                let admitted =
                    Admitted { user: visitor.user, path, forward: &forward, now: self.rig.now };
                self.duo.check(&admitted, &visitor.known);
                given(&forward).into_iter().collect()
            }
            Outcome::Replied(reply) => Refused(reply).cookies(),
        };
        for line in lines {
            self.keep(who, &line);
        }
    }

    fn keep(&mut self, who: usize, line: &str) {
        let visitor = &mut self.visitors[who];
        let name = line.split('=').next().unwrap().to_owned();
        if is_deletion(line) {
            visitor.browser.jar.remove(&name);
            return;
        }
        let (pair, known) = (pair(line).to_owned(), visitor.known.clone());
        visitor.browser.jar.insert(name.clone(), pair.clone());
        self.kept.push(Kept { name, pair, known });
    }

    /// A program's request, which may bring a token; its user answers at once.
    fn program(
        &mut self,
        user: &'static str,
        path: &'static str,
        allows: bool,
        kept: Option<Kept>,
    ) {
        let mut request = get(path).of(user);
        let mut known = BTreeSet::new();
        if let Some(kept) = kept {
            request = request.with("x-duo-mfa-transaction", kept.pair.split_once('=').unwrap().1);
            known = kept.known;
        }
        let occasion = Occasion { path, at_once: Some(allows), now: self.rig.now };
        let before = self.duo.factors.len();
        let outcome = self.rig.drive(&request, |call| Some(self.duo.answer(call, occasion)));
        known.extend(before..self.duo.factors.len());
        if let Outcome::Forwarded(forward) = outcome {
            // What is held is approved at the end.
            self.duo.factors.iter_mut().skip(before).for_each(|it| it.since = self.rig.now);
            let admitted = Admitted { user, path, forward: &forward, now: self.rig.now };
            self.duo.check(&admitted, &known);
            if let Some(line) = given(&forward) {
                let name = line.split('=').next().unwrap().to_owned();
                self.kept.push(Kept { name, pair: pair(&line).to_owned(), known });
            }
        }
    }

    fn play(&mut self, [what, a, b, c]: [usize; 4]) {
        // No two factors begin in the same second.
        self.rig.now = self.rig.now.plus(Duration::from_secs(1));
        let (who, path) = (a % PEOPLE.len(), PATHS[b % PATHS.len()]);
        let browser = &self.visitors[who].browser;
        let to = path.replace('?', "%3F").replace('=', "%3D");
        let kept = (!self.kept.is_empty()).then(|| self.kept[b.max(c) % self.kept.len()].clone());
        match what % 12 {
            0 => self.send(who, &browser.opens(path), path),
            1 => self.send(who, &browser.fetches(path), path),
            2 | 3 => {
                let push = format!("/.duo-mfa/auth?factor=push&return_to={to}");
                self.send(who, &browser.posts(&push), path);
            }
            4 => self.send(who, &browser.fetches("/.duo-mfa/status"), path),
            5 => {
                let look = format!("/.duo-mfa/status?return_to={to}");
                self.send(who, &browser.fetches(&look), path);
            }
            6 => {
                let typed = format!("/.duo-mfa/auth?factor=passcode&return_to={to}");
                let typed = browser.posts(&typed).with("x-duo-mfa-passcode", "123456");
                self.send(who, &typed, path);
            }
            7 => {
                let now = self.rig.now;
                let is_waiting =
                    |it: &&mut Factor| it.answer.is_none() && now < it.since.plus(MINUTE);
                let waiting = self.duo.factors.iter_mut().rev().filter(is_waiting);
                for factor in waiting.take(1 + b % 2) {
                    factor.answer = Some((!c.is_multiple_of(4), now));
                }
            }
            8 => {
                let Some(Kept { name, pair, known }) = kept else { return };
                let visitor = &mut self.visitors[who];
                visitor.known.extend(known);
                let (_, value) = pair.split_once('=').unwrap();
                let names: Vec<_> = self.kept.iter().map(|kept| kept.name.clone()).collect();
                let name = if c.is_multiple_of(3) { &names[c % names.len()] } else { &name };
                visitor.browser.jar.insert(name.clone(), format!("{name}={value}"));
            }
            9 => self.rig.now = self.rig.now.plus(Duration::from_secs(SPANS[b % SPANS.len()])),
            10 => {
                let end = if c.is_multiple_of(2) { "cancel" } else { "logout" };
                self.send(who, &posted(browser.posts(&format!("/.duo-mfa/{end}"))), path);
            }
            _ => {
                let kept = kept.filter(|_| c.is_multiple_of(2));
                self.program(PEOPLE[who], path, !c.is_multiple_of(5), kept);
            }
        }
    }

    /// After some hours a new browser gets in by a push, whatever was before.
    fn ends_well(mut self) {
        // A push may be stopped by the answer to the one before: the user's, then the phone's.
        for _ in 0..4 {
            self.rig.now = self.rig.now.plus(Duration::from_secs(2 * 60 * 60));
            self.visitors[0].browser.jar.clear();
            self.play([2, 0, 0, 0]);
            self.play([7, 0, 0, 1]);
            self.play([4, 0, 0, 0]);
        }
        self.rig.send(&self.visitors[0].browser.opens("/"), &[]).admitted();
    }
}

/// The cookie of a response, which may be a deletion.
fn given(forward: &Forward) -> Option<String> {
    let (NewCookie::Approval(line)
    | NewCookie::UsedUp(line)
    | NewCookie::Renewal(line)
    | NewCookie::OverdueRenewal(line)) = forward.cookie.as_ref()?
    else {
        panic!("no address signs out here")
    };
    Some(String::from_utf8(line.as_bytes().to_vec()).unwrap())
}

fn whoever_gets_in_was_allowed_in() {
    let event = proptest::array::uniform4(0..1_000_usize);
    let conversation = proptest::collection::vec(event, 1..60);
    let config = Config { failure_persistence: None, cases: 200, ..Config::default() };
    let outcome = TestRunner::new(config).run(&conversation, |events| {
        let mut world = World::new();
        for event in events {
            world.play(event);
        }
        for who in 0..PEOPLE.len() {
            for path in PATHS {
                let request = world.visitors[who].browser.opens(path);
                world.send(who, &request, path);
            }
        }
        world.ends_well();
        Ok(())
    });
    outcome.unwrap();
}

crate::suite![whoever_gets_in_was_allowed_in];
