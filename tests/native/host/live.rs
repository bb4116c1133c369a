//! The pointers that the module may use.

use super::abi::Pointer;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Streams, configurations and schedulers that exist.
pub(crate) struct Pointers(Mutex<BTreeSet<usize>>);

pub(crate) static POINTERS: Pointers = Pointers(Mutex::new(BTreeSet::new()));

impl Pointers {
    pub(crate) fn add(&self, pointer: Pointer) {
        assert!(self.0.lock().unwrap().insert(pointer.addr()));
    }

    pub(crate) fn remove(&self, pointer: Pointer) {
        assert!(self.0.lock().unwrap().remove(&pointer.addr()), "it has ended already");
    }

    /// Ends the process if the module uses a pointer to nothing.
    pub(crate) fn check(&self, pointer: Pointer) {
        let is_known = self.0.lock().unwrap().contains(&pointer.addr());
        assert!(is_known, "a callback for something that has ended");
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

thread_local! {
    /// The number of this thread as a worker.
    pub(crate) static WORKER: Cell<u32> = const { Cell::new(0) };
    /// Whether the host works now on this thread, and not the module.
    pub(crate) static IN_HOST: Cell<bool> = const { Cell::new(false) };
}

/// Runs a callback. The host works then, so its allocations are not the module's.
pub(crate) fn in_host<T>(work: impl FnOnce() -> T) -> T {
    let before = IN_HOST.replace(true);
    let result = work();
    IN_HOST.set(before);
    result
}

/// Runs a hook. The module works then.
pub(crate) fn in_module<T>(hook: impl FnOnce() -> T) -> T {
    let before = IN_HOST.replace(false);
    let result = hook();
    IN_HOST.set(before);
    result
}
