use super::super::{ClientApproval, EMPTY, End, Prompted, SingleUse, buckets};
use super::*;
use crate::factor::Factor;
use crate::session::ApprovedBy;
use std::collections::BTreeMap;
use std::time::Duration;

const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);
const SECRET: &[u8] = b"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
const ALICE: [u8; 16] = *b"\x0a\xbctag of alice..";
const MINUTE: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    Limits {
        pushes: 3,
        window: Duration::from_secs(600),
        deny_cooldown: vec![MINUTE],
        passcode_tries: 5,
        starts: 9,
        users: 16_384,
    }
}

/// The shared data of one `vm_id`, for this filter and its neighbors.
struct Host {
    data: BTreeMap<String, Vec<u8>>,
    now: UnixTime,
    signals: Vec<Signal>,
}

impl Host {
    fn new() -> Self {
        Self { data: BTreeMap::new(), now: NOON, signals: Vec::new() }
    }

    fn table() -> Table {
        Table::new(&SharedKey::new(SECRET, &[]))
    }

    fn grant(&mut self, permit: &Permit) -> Verdict {
        let Self { data, now, signals } = self;
        let changed = Self::table().grant(permit, &limits(), *now, &mut |name, work| {
            if let Some(bytes) = work(data.get(name).map(Vec::as_slice)) {
                data.insert(name.to_owned(), bytes);
            }
            true
        });
        signals.extend(changed.signals);
        changed.verdict
    }

    fn settle(&mut self, permit: Permit, end: End) {
        let Self { data, now, signals } = self;
        let settlement = Settlement { permit, end };
        let said = Self::table().settle(&settlement, &limits(), *now, &mut |name, work| {
            if let Some(bytes) = work(data.get(name).map(Vec::as_slice)) {
                data.insert(name.to_owned(), bytes);
            }
            true
        });
        signals.extend(said);
    }

    fn alarms(&self) -> usize {
        let is_count = |it: &&Signal| matches!(it, Signal::Count(Counter::LimitsUnreadable));
        let is_line =
            |it: &&Signal| matches!(it, Signal::Log(Level::Error, text) if text.contains("vm_id"));
        let [counts, lines] = [
            self.signals.iter().filter(is_count).count(),
            self.signals.iter().filter(is_line).count(),
        ];
        assert_eq!(counts, lines);
        counts
    }
}

fn push(number: u8) -> Permit {
    Permit::of_prompt(ALICE, [number; 16], MINUTE)
}

fn per_request() -> Permit {
    Permit::single_use(SingleUse::PerRequest, [5; 16], MINUTE)
}

/// Bytes that a neighbor may write, if it knows this code but not the secret.
fn forgeries(bucket: u16) -> Vec<Vec<u8>> {
    let theirs = SharedKey::new(b"a secret of the neighbor's", &[]).values("limit/1");
    let ours = SharedKey::new(SECRET, &[]).values(&format!("limit/{VERSION}"));
    vec![
        Vec::new(),
        EMPTY.to_vec(),
        [EMPTY.as_slice(), &[0; 16]].concat(),
        theirs.seal(bucket, EMPTY.to_vec()),
        // A valid bucket that belongs to another number.
        ours.seal(bucket ^ 1, EMPTY.to_vec()),
    ]
}

#[test]
fn a_neighbor_that_wipes_a_bucket_closes_it() {
    for (what, permit) in [("push", push(1)), ("use", per_request())] {
        for forged in forgeries(permit.bucket(&limits())) {
            let mut host = Host::new();
            host.grant(&permit).unwrap();
            let name = host.data.keys().next().unwrap().clone();
            host.data.insert(name, forged.clone());
            for _ in 0..3 {
                let refused = host.grant(&permit).unwrap_err();
                assert_eq!(refused.limit, Limit::Unreadable, "{what} {forged:?}");
            }
            assert_eq!(host.alarms(), 1, "{what}: one line for one bucket");
            let closed = if what == "push" { 60 } else { 420 };
            host.now = NOON.plus(Duration::from_secs(closed - 1));
            host.grant(&permit).unwrap_err();
            host.now = NOON.plus(Duration::from_secs(closed));
            host.grant(&permit).unwrap();
        }
    }
}

#[test]
fn a_denial_that_comes_to_a_wiped_bucket_closes_it_too() {
    let mut host = Host::new();
    host.grant(&push(1)).unwrap();
    host.data.values_mut().for_each(Vec::clear);
    host.settle(push(1), End::Denied);
    assert_eq!(host.alarms(), 1);
    assert_eq!(host.grant(&push(2)).unwrap_err().limit, Limit::Unreadable);
    assert_eq!(host.alarms(), 1);
}

#[test]
fn a_neighbor_that_writes_every_name_it_can_guess_changes_nothing() {
    let mut host = Host::new();
    host.grant(&push(1)).unwrap();
    host.settle(push(1), End::Denied);
    let before = host.data.clone();
    for bucket in 0..buckets(limits().users) {
        for name in [
            format!("duo_mfa/limit/{bucket:04}"),
            format!("duo_mfa/{bucket:04x}"),
            SharedKey::new(b"a secret of the neighbor's", &[]).values("limit/1").name(bucket),
        ] {
            assert!(!before.contains_key(&name));
            host.data.insert(name, EMPTY.to_vec());
        }
    }
    assert_eq!(host.grant(&push(2)).unwrap_err().limit, Limit::CoolDown);
    assert_eq!(host.alarms(), 0);
}

#[test]
fn configurations_with_one_key_share_a_table_and_others_do_not() {
    let mut host = Host::new();
    host.grant(&push(1)).unwrap();
    assert_eq!(host.grant(&push(2)).unwrap_err().limit, Limit::Pending);
    let other = Table::new(&SharedKey::new(b"another secret key", &[]));
    let mut data = std::mem::take(&mut host.data);
    let changed = other.grant(&push(3), &limits(), NOON, &mut |name, work| {
        assert!(!data.contains_key(name));
        data.insert(name.to_owned(), work(None).unwrap());
        true
    });
    assert_eq!(changed.verdict, Ok(Granted::New));
    assert_eq!(data.len(), 2);
}

#[test]
fn a_bucket_is_created_when_it_is_used_and_counts_from_then_on() {
    let mut host = Host::new();
    host.settle(push(9), End::Denied);
    assert!(host.data.is_empty(), "an end without a permit changes nothing");
    host.grant(&push(1)).unwrap();
    assert_eq!(host.data.len(), 1);
    assert_eq!(host.grant(&push(2)).unwrap_err().limit, Limit::Pending);
    host.grant(&per_request()).unwrap();
    assert_eq!(host.data.len(), 2);
    assert_eq!(host.alarms(), 0);
}

#[test]
fn a_change_that_others_always_outrun_is_not_granted() {
    let changed = Host::table().grant(&push(1), &limits(), NOON, &mut |_, work| {
        work(None);
        false
    });
    assert_eq!(changed.verdict, Err(Limited::CONTENDED));
}

#[test]
fn a_sign_out_that_others_always_outrun_is_an_error_in_the_log() {
    let settled = |permit, is_done| {
        let settlement = Settlement { permit, end: End::Sent };
        Host::table().settle(&settlement, &limits(), NOON, &mut |_, work| {
            work(None);
            is_done
        })
    };
    let sign_out = Permit::forget_clients(ALICE);
    let said = settled(sign_out, false);
    assert!(
        matches!(said.as_slice(), [Signal::Log(Level::Error, text)] if text.contains("sign-out")),
        "{said:?}"
    );
    assert_eq!(settled(sign_out, true), []);
    assert_eq!(settled(push(1), false), []);
}

#[test]
fn users_of_one_bucket_have_their_own_approvals_per_client() {
    const CLIENT: [u8; 16] = [3; 16];
    let neighbor = *b"\x0a\xbctag of another";
    let by = ApprovedBy::Factor(Factor::Push);
    let approval = ClientApproval::new(by, NOON, MINUTE).unwrap();
    let mut host = Host::new();
    host.settle(Permit::keep_client(ALICE, CLIENT, approval), End::Allowed);
    host.settle(Permit::forget_clients(neighbor), End::Allowed);
    assert_eq!(host.data.len(), 1, "one bucket");
    host.grant(&Permit::find_client(neighbor, CLIENT, None)).unwrap_err();
    let found = host.grant(&Permit::find_client(ALICE, CLIENT, None));
    assert_eq!(found, Ok(Granted::Approved(approval)));
}

#[test]
fn a_request_waits_for_another_of_its_client_as_long_as_that_one_has() {
    let mut host = Host::new();
    let claim = Permit::find_client(ALICE, [3; 16], Some(MINUTE));
    assert_eq!(host.grant(&claim), Ok(Granted::New));
    host.now = NOON.plus(Duration::from_secs(15));
    let waits = host.grant(&claim).unwrap_err();
    assert_eq!((waits.limit, waits.wait), (Limit::Awaited, Duration::from_secs(45)));
}

#[test]
fn a_prompt_that_the_second_tag_keeps_from_being_taken_up_can_be_taken_up_later() {
    let phone = *b"\x07\x77tag of a phone";
    let prompt = |owner| Permit::of_prompt(ALICE, [owner; 16], MINUTE).for_request([8; 16]);
    let mut host = Host::new();
    let first = prompt(1);
    host.grant(&first).unwrap();
    let txid = "b15f4127-f45f-4862-8545-e0f58e78075a".parse().unwrap();
    let prompted = Prompted::new(Factor::Push, [0; 8], &txid, "alice").unwrap();
    host.settle(first, End::Started(prompted));
    host.settle(first, End::Left);
    let of_phone = Permit::of_prompt(phone, [2; 16], MINUTE);
    host.grant(&of_phone).unwrap();
    let both = |owner| prompt(owner).counted_by(Some(phone));
    assert_eq!(host.grant(&both(3)).unwrap_err().limit, Limit::Pending);
    host.settle(of_phone, End::Unsent);
    assert!(matches!(host.grant(&both(4)), Ok(Granted::TakeUp(_))));
}

#[test]
fn a_permit_of_two_tags_is_granted_by_both_or_counted_by_none() {
    let phone = *b"\x07\x77tag of a phone";
    let mut host = Host::new();
    let first = push(1).counted_by(Some(phone));
    host.grant(&first).unwrap();
    let mut other = Permit::of_prompt([9; 16], [2; 16], MINUTE).counted_by(Some(phone));
    for owner in 2..9 {
        other = Permit::of_prompt([9; 16], [owner; 16], MINUTE).counted_by(Some(phone));
        assert_eq!(host.grant(&other).unwrap_err().limit, Limit::Pending);
    }
    host.settle(other, End::Denied);
    assert_eq!(host.grant(&first).unwrap_err().limit, Limit::Pending, "it is another's to end");
    host.settle(first, End::Allowed);
    for owner in 2..5 {
        // The three prompts of its budget.
        other = Permit::of_prompt([9; 16], [owner; 16], MINUTE).counted_by(Some(phone));
        host.grant(&other).unwrap();
        host.settle(other, End::Sent);
    }
    assert_eq!(host.grant(&other).unwrap_err().limit, Limit::Budget);
    assert_eq!(host.grant(&first).unwrap_err().limit, Limit::Budget, "the phone's");
    assert_eq!(host.grant(&push(2)), Ok(Granted::New), "and not the first user's");
}

#[test]
fn both_buckets_of_a_permit_close_at_once() {
    let permit = push(1).counted_by(Some(*b"\x07\x77tag of a phone"));
    let mut host = Host::new();
    host.grant(&permit).unwrap();
    host.data.values_mut().for_each(Vec::clear);
    assert_eq!(host.grant(&permit).unwrap_err().limit, Limit::Unreadable);
    assert_eq!(host.alarms(), 2);
    host.now = NOON.plus(MINUTE);
    host.grant(&permit).unwrap();
}
