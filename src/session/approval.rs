//! An approval, and its bytes in a cookie.
//!
//! ```text
//! version u8 = 1 | key id u8 | factor u8 | flags u8 = 0
//!   | issued u64 | authenticated u64 | seen u64 | expires u64 | epoch u32 = 0
//!   | id [16] | user tag [16] | application tag [16] | binding tag [16]
//! ```
//!
//! The first two bytes belong to [`super::token`]. Times are seconds since 1970. A cookie without a
//! binding has zeros as its tag.

use super::token::{HEAD_BYTES, MAC_BYTES, Tag};
use super::token_fields::TokenFields;
use super::{ApprovedBy, Refusal};
use crate::clock::UnixTime;

/// No flag is defined yet, so all must be 0.
const NO_FLAGS: u8 = 0;
/// A release that must void all earlier approvals increases this number.
const EPOCH: u32 = 0;

/// Bytes of an approval after version and key id.
const FIELDS_BYTES: usize = 102;
/// Bytes of an approval cookie before base64.
pub(super) const TOKEN_BYTES: usize = 136;
/// Characters of an approval cookie.
pub(super) const COOKIE_BYTES: usize = 182;
const _: () = assert!(HEAD_BYTES + FIELDS_BYTES + MAC_BYTES == TOKEN_BYTES);
const _: () = assert!((TOKEN_BYTES * 8).div_ceil(6) == COOKIE_BYTES);

/// Proof of a second factor, as read from a cookie. Only [`super::Sessions`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    pub(super) factor: ApprovedBy,
    pub(super) issued: UnixTime,
    pub(super) authenticated: UnixTime,
    pub(super) seen: UnixTime,
    pub(super) expires: UnixTime,
    pub(super) id: [u8; 16],
    /// Whether the token was signed with the ring's first key.
    pub(super) key_is_first: bool,
}

impl Approval {
    /// How the second factor was satisfied.
    #[must_use]
    pub const fn factor(&self) -> ApprovedBy {
        self.factor
    }

    /// When the second factor was satisfied; a rule's `max_age` counts from here.
    #[must_use]
    pub const fn authenticated(&self) -> UnixTime {
        self.authenticated
    }

    /// The time when the first cookie of the approval was made.
    #[must_use]
    pub const fn issued(&self) -> UnixTime {
        self.issued
    }

    /// The time of its last renewal.
    #[must_use]
    pub const fn seen(&self) -> UnixTime {
        self.seen
    }

    /// When the approval ends, whether it is used or not.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The random id of the approval, kept through all renewals.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }
}

/// The user, application and binding for which an approval is valid. Tags depend on the key that
/// signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Audience {
    pub(super) user: Tag,
    pub(super) application: Tag,
    pub(super) binding: Tag,
}

pub(super) fn encode(approval: &Approval, audience: &Audience) -> Vec<u8> {
    let mut fields = Vec::with_capacity(FIELDS_BYTES);
    fields.extend_from_slice(&[approval.factor.code(), NO_FLAGS]);
    for time in [approval.issued, approval.authenticated, approval.seen, approval.expires] {
        fields.extend_from_slice(&time.seconds().to_be_bytes());
    }
    fields.extend_from_slice(&EPOCH.to_be_bytes());
    for part in [approval.id, audience.user, audience.application, audience.binding] {
        fields.extend_from_slice(&part);
    }
    fields
}

/// # Errors
///
/// [`Refusal::Layout`] if a field has a value that no release writes; [`Refusal::Void`] if the
/// epoch differs.
pub(super) fn decode(fields: &[u8], key_is_first: bool) -> Result<(Approval, Audience), Refusal> {
    let mut fields = TokenFields::new(fields);
    let [factor, flags] = fields.array()?;
    let factor = ApprovedBy::from_code(factor).ok_or(Refusal::Layout)?;
    if flags != NO_FLAGS {
        return Err(Refusal::Layout);
    }
    let issued = fields.time()?;
    let authenticated = fields.time()?;
    let seen = fields.time()?;
    let expires = fields.time()?;
    if u32::from_be_bytes(fields.array()?) != EPOCH {
        return Err(Refusal::Void);
    }
    let id = fields.array()?;
    let audience =
        Audience { user: fields.array()?, application: fields.array()?, binding: fields.array()? };
    fields.end()?;
    Ok((Approval { factor, issued, authenticated, seen, expires, id, key_is_first }, audience))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn approvals()(
            code in 1..=9u8,
            seconds in any::<[u32; 4]>(),
            id in any::<[u8; 16]>(),
            key_is_first in any::<bool>(),
        ) -> Approval {
            let [issued, authenticated, seen, expires] =
                seconds.map(|seconds| UnixTime::from_seconds(u64::from(seconds)));
            let factor = ApprovedBy::from_code(code).unwrap();
            Approval { factor, issued, authenticated, seen, expires, id, key_is_first }
        }
    }

    prop_compose! {
        fn audiences()(tags in any::<[Tag; 3]>()) -> Audience {
            let [user, application, binding] = tags;
            Audience { user, application, binding }
        }
    }

    proptest! {
        #[test]
        fn an_approval_comes_back_as_it_was_written(a in approvals(), to in audiences()) {
            let fields = encode(&a, &to);
            prop_assert_eq!(fields.len(), FIELDS_BYTES);
            prop_assert_eq!(decode(&fields, a.key_is_first), Ok((a, to)));
        }

        #[test]
        fn bytes_that_decode_are_those_that_encode(
            mut fields in prop::collection::vec(any::<u8>(), FIELDS_BYTES - 1..=FIELDS_BYTES + 1),
            code in 0..=10u8,
            flags in 0..=1u8,
            epoch in 0..=1u8,
        ) {
            fields[..2].copy_from_slice(&[code, flags]);
            fields[34..38].copy_from_slice(&[0, 0, 0, epoch]);
            // Times that fit into milliseconds.
            fields[2..34].chunks_mut(8).for_each(|time| time[..4].fill(0));
            let is_valid = (1..=9).contains(&code) && flags == 0 && epoch == 0
                && fields.len() == FIELDS_BYTES;
            let decoded = decode(&fields, true);
            prop_assert_eq!(decoded.is_ok(), is_valid);
            if let Ok((approval, audience)) = decoded {
                prop_assert_eq!(encode(&approval, &audience), fields);
            }
        }
    }
}
