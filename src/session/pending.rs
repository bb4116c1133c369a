//! A pending sign-in, and its bytes in a token.
//!
//! ```text
//! version u8 = 1 | key id u8 | created u64 | user tag [16] | application tag [16]
//!   | kind u8 | passcode tries u8 | browser [16]
//!   | device | device label | txid | verification code | reference | return path
//!   | enrollment or request digest | approver, only if another person approves
//! ```
//!
//! The first two bytes belong to [`super::token`]. So does the encoding of the texts in the last two
//! lines: each comes after its length, and an absent text is empty. The return path comes after its
//! method and a space, unless that is GET. The enrollment is encrypted.

use std::time::Duration;

use super::enrollment::{LIFETIME as ENROLLMENT_LIFETIME, MAX_SEALED_BYTES};
use super::token::{HEAD_BYTES, MAC_BYTES, write_part};
use super::token_fields::{TokenFields, write_text};
use super::{Bounded, Enrollment, Refusal, RequestDigest};
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::{ReturnPath, return_path};
use crate::reference::Reference;

/// How long a sign-in may take from its start to the second factor.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// The most bytes of a pending sign-in before base64. A sign-in that waits for an enrollment has no
/// device, label, txid, code or request digest.
pub(super) const TOKEN_BYTES: usize = HEAD_BYTES
    + (8 + 2 * 16)
    + (2 + 16)
    + (7 * 2 + Reference::BYTES)
    + if MAX_SEALED_BYTES > TEXT_BYTES { MAX_SEALED_BYTES } else { TEXT_BYTES }
    + return_path::MAX_BYTES_IN_TOKEN
    + MAC_BYTES;
const TEXT_BYTES: usize = 64 + 128 + 64 + 8 + 32 + 2 + APPROVER_BYTES;
/// The longest canonical name of an approver.
const APPROVER_BYTES: usize = 256;
/// The kind of a push to another person. A release that does not know it refuses the token.
const PUSH_TO_APPROVER: u8 = 6;
/// The most characters of a pending sign-in.
pub(super) const TOKEN_CHARACTERS: usize = (TOKEN_BYTES * 8).div_ceil(6);

/// The event that a sign-in waits for.
#[derive(Clone, Debug)]
pub enum PendingKind {
    /// The answer to a push.
    Push,
    /// The end of a phone call.
    Phone,
    /// A passcode from a text message.
    Sms,
    /// A passcode that the user has.
    Passcode,
    /// A first device.
    Enrollment(Enrollment),
}

impl PendingKind {
    /// The factor of the approval that the sign-in may lead to; `None` for an enrollment, which
    /// leads to none.
    #[must_use]
    pub const fn factor(&self) -> Option<Factor> {
        match self {
            Self::Push => Some(Factor::Push),
            Self::Phone => Some(Factor::Phone),
            Self::Sms => Some(Factor::Sms),
            Self::Passcode => Some(Factor::Passcode),
            Self::Enrollment(_) => None,
        }
    }
}

/// When and in which browser a sign-in began. Only [`Pending::new`] makes one, so no update can
/// change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingOrigin {
    created: UnixTime,
    browser: [u8; 16],
}

/// A sign-in that has begun and has not ended.
#[derive(Clone, Debug)]
pub struct Pending {
    /// When and in which browser the sign-in began.
    pub origin: PendingOrigin,
    /// The event that it waits for.
    pub kind: PendingKind,
    /// Duo's id of the device that was asked.
    pub device: Option<Bounded<64>>,
    /// The name of that device on the page.
    pub device_label: Option<Bounded<128>>,
    /// Duo's id of the attempt. A txid from any other place is never polled, since Duo's response
    /// names no user.
    pub txid: Option<Bounded<64>>,
    /// The code to type into Duo Mobile.
    pub verification_code: Option<Bounded<8>>,
    /// The reference of the sign-in.
    pub reference: Option<Reference>,
    /// Passcodes tried so far. Advisory only: replaying an older token lowers it.
    pub passcode_tries: u8,
    /// The path to which the user returns.
    pub return_path: ReturnPath,
    /// The single request to approve. `None` for an ordinary session approval, and for an
    /// enrollment, which leads to no approval.
    pub single_request: Option<RequestDigest>,
    /// The canonical name of the person who was asked by a push; `None` if it is the user.
    pub approver: Option<Bounded<APPROVER_BYTES>>,
}

impl Pending {
    /// Begins a sign-in. `browser` must be 16 random bytes; they distinguish the sign-ins of one
    /// user.
    #[must_use]
    pub fn new(
        kind: PendingKind,
        now: UnixTime,
        browser: [u8; 16],
        return_path: ReturnPath,
    ) -> Self {
        Self {
            origin: PendingOrigin { created: UnixTime::from_seconds(now.seconds()), browser },
            kind,
            device: None,
            device_label: None,
            txid: None,
            verification_code: None,
            reference: None,
            passcode_tries: 0,
            return_path,
            single_request: None,
            approver: None,
        }
    }

    /// When it began, to the second. The lifetime of the approval counts from here.
    #[must_use]
    pub const fn created(&self) -> UnixTime {
        self.origin.created
    }

    /// When it expires.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.origin.created.plus(self.lifetime())
    }

    pub(super) const fn lifetime(&self) -> Duration {
        match self.kind {
            PendingKind::Enrollment(_) => ENROLLMENT_LIFETIME,
            PendingKind::Push | PendingKind::Phone | PendingKind::Sms | PendingKind::Passcode => {
                LIFETIME
            }
        }
    }

    /// The random bytes that were drawn at its start.
    #[must_use]
    pub const fn browser(&self) -> [u8; 16] {
        self.origin.browser
    }

    const fn code(&self) -> u8 {
        match self.kind {
            PendingKind::Push if self.approver.is_some() => PUSH_TO_APPROVER,
            PendingKind::Push => 1,
            PendingKind::Phone => 2,
            PendingKind::Sms => 3,
            PendingKind::Passcode => 4,
            PendingKind::Enrollment(_) => 5,
        }
    }

    /// Writes the fields after the tags.
    pub(super) fn write(&self, fields: &mut Vec<u8>, enrollment: &[u8]) {
        fields.extend_from_slice(&[self.code(), self.passcode_tries]);
        fields.extend_from_slice(&self.origin.browser);
        write_text(fields, self.device.as_ref());
        write_text(fields, self.device_label.as_ref());
        write_text(fields, self.txid.as_ref());
        write_text(fields, self.verification_code.as_ref());
        let digest = self.single_request.as_ref().filter(|_| enrollment.is_empty());
        let last = digest.map_or(enrollment, |digest| digest.as_bytes());
        let reference = self.reference.map(Reference::to_bytes);
        let reference = reference.as_ref().map_or(&[][..], |bytes| bytes);
        let return_path = self.return_path.in_token();
        for part in [reference, return_path.as_bytes(), last] {
            write_part(part, |piece| fields.extend_from_slice(piece));
        }
        if self.code() == PUSH_TO_APPROVER {
            write_text(fields, self.approver.as_ref());
        }
    }

    /// Reads the fields after the tags.
    pub(super) fn read(
        created: UnixTime,
        mut fields: TokenFields<'_>,
        open_enrollment: impl FnOnce(&[u8]) -> Result<Enrollment, Refusal>,
    ) -> Result<Self, Refusal> {
        let [code, passcode_tries] = fields.array()?;
        let browser = fields.array()?;
        let device = fields.text()?;
        let device_label = fields.text()?;
        let txid = fields.text()?;
        let verification_code = fields.text()?;
        let reference = match fields.part()? {
            [] => None,
            bytes => Some(Reference::from_bytes(bytes.try_into().or(Err(Refusal::Layout))?)),
        };
        let return_path = ReturnPath::from_token(fields.part()?);
        let last = fields.part()?;
        let approver = if code == PUSH_TO_APPROVER {
            Some(fields.text()?.ok_or(Refusal::Layout)?)
        } else {
            None
        };
        fields.end()?;
        let (kind, digest) = match code {
            1 | PUSH_TO_APPROVER => (PendingKind::Push, last),
            2 => (PendingKind::Phone, last),
            3 => (PendingKind::Sms, last),
            4 => (PendingKind::Passcode, last),
            5 => (PendingKind::Enrollment(open_enrollment(last)?), [].as_slice()),
            _ => return Err(Refusal::Layout),
        };
        let single_request = match digest {
            [] => None,
            bytes => Some(RequestDigest::from_bytes(bytes.try_into().or(Err(Refusal::Layout))?)),
        };
        Ok(Self {
            device,
            device_label,
            txid,
            verification_code,
            reference,
            passcode_tries,
            single_request,
            approver,
            ..Self::new(kind, created, browser, return_path)
        })
    }
}
