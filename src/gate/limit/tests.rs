mod random;
mod room;

use super::bucket::{ENTRIES, ENTRY_BYTES};
use super::*;
use crate::factor::Factor;
use std::time::Duration;

const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);
const ALICE: [u8; 16] = *b"\x0a\xbctag of alice..";
const LASTS: Duration = Duration::from_secs(65);

fn limits() -> Limits {
    Limits {
        pushes: 3,
        window: Duration::from_secs(600),
        deny_cooldown: [60, 300, 1_800].map(Duration::from_secs).to_vec(),
        passcode_tries: 5,
        starts: 9,
        users: 16_384,
    }
}

/// One bucket, and the time.
struct Desk {
    bytes: Option<Vec<u8>>,
    now: UnixTime,
    owners: u8,
}

impl Desk {
    const fn new() -> Self {
        Self { bytes: None, now: NOON, owners: 0 }
    }

    /// Another client requests a prompt on this user's phone.
    fn ring(&mut self, tag: [u8; 16]) -> Result<Permit, Limited> {
        self.owners = self.owners.wrapping_add(1);
        let wanted = Permit::of_prompt(tag, [self.owners; 16], LASTS);
        let (verdict, changed) = grant(self.bytes.as_deref(), &wanted, &limits(), self.now);
        self.bytes = changed.or_else(|| self.bytes.take());
        verdict.map(|_| wanted)
    }

    fn alice(&mut self) -> Result<Permit, Limited> {
        self.ring(ALICE)
    }

    fn end(&mut self, permit: Permit, end: End) {
        let settlement = Settlement { permit, end };
        let changed = settle(self.bytes.as_deref(), &settlement, &limits(), self.now);
        self.bytes = changed.or_else(|| self.bytes.take());
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }
}

const fn limited(limit: Limit, seconds: u64) -> Limited {
    Limited { limit, wait: Duration::from_secs(seconds), unheard: None }
}

/// Whether a bucket of users can have this many bytes.
fn has_a_size_of_ours(bytes: &[u8]) -> bool {
    let entries = bytes.len().checked_sub(EMPTY.len());
    entries.is_some_and(|size| size.is_multiple_of(ENTRY_BYTES) && size <= ENTRIES * ENTRY_BYTES)
}

/// Another user of the same bucket.
fn neighbour(number: u8) -> [u8; 16] {
    let mut tag = ALICE;
    tag[15] = number;
    tag
}

#[test]
fn one_prompt_at_a_time() {
    let mut desk = Desk::new();
    let first = desk.alice().unwrap();
    desk.wait(20);
    assert_eq!(desk.alice(), Err(limited(Limit::Pending, 45)));
    desk.end(first, End::Allowed);
    desk.alice().unwrap();
}

#[test]
fn prompt_of_a_client_that_left_ends_by_its_time() {
    let mut desk = Desk::new();
    desk.alice().unwrap();
    desk.wait(64);
    assert_eq!(desk.alice(), Err(limited(Limit::Pending, 1)));
    desk.wait(1);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 15)), "as if nobody had answered");
    desk.wait(15);
    desk.alice().unwrap();
}

#[test]
fn denials_in_a_row_cost_a_minute_five_and_thirty() {
    let mut desk = Desk::new();
    for (denial, wait) in [60, 300, 1_800, 1_800].into_iter().enumerate() {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::Denied);
        assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, wait)), "denial {denial}");
        desk.wait(wait - 1);
        assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 1)), "denial {denial}");
        desk.wait(1);
    }
}

#[test]
fn denials_long_past_are_forgotten() {
    let mut desk = Desk::new();
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Denied);
    for _ in 0..31 {
        desk.wait(60);
        // Actions of other users in the same bucket do not extend the memory.
        let permit = desk.ring(neighbour(1)).unwrap();
        desk.end(permit, End::Allowed);
    }
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Denied);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 60)));
}

#[test]
fn fraud_costs_half_an_hour_at_once() {
    let mut desk = Desk::new();
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Fraud);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 1_800)));
}

#[test]
fn timeout_costs_fifteen_seconds_each_time() {
    let mut desk = Desk::new();
    for _ in 0..2 {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::TimedOut);
        assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 15)));
        desk.wait(15);
    }
}

#[test]
fn budget_frees_up_prompt_by_prompt() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::Sent);
        desk.wait(100);
    }
    assert_eq!(desk.alice(), Err(limited(Limit::Budget, 301)));
    desk.wait(301);
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Sent);
    assert_eq!(desk.alice(), Err(limited(Limit::Budget, 100)));
}

#[test]
fn allow_forgets_everything_of_its_user() {
    let mut desk = Desk::new();
    for _ in 0..2 {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::Denied);
        desk.wait(300);
    }
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Allowed);
    for _ in 0..3 {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::Sent);
    }
    let mut desk = Desk::new();
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Allowed);
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Denied);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 60)), "it is the first again");
}

#[test]
fn prompt_that_was_never_sent_does_not_count() {
    let mut desk = Desk::new();
    for _ in 0..10 {
        let permit = desk.alice().unwrap();
        desk.end(permit, End::Unsent);
    }
}

#[test]
fn end_counts_once_and_only_from_the_owner() {
    let mut desk = Desk::new();
    let first = desk.alice().unwrap();
    desk.end(first, End::Denied);
    desk.end(first, End::Denied);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 60)), "one denial");
    desk.end(first, End::Allowed);
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 60)), "too late for another word");
    desk.wait(60);
    desk.alice().unwrap();
    desk.end(first, End::Allowed);
    assert_eq!(desk.alice(), Err(limited(Limit::Pending, 65)), "another's prompt is still pending");
}

/// Alice's push, whose end nobody has heard. It may be on the phone for 10 seconds.
fn unheard(is_same: bool) -> Unheard {
    let after = |seconds| NOON.plus(Duration::from_secs(seconds)).seconds();
    let txid = "b15f4127-f45f-4862-8545-e0f58e78075a".parse().unwrap();
    Unheard {
        prompted: Prompted::new(Factor::Push, [0; 8], &txid, "alice").unwrap(),
        owner: [0; 8],
        is_same,
        pending: after(10),
        cool_down: after(25),
        kept: after(300),
    }
}

#[test]
fn prompt_whose_end_cannot_be_found_is_pending_and_then_cools_down() {
    for (seconds, expected) in [
        (9, Some(limited(Limit::Pending, 1))),
        (10, Some(limited(Limit::CoolDown, 15))),
        (24, Some(limited(Limit::CoolDown, 1))),
        (25, None),
    ] {
        let now = NOON.plus(Duration::from_secs(seconds));
        assert_eq!(unheard(false).unfound(now), expected, "{seconds}");
    }
}

#[test]
fn unused_approval_is_left_to_the_same_request_while_that_may_wait() {
    let after = |is_same, seconds| {
        let (end, limited) = unheard(is_same).allowed(NOON.plus(Duration::from_secs(seconds)));
        (end, limited.map(|limited| limited.limit))
    };
    assert_eq!(after(true, 9), (End::Left, Some(Limit::Pending)));
    assert_eq!(after(true, 10), (End::Allowed, None));
    assert_eq!(after(false, 9), (End::Allowed, None));
}

#[test]
fn prompt_is_taken_up_only_while_it_may_be_on_the_phone() {
    for (seconds, is_taken_up) in [(64, true), (65, false)] {
        let mut desk = Desk::new();
        let wanted = Permit::of_prompt(ALICE, [1; 16], LASTS).for_request([8; 16]);
        let (_, bytes) = grant(None, &wanted, &limits(), desk.now);
        desk.bytes = bytes;
        desk.end(wanted, End::Started(unheard(true).prompted));
        desk.end(wanted, End::Left);
        desk.wait(seconds);
        let again = Permit::of_prompt(ALICE, [2; 16], LASTS).for_request([8; 16]);
        let (verdict, _) = grant(desk.bytes.as_deref(), &again, &limits(), desk.now);
        assert_eq!(matches!(verdict, Ok(Granted::TakeUp(_))), is_taken_up, "{seconds}");
    }
}

#[test]
fn users_of_one_bucket_do_not_touch_each_other() {
    let mut desk = Desk::new();
    let permit = desk.alice().unwrap();
    desk.end(permit, End::Fraud);
    for number in 1..4 {
        desk.ring(neighbour(number)).unwrap();
        assert_eq!(desk.ring(neighbour(number)), Err(limited(Limit::Pending, 65)));
    }
    assert_eq!(desk.alice(), Err(limited(Limit::CoolDown, 1_800)));
}

/// A bucket with room for four more users. The others have denied a prompt.
fn with_four_places() -> Desk {
    let mut desk = Desk::new();
    for number in 5..=32 {
        let permit = desk.ring(neighbour(number)).unwrap();
        desk.end(permit, End::Denied);
    }
    desk
}

#[test]
fn full_bucket_gives_up_only_what_no_longer_counts() {
    let mut desk = with_four_places();
    for number in 1..=4 {
        desk.ring(neighbour(number)).unwrap();
        desk.wait(10);
    }
    assert_eq!(desk.alice(), Err(limited(Limit::NoRoom, 561)));
    desk.wait(560);
    assert_eq!(desk.alice(), Err(limited(Limit::NoRoom, 1)));
    desk.wait(1);
    desk.alice().unwrap();
    assert_eq!(desk.ring(neighbour(1)), Err(limited(Limit::NoRoom, 10)), "it made room");
    desk.wait(9);
    for _ in 0..2 {
        let permit = desk.ring(neighbour(2)).unwrap();
        desk.end(permit, End::Sent);
    }
    assert_eq!(desk.ring(neighbour(2)).unwrap_err().limit, Limit::Budget, "it kept its place");
}

#[test]
fn prompt_without_a_known_end_keeps_its_place_beyond_a_short_window() {
    let short = Limits { window: Duration::from_secs(60), ..limits() };
    let mut desk = with_four_places();
    for number in 1..=4 {
        desk.ring(neighbour(number)).unwrap();
    }
    desk.wait(62);
    let wanted = Permit::of_prompt(ALICE, [1; 16], LASTS);
    let (verdict, _) = grant(desk.bytes.as_deref(), &wanted, &short, desk.now);
    // 65 seconds on the phone, and then 300 in which its end can be asked for.
    assert_eq!(verdict, Err(limited(Limit::NoRoom, 303)));
}

#[test]
fn denial_keeps_its_place_for_as_long_as_it_makes_the_next_one_worse() {
    let mut desk = with_four_places();
    for number in 1..=4 {
        let permit = desk.ring(neighbour(number)).unwrap();
        desk.end(permit, End::Denied);
    }
    // The cool-down of one minute, and then the longest one.
    desk.wait(60 + 1_800 - 1);
    assert_eq!(desk.alice(), Err(limited(Limit::NoRoom, 1)));
    desk.wait(1);
    desk.alice().unwrap();
}

#[test]
fn passcode_keeps_its_place_for_five_minutes_however_short_the_window_of_pushes() {
    let limits = Limits { window: Duration::from_secs(60), ..limits() };
    let tried = |bytes: Option<&[u8]>, tag, seconds| {
        grant(bytes, &Permit::of_passcode(tag), &limits, NOON.plus(Duration::from_secs(seconds)))
    };
    let mut bytes = None;
    for number in 1..=32 {
        let (verdict, changed) = tried(bytes.as_deref(), neighbour(number), 0);
        verdict.unwrap();
        bytes = changed;
    }
    assert_eq!(tried(bytes.as_deref(), ALICE, 300).0, Err(limited(Limit::NoRoom, 1)));
    assert_eq!(tried(bytes.as_deref(), ALICE, 301).0, Ok(Granted::New));
}

#[test]
fn users_beyond_number_share_a_table_of_one_size() {
    const USERS: u64 = 160_000;
    let mut table = std::collections::BTreeMap::<u16, Vec<u8>>::new();
    let (mut granted, mut no_room) = (0_u64, 0_u64);
    for user in 0..USERS {
        let mut tag = [0; 16];
        // Distributes the users over all buckets, as a keyed hash would.
        let spread = user.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        tag[..8].copy_from_slice(&spread.to_be_bytes());
        tag[8..].copy_from_slice(&user.to_be_bytes());
        let wanted = Permit::of_prompt(tag, tag, LASTS);
        // Ten thousand a second: far more at once than the table has room for.
        let now = NOON.plus(Duration::from_millis(user / 10));
        let bucket = wanted.bucket(&limits());
        let bytes = table.get(&bucket).map(Vec::as_slice);
        match grant(bytes, &wanted, &limits(), now) {
            (Ok(_), Some(changed)) => {
                granted += 1;
                table.insert(bucket, changed);
            }
            (Err(Limited { limit: Limit::NoRoom, .. }), None) => no_room += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(granted + no_room, USERS);
    assert!(granted > 32 * 4_096 && no_room > 0, "{granted} {no_room}");
    assert_eq!(table.len(), 4_096);
    assert!(table.values().all(|bytes| has_a_size_of_ours(bytes)));
}

#[test]
fn bytes_that_are_not_ours_close_the_bucket_for_a_minute() {
    let mut used = Desk::new();
    used.alice().unwrap();
    let used = used.bytes.unwrap();
    let with = |at: usize, byte| {
        let mut bytes = used.clone();
        bytes[at] = byte;
        bytes
    };
    let junk = [
        Vec::new(),
        vec![0xff; used.len()],
        vec![0; used.len()],
        used[1..].to_vec(),
        [used.as_slice(), &used[8..].repeat(32)].concat(),
        [used.as_slice(), &[0]].concat(),
        with(0, 1),
        with(1, 0xff),
        with(7, 1),
    ];
    for bytes in junk {
        let mut desk = Desk { bytes: Some(bytes.clone()), ..Desk::new() };
        assert_eq!(desk.alice(), Err(limited(Limit::Unreadable, 60)), "{bytes:?}");
        desk.wait(59);
        assert_eq!(desk.alice(), Err(limited(Limit::Unreadable, 1)), "{bytes:?}");
        desk.wait(1);
        desk.alice().unwrap();
        assert!(has_a_size_of_ours(&desk.bytes.unwrap()));
    }
}

#[test]
fn grant_is_written_down_and_refusal_writes_nothing() {
    let mut desk = Desk::new();
    desk.alice().unwrap();
    assert!(desk.bytes.is_some());
    let again = Permit::of_prompt(ALICE, [9; 16], LASTS);
    let (verdict, changed) = grant(desk.bytes.as_deref(), &again, &limits(), desk.now);
    assert_eq!((verdict, changed), (Err(limited(Limit::Pending, 65)), None));
}

#[test]
fn never_used_bucket_is_an_absent_one() {
    let wanted = Permit::of_prompt(ALICE, [1; 16], LASTS);
    let absent = grant(None, &wanted, &limits(), NOON);
    assert_eq!(absent, grant(Some(&EMPTY), &wanted, &limits(), NOON));
    assert_eq!(absent.0, Ok(Granted::New));
    assert_eq!(wanted.bucket(&limits()), 0xabc);
}
