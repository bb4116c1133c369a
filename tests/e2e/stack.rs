//! The parts of each test: one Envoy with the module, one simulator, one application.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tokio::net::TcpSocket;

use crate::app::{App, Seen};
use crate::envoy::{self, Envoy};
use crate::http1::Connection;
use crate::http2;
use crate::message::{Lost, Reply, Request};
use crate::setup::{DuoEnd, DuoLink, Setup};
use crate::sim::{Sim, eventually};
use crate::tally::{self, Verdict};

pub(crate) const APPROVAL: &str = "__Host-duo_mfa";

pub(crate) struct Stack {
    // Dropped in this order: Envoy first, so that it sends nothing to a server that has ended.
    pub(crate) envoy: Envoy,
    pub(crate) sim: Sim,
    pub(crate) app: App,
    /// How many requests were judged to reach the application.
    judged: AtomicUsize,
    setup: Setup,
    configuration: Value,
    directory: Directory,
    _closed: TcpSocket,
}

/// The parts around a test's Envoy.
pub(crate) struct Parts<'a> {
    /// The directory for files that the configuration names.
    pub(crate) directory: &'a Path,
    pub(crate) module: &'a Path,
    pub(crate) app: SocketAddr,
    pub(crate) duo: &'a DuoEnd,
    /// The origin at which a browser reaches Duo's page. To a browser it is another site than the
    /// application's `127.0.0.1`.
    #[allow(dead_code, reason = "for the tests of the browser")]
    pub(crate) duo_origin: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A request that is under way.
pub(crate) struct Held(JoinHandle<Result<Reply, Lost>>);

impl Held {
    pub(crate) fn reply(self) -> Reply {
        answered(self.0.join().expect("the client ran"))
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.is_finished()
    }
}

impl Stack {
    pub(crate) fn start(setup: Setup) -> Self {
        let given = setup.clone();
        Self::start_as(setup, |parts| {
            given.with_files_in(parts.directory).envoy(parts.module, parts.app, parts.duo)
        })
    }

    /// Starts an Envoy with a configuration that `configure` makes for the other parts.
    pub(crate) fn start_as(setup: Setup, configure: impl FnOnce(&Parts<'_>) -> Value) -> Self {
        let directory = Directory::new();
        let setup = setup.with_files_in(&directory.0);
        let (sim, app) = (Sim::start(&directory.0), App::start());
        let mut duo = sim.end.clone();
        let closed = closed_port();
        match setup.duo_link {
            DuoLink::Simulator | DuoLink::NoCluster => {}
            DuoLink::ClosedPort => duo.address = closed.local_addr().unwrap(),
            DuoLink::Impostor => {
                duo.authority = directory.0.join("authority.pem");
                write_authority(&duo.authority);
            }
        }
        let (module, directory_path) = (envoy::module(), directory.0.as_path());
        let duo_origin = &sim.browser_origin();
        let parts = Parts {
            directory: directory_path,
            module: &module,
            app: app.address,
            duo: &duo,
            duo_origin,
        };
        let configuration = configure(&parts);
        let envoy = Envoy::start(&directory.0, &configuration, &setup);
        let judged = AtomicUsize::new(0);
        Self { envoy, sim, app, judged, setup, configuration, directory, _closed: closed }
    }

    /// Starts another Envoy with the same configuration. The two share nothing else.
    #[allow(dead_code, reason = "for the tests of the browser")]
    pub(crate) fn another_envoy(&self) -> Envoy {
        self.another_envoy_with(&[])
    }

    /// Like [`Self::another_envoy`], with other values of environment variables.
    #[allow(dead_code, reason = "for the tests of the browser")]
    pub(crate) fn another_envoy_with(&self, variables: &[(&'static str, &str)]) -> Envoy {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let directory = self.directory.0.join(NUMBER.fetch_add(1, SeqCst).to_string());
        fs::create_dir(&directory).unwrap();
        let mut setup = self.setup.clone();
        variables.iter().for_each(|(name, value)| setup.set_variable(name, value));
        Envoy::start(&directory, &self.configuration, &setup)
    }

    pub(crate) fn standard() -> Self {
        Self::start(Setup::default())
    }

    /// Kills this Envoy and starts another in its place.
    pub(crate) fn restart(&mut self) {
        assert_eq!(self.envoy.damage(), None);
        self.envoy.kill();
        self.envoy = self.another_envoy();
    }

    /// Starts another Envoy in the place of one that was killed.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn start_again(&mut self) {
        self.envoy = self.another_envoy();
    }

    /// Kills this Envoy and starts another in its place, with other values of environment variables.
    pub(crate) fn restart_with(&mut self, variables: &[(&'static str, &str)]) {
        for (name, value) in variables {
            self.setup.set_variable(name, value);
        }
        self.restart();
    }

    /// Overrides members of the plugin configuration of the running Envoy, and waits until Envoy has replaced its
    /// listener.
    pub(crate) fn reload(&mut self, patch: Value) {
        let replaced = || {
            let kinds = ["listener_modified", "listener_in_place_updated"];
            kinds
                .map(|kind| self.envoy.stat(&format!("listener_manager.{kind}")))
                .iter()
                .sum::<u64>()
        };
        let before = replaced();
        let setup = self.setup.clone().plugin(patch);
        setup.write_listener(setup.listener_file.as_ref().expect("a file"), &envoy::module());
        eventually("another listener", || (replaced() != before).then_some(()));
        eventually("its workers", || {
            (self.envoy.stat("listener_manager.total_listeners_warming") == 0).then_some(())
        });
        self.setup = setup;
    }

    /// Offers the running Envoy other members of the plugin configuration.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn offer(&self, patch: Value) {
        let setup = self.setup.clone().plugin(patch);
        setup.write_listener(setup.listener_file.as_ref().expect("a file"), &envoy::module());
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.envoy.listener)
    }

    /// Sends a request and returns its response, without a judgement.
    pub(crate) fn send(&self, request: &Request) -> Reply {
        answered(self.connect().exchange(request))
    }

    /// Sends a request from a new thread.
    pub(crate) fn hold(&self, request: Request, protocol: Protocol) -> Held {
        let to = self.envoy.listener;
        Held(thread::spawn(move || match protocol {
            Protocol::Http1 => Connection::open(to).exchange(&request),
            Protocol::Http2 => http2::exchange(to, &request),
        }))
    }

    /// Does `work` and asserts that exactly the requests of `verdict` reach the application meanwhile.
    pub(crate) fn judged<T>(
        &self,
        verdict: Verdict,
        occasion: &str,
        work: impl FnOnce() -> T,
    ) -> T {
        let before = self.app.count();
        let out = work();
        let reached = self.app.count() - before;
        self.judged.fetch_add(reached, SeqCst);
        tally::judge(verdict, reached, occasion);
        out
    }

    /// Judges the requests that have reached the application and are not judged yet.
    #[allow(dead_code, reason = "for the tests of the browser")]
    pub(crate) fn settle(&self, verdict: Verdict, occasion: &str) {
        let reached = self.unjudged();
        self.judged.fetch_add(reached, SeqCst);
        tally::judge(verdict, reached, occasion);
    }

    /// How many requests reached the application and are not judged yet.
    pub(crate) fn unjudged(&self) -> usize {
        self.app.count().saturating_sub(self.judged.load(SeqCst))
    }

    /// Sends a request that must reach the application once, and whose response must be the application's.
    pub(crate) fn admitted(&self, request: &Request) -> (Reply, Seen) {
        let occasion = request.summary();
        let reply = self.judged(Verdict::Admitted(1), &occasion, || self.send(request));
        assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
        assert_eq!(reply.header("x-app"), Some("reached"));
        (reply, self.app.last())
    }

    /// Sends a request that must not reach the application.
    pub(crate) fn denied(&self, request: &Request) -> Reply {
        let occasion = request.summary();
        let reply = self.judged(Verdict::Denied, &occasion, || self.send(request));
        assert_eq!(reply.set_cookie(APPROVAL), None, "a refusal sets no approval: {reply:?}");
        reply
    }

    /// Sends a request that is held until `user` answers the push with `action`. Asserts that nothing reaches
    /// the application before that.
    pub(crate) fn answered_push(&self, request: Request, user: &str, action: &str) -> Reply {
        let held = self.held_push(request, Protocol::Http1, user);
        let verdict = match action {
            "approve" => Verdict::Admitted(1),
            _ => Verdict::Denied,
        };
        self.judged(verdict, action, || {
            self.sim.answer(user, action);
            held.reply()
        })
    }

    /// Sends a request and waits until its push is sent. Asserts that the request has not been forwarded.
    pub(crate) fn held_push(&self, request: Request, protocol: Protocol, user: &str) -> Held {
        self.judged(Verdict::Denied, "before Duo's answer", || {
            let held = self.hold(request, protocol);
            self.sim.pending(user);
            assert!(!held.is_answered(), "the request waits for the push");
            held
        })
    }

    /// Signs `user` in by an approved push and returns the approval's `Set-Cookie` line.
    pub(crate) fn signed_in(&self, user: &str) -> String {
        let reply = self.answered_push(Request::get("/sign-in").user(user), user, "approve");
        assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
        reply.set_cookie(APPROVAL).expect("an approval").to_owned()
    }

    /// Waits until a background check has failed, and every worker knows. The log calls the Auth API "Duo", and the Web
    /// SDK application "Duo's Universal Prompt".
    pub(crate) fn await_failed_check(&self, checked: &str) {
        let line = format!("the check of {checked} failed");
        eventually("a failed check", || self.envoy.log().contains(&line).then_some(()));
        self.await_tick();
    }

    /// As [`envoy::await_tick`].
    pub(crate) fn await_tick(&self) {
        envoy::await_tick();
    }

    /// Asserts that every worker's VM still decides: the filter refuses each of some requests.
    pub(crate) fn assert_alive(&self) {
        for _ in 0..8 {
            let reply = self.denied(&Request::get("/alive").user("mallory").navigation());
            assert_eq!(reply.status, 403, "{reply:?} {}", reply.text());
        }
    }
}

impl Drop for Stack {
    /// Asserts for every test that no VM trapped, and that no request reached the application unjudged.
    fn drop(&mut self) {
        let stray = self.unjudged();
        tally::stray(stray);
        if thread::panicking() {
            self.directory.keep();
            return;
        }
        tally::pushes(self.sim.pushes());
        let damage = self.envoy.damage();
        if stray != 0 || damage.is_some() {
            let log = self.directory.keep();
            panic!("stray requests: {stray}, damage: {damage:?}, log: {}", log.display());
        }
    }
}

fn answered(outcome: Result<Reply, Lost>) -> Reply {
    outcome.unwrap_or_else(|why| panic!("no answer: {why:?}"))
}

/// A bound port of this machine on which nobody listens.
fn closed_port() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

/// A directory for one Envoy's files, removed unless its test failed.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, SeqCst);
        let name = format!("e2e-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Keeps the files, and prints their place.
    fn keep(&mut self) -> PathBuf {
        println!("Envoy's files: {}", self.0.display());
        std::mem::take(&mut self.0)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            fs::remove_dir_all(&self.0).ok();
        }
    }
}

/// Writes the certificate of an authority that has signed nothing.
pub(crate) fn write_authority(path: &Path) {
    let certificate = rcgen::generate_simple_self_signed(["nowhere.test".to_owned()]).unwrap();
    fs::write(path, certificate.cert.pem()).unwrap();
}
