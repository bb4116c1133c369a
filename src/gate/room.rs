//! How much one worker lets wait for Duo at once, and for one user: a table of fixed size.
//!
//! In go what a call is for and the moment; out comes leave to send it, or [`Crowded`]. Without
//! these caps one password is enough to fill the circuit breaker of Duo's cluster, and then nobody
//! signs in. Nothing is ever admitted by a cap: a call without room leads to a refusal, to the last
//! known state of a sign-in, or to a later try.
//!
//! A request has one call under way at a time, so it needs leave only when it first asks Duo. Looks
//! at a transaction, which Duo answers late on purpose, get three quarters of the room at most, so
//! that those who begin find some.

use crate::clock::UnixTime;
use crate::config::Capacity;
use std::fmt;
use std::time::Duration;

const WAYS: usize = 4;
const SETS: usize = 256;

/// Calls that a user has not made lately may be made at once, up to so much time's worth.
const BURST: Duration = Duration::from_secs(20);

/// When to try again after a place was not free.
const SOON: Duration = Duration::from_secs(2);

/// Stands for a user, or for a sign-in: keyed or random bytes, so that nobody can choose whom to
/// collide with.
type Tag = [u8; 8];

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    user: Tag,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A client begins to ask; `holds` if its request is held meanwhile.
    First { holds: bool },
    /// A request that has begun goes on.
    GoOn,
    /// A client looks at its sign-in.
    Look(Tag),
    /// A held request looks at its push.
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
    /// What is full.
    pub by: By,
    /// When another try may go better.
    pub wait: Duration,
}

/// What can be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Somebody looks at this sign-in already.
    SignIn,
    /// `limits.user_calls`.
    UserCalls,
    /// `limits.user_rate`.
    UserRate,
    /// `limits.calls`.
    Calls,
    /// `limits.held`.
    Held,
}

impl By {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::UserCalls => "user_calls",
            Self::UserRate => "user_rate",
            Self::Calls => "calls",
            Self::Held => "held",
        }
    }
}

/// The calls of one worker's requests that are under way.
#[derive(Default)]
pub struct Room {
    calls: usize,
    looks: usize,
    sign_ins: Vec<Tag>,
    users: Vec<[User; WAYS]>,
}

/// 24 bytes.
#[derive(Clone, Copy, Default)]
struct User {
    tag: Tag,
    calls: u16,
    /// When the calls made so far would have been made one after the other.
    paced: UnixTime,
}

impl Room {
    /// Takes a place for a call, which [`Self::leave`] gives back. `waiting` requests wait in this
    /// worker.
    ///
    /// # Errors
    ///
    /// [`Crowded`] if there is none; the call must not be sent.
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

    /// A call is over, or its request is gone.
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

    /// The entry of a user; where there is none, that of whoever has been idle for longest. `None`
    /// if all of its set have calls under way.
    fn user(&mut self, tag: Tag, now: UnixTime) -> Option<&mut User> {
        if self.users.is_empty() {
            self.users.resize_with(SETS, Default::default);
        }
        let set = self.users.get_mut(set_of(tag))?;
        let known = set.iter().position(|user| user.tag == tag);
        let idle = || {
            let idle = set.iter().enumerate().filter(|(_, user)| user.calls == 0);
            idle.min_by_key(|(_, user)| user.paced).map(|(place, _)| place)
        };
        let place = known.or_else(idle)?;
        let user = set.get_mut(place)?;
        if known.is_none() {
            *user = User { tag, calls: 0, paced: now };
        }
        Some(user)
    }
}

impl User {
    fn admit(&mut self, capacity: &Capacity, now: UnixTime) -> Result<(), Crowded> {
        if usize::from(self.calls) >= capacity.user_calls {
            return Err(Crowded { by: By::UserCalls, wait: SOON });
        }
        let pace = capacity.pace();
        // What lies further ahead was written before the host's clock was set back.
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

/// Says nothing of the users.
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
