//! Limits of one worker: calls to Duo at once, in total and for one user. A table of fixed size.
//!
//! In go the purpose of a call and the time; out comes permission to send it, or [`Crowded`].
//! Without these limits, one stolen password would be enough to fill the circuit breaker of Duo's
//! cluster, and then nobody could sign in. A limit never admits anyone: a call without room leads
//! to a refusal, to the last known state of a sign-in, or to a later try.
//!
//! A request has one call under way at a time, so it needs permission only for its first call.
//! Polls of a transaction, which Duo answers late on purpose, get at most three quarters of the
//! room. The rest is left for new requests.

use crate::clock::UnixTime;
use crate::config::Capacity;
use std::fmt;
use std::time::Duration;

const WAYS: usize = 4;
const SETS: usize = 256;

/// How much unused time a user's rate can save up: that many calls may be made at once.
const BURST: Duration = Duration::from_secs(20);

/// The longest wait that Duo can ask for. A proxy on the way may name any time.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(300);

/// The wait before another try if there was no room.
const SOON: Duration = Duration::from_secs(2);

/// Represents a user or a sign-in by keyed or random bytes, so that nobody can choose which other
/// users it collides with.
type Tag = [u8; 8];

/// The purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    user: Tag,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The first call of a client's request; `holds` is `true` if the request is held meanwhile.
    First { holds: bool },
    /// A further call of a request.
    GoOn,
    /// A client polls its sign-in.
    Look(Tag),
    /// A held request polls its push.
    Follow,
    /// A request waits for another one's push, without a call.
    Wait,
}

impl Seat {
    pub(super) const fn first(user: [u8; 16], holds: bool) -> Self {
        Self { user: start(user), purpose: Purpose::First { holds } }
    }

    pub(super) const fn go_on(user: [u8; 16]) -> Self {
        Self { user: start(user), purpose: Purpose::GoOn }
    }

    pub(super) const fn look(user: [u8; 16], sign_in: [u8; 16]) -> Self {
        Self { user: start(user), purpose: Purpose::Look(start(sign_in)) }
    }

    pub(super) const fn follow(user: [u8; 16]) -> Self {
        Self { user: start(user), purpose: Purpose::Follow }
    }

    pub(super) const fn wait(user: [u8; 16]) -> Self {
        Self { user: start(user), purpose: Purpose::Wait }
    }

    /// Whether it is the first call of a request, and not one of a sign-in under way.
    #[must_use]
    pub const fn begins(&self) -> bool {
        matches!(self.purpose, Purpose::First { .. })
    }

    const fn is_call(&self) -> bool {
        !matches!(self.purpose, Purpose::Wait)
    }

    const fn is_look(&self) -> bool {
        matches!(self.purpose, Purpose::Look(_) | Purpose::Follow)
    }

    const fn sign_in(&self) -> Option<Tag> {
        match self.purpose {
            Purpose::Look(sign_in) => Some(sign_in),
            Purpose::First { .. } | Purpose::GoOn | Purpose::Follow | Purpose::Wait => None,
        }
    }
}

const fn start(tag: [u8; 16]) -> Tag {
    let [a, b, c, d, e, f, g, h, ..] = tag;
    [a, b, c, d, e, f, g, h]
}

/// Why there is no room for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// The limit that is reached.
    pub by: By,
    /// The wait after which another try may succeed.
    pub wait: Duration,
}

/// The limits that can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Another request polls this sign-in already.
    SignIn,
    /// `limits.user_calls`.
    UserCalls,
    /// `limits.user_rate`.
    UserRate,
    /// `limits.calls`.
    Calls,
    /// `limits.held`.
    Held,
    /// Duo asked to wait with this user.
    Duo,
}

impl By {
    /// All limits.
    pub const ALL: [Self; 6] =
        [Self::SignIn, Self::UserCalls, Self::UserRate, Self::Calls, Self::Held, Self::Duo];

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::UserCalls => "user_calls",
            Self::UserRate => "user_rate",
            Self::Calls => "calls",
            Self::Held => "held",
            Self::Duo => "duo",
        }
    }
}

/// The calls under way for one worker's requests.
#[derive(Default)]
pub struct Room {
    calls: usize,
    looks: usize,
    sign_ins: Vec<Tag>,
    users: Vec<[User; WAYS]>,
}

/// A user's entry, of 32 bytes.
#[derive(Clone, Copy, Default)]
struct User {
    tag: Tag,
    calls: u16,
    /// When the calls so far would have ended, if they had been made at the highest rate.
    paced: UnixTime,
    /// Until when Duo asked to wait with this user.
    until: UnixTime,
}

impl Room {
    /// Takes room for a call; [`Self::leave`] returns it. `waiting` requests wait in this worker.
    ///
    /// # Errors
    ///
    /// [`Crowded`] if there is no room; the call must not be sent.
    pub fn enter(
        &mut self,
        seat: &Seat,
        capacity: &Capacity,
        waiting: usize,
        now: UnixTime,
    ) -> Result<(), Crowded> {
        let crowded = |by| Err(Crowded { by, wait: SOON });
        let of_looks = capacity.calls.saturating_sub(capacity.calls.div_ceil(4)).max(1);
        match seat.purpose {
            Purpose::Look(sign_in) if self.sign_ins.contains(&sign_in) => {
                return crowded(By::SignIn);
            }
            Purpose::Look(_) | Purpose::Follow if self.looks >= of_looks => {
                return crowded(By::Calls);
            }
            Purpose::First { holds: true } | Purpose::Wait if waiting >= capacity.held => {
                return crowded(By::Held);
            }
            Purpose::Look(_) | Purpose::First { .. } if self.calls >= capacity.calls => {
                return crowded(By::Calls);
            }
            Purpose::Look(_)
            | Purpose::Follow
            | Purpose::First { .. }
            | Purpose::GoOn
            | Purpose::Wait => {}
        }
        let is_counted =
            matches!(seat.purpose, Purpose::Look(_) | Purpose::First { .. } | Purpose::Wait);
        match self.user(seat.user, now) {
            Some(user) if is_counted => user.admit(capacity, now)?,
            Some(user) => user.calls = user.calls.saturating_add(1),
            None if is_counted => return crowded(By::Calls),
            None => {}
        }
        self.calls = self.calls.saturating_add(usize::from(seat.is_call()));
        self.looks = self.looks.saturating_add(usize::from(seat.is_look()));
        self.sign_ins.extend(seat.sign_in());
        Ok(())
    }

    /// Makes no room for a user until then, since Duo asked to wait.
    pub fn pause(&mut self, seat: &Seat, until: UnixTime, now: UnixTime) {
        if let Some(user) = self.user(seat.user, now) {
            user.until = until;
        }
    }

    /// Returns the room of a call that has ended, or whose request has.
    pub fn leave(&mut self, seat: &Seat) {
        self.calls = self.calls.saturating_sub(usize::from(seat.is_call()));
        self.looks = self.looks.saturating_sub(usize::from(seat.is_look()));
        let place = seat.sign_in().and_then(|left| self.sign_ins.iter().position(|it| *it == left));
        if let Some(place) = place {
            self.sign_ins.swap_remove(place);
        }
        let set = self.users.get_mut(set_of(seat.user)).into_iter().flatten();
        for user in set.filter(|user| user.tag == seat.user) {
            user.calls = user.calls.saturating_sub(1);
        }
    }

    /// The entry of a user. If the user has none, it replaces the one that was idle for longest.
    /// `None` if all entries of the set have calls under way.
    fn user(&mut self, tag: Tag, now: UnixTime) -> Option<&mut User> {
        if self.users.is_empty() {
            self.users.resize_with(SETS, Default::default);
        }
        let set = self.users.get_mut(set_of(tag))?;
        let known = set.iter().position(|user| user.tag == tag);
        let idle = || {
            let idle = set.iter().enumerate().filter(|(_, user)| user.calls == 0);
            idle.min_by_key(|(_, user)| user.paced.max(user.until)).map(|(place, _)| place)
        };
        let place = known.or_else(idle)?;
        let user = set.get_mut(place)?;
        if known.is_none() {
            *user = User { tag, calls: 0, paced: now, until: UnixTime::default() };
        }
        Some(user)
    }
}

impl User {
    fn admit(&mut self, capacity: &Capacity, now: UnixTime) -> Result<(), Crowded> {
        if usize::from(self.calls) >= capacity.user_calls {
            return Err(Crowded { by: By::UserCalls, wait: SOON });
        }
        let left = self.until.since(now);
        // A time further ahead was written before the host's clock was set back.
        if !left.is_zero() && left <= MAX_WAIT {
            return Err(Crowded { by: By::Duo, wait: left });
        }
        let pace = capacity.pace();
        // A time further ahead was written before the host's clock was set back.
        let is_odd = self.paced.since(now) > BURST.saturating_add(pace);
        let paced = if is_odd { now } else { self.paced.max(now) };
        let ahead = paced.since(now);
        if ahead > BURST {
            let wait = ahead.saturating_sub(BURST).max(SOON);
            return Err(Crowded { by: By::UserRate, wait });
        }
        self.paced = paced.plus(pace);
        self.calls = self.calls.saturating_add(1);
        Ok(())
    }
}

/// Does not show the users.
impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("calls", &self.calls).finish_non_exhaustive()
    }
}

const fn set_of(tag: Tag) -> usize {
    let [first, ..] = tag;
    // Widening: there are as many sets as a byte has values.
    #[allow(clippy::as_conversions, reason = "`usize::from` is not const")]
    let set = first as usize;
    set
}

#[cfg(test)]
mod tests;
