//! The table of limits in the data that all VMs of this Envoy share.
//!
//! Shared data can never be removed, so the names are fixed: one for each bucket, whatever users
//! there are.

use super::host;
use crate::gate::limit::{Table, Work};

/// How often a change is tried again after another VM was faster.
const TRIES: usize = 8;

/// Creates all buckets, so that the table takes its memory at once. A VM that finds the first
/// bucket leaves the rest to the VM that created it. A missing bucket is created when it is used.
pub(super) fn create(table: &Table) {
    let _ = table.unused().try_for_each(|(name, bytes)| host::swap_shared(&name, &bytes, None));
}

/// Changes one value; `true` on success.
pub(super) fn change(name: &str, work: &mut Work<'_>) -> bool {
    (0..TRIES).any(|_| {
        let (bytes, cas) = host::shared(name).unzip();
        work(bytes.as_deref()).is_none_or(|bytes| host::swap_shared(name, &bytes, cas).is_ok())
    })
}
