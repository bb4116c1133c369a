//! One configuration, which all workers share.

use super::abi::{self, Configuration, MainWaker};
use super::answer::Answer;
use super::mail::Mail;
use super::metrics::Metrics;
use super::table::{self, SharedRecord};
use super::timer::Timer;
use super::{faults, lock, reach};
use crate::adapter::background::Background;
use crate::adapter::healths::Healths;
use crate::adapter::shared::{Shared, announce};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::gate::limit::{Table, Work};
use crate::gate::{Flow, Gate, Loaded, Logo, Room};
use crate::session::Verified;
use crate::signal::{Counter, TimeToApproval};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

/// The event of a tick on the main thread.
pub(super) const TICK: u64 = 0;
/// The event of a call that the main thread has to make for a request.
pub(super) const MAIL: u64 = 1;

/// A running configuration.
pub(super) struct Plugin {
    gate: Gate,
    healths: Healths<SharedRecord>,
    table: Table,
    logo: Mutex<Logo>,
    workers: Vec<Worker>,
    /// How many calls are under way for requests to each Duo application, by its number.
    calls: Vec<AtomicUsize>,
    pub(super) metrics: Metrics,
    pub(super) background: Mutex<Background>,
    pub(super) mail: Mail,
    pub(super) timer: Timer,
    /// `None` while Envoy only validates its configuration.
    pub(super) main: Option<Arc<MainWaker>>,
}

/// All threads of Envoy share a configuration. A core that cannot be shared must not compile here.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Plugin>();
};

/// The data of one worker. Only its thread locks it, so it never waits.
#[derive(Default)]
struct Worker {
    verified: Mutex<Verified>,
    room: Mutex<Room>,
    undecided: AtomicUsize,
    /// Where the next request's headers are read to.
    buffer: Mutex<Vec<u8>>,
}

impl Plugin {
    /// Takes a configuration into use. `None` refuses it; the log says why.
    pub(super) fn start(host: Configuration<'_>, text: &[u8]) -> Option<Arc<Self>> {
        let config = match Config::parse(text, &environment) {
            Ok(config) => config,
            Err(faults) => {
                faults.iter().for_each(|fault| log::error!("{fault}"));
                return None;
            }
        };
        let gate = Gate::new(config);
        let unreachable: Vec<_> = reach::faults(&gate).collect();
        if !unreachable.is_empty() {
            unreachable.iter().for_each(|fault| log::error!("{fault}"));
            return None;
        }
        let loaded = Loaded::new(&gate);
        announce(&gate, loaded.line(time()));
        let applications = &gate.config().applications;
        let workers = usize::try_from(abi::concurrency()).unwrap_or(1).max(1);
        let plugin = Arc::new(Self {
            healths: Healths::of(&gate),
            table: Table::new(&gate.config().shared),
            logo: Mutex::default(),
            workers: std::iter::repeat_with(Worker::default).take(workers).collect(),
            calls: applications.iter().map(|_| AtomicUsize::new(0)).collect(),
            metrics: Metrics::define(host, applications, loaded.hash()),
            background: Mutex::default(),
            mail: Mail::default(),
            timer: Timer::default(),
            main: if abi::is_validation() { None } else { host.waker().map(Arc::new) },
            gate,
        });
        if abi::is_validation() {
            return Some(plugin);
        }
        let is_started =
            plugin.main.as_ref().is_some_and(|main| plugin.timer.start(Arc::clone(main), TICK));
        if !is_started {
            log::error!("the timer of the configuration could not be started");
            return None;
        }
        log::debug!("configured");
        Some(plugin)
    }

    /// Records for all configurations which Duo applications are being called.
    pub(super) fn note_calls(&self, now: UnixTime) {
        for application in self.healths.numbers() {
            if self.calls(application).is_some_and(|calls| calls.load(Relaxed) > 0) {
                self.healths.occupy(application, now);
            }
        }
    }

    pub(super) fn calls(&self, application: usize) -> Option<&AtomicUsize> {
        self.calls.get(application)
    }

    /// Whether more than `known` calls of requests are under way to these Duo applications.
    pub(super) fn asks(&self, is_meant: &dyn Fn(usize) -> bool, known: usize) -> bool {
        let meant = self.calls.iter().enumerate().filter(|(application, _)| is_meant(*application));
        meant.fold(0_usize, |sum, (_, calls)| sum.saturating_add(calls.load(Relaxed))) > known
    }
}

/// A configuration, seen from one worker. The main thread sees it as the first worker, and takes no
/// room for calls.
pub(super) struct View {
    pub(super) plugin: Arc<Plugin>,
    pub(super) worker: usize,
}

impl View {
    /// How many requests of this worker wait for a decision; `None` if there is no such worker.
    pub(super) fn undecided(&self) -> Option<&AtomicUsize> {
        self.plugin.workers.get(self.worker).map(|worker| &worker.undecided)
    }

    /// The buffer of this worker for headers; `None` if there is no such worker.
    pub(super) fn buffer(&self) -> Option<MutexGuard<'_, Vec<u8>>> {
        self.plugin.workers.get(self.worker).map(|worker| lock(&worker.buffer))
    }
}

impl View {
    /// Handles the end of a call whose client has left.
    pub(super) fn ended_for_nobody(&self, flow: Flow, answer: &Answer) {
        match answer.event() {
            Some(event) => self.answered_for_nobody(flow, event),
            None => self.abandoned(Some(&flow)),
        }
    }
}

impl Shared for View {
    type Record = SharedRecord;

    fn gate(&self) -> &Gate {
        &self.plugin.gate
    }

    fn healths(&self) -> &Healths<SharedRecord> {
        &self.plugin.healths
    }

    fn table(&self) -> &Table {
        &self.plugin.table
    }

    fn change(&self, name: &str, work: &mut Work<'_>) -> bool {
        table::change(name, work)
    }

    fn clock(&self) -> UnixTime {
        self.now()
    }

    fn now(&self) -> UnixTime {
        time()
    }

    fn with_verified<T>(&self, work: impl FnOnce(&mut Verified) -> T) -> T {
        match self.plugin.workers.get(self.worker) {
            Some(worker) => {
                let mut verified = lock(&worker.verified);
                faults::at("lock");
                work(&mut verified)
            }
            None => work(&mut Verified::default()),
        }
    }

    fn with_logo<T>(&self, work: impl FnOnce(&mut Logo) -> T) -> T {
        work(&mut lock(&self.plugin.logo))
    }

    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        match self.plugin.workers.get(self.worker) {
            Some(worker) => work(&mut lock(&worker.room)),
            None => work(&mut Room::default()),
        }
    }

    fn count(&self, counter: Counter) {
        self.plugin.metrics.count(counter);
    }

    fn observe(&self, time: TimeToApproval) {
        self.plugin.metrics.observe(time);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the core's clock")]
fn time() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or_default())
}

/// A variable of Envoy's environment.
#[expect(clippy::disallowed_methods, reason = "this is the host of the core")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
