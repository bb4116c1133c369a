//! The work of a configuration that no request asks for: it checks Duo, and fetches the account's
//! picture.

use super::calls::explain;
use super::healths::Record as _;
use super::shared::Shared;
use super::traits::Caller;
use crate::clock::{ClockOffset, UnixTime};
use crate::gate::{Api, Env, Event, Found, Health, KeyPair, Probe, ProbeStep};
use std::cell::Cell;

/// Makes the calls of a configuration, and shows what was found.
pub(super) trait Main: Caller {
    type Shared: Shared;

    /// The configuration.
    fn shared(&self) -> &Self::Shared;

    /// Shows whether the last check of a Duo application succeeded, and whether the outage breaker
    /// of its calls is open, by the application's number.
    fn show(&self, application: usize, is_ready: bool, is_refused: bool);

    /// Shows how far Duo's clock is from this host's.
    fn show_clock(&self, offset: ClockOffset);
}

/// The calls under way.
#[derive(Default)]
pub(super) struct Background {
    /// The checks under way, each with the token of its call.
    checks: Cell<Vec<(u64, Probe)>>,
    /// The token of the call for the account's picture.
    logo: Cell<Option<u64>>,
}

/// A reason to wait for the end of a call.
pub(super) enum Awaiting {
    Logo,
    Check(Probe),
}

impl Background {
    /// Begins what is due.
    pub(super) fn tick(&self, host: &impl Main, now: UnixTime) {
        host.shared().healths().refresh();
        self.check_if_due(host, now);
        self.fetch_logo_if_due(host, &host.shared().healths().main(), now);
    }

    /// Removes and returns what waits for this call; `None` if it is a call of a request.
    pub(super) fn awaiting(&self, token: u64) -> Option<Awaiting> {
        if self.logo.get() == Some(token) {
            self.logo.set(None);
            return Some(Awaiting::Logo);
        }
        self.take_check(token).map(Awaiting::Check)
    }

    /// Handles the end of a call.
    pub(super) fn answered(&self, host: &impl Main, awaiting: Awaiting, event: Event<'_>) {
        let shared = host.shared();
        match awaiting {
            Awaiting::Logo => {
                let said = shared.with_logo(|logo| logo.learn(event));
                shared.take(Vec::from_iter(said));
            }
            Awaiting::Check(check) => {
                self.go_on(host, check.handle(event, &shared.env()));
            }
        }
    }

    fn check_if_due(&self, host: &impl Main, now: UnixTime) {
        let (shared, healths) = (host.shared(), host.shared().healths());
        for number in healths.numbers() {
            host.show(number, healths.are_well(number), healths.are_refused(number));
        }
        host.show_clock(healths.offset());
        for (keys, record, health) in healths.iter() {
            let duo = &shared.gate().config().applications.get(keys.application).duo;
            let interval = duo.check_interval;
            if !self.checks(keys) && health.is_due(now, interval) && record.reserve(now, interval) {
                self.go_on(host, Probe::begin(keys, &Env { now, ..shared.env() }));
            }
        }
    }

    /// Whether a check of these keys is under way.
    fn checks(&self, keys: KeyPair) -> bool {
        let checks = self.checks.take();
        let is_checked = checks.iter().any(|(_, check)| check.keys() == keys);
        self.checks.set(checks);
        is_checked
    }

    /// Removes and returns the check that waits for this call.
    fn take_check(&self, token: u64) -> Option<Probe> {
        let mut checks = self.checks.take();
        let place = checks.iter().position(|(sent, _)| *sent == token);
        let check = place.map(|place| checks.swap_remove(place).1);
        self.checks.set(checks);
        check
    }

    /// Fetches the picture if it is due.
    fn fetch_logo_if_due(&self, host: &impl Main, health: &Health, now: UnixTime) {
        let shared = host.shared();
        let call = shared.with_logo(|logo| {
            let is_due = self.logo.get().is_none() && logo.is_due(shared.gate(), health, now);
            is_due.then(|| logo.fetch(shared.gate(), health, now)).flatten()
        });
        let Some(call) = call else { return };
        let cluster = shared.cluster(&call);
        match host.dispatch(cluster, &call) {
            Ok(token) => self.logo.set(Some(token)),
            Err(unsent) => {
                let keys = KeyPair { application: call.application, api: Api::AuthApi };
                let is_occupied = || shared.healths().is_occupied(keys, now);
                let not_sent = explain(unsent, cluster, is_occupied);
                let said = shared.with_logo(|logo| logo.learn(Event::Failed(not_sent)));
                shared.take(Vec::from_iter(said));
            }
        }
    }

    fn go_on(&self, host: &impl Main, mut step: ProbeStep) {
        let shared = host.shared();
        loop {
            match step {
                ProbeStep::Call { call, then } => {
                    let cluster = shared.cluster(&call);
                    match host.dispatch(cluster, &call) {
                        Ok(token) => {
                            shared.healths().occupy_others(then.keys(), shared.now());
                            let mut checks = self.checks.take();
                            checks.push((token, then));
                            self.checks.set(checks);
                            return;
                        }
                        Err(unsent) => {
                            let now = shared.now();
                            let is_occupied = || shared.healths().is_occupied(then.keys(), now);
                            let not_sent = explain(unsent, cluster, is_occupied);
                            step = then.handle(Event::Failed(not_sent), &shared.env());
                        }
                    }
                }
                ProbeStep::Done { keys, began, found, offset, wait, line } => {
                    let record = shared.healths().record(keys);
                    let duo = &shared.gate().config().applications.get(keys.application).duo;
                    let news = (offset, wait);
                    let changed = record
                        .and_then(|record| record.write(found, began, news, (duo, shared.now())));
                    let is_other =
                        changed.is_some_and(|(before, after)| before.standing != after.standing);
                    if is_other || matches!(found, Found::Misconfigured | Found::Nothing) {
                        shared.take(vec![line]);
                    }
                    if let Some((before, after)) = changed {
                        let (before, after) = (before.breaker, after.breaker);
                        shared
                            .take(Vec::from_iter(shared.gate().breaker_line(keys, before, after)));
                    }
                    return;
                }
            }
        }
    }
}
