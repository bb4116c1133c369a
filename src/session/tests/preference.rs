//! Tests of the stored preference.

use super::*;
use crate::factor::Factor;
use proptest::prelude::*;

/// Computed from the documented layout, by a program in another language.
const GOLDEN: &str = "AcFW3_b5QBpKGpqc8xFiqp91hDPb5eymLckCKdBmCiyfHAEAFERQRlpSUzlGQjBENDZRRlRNODkx1wK5tnVPLnukNA\
    GvjVoiXX3dozhDmhZxOIfkCAJcJik";

fn preferences() -> Preferences {
    Preferences::new(CookieOwner::Main("default"), &ring(&[1]))
}

fn preference(factor: ApprovedBy, device: Option<&str>) -> Preference {
    Preference { factor, device: device.map(|device| Bounded::new(device).unwrap()) }
}

fn remembered(preference: &Preference) -> String {
    let line = preferences().remember(preference, &ALICE);
    let text = std::str::from_utf8(line.as_bytes()).unwrap();
    let value = text.strip_prefix("__Host-duo_preferred=").unwrap();
    let (value, attributes) = value.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000");
    value.to_owned()
}

fn open(value: &str, user: Subject<'_>) -> Result<Preference, Refusal> {
    preferences().open(value.as_bytes(), &user)
}

#[test]
fn a_preference_comes_back_for_its_user() {
    let longest = "D".repeat(64);
    for factor in ApprovedBy::ALL {
        for device in [None, Some("DPFZRS9FB0D46QFTM891"), Some(longest.as_str())] {
            let chosen = preference(factor, device);
            assert_eq!(open(&remembered(&chosen), ALICE), Ok(chosen));
        }
    }
    assert_eq!(preferences().cookie_name(), "__Host-duo_preferred");
    assert_eq!(
        preferences().deletion().as_bytes(),
        b"__Host-duo_preferred=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    );
}

#[test]
fn the_cookie_has_its_documented_bytes() {
    let preferences = Preferences::new(CookieOwner::Main("default"), &golden_ring());
    let opened = preferences.open(GOLDEN.as_bytes(), &ALICE).unwrap();
    assert_eq!(opened, preference(ApprovedBy::Factor(Factor::Push), Some("DPFZRS9FB0D46QFTM891")));
    let line = preferences.remember(&opened, &ALICE);
    assert!(line.as_bytes().starts_with(format!("__Host-duo_preferred={GOLDEN};").as_bytes()));
}

#[test]
fn a_preference_belongs_to_one_user_and_application() {
    let value = remembered(&preference(ApprovedBy::Factor(Factor::Push), Some("DP1")));
    assert_eq!(open(&value, BOB), Err(Refusal::OtherUser));
    assert_eq!(open(&value, Subject { source: "jwt", ..ALICE }), Err(Refusal::OtherUser));
    let other = Preferences::new(CookieOwner::Main("other"), &ring(&[1]));
    assert_eq!(other.open(value.as_bytes(), &ALICE), Err(Refusal::OtherApplication));
}

#[test]
fn a_preference_is_nothing_else() {
    let value = remembered(&preference(ApprovedBy::Factor(Factor::Push), Some("DP1")));
    assert_eq!(pending::open(&value, at(0)).unwrap_err(), Refusal::Forged);
    assert_eq!(super::open(&sessions(), &value, at(0)).unwrap_err(), Refusal::Length);
    let approval = cookie(&sessions(), at(0));
    assert!(open(&approval, ALICE).is_err());
}

#[test]
fn every_flipped_bit_is_refused() {
    let genuine = URL_SAFE_NO_PAD
        .decode(remembered(&preference(ApprovedBy::Factor(Factor::Push), Some("DP1"))))
        .unwrap();
    for bit in 0..genuine.len() * 8 {
        let mut forged = genuine.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&URL_SAFE_NO_PAD.encode(forged), ALICE).is_err(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn arbitrary_values_are_refused(value in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(preferences().open(&value, &ALICE).is_err());
    }
}
