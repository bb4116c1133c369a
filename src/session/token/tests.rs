use super::*;
use crate::session::MasterKey;
use proptest::prelude::*;

const KEY: &str = "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=";
const PURPOSES: [Purpose; 4] =
    [Purpose::SESSION, Purpose::SUBJECT, Purpose("txn"), Purpose("device")];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    purpose: usize,
    cookie: String,
    payload: Vec<u8>,
}

impl Input {
    /// The complete input of the MAC.
    fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let purpose = PURPOSES[self.purpose];
        write_prefix(purpose, &self.cookie, |part| bytes.extend_from_slice(part));
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

prop_compose! {
    /// Few distinct bytes, so that moving one between neighbours often gives the same run of bytes.
    fn inputs()(
        purpose in 0..PURPOSES.len(),
        cookie in "[\0\u{1}ab]{0,4}",
        payload in prop::collection::vec(prop::sample::select(vec![0, 1, b'a', b'b']), 0..4),
    ) -> Input {
        Input { purpose, cookie, payload }
    }
}

fn ring() -> KeyRing {
    KeyRing::new(vec![MasterKey::from_base64(KEY).unwrap()]).unwrap()
}

fn sealer(purpose: Purpose) -> Sealer {
    Sealer::new(&ring(), purpose, "__Host-duo_mfa", "default")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn different_tokens_give_the_mac_different_input(a in inputs(), b in inputs()) {
        prop_assert_eq!(a.written() == b.written(), a == b);
    }

    #[test]
    fn different_subjects_have_different_tags(
        a in ("[\0\u{1}ab]{0,4}", "[\0\u{1}ab]{0,4}"),
        b in ("[\0\u{1}ab]{0,4}", "[\0\u{1}ab]{0,4}"),
    ) {
        let sealer = sealer(Purpose::SESSION);
        let tag = |(source, user): &(String, String)| {
            sealer.first().user(&Subject { source, user, bound: &[] })
        };
        prop_assert_eq!(tag(&a) == tag(&b), a == b);
    }

    #[test]
    fn a_token_opens_as_its_fields(fields in prop::collection::vec(any::<u8>(), 0..300)) {
        let sealer = sealer(Purpose::SESSION);
        let mut buffer = [0; 400];
        let token = sealer.seal(&fields);
        let opened = sealer.open(token.as_bytes(), &mut buffer).unwrap();
        prop_assert_eq!(opened.fields, fields.as_slice());
        prop_assert!(opened.key_is_first);
    }

    #[test]
    fn no_other_text_opens(text in "[A-Za-z0-9_=+/ -]{0,200}") {
        let mut buffer = [0; 200];
        prop_assert!(sealer(Purpose::SESSION).open(text.as_bytes(), &mut buffer).is_err());
    }
}

#[test]
fn a_token_of_one_purpose_opens_for_no_other() {
    for sealed_for in PURPOSES {
        let token = sealer(sealed_for).seal(b"claims");
        for opened_for in PURPOSES {
            let mut buffer = [0; 64];
            let opener = sealer(opened_for);
            let opened = opener.open(token.as_bytes(), &mut buffer).map(|token| token.fields);
            let expected = if sealed_for == opened_for {
                Ok(b"claims".as_slice())
            } else {
                Err(Refusal::Forged)
            };
            assert_eq!(opened, expected, "{sealed_for:?} {opened_for:?}");
        }
    }
}

#[test]
fn a_token_beyond_the_buffer_is_refused() {
    let sealer = sealer(Purpose::SESSION);
    let token = sealer.seal(b"claims");
    let length = HEAD_BYTES + b"claims".len() + MAC_BYTES;
    assert!(sealer.open(token.as_bytes(), &mut vec![0; length]).is_ok());
    assert_eq!(
        sealer.open(token.as_bytes(), &mut vec![0; length - 1]).unwrap_err(),
        Refusal::Encoding
    );
}

#[test]
fn a_token_too_short_for_its_frame_is_refused() {
    for length in 0..HEAD_BYTES + MAC_BYTES {
        let token = URL_SAFE_NO_PAD.encode(vec![VERSION; length]);
        let mut buffer = [0; 64];
        let refusal = sealer(Purpose::SESSION).open(token.as_bytes(), &mut buffer).unwrap_err();
        assert_eq!(refusal, Refusal::Length, "{length}");
    }
}

#[test]
fn overlong_parts_are_written_each_in_its_own_way() {
    let written = |parts: &[usize]| {
        let mut bytes = Vec::new();
        for length in parts {
            write_part(&vec![0xff; *length], |piece| bytes.extend_from_slice(piece));
        }
        bytes
    };
    let most = usize::from(u16::MAX);
    assert_eq!(written(&[3]), [0, 3, 0xff, 0xff, 0xff]);
    assert_eq!(written(&[most]).len(), 2 + most + 2);
    assert!(written(&[most]).ends_with(&[0xff, 0, 0]));
    assert_ne!(written(&[most, 0]), written(&[most + 2]));
    assert_ne!(written(&[2 * most]), written(&[most, most]));
}
