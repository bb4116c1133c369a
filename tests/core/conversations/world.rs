//! One conversation: its state, and its random events.

use super::duo::{Asked, Duo};
use super::flows::Open;
use super::neighbor::Neighbor;
use super::people::{APPROVERS, PATHS, PEERS, PEOPLE, Program, Sender, Visitor};
use super::people::{approval_cookie, is_by_another, pending_cookie};
use super::phone::Word;
use crate::accounts::two_more;
use crate::browser::posted;
use crate::chance::Chance;
use crate::rig::{
    FleetSays, NOON, Outcome, Request, Rig, Scripted, allows, count_anew, get, ok, phone, says,
    started,
};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::{Health, Room, Unanswered};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const SPANS: [u64; 9] = [1, 2, 3, 5, 11, 61, 200, 301, 1_700];
const LONG_SPANS: [u64; 3] = [1_700, 7_200, 28_801];
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Counts of all conversations.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: usize,
    pub(super) admitted: usize,
    pub(super) refused: usize,
    pub(super) pushes: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.admitted += other.admitted;
        self.refused += other.refused;
        self.pushes += other.pushes;
    }
}

pub(super) struct World<'r> {
    /// The workers; the last one is of another listener.
    pub(super) rigs: &'r mut [Rig],
    pub(super) rooms: Vec<Room>,
    pub(super) now: UnixTime,
    pub(super) table: BTreeMap<String, Vec<u8>>,
    pub(super) health: Health,
    pub(super) duo: Duo,
    pub(super) visitors: Vec<Visitor>,
    pub(super) open: Vec<Open>,
    /// The approvals that were handed out, with the number of their reason.
    pub(super) approvals: HashMap<String, usize>,
    /// The sign-ins that clients have, with the number of their reason.
    pub(super) pending: HashMap<String, usize>,
    /// Names and values of cookies that somebody had once.
    pub(super) kept: Vec<(String, String)>,
    /// The last program that left.
    pub(super) left: Option<Program>,
    pub(super) neighbor: Neighbor,
    pub(super) chance: Chance,
    /// Whether the last change of the table may have failed since other workers were faster each time.
    pub(super) is_contended: bool,
    pub(super) tally: Tally,
}

/// The workers of one Envoy: two of the same listener, and one of a listener with another cookie key. They
/// share one table of limits.
pub(super) fn workers() -> [Rig; 3] {
    let mut config = two_more();
    let rules = config["access_control"]["rules"].as_array_mut().unwrap();
    let strict = json!({"paths": ["/wiki/strict"], "policy": "two_factor", "application": "wiki",
        "fail_mode": "secure"});
    rules.insert(0, strict);
    rules.push(json!({"paths": ["/admin"], "policy": "two_factor", "max_age": "5m"}));
    rules.push(json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"}));
    rules.push(json!({"paths": ["/board"], "policy": "two_factor", "approval": "per_request",
        "approver": {"groups": ["board"]}}));
    config["access_control"]["approver_groups"] = json!({"board": {"users": APPROVERS}});
    config["applications"]["wiki"]["duo"]["fail_mode"] = json!("safe");
    config["identity"] = json!({"username": "{local}"});
    config["limits"] = json!({"user_calls": 3, "user_rate": 60, "calls": 6, "held": 4});
    let rig = |keys: Value, on_error: &str| {
        let mut config = config.clone();
        config["session"] = json!({"keys": keys});
        config["limits"]["rate_limit_service"] =
            json!({"cluster": "rate_limit", "domain": "duo", "on_error": on_error});
        Rig::with(config)
    };
    let usual = json!([{"env": "DUO_MFA_COOKIE_KEY"}]);
    let other = json!([{"env": "DUO_MFA_OTHER_COOKIE_KEY"}]);
    [rig(usual.clone(), "allow"), rig(usual, "allow"), rig(other, "deny")]
}

impl<'r> World<'r> {
    pub(super) fn new(rigs: &'r mut [Rig], mut chance: Chance) -> Self {
        count_anew();
        let neighbor = Neighbor::new(&mut chance);
        let answers = u64::try_from(chance.below(1 << 16)).unwrap();
        rigs.iter_mut().for_each(|rig| rig.fleet.random = Some(answers));
        let visitors = PEOPLE.iter().chain(&PEOPLE[..1]).map(Visitor::of).collect();
        Self {
            rooms: rigs.iter().map(|_| Room::default()).collect(),
            rigs,
            now: NOON,
            table: BTreeMap::new(),
            health: Health::default(),
            duo: Duo::default(),
            visitors,
            open: Vec::new(),
            approvals: HashMap::new(),
            pending: HashMap::new(),
            kept: Vec::new(),
            left: None,
            neighbor,
            chance,
            is_contended: false,
            tally: Tally::default(),
        }
    }

    /// One event.
    pub(super) fn play(&mut self) {
        if !self.chance.one_in(3) {
            self.pass(Duration::from_secs(1));
        }
        let has_happened = match self.chance.weighed(&[6, 8, 40, 2, 2, 12, 5, 2, 3, 2]) {
            0 => false,
            1 => self.programs(),
            2 => self.is_answered(),
            3 => self.acts(),
            4 => self.leaves(),
            5 => self.touch_a_phone(),
            6 => {
                let spans = if self.chance.one_in(8) { &LONG_SPANS[..] } else { &SPANS };
                let span = self.chance.of(spans);
                self.pass(Duration::from_secs(span));
                true
            }
            7 => self.plant_a_cookie(),
            8 => self.check_duo(),
            _ => self.neighbor.write(&mut self.table, &mut self.chance),
        };
        if !has_happened {
            self.visits();
        }
        self.neighbor.look(&self.table, &mut self.chance);
    }

    fn visits(&mut self) {
        let number = self.chance.below(self.visitors.len());
        let path = self.chance.of(&PATHS);
        let to = path.replace('?', "%3F").replace('=', "%3D");
        let browser = &self.visitors[number].browser;
        let worker = self.chance.weighed(&[4, 4, 1]);
        let named = self.chance.of(&APPROVERS).replace('@', "%40");
        let is_named = is_by_another(path) && !self.chance.one_in(4);
        let approver = if is_named { format!("approver={named}&") } else { String::new() };
        let own = |what: &str| format!("/.duo-mfa/{what}{approver}return_to={to}");
        let sensible = match (browser.has(pending_cookie(path)), browser.jar.is_empty()) {
            (true, _) => 5,
            (false, true) => 2,
            (false, false) => 0,
        };
        let is_sensible = self.chance.one_in(2);
        let any = self.chance.weighed(&[6, 1, 9, 2, 2, 2, 2, 1, 2, 2]);
        let request = match if is_sensible { sensible } else { any } {
            0 => browser.opens(path),
            1 => browser.fetches(path),
            2 => browser.posts(&own("auth?factor=push&")),
            3 => browser.posts(&own("auth?factor=phone&")),
            4 => browser.fetches("/.duo-mfa/status"),
            5 => browser.fetches(&own("status?")),
            6 => {
                let typed = browser.posts(&own("auth?factor=passcode&"));
                typed.with("x-duo-mfa-passcode", "123456")
            }
            7 => browser.posts(&own("preauth?")),
            8 => return self.cancel(worker, number, path, &posted(browser.posts(&own("cancel?")))),
            _ if self.chance.one_in(2) => {
                return self.sign_out(worker, number, path, &browser.posts("/.duo-mfa/logout"));
            }
            _ => browser.opens(&own("?")),
        };
        self.visit(worker, number, path, &request);
    }

    fn visit(&mut self, worker: usize, number: usize, path: &'static str, request: &Request) {
        let person = self.visitors[number].person;
        let jar = self.visitors[number].browser.jar.values();
        let brought = jar.map(|pair| pair.split_once('=').unwrap().1.to_owned()).collect();
        let (sender, listener, at) = (Sender::Visitor(number), worker / 2, self.now);
        let asked = Asked { person, sender, listener, path, brought, at };
        self.send(worker, asked, PEERS[0], request);
    }

    /// The sign-in of one application is cancelled.
    fn cancel(&mut self, worker: usize, number: usize, path: &'static str, request: &Request) {
        let cookies = self.sign_ins(number, |name| name == pending_cookie(path));
        self.visit(worker, number, path, request);
        self.end(worker, number, &cookies);
    }

    /// All sign-ins are over.
    fn sign_out(&mut self, worker: usize, number: usize, path: &'static str, request: &Request) {
        let cookies = self.sign_ins(number, |name| name.starts_with("__Host-duo_"));
        self.visit(worker, number, path, request);
        self.end(worker, number, &cookies);
    }

    fn sign_ins(&self, number: usize, is_meant: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let jar = self.visitors[number].browser.jar.iter();
        let value = |pair: &str| pair.split_once('=').unwrap().1.to_owned();
        let meant = jar.filter(|(name, _)| is_meant(name));
        meant.map(|(name, pair)| (name.clone(), value(pair))).collect()
    }

    fn end(&mut self, worker: usize, number: usize, cookies: &[(String, String)]) {
        if self.is_contended {
            return;
        }
        let name = self.visitors[number].person.name;
        for (cookie, value) in cookies {
            let known = self.pending.get(value).or_else(|| self.approvals.get(value));
            // A value under another name is not valid, and its sign-out ends nothing.
            let is_its = |path| *cookie == pending_cookie(path) || *cookie == approval_cookie(path);
            if let Some(reason) = known.map(|known| &mut self.duo.reasons[*known])
                && reason.asked.person.name == name
                && reason.asked.listener == worker / 2
                && is_its(reason.asked.path)
            {
                reason.is_over = true;
            }
        }
    }

    fn programs(&mut self) -> bool {
        if let Some(left) = self.left.take()
            && self.chance.one_in(2)
        {
            // The same request once more, at any worker of the listener.
            self.run(self.chance.clone().below(2), left);
            return true;
        }
        let replayed = self.replayed().filter(|_| self.chance.one_in(3));
        if let Some((worker, program)) = replayed {
            self.run(worker, program);
            return true;
        }
        let person = &PEOPLE[self.chance.below(PEOPLE.len())];
        let path = self.chance.of(&PATHS);
        let peer = self.chance.of(&PEERS);
        let brings = !self.kept.is_empty() && self.chance.one_in(3);
        let token = brings.then(|| self.chance.of(&self.kept).1);
        let has_passcode = self.chance.one_in(6);
        let is_named = is_by_another(path) && !self.chance.one_in(4);
        let approver = is_named.then(|| self.chance.of(&APPROVERS));
        let program = Program { name: person.name, path, peer, token, has_passcode, approver };
        let worker = self.chance.weighed(&[4, 4, 1]);
        self.run(worker, program);
        true
    }

    /// The request that was last approved ahead. It may have been admitted already.
    fn replayed(&self) -> Option<(usize, Program)> {
        let mut kept = self.kept.iter().rev();
        let (_, token) = kept.find(|(name, _)| name == "__Host-duo_operation")?;
        let asked = &self.duo.reasons[*self.approvals.get(token)?].asked;
        let (name, path) = (asked.person.name, asked.path);
        let token = Some(token.clone());
        let (has_passcode, approver) = (false, None);
        let program = Program { name, path, peer: PEERS[0], token, has_passcode, approver };
        Some((2 * asked.listener, program))
    }

    fn run(&mut self, worker: usize, program: Program) {
        let person = PEOPLE.iter().find(|person| person.name == program.name).unwrap();
        let brought = program.token.iter().cloned().collect();
        let (path, peer, request) = (program.path, program.peer, program.request());
        let (sender, listener, at) = (Sender::Program(program), worker / 2, self.now);
        let asked = Asked { person, sender, listener, path, brought, at };
        self.send(worker, asked, peer, &request);
    }

    /// The owner of a phone that rings answers.
    fn touch_a_phone(&mut self) -> bool {
        let words = [Word::Allow, Word::Allow, Word::Allow, Word::Deny, Word::Fraud];
        let word = words[self.chance.weighed(&[2, 2, 2, 3, 1])];
        let now = self.now;
        let prompts = &mut self.duo.phones.prompts;
        let ringing = prompts.iter_mut().rev().find(|it| it.is_ringing(now));
        ringing.map(|prompt| prompt.answer = Some(word)).is_some()
    }

    /// A visitor gets a cookie that some visitor had earlier, perhaps under another name.
    fn plant_a_cookie(&mut self) -> bool {
        if self.kept.is_empty() {
            return false;
        }
        let (name, value) = self.chance.of(&self.kept);
        let name = if self.chance.one_in(4) { self.chance.of(&self.kept).0 } else { name };
        let number = self.chance.below(self.visitors.len());
        let jar = &mut self.visitors[number].browser.jar;
        if self.chance.one_in(6) {
            jar.clear();
        } else {
            jar.insert(name.clone(), format!("{name}={value}"));
        }
        true
    }

    /// An outage starts or ends, and the background check notices it, or finds no room for its call.
    fn check_duo(&mut self) -> bool {
        self.duo.is_down = self.chance.one_in(if self.duo.is_down { 3 } else { 8 });
        let fault = match (self.chance.one_in(5), self.duo.is_down) {
            (true, _) => Scripted::Fails(Unanswered::Overflow),
            (false, true) => says(503, "upstream connect error"),
            (false, false) => ok(&json!({"time": self.now.seconds()})),
        };
        self.duo.is_checked_down = match &fault {
            Scripted::Fails(_) => self.duo.is_checked_down,
            Scripted::Says { .. } => self.duo.is_down,
        };
        let rig = &mut self.rigs[0];
        (rig.now, rig.health) = (self.now, self.health);
        self.health = rig.check_meets(&fault);
        true
    }

    /// Asserts that after some hours a program is admitted by a push, whatever happened before.
    pub(super) fn ends_well(mut self) -> Tally {
        self.pass(HOUR);
        self.tally.pushes = self.duo.phones.prompts.len();
        let person = &PEOPLE[0];
        let rig = &mut self.rigs[0];
        (rig.now, rig.table, rig.lost_writes) = (self.now.plus(HOUR), self.table, 0);
        // The service that several Envoys share has room by then.
        rig.fleet.script = [FleetSays::ok(), FleetSays::ok()].into();
        let mut answer = |call: &SignedCall| {
            Some(if call.endpoint == Endpoint::Preauth {
                phone(person.device)
            } else if call.endpoint == Endpoint::Auth {
                started()
            } else {
                allows()
            })
        };
        // The first may find a bucket that a neighbor has written.
        let is_admitted = (0..2).any(|_| {
            rig.now = rig.now.plus(HOUR);
            let outcome = rig.drive(&get("/").of(person.name), &mut answer);
            matches!(outcome, Outcome::Forwarded(_))
        });
        assert!(is_admitted, "{} is locked out", person.name);
        rig.calls.clear();
        rig.fleet.script.clear();
        rig.signals.clear();
        rig.judgements.clear();
        rig.table.clear();
        self.tally
    }
}
