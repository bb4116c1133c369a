//! The parts that all virtual machines of one Envoy share.

use super::Odd;
use super::stream::{Map, value};
use crate::chance::Chance;
use std::collections::{BTreeMap, BTreeSet};

/// An HTTP call of the module.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) token: u32,
    /// The context in whose name Envoy makes it.
    pub(crate) root: u32,
    /// The stream that the host acted for; the root's number if there was none.
    pub(crate) stream: u32,
    pub(crate) headers: Map,
    pub(crate) body: Vec<u8>,
    pub(crate) sent: u64,
    pub(crate) timeout: u64,
}

impl Call {
    /// The path and the query.
    pub(crate) fn target(&self) -> (&str, &str) {
        let path = str::from_utf8(value(&self.headers, ":path").unwrap()).unwrap();
        path.split_once('?').unwrap_or((path, ""))
    }
}

/// The host calls since the record began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) calls: Vec<&'static str>,
    /// The number of the call that is answered oddly.
    odd: Option<(usize, Odd)>,
    /// Each call has this chance to fail; 0 is none.
    one_in: usize,
    /// Whether the last call was answered oddly.
    was_hit: bool,
    /// How many calls were answered oddly.
    pub(crate) injected: usize,
}

impl Recorded {
    /// A record in which the call of this number is answered oddly.
    pub(crate) fn with(number: usize, odd: Odd) -> Self {
        Self { odd: Some((number, odd)), ..Self::default() }
    }

    /// Calls fail at random, one in so many; 0 is none.
    pub(crate) fn at_random(one_in: usize) -> Self {
        Self { one_in, ..Self::default() }
    }
}

#[derive(Clone)]
pub(crate) struct Process {
    /// Nanoseconds since 1970.
    pub(crate) now: u64,
    pub(crate) shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    last_cas: u32,
    pub(crate) chance: Chance,
    pub(crate) clusters: BTreeSet<String>,
    /// No cluster has a host that could be called.
    pub(crate) is_cut_off: bool,
    metrics: BTreeMap<String, u64>,
    names: Vec<String>,
    /// The last lines of the log.
    pub(crate) log: Vec<String>,
    /// `None` while nothing is recorded.
    pub(crate) recorded: Option<Recorded>,
    /// Why the run has failed: entries that ended a virtual machine, and calls that make no sense.
    pub(crate) traps: Vec<String>,
}

impl Process {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: 1_800_000_000_000_000_000,
            shared: BTreeMap::new(),
            last_cas: 0,
            chance: Chance::new(seed),
            clusters: BTreeSet::from(["duo_api".to_owned()]),
            is_cut_off: false,
            metrics: BTreeMap::new(),
            names: Vec::new(),
            log: Vec::new(),
            recorded: None,
            traps: Vec::new(),
        }
    }

    pub(crate) const fn seconds(&self) -> u64 {
        self.now / 1_000_000_000
    }

    /// Records a call, and returns its odd answer if it gets one.
    pub(super) fn record(&mut self, call: &'static str) -> Option<Odd> {
        let recorded = self.recorded.as_mut()?;
        let number = recorded.calls.len();
        let odd = if recorded.one_in > 0 {
            let mut choices = super::odds(call);
            choices.retain(|odd| !odd.is_an_end(call));
            // A call that is made again succeeds.
            let may_be_hit = !recorded.was_hit && !choices.is_empty();
            let is_hit = may_be_hit && self.chance.one_in(recorded.one_in);
            recorded.was_hit = is_hit;
            is_hit.then(|| self.chance.of(&choices))
        } else {
            recorded.calls.push(call);
            recorded.odd.filter(|(at, _)| *at == number).map(|(_, odd)| odd)
        };
        recorded.injected += usize::from(odd.is_some());
        odd
    }

    /// Envoy compares the number only if the key exists. Its numbers begin at 1.
    pub(super) fn swap(&mut self, key: Vec<u8>, value: Vec<u8>, cas: u32) -> bool {
        let is_other = |(_, has): &(Vec<u8>, u32)| cas != 0 && cas != *has;
        if self.shared.get(&key).is_some_and(is_other) {
            return false;
        }
        self.last_cas += 1;
        self.shared.insert(key, (value, self.last_cas));
        true
    }

    pub(super) fn define(&mut self, name: String) -> u32 {
        let place = self.names.iter().position(|known| *known == name);
        let place = place.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        u32::try_from(place).unwrap() + 1
    }

    pub(super) fn metric(&mut self, id: u32) -> Option<&mut u64> {
        let name = self.names.get(usize::try_from(id).unwrap().checked_sub(1)?)?;
        Some(self.metrics.entry(name.clone()).or_default())
    }

    pub(super) fn write_line(&mut self, line: String) {
        if self.log.len() >= 200 {
            self.log.drain(..100);
        }
        self.log.push(line);
    }
}
