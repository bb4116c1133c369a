//! The layout of the table.

use crate::session::PerRequestApprovals;
use std::time::Duration;

/// The number of buckets: as many for users as for single-use tokens, and some for the users'
/// limits on the latter.
pub const BUCKETS: u16 = 9216;

pub(super) const OF_USERS: u16 = 0x1000;
pub(super) const LAST_OF_USERS: u16 = 0x0fff;
pub(super) const FIRST_OF_SHARES: u16 = 0x2000;
pub(super) const LAST_OF_SHARES: u16 = 0x03ff;
const _: () = assert!(LAST_OF_USERS + 1 == OF_USERS && 2 * OF_USERS == FIRST_OF_SHARES);
const _: () = assert!(FIRST_OF_SHARES + LAST_OF_SHARES + 1 == BUCKETS);
/// The first of 1,024 further buckets, for approvals per client.
pub(super) const FIRST_OF_CLIENTS: u16 = 0x2400;
pub(super) const LAST_OF_CLIENTS: u16 = 0x03ff;
const _: () = assert!(FIRST_OF_CLIENTS == BUCKETS && BUCKETS.is_multiple_of(1 << 10));

/// How many single uses one user may have in a window. The places for all users are 65,536.
pub(super) const SHARE: u16 = 128;

/// How long a use is remembered.
pub(super) const SHARE_WINDOW: Duration = PerRequestApprovals::REMEMBERED;

/// For this many seconds after a sign-in gave its approval, it is given again, since the response
/// may have been lost.
pub(super) const GRACE: u64 = 10;
