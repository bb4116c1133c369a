//! The layout of the table.
//!
//! It has four regions, each with the same number of buckets. A user takes up to two places in the
//! first one: under the name, and under the phone.
//!
//! For `limits.users` users there is a bucket for every four of them. With that many users at once,
//! the places are taken at random, eight in a bucket on average, and a bucket has 32. The number in a
//! bucket then has a Poisson distribution, so that a bucket is full for one user in 10^10. While
//! 10,000 users are asked under the default of 16,384, it is one in 10^15.
//!
//! A bucket has the size of its entries, and is made at its first use. So a larger table only costs
//! memory for the users that there are.

use crate::config::Limits;
use crate::session::PerRequestApprovals;
use std::time::Duration;

/// The first bucket of users.
pub(super) const FIRST_OF_USERS: u16 = 0;
/// The first bucket of single-use tokens.
pub(super) const FIRST_OF_USES: u16 = 0x4000;
/// The first bucket of the users' limits on single-use tokens.
pub(super) const FIRST_OF_SHARES: u16 = 0x8000;
/// The first bucket of approvals per client.
pub(super) const FIRST_OF_CLIENTS: u16 = 0xc000;

const MOST_BUCKETS: usize = 0x4000;
const FEWEST_BUCKETS: usize = 0x40;
const USERS_OF_A_BUCKET: usize = 4;
const _: () = assert!(Limits::MAX_USERS == MOST_BUCKETS * USERS_OF_A_BUCKET);

/// The number of buckets in each region, for this many users at once: a power of two.
#[must_use]
pub fn buckets(users: usize) -> u16 {
    let buckets = users.div_ceil(USERS_OF_A_BUCKET).next_power_of_two();
    u16::try_from(buckets.clamp(FEWEST_BUCKETS, MOST_BUCKETS)).unwrap_or(FIRST_OF_USES)
}

/// How many single uses one user may have in a window. By default the places for all users are
/// 65,536.
pub(super) const SHARE: u16 = 128;

/// How long a use is remembered.
pub(super) const SHARE_WINDOW: Duration = PerRequestApprovals::REMEMBERED;

/// For this many seconds after a sign-in gave its approval, it is given again, since the response
/// may have been lost.
pub(super) const GRACE: u64 = 10;
