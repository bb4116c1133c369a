//! Tests of pending sign-ins: their bytes, their lifetime, and the users that may use them.

use super::*;
use crate::factor::Factor;
use crate::http::ReturnPath;
use crate::reference::Reference;
use crate::secret::Secret;
use proptest::prelude::*;

/// Computed from the documented layout, by a program in another language.
const GOLDEN: &str = "AcEAAAAAZVPxAFbf9vlAGkoampzzEWKqn3WEM9vl7KYtyQIp0GYKLJ8cAQBmZWRjYmE5ODc2NTQzMjEwABREUEZaUl\
    M5RkIwRDQ2UUZUTTg5MQASaU9TIChYWFgtWFhYLTEyMzQpACQ0NWY3YzkyYi1mNDVmLTQ4NjItODU0NS1lMGY1OGU3\
    ODA3NWEAAzcwOAALAEQyFMcBi8_laHsACC9hcHA_eD0xAAC4TfP2F9a4GQmMf_Rt8g8KQF_Cil1w5Q_CSLNIHOrtRA";
pub(super) const BROWSER: [u8; 16] = *b"fedcba9876543210";

pub(super) fn pendings() -> Pendings {
    Pendings::new(CookieOwner::Main("default"), &ring(&[1]))
}

fn reference() -> Reference {
    Reference::new([0, 0x44, 0x32, 0x14, 0xc7], UnixTime::from_millis(1_700_000_000_123))
}

/// A push to Alice at the start.
pub(super) fn push() -> Pending {
    let return_path = ReturnPath::parse(b"/app?x=1");
    Pending {
        device: Some(Bounded::new("DPFZRS9FB0D46QFTM891").unwrap()),
        device_label: Bounded::cut("iOS (XXX-XXX-1234)"),
        txid: Some(Bounded::new("45f7c92b-f45f-4862-8545-e0f58e78075a").unwrap()),
        verification_code: Some(Bounded::new("708").unwrap()),
        reference: Some(reference()),
        ..Pending::new(PendingKind::Push, at(0), BROWSER, return_path)
    }
}

fn text<const MAX: usize>(text: &str) -> Secret<Bounded<MAX>> {
    Secret::new(Bounded::new(text).unwrap())
}

pub(super) fn enrollment() -> Pending {
    let enrollment = Enrollment {
        user_id: Bounded::new("DU3RP9I2WOC59VZX672N").unwrap(),
        activation_code: text("duo://aBcDeFgHiJkLmNoPqRsT-AbCdEf"),
        activation_url: Some(text("https://m-eval.duosecurity.com/activate/aBcDeFgHiJkLmNoPqRsT")),
        qr_content: text("duo://aBcDeFgHiJkLmNoPqRsT-AbCdEf"),
        expires: at(240),
    };
    Pending::new(PendingKind::Enrollment(enrollment), at(0), BROWSER, ReturnPath::default())
}

pub(super) fn open(token: &str, now: UnixTime) -> Result<Pending, Refusal> {
    pendings().open(token.as_bytes(), &ALICE, now)
}

fn sealed(pending: &Pending) -> Token {
    pendings().seal(pending, &ALICE)
}

/// All fields of a pending sign-in.
type Content = (
    (UnixTime, [u8; 16], Option<Factor>, u8, Option<Reference>, String),
    [Option<String>; 5],
    Option<([Option<String>; 4], UnixTime)>,
);

fn content(pending: &Pending) -> Content {
    fn owned<const MAX: usize>(text: Option<&Bounded<MAX>>) -> Option<String> {
        text.map(|text| text.as_str().to_owned())
    }
    let enrollment = match &pending.kind {
        PendingKind::Enrollment(e) => Some((
            [
                owned(Some(&e.user_id)),
                owned(Some(e.activation_code.expose())),
                owned(e.activation_url.as_ref().map(Secret::expose)),
                owned(Some(e.qr_content.expose())),
            ],
            e.expires,
        )),
        PendingKind::Push | PendingKind::Phone | PendingKind::Sms | PendingKind::Passcode => None,
    };
    let texts = [
        owned(pending.device.as_ref()),
        owned(pending.device_label.as_ref()),
        owned(pending.txid.as_ref()),
        owned(pending.verification_code.as_ref()),
        owned(pending.approver.as_ref()),
    ];
    let factor = pending.kind.factor();
    let path = pending.return_path.as_str().to_owned();
    let (tries, reference) = (pending.passcode_tries, pending.reference);
    let head = (pending.created(), pending.browser(), factor, tries, reference, path);
    (head, texts, enrollment)
}

prop_compose! {
    fn pending_sign_ins()(
        kind in prop::sample::select(vec![0, 1, 2, 3, 4]),
        browser in any::<[u8; 16]>(),
        device in prop::option::of("[A-Z0-9]{1,64}"),
        label in ".{0,60}",
        txid in prop::option::of("[a-z0-9-]{1,64}"),
        code in prop::option::of("[0-9]{1,8}"),
        approver in prop::option::of("[a-z@]{1,256}"),
        passcode_tries in any::<u8>(),
        reference in prop::option::of(any::<[u8; Reference::BYTES]>()),
        path in "/[a-z]{1,20}(/[a-z0-9]{1,20}){0,40}(\\?[a-z=%&/]{0,90})?",
        created in 0..300_i64,
    ) -> Pending {
        let is_push = kind == 0;
        let kind = match kind {
            0 => PendingKind::Push,
            1 => PendingKind::Phone,
            2 => PendingKind::Sms,
            3 => PendingKind::Passcode,
            _ => enrollment().kind,
        };
        Pending {
            device: device.map(|text| Bounded::new(&text).unwrap()),
            device_label: Bounded::cut(&label),
            txid: txid.map(|text| Bounded::new(&text).unwrap()),
            verification_code: code.map(|text| Bounded::new(&text).unwrap()),
            passcode_tries,
            approver: approver.filter(|_| is_push).map(|text| Bounded::new(&text).unwrap()),
            reference: reference.map(Reference::from_bytes),
            ..Pending::new(kind, at(created), browser, ReturnPath::parse(path.as_bytes()))
        }
    }
}

proptest! {
    #[test]
    fn a_pending_sign_in_comes_back_as_it_was_sealed(pending in pending_sign_ins()) {
        let token = sealed(&pending);
        let opened = open(token.as_str(), at(300)).unwrap();
        prop_assert_eq!(content(&opened), content(&pending));
        let again = sealed(&opened);
        prop_assert_eq!(again.as_str(), token.as_str());
    }

    #[test]
    fn different_sign_ins_have_different_tokens(a in pending_sign_ins(), b in pending_sign_ins()) {
        let is_same = sealed(&a).as_str() == sealed(&b).as_str();
        prop_assert_eq!(is_same, content(&a) == content(&b));
    }
}

#[test]
fn the_token_has_its_documented_bytes() {
    let pendings = Pendings::new(CookieOwner::Main("default"), &golden_ring());
    assert_eq!(pendings.seal(&push(), &ALICE).as_str(), GOLDEN);
    let opened = pendings.open(GOLDEN.as_bytes(), &ALICE, at(0)).unwrap();
    assert_eq!(content(&opened), content(&push()));
}

#[test]
fn a_text_is_not_taken_for_its_neighbour() {
    let with = |device: Option<&str>, txid: Option<&str>| {
        let bounded = |text| Bounded::new(text).unwrap();
        Pending { device: device.map(bounded), txid: txid.map(bounded), ..push() }
    };
    let pairs = [
        (Some("ab"), Some("c")),
        (Some("a"), Some("bc")),
        (Some("abc"), None),
        (None, Some("abc")),
    ];
    for (device, txid) in pairs {
        let opened = open(sealed(&with(device, txid)).as_str(), at(0)).unwrap();
        assert_eq!(opened.device.as_ref().map(Bounded::as_str), device);
        assert_eq!(opened.txid.as_ref().map(Bounded::as_str), txid);
    }
}

#[test]
fn set_cookie_lines_have_exactly_the_strict_attributes() {
    let token = sealed(&push());
    let expected = format!(
        "__Host-duo_txn={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=300",
        token.as_str()
    );
    assert_eq!(pendings().set_cookie(&token, &push()).as_bytes(), expected.as_bytes());
    assert_eq!(
        pendings().deletion().as_bytes(),
        b"__Host-duo_txn=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    );
}

#[test]
fn a_sign_in_is_pending_for_five_minutes() {
    let token = sealed(&push());
    assert_eq!(push().expires(), at(300));
    assert!(open(token.as_str(), at(300)).is_ok());
    assert_eq!(open(token.as_str(), at(301)).unwrap_err(), Refusal::Expired);
    assert!(open(token.as_str(), at(-60)).is_ok());
    assert_eq!(open(token.as_str(), at(-61)).unwrap_err(), Refusal::Future);
}

#[test]
fn an_update_gives_no_time() {
    let opened = open(sealed(&push()).as_str(), at(299)).unwrap();
    let updated = Pending { passcode_tries: opened.passcode_tries + 1, ..opened };
    let token = sealed(&updated);
    let again = open(token.as_str(), at(300)).unwrap();
    assert_eq!((again.created(), again.passcode_tries), (at(0), 1));
    assert_eq!(open(token.as_str(), at(301)).unwrap_err(), Refusal::Expired);
}

#[test]
fn a_fraction_of_a_second_is_not_kept() {
    let now = UnixTime::from_millis(at(0).millis() + 999);
    let pending = Pending::new(PendingKind::Phone, now, BROWSER, ReturnPath::default());
    assert_eq!(pending.created(), at(0));
    assert_eq!(open(sealed(&pending).as_str(), now).unwrap().created(), at(0));
}

#[test]
fn the_longest_tokens_fit_into_a_cookie() {
    let path = ReturnPath::parse(format!("/{}", "a".repeat(2047)).as_bytes());
    let path = path.for_method(&[b'M'; 20]);
    let longest = Pending {
        device: Some(Bounded::new(&"D".repeat(64)).unwrap()),
        device_label: Bounded::cut(&"ö".repeat(100)),
        txid: Some(Bounded::new(&"t".repeat(64)).unwrap()),
        verification_code: Some(Bounded::new("12345678").unwrap()),
        return_path: path.clone(),
        single_request: Some(RequestDigest::from_bytes([7; 32])),
        approver: Some(Bounded::new(&"a".repeat(256)).unwrap()),
        ..push()
    };
    let code = "c".repeat(192);
    let kind = PendingKind::Enrollment(Enrollment {
        user_id: Bounded::new(&"U".repeat(64)).unwrap(),
        activation_code: text(&code),
        activation_url: Some(text(&code)),
        qr_content: text(&code),
        expires: at(300),
    });
    let enrolling = Pending::new(kind, at(0), BROWSER, path);
    for pending in [longest, enrolling] {
        let token = sealed(&pending);
        assert!("__Host-duo_txn=".len() + token.as_str().len() <= 4096);
        let opened = open(token.as_str(), at(0)).unwrap();
        assert_eq!(content(&opened), content(&pending));
    }
}

#[test]
fn a_factor_leads_to_its_approval_and_an_enrollment_to_none() {
    for (kind, factor) in [
        (PendingKind::Push, Some(Factor::Push)),
        (PendingKind::Phone, Some(Factor::Phone)),
        (PendingKind::Sms, Some(Factor::Sms)),
        (PendingKind::Passcode, Some(Factor::Passcode)),
        (enrollment().kind, None),
    ] {
        let pending = Pending::new(kind, at(0), BROWSER, ReturnPath::default());
        let opened = open(sealed(&pending).as_str(), at(0)).unwrap();
        assert_eq!(opened.kind.factor(), factor);
    }
}

#[test]
fn an_activation_leaves_encrypted() {
    let token = sealed(&enrollment());
    let bytes = URL_SAFE_NO_PAD.decode(token.as_str()).unwrap();
    for secret in [b"aBcDeF".as_slice(), b"duo://", b"DU3RP"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
    let debug = format!("{token:?} {:?}", enrollment());
    assert!(debug.starts_with("Token([redacted]) "), "{debug}");
    assert!(!debug.contains("aBcDeF"), "{debug}");
}

#[test]
fn no_two_activations_are_encrypted_under_one_nonce() {
    /// The offset of the encrypted activation: after version, key id, created, two tags, kind,
    /// tries, browser, five absent parts, the path `/`, and its own length.
    const SEALED: usize = 2 + 8 + 2 * 16 + 2 + 16 + 5 * 2 + (2 + 1) + 2;
    let nonce = |pending: &Pending, user: &Subject<'_>| {
        let token = pendings().seal(pending, user);
        let bytes = URL_SAFE_NO_PAD.decode(token.as_str()).unwrap();
        assert_eq!(bytes[SEALED..SEALED + 2], bytes[..2], "version and key id of the vault");
        bytes[SEALED + 2..SEALED + 14].to_vec()
    };
    let mut other = enrollment();
    let PendingKind::Enrollment(activation) = &mut other.kind else { panic!("{other:?}") };
    activation.activation_code = text("duo://aBcDeFgHiJkLmNoPqRsT-AbCdEg");
    let nonces = [
        nonce(&enrollment(), &ALICE),
        nonce(&other, &ALICE),
        nonce(&enrollment(), &BOB),
        nonce(&other, &BOB),
    ];
    for (number, one) in nonces.iter().enumerate() {
        assert!(nonces.iter().skip(number + 1).all(|another| another != one), "{number}");
    }
    assert_eq!(nonce(&enrollment(), &ALICE), nonces[0], "an update writes the same");
}

#[test]
fn only_a_push_asks_another_person() {
    let approver = Bounded::new("carol").ok();
    for kind in [PendingKind::Phone, PendingKind::Sms, PendingKind::Passcode] {
        let pending = Pending { kind, approver: approver.clone(), ..push() };
        assert_eq!(open(sealed(&pending).as_str(), at(0)).unwrap().approver, None);
    }
    let opened = open(sealed(&Pending { approver, ..push() }).as_str(), at(0)).unwrap();
    assert_eq!(opened.approver.unwrap().as_str(), "carol");
}
