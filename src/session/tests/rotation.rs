//! Rotation: keys are added, sign, and are removed.

use super::*;

fn under(seeds: &[u16]) -> Sessions {
    Sessions::new(settings(), &ring(seeds))
}

#[test]
fn rotation_loses_no_approval() {
    let old_cookie = cookie(&under(&[1]), at(0));

    let added = under(&[1, 2]);
    let approval = open(&added, &old_cookie, at(10)).unwrap();
    assert_eq!(renewed(&added, &approval, at(20)), None);

    let promoted = under(&[2, 1]);
    let approval = open(&promoted, &old_cookie, at(20)).unwrap();
    let new_cookie = renewed(&promoted, &approval, at(20)).unwrap();
    assert_eq!(open(&under(&[1]), &new_cookie, at(30)), Err(Refusal::UnknownKey));

    let removed = under(&[2]);
    let taken_over = open(&removed, &new_cookie, at(30)).unwrap();
    assert_eq!(taken_over, Approval { seen: at(20), key_is_first: true, ..approval });
    assert_eq!(renewed(&removed, &taken_over, at(30)), None);
    assert_eq!(open(&removed, &old_cookie, at(30)), Err(Refusal::UnknownKey));
}

#[test]
fn a_key_verifies_at_any_place_of_the_ring() {
    let cookie = cookie(&under(&[3]), at(0));
    for seeds in [[3, 4, 5, 6], [4, 3, 5, 6], [4, 5, 3, 6], [4, 5, 6, 3]] {
        assert!(open(&under(&seeds), &cookie, at(0)).is_ok(), "{seeds:?}");
    }
    assert_eq!(open(&under(&[4, 5, 6, 7]), &cookie, at(0)), Err(Refusal::UnknownKey));
}

#[test]
fn two_keys_of_one_id_are_both_tried() {
    let id = |seed| ring(&[seed]).first().id();
    let (one, other) =
        (2..).flat_map(|b| (1..b).map(move |a| (a, b))).find(|(a, b)| id(*a) == id(*b)).unwrap();
    let cookie = cookie(&under(&[one]), at(0));
    assert!(open(&under(&[one, other]), &cookie, at(0)).unwrap().key_is_first);
    assert!(!open(&under(&[other, one]), &cookie, at(0)).unwrap().key_is_first);
    assert_eq!(open(&under(&[other]), &cookie, at(0)), Err(Refusal::Forged));
}

#[test]
fn a_removed_key_opens_nothing_that_was_verified_before() {
    let mut verified = Verified::default();
    let before = under(&[1, 2]);
    let cookie = cookie(&under(&[2]), at(0));
    let admit = |sessions: &Sessions, verified: &mut Verified| {
        sessions.admit(verified, cookie.as_bytes(), &ALICE, at(0)).map(|approval| approval.id())
    };
    assert_eq!(admit(&before, &mut verified), Ok(ID));
    assert_eq!(admit(&before, &mut verified), Ok(ID));
    assert_eq!(admit(&under(&[1]), &mut verified), Err(Refusal::UnknownKey));
}
