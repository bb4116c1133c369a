//! The filter as a native Envoy dynamic module.
//!
//! `hooks` receives the host's calls and `abi` makes calls to the host; only these two files have
//! pointers of the host's. [`plugin`] is one configuration, which all workers share, and [`request`] one stream of
//! it. [`main_thread`] makes the calls that no request makes. [`timer`] is the clock of waiting
//! requests, [`table`] the memory that all configurations share. A panic is caught at each hook: it
//! ends its request with 500.

mod abi;
mod answer;
mod faults;
mod gathering;
mod hooks;
mod log;
mod mail;
mod main_thread;
mod metrics;
mod plugin;
mod reach;
mod request;
mod stream;
mod table;
mod timer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Locks. A value behind a lock is whole even if a panic left it: each change is one assignment, or
/// one operation of a collection.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks as [`lock`] does; `None` if it is locked already.
fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Runs work. `None` if it panicked; the place is in the log.
fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
