//! Remembered devices: a credential that only the filter can read.

use super::*;
use crate::secret::Secret;
use proptest::prelude::*;

/// Computed from the documented layout, by a program in another language.
const GOLDEN: &str = "AcFub25jZS1vZi0xMmKpSpdjlVse5xsbjT_PoXQMdcE74xvLiNsQOjYwAnaI";
const TOKEN: &str = "REDACTED.eyJhbGciOiJIUzUxMiJ9.trusted-device-token";
const DAY: i64 = 24 * 3600;
const NONCE: Nonce = *b"nonce-of-12b";

fn devices() -> RememberedDevices {
    devices_of("default", &[1])
}

fn devices_of(application: &str, seeds: &[u16]) -> RememberedDevices {
    let max_age = Duration::from_secs(30 * 24 * 3600);
    RememberedDevices::new(CookieOwner::Main(application), max_age, at(0), &ring(seeds))
}

fn remembered(token: &str, nonce: Nonce) -> String {
    let token = Secret::new(token.to_owned());
    let line = devices().remember(&token, &ALICE, at(0), nonce).unwrap();
    let text = std::str::from_utf8(line.as_bytes()).unwrap();
    let value = text.strip_prefix("__Host-duo_device=").unwrap();
    let (value, attributes) = value.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000");
    value.to_owned()
}

fn open(devices: &RememberedDevices, value: &str, user: Subject<'_>) -> Result<String, Refusal> {
    devices.open(value.as_bytes(), &user, at(0)).map(|token| token.expose().clone())
}

#[test]
fn a_remembered_device_comes_back_for_its_user() {
    let value = remembered(TOKEN, NONCE);
    assert_eq!(open(&devices(), &value, ALICE).as_deref(), Ok(TOKEN));
    assert_eq!(devices().cookie_name(), "__Host-duo_device");
}

#[test]
fn the_cookie_has_its_documented_bytes() {
    let devices = RememberedDevices::new(
        CookieOwner::Main("default"),
        Duration::from_secs(60),
        UnixTime::default(),
        &golden_ring(),
    );
    assert_eq!(open(&devices, GOLDEN, ALICE).as_deref(), Ok("trusted"));
    let line = devices.remember(&Secret::new("trusted".to_owned()), &ALICE, at(0), NONCE).unwrap();
    assert!(line.as_bytes().starts_with(format!("__Host-duo_device={GOLDEN};").as_bytes()));
}

#[test]
fn the_token_is_not_in_its_cookie() {
    let sealed = URL_SAFE_NO_PAD.decode(remembered(TOKEN, NONCE)).unwrap();
    assert_eq!(sealed.len(), 2 + 12 + 8 + TOKEN.len() + 16);
    assert_eq!(&sealed[2..14], NONCE);
    for piece in TOKEN.as_bytes().windows(4) {
        assert!(!sealed.windows(4).any(|window| window == piece));
    }
    let token = devices().open(remembered(TOKEN, NONCE).as_bytes(), &ALICE, at(0)).unwrap();
    assert_eq!(format!("{token:?}"), "[redacted]");
}

#[test]
fn each_nonce_gives_another_cookie() {
    assert_ne!(remembered(TOKEN, NONCE), remembered(TOKEN, [0; 12]));
}

#[test]
fn a_remembered_device_belongs_to_one_user_and_application() {
    let value = remembered(TOKEN, NONCE);
    let same_name = Subject { source: "jwt", ..ALICE };
    let bound = Subject { bound: b"a certificate", ..ALICE };
    for other in [BOB, same_name, Subject { user: "", ..ALICE }, bound] {
        assert_eq!(open(&devices(), &value, other), Err(Refusal::Forged));
    }
    assert_eq!(open(&devices_of("other", &[1]), &value, ALICE), Err(Refusal::Forged));
}

#[test]
fn a_remembered_device_is_forgotten_in_time() {
    let value = remembered(TOKEN, NONCE);
    let opened_at = |now| devices().open(value.as_bytes(), &ALICE, now).map(|_| ());
    assert_eq!(opened_at(at(30 * DAY)), Ok(()));
    assert_eq!(opened_at(at(30 * DAY + 1)), Err(Refusal::Expired));
    assert_eq!(opened_at(at(-60)), Ok(()));
    assert_eq!(opened_at(at(-61)), Err(Refusal::Future));
}

#[test]
fn a_remembered_device_survives_a_rotation_while_its_key_is_in_the_ring() {
    let value = remembered(TOKEN, NONCE);
    assert_eq!(open(&devices_of("default", &[2, 1]), &value, ALICE).as_deref(), Ok(TOKEN));
    let refusal = open(&devices_of("default", &[2, 3]), &value, ALICE).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownKey | Refusal::Forged), "{refusal:?}");
}

#[test]
fn every_flipped_bit_is_refused() {
    for (bit, forged, expected) in flipped(&remembered(TOKEN, NONCE)) {
        let refusal = open(&devices(), &forged, ALICE).unwrap_err();
        assert_eq!(refusal, expected, "bit {bit:?}");
    }
}

#[test]
fn a_token_of_another_purpose_is_not_a_remembered_device() {
    let approval = cookie(&sessions(), at(0));
    assert_eq!(open(&devices(), &approval, ALICE), Err(Refusal::Forged));
    let pending = pending::pendings().seal(&pending::enrollment(), &ALICE);
    assert_eq!(open(&devices(), pending.as_str(), ALICE), Err(Refusal::Forged));
    let value = remembered(TOKEN, NONCE);
    assert_eq!(pending::open(&value, at(0)).unwrap_err(), Refusal::Forged);
}

#[test]
fn a_token_too_long_for_a_cookie_is_not_kept() {
    let remember = |bytes: usize| {
        let token = Secret::new("t".repeat(bytes));
        devices().remember(&token, &ALICE, at(0), NONCE).map(|line| line.as_bytes().len())
    };
    assert!(remember(2048).unwrap() <= 4096);
    assert_eq!(remember(2049), Err(LengthFault { bytes: 2049, most: 2048 }));
    assert_eq!(remember(0), Err(LengthFault { bytes: 0, most: 2048 }));
    let longest = remembered(&"t".repeat(2048), NONCE);
    assert_eq!(open(&devices(), &longest, ALICE).unwrap().len(), 2048);
    assert_eq!(open(&devices(), &format!("{longest}A"), ALICE), Err(Refusal::Length));
}

proptest! {
    #[test]
    fn arbitrary_values_are_refused(value in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(devices().open(&value, &ALICE, at(0)).is_err());
    }

    #[test]
    fn bytes_that_nobody_sealed_are_refused(rest in prop::collection::vec(any::<u8>(), 0..80)) {
        let genuine = URL_SAFE_NO_PAD.decode(remembered(TOKEN, NONCE)).unwrap();
        let forged = URL_SAFE_NO_PAD.encode([&genuine[..2], &rest].concat());
        prop_assert!(open(&devices(), &forged, ALICE).is_err());
    }

    #[test]
    fn any_token_comes_back(token in "[!-~]{1,200}", nonce in any::<Nonce>()) {
        prop_assert_eq!(open(&devices(), &remembered(&token, nonce), ALICE), Ok(token));
    }
}
