//! Judges every admission and denial, and counts them over the whole run.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static WRONGLY_ADMITTED: AtomicUsize = AtomicUsize::new(0);
static SENT: AtomicUsize = AtomicUsize::new(0);
static ANSWERED: AtomicUsize = AtomicUsize::new(0);
static HUNG: AtomicUsize = AtomicUsize::new(0);
static SKIPPED: AtomicUsize = AtomicUsize::new(0);
static PUSHES: AtomicUsize = AtomicUsize::new(0);

/// How many of some requests the application must receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This many requests reach the application, each once.
    Admitted(usize),
    /// No request reaches the application.
    Denied,
}

/// Asserts that as many requests reached the application as expected.
pub(crate) fn judge(expected: Verdict, reached: usize, occasion: &str) {
    let allowed = match expected {
        Verdict::Admitted(count) => count,
        Verdict::Denied => 0,
    };
    WRONGLY_ADMITTED.fetch_add(reached.saturating_sub(allowed), SeqCst);
    assert_eq!(reached, allowed, "requests that reached the application: {occasion}");
}

/// Counts requests that reached the application outside of any judged occasion.
pub(crate) fn stray(count: usize) {
    WRONGLY_ADMITTED.fetch_add(count, SeqCst);
}

pub(crate) fn sent() {
    SENT.fetch_add(1, SeqCst);
}

pub(crate) fn answered() {
    ANSWERED.fetch_add(1, SeqCst);
}

/// Counts a client that got no response in time.
pub(crate) fn hung() {
    HUNG.fetch_add(1, SeqCst);
}

/// Counts a test that belongs to the other host.
#[allow(dead_code, reason = "for the tests of e2e")]
pub(crate) fn skipped() {
    SKIPPED.fetch_add(1, SeqCst);
}

pub(crate) fn pushes(count: usize) {
    PUSHES.fetch_add(count, SeqCst);
}

pub(crate) fn wrongly_admitted() -> usize {
    WRONGLY_ADMITTED.load(SeqCst)
}

pub(crate) fn summary() -> String {
    format!(
        "wrongly_admitted={} sent={} answered={} hung={} pushes={} skipped={}",
        wrongly_admitted(),
        SENT.load(SeqCst),
        ANSWERED.load(SeqCst),
        HUNG.load(SeqCst),
        PUSHES.load(SeqCst),
        SKIPPED.load(SeqCst),
    )
}
