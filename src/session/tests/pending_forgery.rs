//! Tokens that are not a pending sign-in of this user for this application.

use super::super::token::{Purpose, Sealer};
use super::pending::{enrollment, open, pendings, push};
use super::*;
use proptest::prelude::*;

fn token() -> String {
    pendings().seal(&push(), &ALICE).as_str().to_owned()
}

fn sealer(purpose: Purpose, cookie: &str) -> Sealer {
    Sealer::new(&ring(&[1]), purpose, cookie, "default")
}

/// The fields of Alice's push under the key of seed 1.
fn fields() -> Vec<u8> {
    let bytes = URL_SAFE_NO_PAD.decode(token()).unwrap();
    let (payload, _mac) = bytes.split_last_chunk::<32>().unwrap();
    payload[2..].to_vec()
}

fn refusal(fields: &[u8]) -> Option<Refusal> {
    open(&sealer(Purpose::TRANSACTION, "__Host-duo_txn").seal(fields), at(0)).err()
}

#[test]
fn every_flipped_bit_is_refused() {
    let pendings = pendings();
    for token in [token(), pendings.seal(&enrollment(), &ALICE).as_str().to_owned()] {
        for (bit, forged, expected) in flipped(&token) {
            let refusal = pendings.open(forged.as_bytes(), &ALICE, at(0)).unwrap_err();
            assert_eq!(refusal, expected, "bit {bit:?}");
        }
    }
}

#[test]
fn a_pending_sign_in_belongs_to_one_user() {
    let same_name = Subject { source: "jwt", ..ALICE };
    for pending in [push(), enrollment()] {
        let token = pendings().seal(&pending, &ALICE);
        for other in [BOB, same_name, Subject { user: "", ..ALICE }] {
            let refusal = pendings().open(token.as_str().as_bytes(), &other, at(0)).unwrap_err();
            assert_eq!(refusal, Refusal::OtherUser);
        }
    }
}

#[test]
fn a_bound_sign_in_is_finished_only_with_its_binding() {
    let subjects: [&[u8]; 3] = [b"", b"here", b"there"];
    let subjects = subjects.map(|bound| Subject { bound, ..ALICE });
    for pending in [push(), enrollment()] {
        for subject in &subjects {
            let token = pendings().seal(&pending, subject);
            for other in &subjects {
                let opened = pendings().open(token.as_str().as_bytes(), other, at(0));
                let refusal = (subject != other).then_some(Refusal::OtherUser);
                assert_eq!(opened.err(), refusal, "{subject:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_pending_sign_in_belongs_to_one_application() {
    let other = Pendings::new(CookieOwner::Main("other"), &ring(&[1]));
    let refusal = other.open(token().as_bytes(), &ALICE, at(0)).unwrap_err();
    assert_eq!(refusal, Refusal::OtherApplication);
}

#[test]
fn an_approval_is_not_a_pending_sign_in_and_vice_versa() {
    let sessions = sessions();
    let approval = cookie(&sessions, at(0));
    assert_eq!(open(&approval, at(0)).unwrap_err(), Refusal::Forged);
    assert_eq!(super::open(&sessions, &token(), at(0)).unwrap_err(), Refusal::Length);

    for (purpose, cookie) in [
        (Purpose::SESSION, "__Host-duo_txn"),
        (Purpose::PREFERENCE, "__Host-duo_txn"),
        (Purpose::DEVICE, "__Host-duo_txn"),
        (Purpose::ENROLLMENT, "__Host-duo_txn"),
        (Purpose::TRANSACTION, "__Host-duo_mfa"),
    ] {
        let sealed = sealer(purpose, cookie).seal(&fields());
        assert_eq!(open(&sealed, at(0)).unwrap_err(), Refusal::Forged, "{purpose:?} {cookie}");
    }
    assert_eq!(refusal(&fields()), None);
}

#[test]
fn a_pending_sign_in_survives_a_rotation_while_its_key_is_in_the_ring() {
    for pending in [push(), enrollment()] {
        let token = pendings().seal(&pending, &ALICE);
        let open = |seeds: &[u16]| {
            let pendings = Pendings::new(CookieOwner::Main("default"), &ring(seeds));
            pendings.open(token.as_str().as_bytes(), &ALICE, at(0))
        };
        assert_eq!(open(&[2, 1]).unwrap().created(), at(0));
        assert!(matches!(open(&[2]), Err(Refusal::UnknownKey | Refusal::Forged)));
    }
}

#[test]
fn genuine_tokens_of_another_layout_are_refused() {
    let fields = fields();
    let with = |offset: usize, byte: u8| {
        let mut fields = fields.clone();
        fields[offset] = byte;
        refusal(&fields)
    };
    // created 8, user 16, application 16; then kind, tries, browser 16, device after its length.
    assert_eq!(with(8, !fields[8]), Some(Refusal::OtherUser));
    assert_eq!(with(24, !fields[24]), Some(Refusal::OtherApplication));
    for kind in [0, 5, 6, 255] {
        assert!(with(40, kind).is_some(), "kind {kind}");
    }
    assert_eq!(with(59, 65), Some(Refusal::Layout), "a device of 65 bytes");
    assert_eq!(with(60, 0xff), Some(Refusal::Layout), "a device that is no text");
    assert_eq!(with(58, 0xff), Some(Refusal::Layout), "a length beyond the end");
    assert_eq!(refusal(&[fields.as_slice(), &[0]].concat()), Some(Refusal::Layout));
    for end in 0..fields.len() {
        assert_eq!(refusal(&fields[..end]), Some(Refusal::Layout), "{end} bytes");
    }
}

#[test]
fn a_push_carries_no_enrollment() {
    let mut fields = fields();
    let last = fields.len() - 1;
    assert_eq!(&fields[last - 1..], [0, 0]);
    fields[last] = 1;
    fields.push(b'x');
    assert_eq!(refusal(&fields), Some(Refusal::Layout));
}

#[test]
fn an_unsafe_return_path_leads_to_the_root_even_where_it_was_signed() {
    let mut fields = fields();
    let path = fields.windows(8).position(|window| window == b"/app?x=1").unwrap();
    fields[path + 1] = b'/';
    let token = sealer(Purpose::TRANSACTION, "__Host-duo_txn").seal(&fields);
    assert_eq!(open(&token, at(0)).unwrap().return_path.as_str(), "/");
}

#[test]
fn one_sign_in_has_one_text_of_bounded_length() {
    let token = token();
    for decorated in [format!("{token}="), format!(" {token}"), format!("{token}\n"), String::new()]
    {
        let refusal = open(&decorated, at(0)).unwrap_err();
        assert!(matches!(refusal, Refusal::Encoding | Refusal::Length), "{decorated:?}");
    }
    assert_eq!(open(&"A".repeat(5000), at(0)).unwrap_err(), Refusal::Length);
}

proptest! {
    #[test]
    fn arbitrary_values_are_refused(value in prop::collection::vec(any::<u8>(), 0..4000)) {
        prop_assert!(pendings().open(&value, &ALICE, at(0)).is_err());
    }

    #[test]
    fn fields_that_open_are_those_that_were_sealed(
        mut fields in Just(fields()),
        changes in prop::collection::vec((40..120_usize, any::<u8>()), 1..4),
    ) {
        for (offset, byte) in changes {
            fields[offset] = byte;
        }
        let token = sealer(Purpose::TRANSACTION, "__Host-duo_txn").seal(&fields);
        if let Ok(pending) = open(&token, at(0)) {
            let again = pendings().seal(&pending, &ALICE);
            prop_assert!(again.as_str() == token || pending.return_path.as_str() == "/");
        }
    }
}
