//! One bucket of approvals per client: sixteen of them, in bytes.
//!
//! ```text
//! bucket = head | 16 entries
//! entry  = client [16] | user [8] | factor u8 | authenticated u32 | lasts u16
//! ```
//!
//! All numbers are big-endian; `authenticated` is in seconds since 1970, `lasts` in seconds. A
//! factor of 0 is an empty place. A factor of 5 is not an approval yet: a request waits for one.
//! The tag of the client covers everything that must be the same for an approval to count. All
//! approvals of a user are in one bucket, so that a sign-out finds them.

use super::head::{CLIENTS_BYTES, HEAD_BYTES, Head, read};
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::session::ApprovedBy;
use std::time::Duration;

const ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 31;
const _: () = assert!(HEAD_BYTES + ENTRIES * ENTRY_BYTES == CLIENTS_BYTES);

const AWAITED: u8 = 5;

/// How many approvals a user may have at once: one for each client and rule.
const PER_USER: usize = 8;

/// The tag of one user.
pub(super) type User = [u8; 8];

/// A second factor that a user satisfied on one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientApproval {
    factor: Factor,
    /// When the user satisfied it, in seconds since 1970.
    authenticated: u64,
    /// How many seconds the approval lasts from then on.
    lasts: u64,
}

impl ClientApproval {
    /// `None` unless the user used a factor: an approval by `bypass`, a remembered device or
    /// `fail_mode` is never stored.
    pub(in crate::gate) const fn new(
        by: ApprovedBy,
        authenticated: UnixTime,
        lasts: Duration,
    ) -> Option<Self> {
        let ApprovedBy::Factor(factor) = by else { return None };
        let (authenticated, lasts) = (authenticated.seconds(), lasts.as_secs());
        Some(Self { factor, authenticated, lasts })
    }

    /// The factor that the user used.
    pub(in crate::gate) const fn by(&self) -> ApprovedBy {
        ApprovedBy::Factor(self.factor)
    }

    /// When the user satisfied it.
    pub(in crate::gate) const fn authenticated(&self) -> UnixTime {
        UnixTime::from_seconds(self.authenticated)
    }

    /// When the approval ends.
    pub(in crate::gate) fn ends(&self) -> UnixTime {
        self.authenticated().plus(Duration::from_secs(self.lasts))
    }
}

/// The state of one client of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has an approval.
    Approved(ClientApproval),
    /// A request of it waits for an approval. The times are those of [`ClientApproval`].
    Awaited { since: u64, lasts: u64 },
}

impl State {
    /// Whether it has ended. An approval from the future has ended too, since the host's clock was
    /// set back.
    const fn is_over(&self, now: u64) -> bool {
        let (since, lasts) = self.times();
        now < since || now >= since.saturating_add(lasts)
    }

    pub(super) const fn end(&self) -> u64 {
        let (since, lasts) = self.times();
        since.saturating_add(lasts)
    }

    const fn times(&self) -> (u64, u64) {
        match self {
            Self::Approved(ClientApproval { authenticated, lasts, .. }) => (*authenticated, *lasts),
            Self::Awaited { since, lasts } => (*since, *lasts),
        }
    }
}

/// A decoded bucket.
#[derive(Default)]
pub(super) struct ClientApprovals {
    entries: [Option<Entry>; ENTRIES],
}

/// Bytes that [`Entry::encode`] does not write.
struct Foreign;

#[derive(Clone, Copy)]
struct Entry {
    client: [u8; 16],
    user: User,
    state: State,
}

impl ClientApprovals {
    /// Reads the bytes of [`Self::encode`]; `None` for any others.
    pub(super) fn decode(bytes: &[u8], now: u64) -> Option<Self> {
        let (_, entries) = read(bytes, now, |bytes, _| Entry::decode(bytes).ok())?;
        Some(Self { entries })
    }

    pub(super) fn encode(&self, now: u64) -> Vec<u8> {
        let mut bytes = Head { written: now, closed: now }.first_bytes(CLIENTS_BYTES);
        for entry in &self.entries {
            match entry {
                Some(entry) => entry.encode(&mut bytes),
                None => bytes.extend_from_slice(&[0; ENTRY_BYTES]),
            }
        }
        bytes
    }

    /// The state of this user and client, unless it has ended.
    pub(super) fn find(&self, client: [u8; 16], user: User, now: u64) -> Option<State> {
        let is_it = |entry: &&Entry| entry.client == client && entry.user == user;
        let found = self.entries.iter().flatten().find(is_it)?;
        (!found.state.is_over(now)).then_some(found.state)
    }

    /// Stores an approval, or a wait for one if there is none yet. If the user has [`PER_USER`], an
    /// approval replaces the one that would end first; a wait replaces none. `true` if there was room.
    pub(super) fn keep(&mut self, client: [u8; 16], user: User, state: State, now: u64) -> bool {
        let is_approved = matches!(self.find(client, user, now), Some(State::Approved(_)));
        if is_approved && matches!(state, State::Awaited { .. }) {
            return false;
        }
        for place in &mut self.entries {
            let is_same = |entry: &Entry| entry.client == client && entry.user == user;
            *place = place.filter(|entry| !entry.state.is_over(now) && !is_same(entry));
        }
        let own = |place: &&mut Option<Entry>| place.is_some_and(|entry| entry.user == user);
        let place = if self.entries.iter_mut().filter(own).count() < PER_USER {
            self.entries.iter_mut().find(|place| place.is_none())
        } else if matches!(state, State::Awaited { .. }) {
            None
        } else {
            let end = |place: &&mut Option<Entry>| place.map(|entry| entry.state.end());
            self.entries.iter_mut().filter(own).min_by_key(end)
        };
        place.map(|place| *place = Some(Entry { client, user, state })).is_some()
    }

    /// Forgets that a request of this client waits; `true` if one did.
    pub(super) fn release(&mut self, client: [u8; 16], user: User) -> bool {
        let is_it = |entry: &Entry| {
            let is_awaited = matches!(entry.state, State::Awaited { .. });
            is_awaited && entry.client == client && entry.user == user
        };
        let place = self.entries.iter_mut().find(|place| place.as_ref().is_some_and(is_it));
        place.is_some_and(|place| place.take().is_some())
    }

    /// Ends all approvals of a user.
    pub(super) fn forget(&mut self, user: User) {
        for place in &mut self.entries {
            *place = place.filter(|entry| entry.user != user);
        }
    }
}

impl Entry {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let Self { client, user, state } = self;
        bytes.extend_from_slice(client);
        bytes.extend_from_slice(user);
        bytes.push(match state {
            State::Approved(ClientApproval { factor: Factor::Push, .. }) => 1,
            State::Approved(ClientApproval { factor: Factor::Passcode, .. }) => 2,
            State::Approved(ClientApproval { factor: Factor::Phone, .. }) => 3,
            State::Approved(ClientApproval { factor: Factor::Sms, .. }) => 4,
            State::Awaited { .. } => AWAITED,
        });
        let (since, lasts) = state.times();
        bytes.extend_from_slice(&u32::try_from(since).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(&u16::try_from(lasts).unwrap_or(0).to_be_bytes());
    }

    /// `Ok(None)` for an empty place.
    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Result<Option<Self>, Foreign> {
        let (client, rest) = bytes.split_first_chunk().ok_or(Foreign)?;
        let (user, rest) = rest.split_first_chunk().ok_or(Foreign)?;
        let &[factor, a, b, c, d, e, f] = rest.first_chunk().ok_or(Foreign)?;
        let authenticated = u32::from_be_bytes([a, b, c, d]).into();
        let lasts = u16::from_be_bytes([e, f]).into();
        let approved = |factor| State::Approved(ClientApproval { factor, authenticated, lasts });
        let state = match factor {
            0 => return Ok(None),
            1 => approved(Factor::Push),
            2 => approved(Factor::Passcode),
            3 => approved(Factor::Phone),
            4 => approved(Factor::Sms),
            AWAITED => State::Awaited { since: authenticated, lasts },
            _ => return Err(Foreign),
        };
        Ok(Some(Self { client: *client, user: *user, state }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;
    const FOR: u64 = 300;

    fn pushed(authenticated: u64) -> State {
        let at = UnixTime::from_seconds(authenticated);
        State::Approved(
            ClientApproval::new(ApprovedBy::Factor(Factor::Push), at, Duration::from_secs(FOR))
                .unwrap(),
        )
    }

    fn user(number: u8) -> User {
        [number; 8]
    }

    fn client(number: u8) -> [u8; 16] {
        [number; 16]
    }

    /// The bucket as another worker reads it.
    fn reread(approvals: &ClientApprovals, now: u64) -> ClientApprovals {
        let bytes = approvals.encode(now);
        assert_eq!(bytes.len(), CLIENTS_BYTES);
        ClientApprovals::decode(&bytes, now).unwrap()
    }

    #[test]
    fn an_approval_reads_back_with_its_factor_and_time() {
        for by in ApprovedBy::ALL {
            let lasts = Duration::from_secs(3_600);
            let Some(kept) = ClientApproval::new(by, UnixTime::from_seconds(NOON), lasts) else {
                assert!(matches!(
                    by,
                    ApprovedBy::Bypass
                        | ApprovedBy::Remembered
                        | ApprovedBy::FailSafe
                        | ApprovedBy::Webauthn
                        | ApprovedBy::Other
                ));
                continue;
            };
            let mut approvals = ClientApprovals::default();
            assert!(approvals.keep(client(1), user(1), State::Approved(kept), NOON));
            let found = reread(&approvals, NOON).find(client(1), user(1), NOON);
            let Some(State::Approved(found)) = found else { panic!("{found:?}") };
            assert_eq!((found.by(), found.authenticated().seconds()), (by, NOON));
            assert_eq!(found, kept);
        }
    }

    #[test]
    fn an_approval_is_over_at_its_end_and_before_its_beginning() {
        let mut approvals = ClientApprovals::default();
        approvals.keep(client(1), user(1), pushed(NOON), NOON);
        for (now, is_good) in [
            (NOON - 1, false),
            (NOON, true),
            (NOON + FOR - 1, true),
            (NOON + FOR, false),
            (NOON + FOR + 1, false),
        ] {
            assert_eq!(approvals.find(client(1), user(1), now).is_some(), is_good, "{now}");
        }
        assert_eq!(approvals.find(client(2), user(1), NOON), None);
        assert_eq!(approvals.find(client(1), user(2), NOON), None);
    }

    #[test]
    fn a_user_has_a_bounded_number_and_loses_their_own_oldest() {
        let mut approvals = ClientApprovals::default();
        assert!(approvals.keep(client(99), user(2), pushed(NOON - 200), NOON));
        for number in 0..=8 {
            // The fourth is the oldest.
            let at = NOON - 100 + u64::from((number + 5) % 8);
            assert!(approvals.keep(client(number), user(1), pushed(at), NOON));
        }
        let found = |number| approvals.find(client(number), user(1), NOON).is_some();
        let found: Vec<_> = (0..=8).map(found).collect();
        assert_eq!(found, [vec![true; 3], vec![false], vec![true; 5]].concat());
        assert!(approvals.find(client(99), user(2), NOON).is_some(), "another user's stays");
    }

    #[test]
    fn a_wait_is_not_an_approval_and_does_not_replace_one() {
        let awaited = State::Awaited { since: NOON, lasts: 60 };
        let mut approvals = ClientApprovals::default();
        assert!(approvals.keep(client(1), user(1), awaited, NOON));
        let mut approvals = reread(&approvals, NOON + 59);
        assert_eq!(approvals.find(client(1), user(1), NOON + 59), Some(awaited));
        assert_eq!(approvals.find(client(1), user(1), NOON + 60), None);
        assert!(approvals.keep(client(1), user(1), pushed(NOON + 59), NOON + 59));
        assert!(!approvals.release(client(1), user(1)), "it is over");
        assert!(!approvals.keep(client(1), user(1), awaited, NOON + 59));
        assert_eq!(approvals.find(client(1), user(1), NOON + 59), Some(pushed(NOON + 59)));
        assert!(approvals.keep(client(2), user(1), awaited, NOON));
        assert!(!approvals.release(client(2), user(2)) && approvals.release(client(2), user(1)));
        assert_eq!(approvals.find(client(2), user(1), NOON), None);
    }

    #[test]
    fn a_wait_replaces_no_approval() {
        let awaited = State::Awaited { since: NOON, lasts: 60 };
        let mut approvals = ClientApprovals::default();
        for number in 0..8 {
            assert!(approvals.keep(client(number), user(1), pushed(NOON), NOON));
        }
        assert!(!approvals.keep(client(8), user(1), awaited, NOON));
        for number in 0..8 {
            assert!(approvals.find(client(number), user(1), NOON).is_some());
        }
        assert!(approvals.keep(client(8), user(2), awaited, NOON));
        assert!(approvals.keep(client(8), user(2), awaited, NOON), "its own");
    }

    #[test]
    fn a_full_bucket_accepts_no_other_user_until_an_approval_ends() {
        let mut approvals = ClientApprovals::default();
        for number in 0..16 {
            assert!(approvals.keep(client(number), user(number), pushed(NOON), NOON));
        }
        let late = NOON + FOR - 1;
        assert!(!approvals.keep(client(16), user(16), pushed(late), late));
        assert_eq!(approvals.find(client(16), user(16), late), None);
        assert!(approvals.find(client(0), user(0), late).is_some());
        let mut approvals = reread(&approvals, late);
        assert!(approvals.keep(client(16), user(16), pushed(late + 1), late + 1));
    }

    #[test]
    fn a_sign_out_ends_all_of_one_user() {
        let mut approvals = ClientApprovals::default();
        for (number, owner) in [(1, 1), (2, 1), (3, 2)] {
            approvals.keep(client(number), user(owner), pushed(NOON), NOON);
        }
        approvals.forget(user(1));
        let approvals = reread(&approvals, NOON);
        let found = [(1, 1), (2, 1), (3, 2)].map(|(n, o)| approvals.find(client(n), user(o), NOON));
        assert_eq!(found.map(|found| found.is_some()), [false, false, true]);
    }

    #[test]
    fn bytes_that_are_not_ours_are_not_read() {
        let bytes = reread(&ClientApprovals::default(), NOON).encode(NOON);
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            bytes
        };
        let factor = HEAD_BYTES + 24;
        for junk in [Vec::new(), vec![0xff; CLIENTS_BYTES], with(0, 1), with(7, 1), with(factor, 6)]
        {
            assert!(ClientApprovals::decode(&junk, NOON).is_none());
        }
        assert!(ClientApprovals::decode(&bytes, NOON - 61).is_none(), "from the future");
        assert!(ClientApprovals::decode(&bytes, NOON - 60).is_some());
    }
}
