//! The table of limits in the data that all VMs of this Envoy share.
//!
//! Shared data can never be removed, so the names are fixed: one a bucket, whatever users there are.

use super::host;
use crate::gate::limit::{Table, Work};

/// How often a change is tried while others are faster.
const TRIES: usize = 8;

/// Makes all buckets, so that the table takes its memory at once. The VM that finds the first
/// there leaves the rest to the VM that made it; a bucket that is missing is made when it is used.
pub(super) fn create(table: &Table) {
    let _ = table.unused().try_for_each(|(name, bytes)| host::swap_shared(&name, &bytes, None));
}

/// Changes one value. Says whether that went well.
pub(super) fn change(name: &str, work: &mut Work<'_>) -> bool {
    (0..TRIES).any(|_| {
        let (bytes, cas) = host::shared(name).unzip();
        work(bytes.as_deref()).is_none_or(|bytes| host::swap_shared(name, &bytes, cas).is_ok())
    })
}
