//! Where things lie in the table.

use crate::session::PerRequestApprovals;
use std::time::Duration;

/// How many buckets the table has: as many for users as for what is good once, and some for the
/// shares that users have in the latter.
pub const BUCKETS: u16 = 9216;

pub(super) const OF_USERS: u16 = 0x1000;
pub(super) const LAST_OF_USERS: u16 = 0x0fff;
pub(super) const FIRST_OF_SHARES: u16 = 0x2000;
pub(super) const LAST_OF_SHARES: u16 = 0x03ff;
const _: () = assert!(LAST_OF_USERS + 1 == OF_USERS && 2 * OF_USERS == FIRST_OF_SHARES);
const _: () = assert!(FIRST_OF_SHARES + LAST_OF_SHARES + 1 == BUCKETS);
/// Behind them are 1,024 buckets of approvals per client. They are made when they are used, since
/// few configurations have such approvals.
pub(super) const FIRST_OF_CLIENTS: u16 = 0x2400;
pub(super) const LAST_OF_CLIENTS: u16 = 0x03ff;
const _: () = assert!(FIRST_OF_CLIENTS == BUCKETS && BUCKETS.is_multiple_of(1 << 10));

/// So many single uses a user may have in a window. The places for all users are 65,536.
pub(super) const SHARE: u16 = 128;

/// As long as a use is remembered.
pub(super) const SHARE_WINDOW: Duration = PerRequestApprovals::REMEMBERED;

/// For so many seconds after a sign-in was given for the first time it is given again: its answer
/// may have been lost on the way.
pub(super) const GRACE: u64 = 10;
