//! The table of limits in the data that all VMs of this Envoy share.
//!
//! Shared data can never be removed, so the keys are fixed: one a bucket, whatever users there are.

use super::host;
use crate::clock::UnixTime;
use crate::config::Limits;
use crate::gate::limit::{self, BUCKETS, Claim, EMPTY, Limited, Settlement, Verdict};

/// How often a change is tried while others are faster.
const TRIES: usize = 8;

/// What a bucket's bytes come to: a verdict, and the next bytes where they change.
type Change<'a> = &'a mut dyn FnMut(Option<&[u8]>) -> (Verdict, Option<Vec<u8>>);

/// Makes all buckets, so that the table takes its memory at once. The VM that finds the first
/// there leaves the rest to whoever made it; a bucket that is missing is made when it is used.
pub(super) fn create() {
    let _ = (0..BUCKETS).try_for_each(|bucket| host::swap_shared(&key(bucket), &EMPTY, None));
}

/// Claims a push, a passcode or what is good once. What cannot be written down is not granted.
pub(super) fn claim(claim: &Claim, limits: &Limits, now: UnixTime) -> Verdict {
    change(claim.bucket(), &mut |bytes| limit::claim(bytes, claim, limits, now))
}

/// Writes down how a claim ended. Where that fails, the claim ends by its time.
pub(super) fn settle(settlement: &Settlement, limits: &Limits, now: UnixTime) {
    let _ = change(settlement.claim.bucket(), &mut |bytes| {
        (Ok(()), limit::settle(bytes, settlement, limits, now))
    });
}

fn change(bucket: u16, work: Change<'_>) -> Verdict {
    let key = key(bucket);
    for _ in 0..TRIES {
        let (bytes, cas) = host::shared(&key).unzip();
        let (verdict, changed) = work(bytes.as_deref());
        let is_done = changed.is_none_or(|bytes| host::swap_shared(&key, &bytes, cas).is_ok());
        if is_done {
            return verdict;
        }
    }
    Err(Limited::CONTENDED)
}

fn key(bucket: u16) -> String {
    format!("duo_mfa/limit/{bucket:04}")
}
