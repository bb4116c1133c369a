//! Random conversations of clients with two workers and the main thread. Calls are answered late, twice, in any order, or for
//! streams that have ended; clients leave; configurations are replaced; virtual machines end in the middle; host calls fail.
//!
//! A conversation depends on its seed alone. `WASM_SEED` is the first one, `WASM_EVENTS` the number of events to play.

mod events;

use crate::chance::Chance;
use crate::duo::Will;
use crate::host::{Process, Recorded, Snapshot, Vm};
use crate::people::{Ask, config};
use crate::tally;
use crate::world::{Root, TICK, World};
use events::Conversation;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

/// `make test` plays a million.
const EVENTS: usize = 50_000;
/// Random choices of one conversation.
const LENGTH: usize = 300;
const WORKERS: usize = 2;
/// Failures after which the run stops.
const MOST: usize = 5;
const LISTENERS: usize = 2;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable}={} is no number", text.display())))
}

/// Virtual machines that are used again and again: the workers', and the main thread's. Each has all listeners'
/// configurations.
pub(crate) struct Running {
    process: Process,
    roots: Vec<Root>,
    states: Vec<Snapshot>,
    vms: Vec<Vm>,
}

impl Running {
    fn new() -> Self {
        let mut world = World::new(0, WORKERS + 1, false);
        for vm in 0..=WORKERS {
            for listener in 0..LISTENERS {
                let root = world.configure(vm, listener, &config(listener).to_string());
                assert!(root.is_running, "{:?}", world.process.borrow().log);
            }
        }
        let states = world.vms.iter().map(Vm::snapshot).collect();
        let process = world.process.borrow().clone();
        Self { process, roots: world.roots, states, vms: world.vms }
    }

    fn play(&mut self, seed: u64) -> usize {
        let mut process = self.process.clone();
        process.chance = Chance::new(!seed);
        let mut world = World::of(process, std::mem::take(&mut self.vms), self.roots.clone());
        for (vm, state) in world.vms.iter_mut().zip(&self.states) {
            vm.restore(state, &world.process);
        }
        let before: u64 = world.vms.iter().map(|vm| vm.entries).sum();
        // In every third conversation, host calls fail.
        world.record(Recorded::at_random(if seed.is_multiple_of(3) { 500 } else { 0 }));
        let mut conversation = Conversation::new(world, seed, &self.states);
        (0..LENGTH).for_each(|_| conversation.play());
        let mut world = conversation.end();
        world.settle();
        tally::INJECTED.add(world.recorded().injected);
        ends_well(&mut world);
        let broken = world.broken(true);
        assert!(broken.is_empty(), "{broken:#?}\nlog: {:#?}", world.process.borrow().log);
        let after: u64 = world.vms.iter().map(|vm| vm.entries).sum();
        self.vms = world.vms;
        usize::try_from(after - before).unwrap()
    }
}

/// Whatever has happened, a program of a new user is admitted by a push.
fn ends_well(world: &mut World) {
    world.process.borrow_mut().is_cut_off = false;
    world.pass(3600 * 4 * TICK);
    world.settle();
    let root = world.roots.iter().rev().find(|root| root.is_running && root.vm == 0);
    let root = *root.expect("a configuration");
    world.duo.wills.insert("eve".to_owned(), Will::Allow);
    let id = world.ask(root, &Ask::program("eve", "/reports"));
    world.settle();
    assert!(world.is_forwarded(id), "eve is locked out: {:#?}", world.process.borrow().log);
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

fn play(seed: u64) -> usize {
    let running = RUNNING.take();
    let mut running = running.unwrap_or_else(Running::new);
    // Whatever panics, a new one comes in its place.
    let events = running.play(seed);
    RUNNING.set(Some(running));
    events
}

#[test]
fn every_admission_has_a_reason() {
    let first = number("WASM_SEED").unwrap_or(0);
    let events = number("WASM_EVENTS").map_or(EVENTS, |it| usize::try_from(it).unwrap());
    let (next, played) = (AtomicU64::new(first), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let worker = || {
        while played.load(Relaxed) < events && failed.lock().unwrap().len() < MOST {
            let seed = next.fetch_add(1, Relaxed);
            match catch_unwind(AssertUnwindSafe(|| play(seed))) {
                Ok(entries) => {
                    played.fetch_add(entries, Relaxed);
                    tally::EVENTS.add(entries);
                }
                Err(_) => {
                    crate::say!("to play it again: WASM_SEED={seed} WASM_EVENTS=1");
                    failed.lock().unwrap().push(seed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2.min(events) {
            scope.spawn(worker);
        }
    });
    let seeds = next.into_inner() - first;
    crate::say!("conversations from seed {first}: seeds={seeds} events={}", played.into_inner());
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "conversations broke a promise: {failed:?}");
}
