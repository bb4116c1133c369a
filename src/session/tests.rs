//! Helpers for all tests of sessions: keys, settings, users and cookies.

mod apart;
mod approval;
mod attempt;
mod device;
mod forgery;
mod inspection;
mod lifetime;
mod pending;
mod pending_forgery;
mod per_request;
mod preference;
mod rotation;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::*;
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::HeaderValue;

const ALICE: Subject<'_> = Subject { source: "header", user: "alice", bound: &[] };
const BOB: Subject<'_> = Subject { source: "header", user: "bob", bound: &[] };
const ID: [u8; 16] = *b"0123456789abcdef";
const EXPIRATION: u64 = 8 * 3600;
const INACTIVITY: u64 = 30 * 60;

/// Every token that differs from a valid one in one bit, with the byte and bit, and the reason of
/// its refusal.
fn flipped(genuine: &str) -> impl Iterator<Item = ((usize, u32), String, Refusal)> {
    let genuine = URL_SAFE_NO_PAD.decode(genuine).unwrap();
    let bits = (0..genuine.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
    bits.map(move |(byte, bit)| {
        let mut forged = genuine.clone();
        forged[byte] ^= 1_u8.rotate_left(bit);
        let expected = match byte {
            0 => Refusal::Layout,
            1 => Refusal::UnknownKey,
            _ => Refusal::Forged,
        };
        ((byte, bit), URL_SAFE_NO_PAD.encode(forged), expected)
    })
}

/// The time this many seconds after the moment at which most of these tests sign in.
fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(1_700_000_000_u64.checked_add_signed(seconds).unwrap())
}

fn key(seed: u16) -> MasterKey {
    MasterKey::from_base64(&STANDARD.encode(Sha256::digest(seed.to_be_bytes()))).unwrap()
}

fn ring(seeds: &[u16]) -> KeyRing {
    KeyRing::new(seeds.iter().copied().map(key).collect()).unwrap()
}

/// The key for the tokens named `GOLDEN`.
fn golden_ring() -> KeyRing {
    let key = MasterKey::from_base64("3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=").unwrap();
    KeyRing::new(vec![key]).unwrap()
}

fn settings() -> SessionSettings {
    SessionSettings {
        cookie: "__Host-duo_mfa".to_owned(),
        application: "default".to_owned(),
        expiration: Duration::from_secs(EXPIRATION),
        inactivity: Duration::from_secs(INACTIVITY),
        not_before: UnixTime::default(),
    }
}

fn sessions() -> Sessions {
    Sessions::new(settings(), &ring(&[1]))
}

fn by_push(authenticated: UnixTime) -> NewApproval {
    NewApproval { factor: ApprovedBy::Factor(Factor::Push), authenticated, lifetime: None }
}

/// The value of Alice's cookie, signed in at `now`.
fn cookie(sessions: &Sessions, now: UnixTime) -> String {
    value(sessions, &sessions.issue(&by_push(now), &ALICE, now, ID))
}

/// The cookie's value in a `Set-Cookie` value.
fn value(sessions: &Sessions, set_cookie: &HeaderValue) -> String {
    let text = std::str::from_utf8(set_cookie.as_bytes()).unwrap();
    let pair = text.split_once(';').unwrap().0;
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(name, sessions.cookie_name());
    value.to_owned()
}

fn renewed(sessions: &Sessions, approval: &Approval, now: UnixTime) -> Option<String> {
    sessions.renewal(approval, &ALICE, now).map(|set_cookie| value(sessions, &set_cookie))
}

fn open(sessions: &Sessions, value: &str, now: UnixTime) -> Result<Approval, Refusal> {
    sessions.open(value.as_bytes(), &ALICE, now)
}
