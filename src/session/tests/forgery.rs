//! Cookies that were written without the key, or for another purpose.

use super::super::approval::{Audience, encode};
use super::super::token::{Purpose, Sealer};
use super::*;
use proptest::prelude::*;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn session_sealer() -> Sealer {
    Sealer::new(&ring(&[1]), Purpose::SESSION, "__Host-duo_mfa", "default")
}

/// The fields of Alice's cookie at the start, under the key of seed 1.
fn fields() -> (Approval, Audience) {
    let sessions = sessions();
    let approval = open(&sessions, &cookie(&sessions, at(0)), at(0)).unwrap();
    let sealer = session_sealer();
    let audience = Audience {
        user: sealer.first().user(&ALICE),
        application: *sealer.first().application(),
        binding: [0; 16],
    };
    (approval, audience)
}

#[test]
fn every_flipped_bit_is_refused() {
    let sessions = sessions();
    let genuine = cookie(&sessions, at(0));
    assert_eq!(flipped(&genuine).count(), 1088);
    for (bit, forged, expected) in flipped(&genuine) {
        let refusal = open(&sessions, &forged, at(0)).unwrap_err();
        assert_eq!(refusal, expected, "bit {bit:?}");
    }
}

#[test]
fn every_changed_character_is_refused() {
    let sessions = sessions();
    let genuine = cookie(&sessions, at(0)).into_bytes();
    for position in 0..genuine.len() {
        let mut forged = genuine.clone();
        for character in 0..=u8::MAX {
            // Each character of the alphabet only at a few positions, since each takes one MAC.
            let is_foreign = !ALPHABET.contains(&character);
            if character == genuine[position]
                || !(is_foreign || position % 13 == 0 || position == 181)
            {
                continue;
            }
            forged[position] = character;
            let refusal = sessions.open(&forged, &ALICE, at(0)).unwrap_err();
            if is_foreign {
                assert_eq!(refusal, Refusal::Encoding, "{character:#04x} at {position}");
            }
        }
    }
}

#[test]
fn one_cookie_has_one_text() {
    let sessions = sessions();
    let genuine = cookie(&sessions, at(0));
    let (shortened, last) = genuine.split_at(181);
    for decorated in [
        format!("{genuine}="),
        format!("{genuine}=="),
        format!(" {genuine}"),
        format!("{genuine} "),
        format!("{genuine}\n"),
        format!("\"{genuine}\""),
        format!("{genuine}A"),
        shortened.to_owned(),
        genuine.repeat(2),
        String::new(),
    ] {
        assert_eq!(open(&sessions, &decorated, at(0)), Err(Refusal::Length), "{decorated:?}");
    }

    let sextet = ALPHABET.iter().position(|character| last.as_bytes() == [*character]).unwrap();
    assert_eq!(sextet % 16, 0, "136 bytes leave 4 bits of the last character unused");
    for stray in ALPHABET.iter().skip(sextet).take(16).skip(1) {
        let forged = format!("{shortened}{}", char::from(*stray));
        assert_eq!(open(&sessions, &forged, at(0)), Err(Refusal::Encoding));
    }
}

#[test]
fn the_other_alphabet_is_refused() {
    let sessions = sessions();
    let with_both = |id: u8| {
        let issued = sessions.issue(&by_push(at(0)), &ALICE, at(0), [id; 16]);
        Some(value(&sessions, &issued)).filter(|text| text.contains('-') && text.contains('_'))
    };
    let genuine = (0..=u8::MAX).find_map(with_both).unwrap();
    assert!(open(&sessions, &genuine, at(0)).is_ok());
    for forged in [genuine.replace('-', "+"), genuine.replace('_', "/")] {
        assert_eq!(open(&sessions, &forged, at(0)), Err(Refusal::Encoding));
    }
}

#[test]
fn a_token_of_another_purpose_is_not_an_approval() {
    let (approval, audience) = fields();
    let fields = encode(&approval, &audience);
    let sealed =
        |purpose, cookie| Sealer::new(&ring(&[1]), purpose, cookie, "default").seal(&fields);
    let as_approval = |token: &str| open(&sessions(), token, at(0));

    assert_eq!(as_approval(&sealed(Purpose::SESSION, "__Host-duo_mfa")), Ok(approval));
    for (purpose, cookie) in [
        (Purpose("txn"), "__Host-duo_mfa"),
        (Purpose("txn"), "__Host-duo_txn"),
        (Purpose("device"), "__Host-duo_mfa"),
        (Purpose("sub"), "__Host-duo_mfa"),
        (Purpose::SESSION, "__Host-duo_txn"),
        (Purpose::SESSION, ""),
    ] {
        assert_eq!(as_approval(&sealed(purpose, cookie)), Err(Refusal::Forged), "{purpose:?}");
    }
}

#[test]
fn genuine_cookies_of_another_meaning_are_refused() {
    let (approval, audience) = fields();
    let good = encode(&approval, &audience);
    let sealed = |fields: &[u8]| open(&sessions(), &session_sealer().seal(fields), at(0));
    let changed = |offset: usize, byte: u8| {
        let mut fields = good.clone();
        fields[offset] = byte;
        sealed(&fields)
    };
    assert_eq!(sealed(&good), Ok(approval));
    assert_eq!(changed(0, 0), Err(Refusal::Layout), "no factor");
    assert_eq!(changed(0, 10), Err(Refusal::Layout), "unknown factor");
    assert_eq!(changed(1, 1), Err(Refusal::Layout), "unknown flag");
    assert_eq!(changed(37, 1), Err(Refusal::Void), "another epoch");
    assert_eq!(changed(54, !good[54]), Err(Refusal::OtherUser));
    assert_eq!(changed(69, !good[69]), Err(Refusal::OtherUser));
    assert_eq!(changed(70, !good[70]), Err(Refusal::OtherApplication));
    assert_eq!(changed(86, 1), Err(Refusal::OtherBinding));
    assert_eq!(changed(101, 1), Err(Refusal::OtherBinding));
}

proptest! {
    #[test]
    fn bytes_that_nobody_signed_are_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 136),
        is_addressed in any::<bool>(),
    ) {
        let sessions = sessions();
        if is_addressed {
            let genuine = URL_SAFE_NO_PAD.decode(cookie(&sessions, at(0))).unwrap();
            bytes[..104].copy_from_slice(&genuine[..104]);
        }
        prop_assert!(open(&sessions, &URL_SAFE_NO_PAD.encode(bytes), at(0)).is_err());
    }

    #[test]
    fn arbitrary_values_are_refused(value in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(sessions().open(&value, &ALICE, at(0)).is_err());
    }
}
