use super::super::head::EMPTY_LEDGER;
use super::*;
use proptest::prelude::*;

const NOON: u64 = 1_800_000_000;
const TAG: Tag = *b"\x01seven..";
const USED: Verdict = Err(Limited::new(Limit::Used, 0, 0));

/// A bucket with this many other entries, for this many seconds.
fn filled(others: u8, seconds: u64) -> Ledger {
    let mut ledger = Ledger::decode(&EMPTY_LEDGER, NOON).unwrap();
    for other in 0..others {
        ledger.grant([other; 8], 0, NOON.saturating_add(seconds), NOON).unwrap();
    }
    ledger
}

/// The bucket as another worker reads it.
fn reread(ledger: &Ledger, now: u64) -> Ledger {
    let bytes = ledger.encode(now);
    assert_eq!(bytes.len(), EMPTY_LEDGER.len());
    Ledger::decode(&bytes, now).unwrap()
}

#[test]
fn first_use_is_granted_and_the_next_is_not() {
    let mut ledger = filled(3, 60);
    ledger.grant(TAG, 0, NOON + 300, NOON).unwrap();
    for later in [0, 1, 299] {
        let mut ledger = reread(&ledger, NOON + later);
        assert_eq!(ledger.grant(TAG, 0, NOON + 900, NOON + later), USED, "{later}");
    }
}

#[test]
fn grace_counts_from_the_first_use() {
    let mut ledger = filled(0, 0);
    for (later, verdict) in [
        (0, Ok(Granted::New)),
        (1, Ok(Granted::New)),
        (9, Ok(Granted::New)),
        (10, USED),
        (11, USED),
    ] {
        ledger = reread(&ledger, NOON + later);
        assert_eq!(ledger.grant(TAG, 10, NOON + 300, NOON + later), verdict, "{later}");
    }
}

#[test]
fn a_finished_token_stays_finished_used_before_or_not() {
    for is_used in [true, false] {
        let mut ledger = filled(0, 0);
        if is_used {
            ledger.grant(TAG, 10, NOON + 300, NOON).unwrap();
        }
        ledger.end(TAG, NOON + 300, NOON);
        let mut ledger = reread(&ledger, NOON + 1);
        assert_eq!(ledger.grant(TAG, 10, NOON + 300, NOON + 1), USED);
    }
}

#[test]
fn use_is_remembered_until_it_cannot_come_again() {
    let mut ledger = filled(0, 0);
    ledger.grant(TAG, 0, NOON + 300, NOON).unwrap();
    // Other users write the bucket meanwhile.
    for later in (10..300).step_by(10) {
        ledger = reread(&ledger, NOON + later);
        ledger.grant(later.to_be_bytes(), 0, NOON + later + 5, NOON + later).unwrap();
        assert_eq!(ledger.grant(TAG, 0, NOON + 900, NOON + later), USED, "{later}");
    }
    assert_eq!(reread(&ledger, NOON + 300).grant(TAG, 0, NOON + 600, NOON + 300), Ok(Granted::New));
}

#[test]
fn full_bucket_grants_nothing_and_forgets_nobody() {
    let mut ledger = filled(16, 60);
    let no_room = Err(Limited::new(Limit::NoRoom, 0, 60));
    assert_eq!(ledger.grant(TAG, 0, NOON + 300, NOON), no_room);
    ledger.end(TAG, NOON + 300, NOON);
    assert_eq!(ledger.grant([7; 8], 0, NOON + 300, NOON), USED);
    let mut ledger = reread(&ledger, NOON + 60);
    assert_eq!(ledger.grant(TAG, 0, NOON + 300, NOON + 60), Ok(Granted::New));
}

#[test]
fn closed_bucket_grants_nothing_until_then() {
    let mut ledger = reread(&Ledger::closed(NOON + 90), NOON);
    let closed = Err(Limited::new(Limit::Unreadable, 0, 1));
    assert_eq!(ledger.grant(TAG, 0, NOON + 300, NOON + 89), closed);
    assert_eq!(ledger.grant(TAG, 0, NOON + 300, NOON + 90), Ok(Granted::New));
}

#[test]
fn foreign_bytes_are_not_read() {
    let ours = filled(3, 60).encode(NOON);
    assert!(Ledger::decode(&ours, NOON - 60).is_some());
    assert!(Ledger::decode(&ours, NOON - 61).is_none(), "written in the future");
    for junk in [&ours[1..], &ours[..199], b"", b"junk", &[0; 200]] {
        assert!(Ledger::decode(junk, NOON).is_none());
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_written_as_a_bucket(
        mut bytes in prop::collection::vec(any::<u8>(), 200),
        now in any::<u32>(),
        tag in any::<Tag>(),
    ) {
        (bytes[0], bytes[7]) = (1, 0);
        let now = u64::from(now);
        if let Some(mut ledger) = Ledger::decode(&bytes, now) {
            ledger.end(tag, now + 300, now);
            prop_assert!(ledger.grant(tag, 10, now + 300, now).is_err());
            prop_assert_eq!(ledger.encode(now).len(), 200);
        }
    }
}
