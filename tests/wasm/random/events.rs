//! The events of a conversation.

use crate::chance::Chance;
use crate::duo::Will;
use crate::host::{Answer, Call, Snapshot};
use crate::people::{Ask, PEERS, config};
use crate::world::{Id, Root, TICK, World};

const USERS: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
const PATHS: [&str; 11] = [
    "/reports",
    "/reports",
    "/public/x",
    "/deny/x",
    "/ops/x",
    "/api/a",
    "/api/b",
    "/wire?to=7",
    "/wire?to=8",
    "/admin",
    "/public/%2e%2e/deny/x",
];
/// Seconds that pass at once.
const SPANS: [u64; 8] = [1, 2, 5, 11, 61, 301, 700, 3_000];
const ALLOWS: &str =
    r#"{"stat": "OK", "response": {"result": "allow", "status": "allow", "status_msg": ""}}"#;

pub(super) struct Conversation<'a> {
    world: World,
    chance: Chance,
    states: &'a [Snapshot],
    /// Requests whose body has not ended.
    bodies: Vec<Id>,
    /// Calls that were reported, with what was reported.
    reported: Vec<(usize, Call, Answer)>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(world: World, seed: u64, states: &'a [Snapshot]) -> Self {
        let chance = Chance::new(seed);
        let mut it = Self { world, chance, states, bodies: Vec::new(), reported: Vec::new() };
        it.change_wills();
        it
    }

    pub(super) fn end(self) -> World {
        self.world
    }

    /// One event, and what belongs to it.
    pub(super) fn play(&mut self) {
        match self.chance.weighed(&[14, 14, 30, 3, 26, 3, 5, 3, 8, 8, 2, 2, 2, 1, 1, 1, 2]) {
            0 => self.program(),
            1 => self.browser(),
            2 => self.answer(),
            3 => self.misreport(),
            4 => self.world.pass(TICK),
            5 => {
                let seconds = self.chance.of(&SPANS);
                self.world.pass(seconds * 4 * TICK);
            }
            6 => self.press(),
            7 => self.leave(),
            8 => self.more_body(),
            9 => self.respond(),
            10 => self.time_out(),
            11 => self.unknown_contexts(),
            12 => self.replace_configuration(),
            13 => self.restart(),
            14 => self.refused_configuration(),
            15 => {
                let is_cut_off = self.chance.one_in(3);
                self.world.process.borrow_mut().is_cut_off = is_cut_off;
            }
            _ => self.change_wills(),
        }
        self.drop_what_is_over();
    }

    fn change_wills(&mut self) {
        const WILLS: [Will; 9] = [
            Will::Allow,
            Will::Allow,
            Will::Allow,
            Will::Deny,
            Will::Wait,
            Will::Wait,
            Will::Bypass,
            Will::Locked,
            Will::Enroll,
        ];
        for user in USERS {
            if self.chance.one_in(2) {
                let will = self.chance.of(&WILLS);
                self.world.duo.wills.insert(user.to_owned(), will);
            }
        }
    }

    /// A configuration that gets requests.
    fn root(&mut self) -> Option<Root> {
        let roots = self.world.roots.iter();
        let open: Vec<Root> = roots
            .filter(|it| it.vm < super::WORKERS && it.is_running && !it.is_old)
            .copied()
            .collect();
        (!open.is_empty()).then(|| self.chance.of(&open))
    }

    fn send(&mut self, root: Root, ask: &Ask) {
        let mut stream = ask.stream(root.context);
        stream.shows_body = !self.chance.one_in(3);
        let id = self.world.ask_as(root, ask, stream);
        if ask.has_body {
            self.bodies.push(id);
        }
    }

    /// Adds the cookies of the user; at times those of another one, or of another listener.
    fn with_cookies(&mut self, root: Root, ask: Ask) -> Ask {
        let (mut user, mut listener) = (ask.user.clone(), root.listener);
        if self.chance.one_in(12) {
            user = self.chance.of(&USERS).to_owned();
        }
        if self.chance.one_in(12) {
            listener = self.chance.below(super::LISTENERS);
        }
        match self.world.jars.get(&(user, listener)) {
            Some(jar) => ask.cookies(jar.iter()),
            None => ask,
        }
    }

    fn program(&mut self) {
        let Some(root) = self.root() else { return };
        let (user, path) = (self.chance.of(&USERS), self.chance.of(&PATHS));
        let mut ask = Ask::program(user, path);
        if self.chance.one_in(4) {
            ask = ask.from(self.chance.of(&PEERS));
        }
        if self.chance.one_in(5) {
            let code = self.chance.of(&["123456", "111111"]);
            ask = ask.with("x-duo-mfa-passcode", code);
        }
        if self.chance.one_in(6) {
            ask = ask.with_body();
        }
        if self.chance.one_in(2) {
            ask = self.with_cookies(root, ask);
        }
        self.send(root, &ask);
    }

    fn browser(&mut self) {
        let Some(root) = self.root() else { return };
        let (user, path) = (self.chance.of(&USERS), self.chance.of(&PATHS));
        let to = path.replace('/', "%2F").replace('?', "%3F").replace('=', "%3D");
        let own = |what: &str| format!("/.duo-mfa/{what}return_to={to}");
        let ask = match self.chance.weighed(&[6, 8, 10, 2, 3, 1, 1, 2, 2, 1]) {
            0 => Ask::opens(user, path),
            1 => Ask::posts(user, &own("auth?factor=push&")),
            2 => Ask::fetches(user, "/.duo-mfa/status"),
            3 => Ask::posts(user, &own("preauth?")),
            4 => Ask::submits(user, &own("auth?factor=passcode&")),
            5 => Ask::posts(user, &own("cancel?")),
            6 => Ask::posts(user, "/.duo-mfa/logout"),
            7 => Ask::posts(user, &own("enroll?")),
            8 => Ask::fetches(user, "/.duo-mfa/enroll/status"),
            _ => Ask::opens(user, "/.duo-mfa/readyz"),
        };
        let mut ask = self.with_cookies(root, ask);
        if self.chance.one_in(12) {
            ask = ask.from(self.chance.of(&PEERS));
        }
        self.send(root, &ask);
    }

    /// A worker that has calls under way.
    fn caller(&mut self) -> Option<usize> {
        let vms = self.world.vms.iter().enumerate();
        let callers: Vec<usize> =
            vms.filter(|(_, vm)| !vm.calls().is_empty()).map(|(number, _)| number).collect();
        (!callers.is_empty()).then(|| self.chance.of(&callers))
    }

    fn answer(&mut self) {
        let Some(vm) = self.caller() else { return self.world.pass(TICK) };
        let place = self.chance.below(self.world.vms[vm].calls().len());
        let call = &self.world.vms[vm].calls()[place];
        let is_late = self.world.process.borrow().now > call.sent + call.timeout * 1_000_000;
        let says = |status: u32, body: &str| Some(Answer::Says(status, body.to_owned()));
        let instead = match self.chance.weighed(&[24, 1, 1, 1, 1, 1, 1]) {
            _ if is_late => says(504, "upstream request timeout"),
            0 => None,
            1 => Some(Answer::Cut),
            2 => says(500, r#"{"stat": "FAIL", "code": 50000, "message": "Internal"}"#),
            3 => says(200, r#"{"stat": "OK", "response": {"result": "allo"#),
            4 => says(429, ALLOWS),
            5 => says(401, r#"{"stat": "FAIL", "code": 40103, "message": "Invalid signature"}"#),
            _ => Some(Answer::Says(200, "x".repeat(70_000))),
        };
        let (call, answer) = self.world.deliver(vm, place, instead);
        if self.reported.len() < 50 {
            self.reported.push((vm, call, answer));
        }
    }

    /// Reports an end a second time, or that of a call that the module has not made.
    fn misreport(&mut self) {
        let allows = Answer::Says(200, ALLOWS.to_owned());
        if self.reported.is_empty() || self.chance.one_in(3) {
            let vm = self.chance.below(self.world.vms.len());
            let context = u32::try_from(self.chance.below(60)).unwrap();
            // The numbers of calls under way are not among them.
            return self.world.misreport(vm, context, 1_000_000, &allows);
        }
        let (vm, call, answer) = self.chance.of(&self.reported);
        let is_under_way = |it: &Call| it.token == call.token;
        if self.world.vms[vm].calls().iter().any(is_under_way) {
            // A virtual machine that has started anew uses the number again.
            return;
        }
        let context = if self.chance.one_in(3) { call.stream } else { call.root };
        let answer = if self.chance.one_in(2) { answer } else { allows };
        self.world.misreport(vm, context, call.token, &answer);
    }

    /// The owner of a phone reacts.
    fn press(&mut self) {
        let is_allowed = !self.chance.one_in(3);
        let mut prompts = self.world.duo.prompts.iter_mut().rev();
        if let Some(prompt) = prompts.find(|prompt| prompt.is_allowed.is_none()) {
            prompt.is_allowed = Some(is_allowed);
        }
    }

    fn any(&mut self) -> Option<Id> {
        let ids = self.world.ids();
        (!ids.is_empty()).then(|| self.chance.of(&ids))
    }

    fn leave(&mut self) {
        if let Some(id) = self.any() {
            if self.chance.one_in(2) {
                // For the rest of this turn of the event loop, Envoy still knows the stream.
                self.world.time_out(id);
                self.answer();
            }
            self.world.end(id);
        }
    }

    fn more_body(&mut self) {
        if self.bodies.is_empty() {
            return;
        }
        let place = self.chance.below(self.bodies.len());
        let id = self.bodies[place];
        let parts: [&[u8]; 5] = [b"passcode=", b"123456", b"passcode=123456", b"", &[b'x'; 3_000]];
        let part = self.chance.of(&parts);
        match self.chance.below(4) {
            0 | 1 => self.world.body(id, part, false),
            2 => self.world.body(id, part, true),
            _ => self.world.trailers(id, vec![(b"x-duo-mfa-user".to_vec(), b"mallory".to_vec())]),
        }
        if self.chance.one_in(2) {
            self.bodies.swap_remove(place);
        }
    }

    fn respond(&mut self) {
        let forwarded = self.world.ids().into_iter().find(|id| {
            self.world.stream(*id).is_some_and(|it| it.upstream.is_some() && it.client.is_none())
        });
        if let Some(id) = forwarded {
            self.world.respond(id);
        }
    }

    /// Envoy ends a request with a local reply. The module sees its headers.
    fn time_out(&mut self) {
        let waits = self.world.undecided().next();
        if let Some(id) = waits {
            self.world.time_out(id);
            self.world.respond(id);
        }
    }

    /// Envoy does not call for a context that has ended. Another host may.
    fn unknown_contexts(&mut self) {
        let vm = self.chance.below(self.world.vms.len());
        let id = (vm, 1_000_000);
        match self.chance.below(3) {
            0 => self.world.body(id, b"x", true),
            1 => self.world.trailers(id, Vec::new()),
            _ => drop(self.world.respond(id)),
        }
    }

    fn replace_configuration(&mut self) {
        let (vm, listener) =
            (self.chance.below(self.world.vms.len()), self.chance.below(super::LISTENERS));
        for root in &mut self.world.roots {
            root.is_old |= root.vm == vm && root.listener == listener;
        }
        self.world.configure(vm, listener, &config(listener).to_string());
    }

    /// The module refuses a configuration. No request of it may be forwarded.
    fn refused_configuration(&mut self) {
        let vm = self.chance.below(super::WORKERS);
        let root = self.world.configure(vm, 0, r#"{"version": 1, "surprise": true}"#);
        if !root.is_running {
            for path in ["/public/x", "/reports"] {
                let ask = Ask::program(USERS[0], path);
                let ask = self.with_cookies(root, ask);
                self.send(root, &ask);
            }
        }
    }

    fn restart(&mut self) {
        let vm = self.chance.below(self.world.vms.len());
        self.bodies.retain(|(worker, _)| *worker != vm);
        let roots: Vec<Root> = self.world.roots.iter().filter(|it| it.vm == vm).copied().collect();
        self.world.restart(vm, &self.states[vm]);
        let first = |listener| roots.iter().find(|it| it.listener == listener && !it.is_old);
        // The state has the contexts of the start.
        for listener in 0..super::LISTENERS {
            if let Some(root) = first(listener) {
                let context = u32::try_from(listener).unwrap() + 1;
                self.world.roots.push(Root { context, is_running: true, ..*root });
            }
        }
    }

    /// Streams end after their response, and old configurations after their last stream.
    fn drop_what_is_over(&mut self) {
        for id in self.world.ids() {
            if self.world.stream(id).is_none_or(|it| it.client.is_some()) && !self.chance.one_in(3)
            {
                self.world.end(id);
            }
        }
        self.bodies.retain(|id| self.world.stream(*id).is_some());
        for root in self.world.roots.clone() {
            let mut streams = self.world.vms[root.vm].streams().values();
            if (root.is_old || !root.is_running) && !streams.any(|it| it.root == root.context) {
                self.world.vms[root.vm].end_root(root.context);
                self.world.roots.retain(|it| (it.vm, it.context) != (root.vm, root.context));
            }
        }
    }
}
