//! The table of limits in the data that all VMs of this Envoy share.
//!
//! Shared data can never be removed, so the names are fixed: one for each bucket, whatever users
//! there are. A bucket is created when it is first changed. To create all of them at start would
//! cost a VM most of its start, since each bucket has a MAC.

use super::host;
use crate::gate::limit::Work;

/// How often a change is tried again after another VM was faster.
const TRIES: usize = 8;

/// Changes one value; `true` on success.
pub(super) fn change(name: &str, work: &mut Work<'_>) -> bool {
    (0..TRIES).any(|_| {
        // A value that could not be read is not absent: a sign-out would find nothing to end.
        let Ok(found) = host::shared(name) else { return false };
        let (bytes, cas) = found.unzip();
        work(bytes.as_deref()).is_none_or(|bytes| host::swap_shared(name, &bytes, cas).is_ok())
    })
}
