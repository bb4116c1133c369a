//! Scripted flows. Each one prepares a world, records the host's calls from `begin` on, and goes on whatever the module has
//! decided, so that the same requests follow one another in each run.

use crate::duo::Will;
use crate::host::{Process, Recorded, Snapshot, Vm};
use crate::people::{Ask, PEERS, config};
use crate::world::{Id, Root, TICK, World};
use std::cell::RefCell;

/// A flow that is played.
pub(crate) struct Script {
    pub(crate) world: World,
    recorded: Option<Recorded>,
    root: Option<Root>,
}

pub(crate) type Flow = fn(&mut Script);

const USER: &str = "alice";
const STATUS: &str = "/.duo-mfa/status";

/// A virtual machine that is used again and again, and its states.
struct Reused {
    process: Process,
    new: Snapshot,
    running: Snapshot,
    root: Root,
    vm: Option<Vm>,
}

thread_local! {
    static REUSED: RefCell<Option<Reused>> = const { RefCell::new(None) };
}

impl Reused {
    fn new() -> Self {
        let mut world = World::new(7, 1, false);
        let new = world.vms[0].snapshot();
        let root = world.configure(0, 0, &config(0).to_string());
        assert!(root.is_running, "{:?}", world.process.borrow().log);
        // The first check of Duo.
        world.pass(TICK);
        world.settle();
        world.pass(TICK);
        let running = world.vms[0].snapshot();
        let process = world.process.borrow().clone();
        Self { process, new, running, root, vm: world.vms.pop() }
    }

    /// The world before or after the start of the configuration.
    fn world(&mut self, is_running: bool) -> World {
        let mut vm = self.vm.take().expect("a virtual machine");
        let (state, process, roots) = if is_running {
            (&self.running, self.process.clone(), vec![self.root])
        } else {
            (&self.new, Process::new(7), Vec::new())
        };
        let mut world = World::of(process, Vec::new(), roots);
        if !vm.restore(state, &world.process) {
            vm = Vm::new(&world.process, false);
            vm.restore(state, &world.process);
        }
        world.vms.push(vm);
        world
    }
}

impl Script {
    /// Plays a flow, and what follows from it. `look` sees the world at its end.
    pub(crate) fn play<T>(
        (flow, is_running): (Flow, bool),
        recorded: Recorded,
        look: impl FnOnce(&mut World) -> T,
    ) -> T {
        REUSED.with_borrow_mut(|reused| {
            let reused = reused.get_or_insert_with(Reused::new);
            let root = is_running.then_some(reused.root);
            let mut script =
                Self { world: reused.world(is_running), recorded: Some(recorded), root };
            flow(&mut script);
            script.world.settle();
            script.world.pass(TICK);
            let seen = look(&mut script.world);
            reused.vm = script.world.vms.pop();
            seen
        })
    }

    fn begin(&mut self) {
        self.world.record(self.recorded.take().expect("a flow begins once"));
    }

    /// Sends a request, and lets time pass until it is decided.
    fn ask(&mut self, ask: &Ask) -> Id {
        let root = self.root.expect("a configuration");
        let id = self.world.ask(root, ask);
        if ask.has_body {
            return id;
        }
        self.finish(id)
    }

    fn finish(&mut self, id: Id) -> Id {
        self.world.settle();
        if self.world.is_forwarded(id) {
            self.world.respond(id);
        }
        id
    }

    fn with_cookies(&self, ask: Ask) -> Ask {
        match self.world.jars.get(&(ask.user.clone(), 0)) {
            Some(jar) => ask.cookies(jar.iter()),
            None => ask,
        }
    }

    fn will(&mut self, will: Will) {
        self.world.duo.wills.insert(USER.to_owned(), will);
    }
}

pub(crate) fn start(script: &mut Script) {
    script.begin();
    let root = script.world.configure(0, 0, &config(0).to_string());
    script.root = Some(root);
    script.world.pass(TICK);
    script.ask(&Ask::program(USER, "/public/x"));
    script.will(Will::Deny);
    script.ask(&Ask::program(USER, "/reports"));
}

pub(crate) fn pass(script: &mut Script) {
    script.ask(&Ask::program(USER, "/reports"));
    script.begin();
    for _ in 0..2 {
        let ask = script.with_cookies(Ask::program(USER, "/reports"));
        script.ask(&ask);
    }
    script.will(Will::Deny);
    // Somebody else's cookie, and the same one from elsewhere.
    let jar = script.world.jars[&(USER.to_owned(), 0)].clone();
    script.world.duo.wills.insert("bob".to_owned(), Will::Deny);
    script.ask(&Ask::program("bob", "/reports").cookies(jar.iter()));
    script.ask(&Ask::program(USER, "/reports").cookies(jar.iter()).from(PEERS[1]));
}

pub(crate) fn expired(script: &mut Script) {
    script.ask(&Ask::program(USER, "/reports"));
    script.will(Will::Deny);
    script.begin();
    script.world.pass(301 * 4 * TICK);
    let ask = script.with_cookies(Ask::program(USER, "/admin"));
    script.ask(&ask);
    script.world.pass(9 * 60 * 60 * 4 * TICK);
    let ask = script.with_cookies(Ask::program(USER, "/reports"));
    script.ask(&ask);
}

pub(crate) fn hold(script: &mut Script) {
    script.begin();
    script.ask(&Ask::program(USER, "/reports"));
    let ask = script.with_cookies(Ask::program(USER, "/reports"));
    script.ask(&ask);
}

pub(crate) fn hold_denied(script: &mut Script) {
    script.will(Will::Deny);
    script.begin();
    script.ask(&Ask::program(USER, "/reports"));
    // The cool-down after a denial.
    script.ask(&Ask::program(USER, "/reports"));
}

/// A request with a body and trailers is held. Envoy passes both to the module.
pub(crate) fn hold_with_body(script: &mut Script) {
    script.begin();
    let id = script.ask(&Ask::program(USER, "/reports").with_body());
    script.world.body(id, b"first", false);
    script.world.body(id, b"second", false);
    script.world.trailers(id, vec![(b"x-duo-mfa-user".to_vec(), b"mallory".to_vec())]);
    script.finish(id);
}

pub(crate) fn hold_unanswered(script: &mut Script) {
    script.will(Will::Wait);
    script.begin();
    script.ask(&Ask::program(USER, "/reports"));
}

pub(crate) fn bypass_at_duo(script: &mut Script) {
    script.will(Will::Bypass);
    script.begin();
    script.ask(&Ask::program(USER, "/reports"));
}

pub(crate) fn passcode(script: &mut Script) {
    script.begin();
    script.ask(&Ask::program(USER, "/reports").with("x-duo-mfa-passcode", "123456"));
    script.will(Will::Deny);
    script.ask(&Ask::program(USER, "/reports").with("x-duo-mfa-passcode", "111111"));
}

pub(crate) fn page(script: &mut Script) {
    script.begin();
    script.ask(&Ask::opens(USER, "/reports"));
    script.ask(&Ask::posts(USER, "/.duo-mfa/preauth?return_to=%2Freports"));
    script.ask(&Ask::fetches(USER, "/.duo-mfa/userinfo"));
}

fn page_signs_in(script: &mut Script, will: Will) {
    script.will(will);
    script.ask(&Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Freports"));
    script.begin();
    for _ in 0..2 {
        let ask = script.with_cookies(Ask::fetches(USER, STATUS));
        script.ask(&ask);
    }
    let ask = script.with_cookies(Ask::opens(USER, "/reports"));
    script.ask(&ask);
}

pub(crate) fn status(script: &mut Script) {
    page_signs_in(script, Will::Allow);
}

pub(crate) fn status_denied(script: &mut Script) {
    page_signs_in(script, Will::Deny);
}

/// The prompt itself, and a sign-in that is given up.
pub(crate) fn auth(script: &mut Script) {
    script.will(Will::Wait);
    script.begin();
    script.ask(&Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Freports"));
    for path in [STATUS, "/.duo-mfa/cancel?return_to=%2Freports"] {
        let ask = script.with_cookies(Ask::posts(USER, path));
        script.ask(&ask);
    }
    let ask = script.with_cookies(Ask::opens(USER, "/reports"));
    script.ask(&ask);
}

fn submit(script: &mut Script, code: &str) {
    script.begin();
    let path = "/.duo-mfa/auth?factor=passcode&return_to=%2Freports";
    let id = script.ask(&Ask::submits(USER, path));
    script.world.body(id, b"pass", false);
    script.world.body(id, format!("code={code}").as_bytes(), true);
    script.finish(id);
    let ask = script.with_cookies(Ask::opens(USER, "/reports"));
    script.ask(&ask);
}

pub(crate) fn form(script: &mut Script) {
    submit(script, "123456");
}

pub(crate) fn form_refused(script: &mut Script) {
    submit(script, "111111");
}

/// The rest of the body never arrives.
pub(crate) fn form_in_half(script: &mut Script) {
    script.begin();
    let id = script.ask(&Ask::submits(USER, "/.duo-mfa/auth?factor=passcode&return_to=%2Freports"));
    script.world.body(id, b"pass", false);
    script.finish(id);
}

pub(crate) fn per_request(script: &mut Script) {
    script.begin();
    script.ask(&Ask::program(USER, "/wire?to=7"));
    script.ask(&Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Fwire%3Fto%3D8"));
    let ask = script.with_cookies(Ask::fetches(USER, STATUS));
    script.ask(&ask);
    script.will(Will::Deny);
    let cookies = script.with_cookies(Ask::opens(USER, "/wire?to=8"));
    // Another one, the one that was approved, and that once more if it was used.
    let other = script.with_cookies(Ask::opens(USER, "/wire?to=9"));
    script.ask(&other);
    let used = script.ask(&cookies);
    let again = Ask::program(USER, "/deny/x");
    script.ask(if script.world.is_forwarded(used) { &cookies } else { &again });
}

/// The request that was approved has no body, and this one has.
pub(crate) fn per_request_with_body(script: &mut Script) {
    script.begin();
    script.ask(&Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Fwire%3Fto%3D8"));
    let ask = script.with_cookies(Ask::fetches(USER, STATUS));
    script.ask(&ask);
    let wire = script.with_cookies(Ask::opens(USER, "/wire?to=8"));
    let id = script.ask(&wire.still_without_its_body());
    script.world.body(id, b"amount=1000000", true);
    script.finish(id);
}

pub(crate) fn per_client(script: &mut Script) {
    script.begin();
    script.ask(&Ask::program(USER, "/api/a"));
    script.will(Will::Deny);
    script.ask(&Ask::program(USER, "/api/b"));
    script.ask(&Ask::program(USER, "/api/c").from(PEERS[1]));
}

/// Two requests of one client at once: the second one waits for the push of the first.
pub(crate) fn per_client_at_once(script: &mut Script) {
    script.begin();
    let root = script.root.expect("a configuration");
    let both = ["/api/a", "/api/b"].map(|path| script.world.ask(root, &Ask::program(USER, path)));
    for id in both {
        script.finish(id);
    }
    script.will(Will::Deny);
    script.ask(&Ask::program(USER, "/api/c").from(PEERS[1]));
}

pub(crate) fn enroll(script: &mut Script) {
    script.will(Will::Enroll);
    script.begin();
    let path = "/.duo-mfa/enroll?return_to=%2Freports";
    let id = script.ask(&Ask::submits(USER, path));
    script.world.body(id, b"", true);
    script.finish(id);
    for path in [path, "/.duo-mfa/enroll/status"] {
        let ask = script.with_cookies(Ask::opens(USER, path));
        script.ask(&ask);
    }
    script.ask(&Ask::program(USER, "/reports"));
}

pub(crate) fn health(script: &mut Script) {
    script.begin();
    for _ in 0..3 {
        script.world.pass(60 * 4 * TICK);
        script.world.settle();
        script.ask(&Ask::program(USER, "/.duo-mfa/readyz"));
    }
    script.ask(&Ask::program(USER, "/.duo-mfa/healthz"));
}

pub(crate) fn rules(script: &mut Script) {
    script.will(Will::Deny);
    script.begin();
    for path in ["/public/x", "/deny/x", "/ops/x", "/public/../deny/x"] {
        script.ask(&Ask::program(USER, path));
        script.ask(&Ask::program(USER, path).from(PEERS[2]));
    }
}

/// A sign-out that succeeds ends the approval of the client. One that fails says so.
pub(crate) fn sign_out(script: &mut Script) {
    script.ask(&Ask::program(USER, "/api/a"));
    script.will(Will::Deny);
    script.begin();
    let ask = script.with_cookies(Ask::posts(USER, "/.duo-mfa/logout"));
    let id = script.ask(&ask);
    let reply = script.world.stream(id).and_then(|stream| stream.reply.as_ref());
    let has_succeeded = reply.is_some_and(|reply| reply.status < 400);
    script.ask(&Ask::program(USER, if has_succeeded { "/api/b" } else { "/deny/x" }));
}

pub(crate) fn outage(script: &mut Script) {
    script.begin();
    script.world.process.borrow_mut().is_cut_off = true;
    script.ask(&Ask::program(USER, "/reports"));
    script.ask(&Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Freports"));
    script.world.pass(60 * 4 * TICK);
}
