//! The clock of a configuration: a thread that wakes the main thread on each tick, and the workers
//! of requests whose time has come. Envoy has no timers for filters.

use super::abi::{MainWaker, StreamWaker};
use super::{faults, guard, lock};
use crate::adapter::stage::Stage;
use crate::clock::UnixTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The interval at which background checks are begun and counts are passed to the host.
const TICK: Duration = Duration::from_millis(250);

/// The longest wait for a time that has come, if the host's clock is set back meanwhile.
const PACE: Duration = Duration::from_secs(1);

/// Where a request is woken. Empty once it has ended.
#[derive(Default)]
pub(super) struct Bell(Mutex<Option<StreamWaker>>);

impl Bell {
    /// Makes it ring for a stream. `waker` is called if it does not do so yet.
    pub(super) fn connect(&self, waker: impl FnOnce() -> Option<StreamWaker>) -> bool {
        let mut kept = lock(&self.0);
        if kept.is_none() {
            *kept = waker();
        }
        kept.is_some()
    }

    /// Ends it. No thread uses the stream's scheduler any more when this returns.
    pub(super) fn disconnect(&self) {
        drop(lock(&self.0).take());
    }

    pub(super) fn ring(&self, event: u64) {
        if let Some(waker) = &*lock(&self.0) {
            waker.wake(event);
        }
    }
}

struct Due {
    when: Instant,
    bell: Arc<Bell>,
    event: u64,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.when == other.when
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.when.cmp(&other.when)
    }
}

#[derive(Default)]
struct State {
    due: BinaryHeap<Reverse<Due>>,
    has_ended: bool,
}

/// The data that the thread shares with the workers.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The thread of one configuration.
#[derive(Default)]
pub(super) struct Timer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Timer {
    /// Starts the thread, which wakes `main` with `tick` on each tick. `false` if it cannot start.
    pub(super) fn start(&self, main: Arc<MainWaker>, tick: u64) -> bool {
        let shared = Arc::clone(&self.shared);
        let thread = Builder::new().name("duo_mfa_timer".to_owned());
        let started = thread.spawn(move || {
            // A fault of the thread must not leave requests waiting.
            while guard(|| run(&shared, &main, tick)).is_none() {
                std::thread::sleep(TICK);
            }
        });
        let is_started = started.is_ok();
        *lock(&self.thread) = started.ok();
        is_started
    }

    /// Rings a bell after some time.
    pub(super) fn after(&self, wait: Duration, bell: &Arc<Bell>, event: u64) {
        let Some(when) = now().checked_add(wait) else { return };
        let bell = Arc::clone(bell);
        let mut state = lock(&self.shared.state);
        let is_next = state.due.peek().is_none_or(|Reverse(next)| when < next.when);
        state.due.push(Reverse(Due { when, bell, event }));
        drop(state);
        if is_next {
            self.shared.changed.notify_one();
        }
    }

    /// Ends the thread and waits for its end.
    pub(super) fn stop(&self) {
        lock(&self.shared.state).has_ended = true;
        self.shared.changed.notify_one();
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the timer of a configuration has ended early");
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(shared: &Shared, main: &MainWaker, tick: u64) {
    let mut next_tick = now();
    loop {
        faults::at("timer");
        let time = now();
        if next_tick <= time {
            main.wake(tick);
            next_tick = time.checked_add(TICK).unwrap_or(time);
        }
        let mut state = lock(&shared.state);
        while state.due.peek().is_some_and(|Reverse(next)| next.when <= time) {
            if let Some(Reverse(Due { bell, event, .. })) = state.due.pop() {
                drop(state);
                bell.ring(event);
                state = lock(&shared.state);
            }
        }
        if state.has_ended {
            return;
        }
        let until = state.due.peek().map_or(next_tick, |Reverse(next)| next.when.min(next_tick));
        let wait = until.saturating_duration_since(now());
        if !wait.is_zero() {
            drop(shared.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this file is the clock of waiting requests")]
fn now() -> Instant {
    Instant::now()
}

/// How long a request in this state waits; `None` if it does not wait for a time.
pub(super) fn wait(stage: &Stage, now: UnixTime) -> Option<Duration> {
    match stage {
        Stage::Due(call, _) => Some(call.due.since(now).min(PACE)),
        Stage::Waiting(due, ..) => Some(due.since(now).min(PACE)),
        Stage::AwaitedBody { until, .. } => Some(until.since(now)),
        Stage::Sent { .. } | Stage::Forwarded(_) | Stage::Refused => None,
    }
}
