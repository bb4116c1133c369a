//! The table's record of a user's last prompt, which is needed to ask Duo how it ended.
//!
//! ```text
//! prompted = way u8 | application [8] | txid [40] | user [64]
//! ```
//!
//! A `way` of 0 means that Duo has not named the transaction. Texts are padded with NUL bytes.

use crate::duo::Txid;
use crate::factor::Factor;

const TXID_BYTES: usize = 40;
const USER_BYTES: usize = 64;
/// The size of the last prompt in an entry.
pub(super) const PROMPTED_BYTES: usize = 1 + 8 + TXID_BYTES + USER_BYTES;

/// A prompt that Duo has sent. Every worker can ask Duo about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompted {
    /// The factor of the approval that it may lead to.
    way: Way,
    /// The tag of the Duo application that has the transaction.
    application: [u8; 8],
    txid: Short<TXID_BYTES>,
    /// The user's name in log lines.
    user: Short<USER_BYTES>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Push,
    Phone,
    Sms,
}

impl Prompted {
    /// `None` for a factor without a prompt, and for a txid of more than 40 bytes. (Duo's are UUIDs
    /// of 36.) A longer user name is cut.
    pub(in crate::gate) fn new(
        factor: Factor,
        application: [u8; 8],
        txid: &Txid,
        user: &str,
    ) -> Option<Self> {
        let way = match factor {
            Factor::Push => Way::Push,
            Factor::Phone => Way::Phone,
            Factor::Sms => Way::Sms,
            Factor::Passcode => return None,
        };
        let whole = Short::cut(txid.as_str());
        let txid = whole.filter(|kept| kept.as_str() == txid.as_str())?;
        Some(Self { way, application, txid, user: Short::cut(user)? })
    }

    /// The factor of the approval that it may lead to.
    pub(in crate::gate) const fn factor(&self) -> Factor {
        match self.way {
            Way::Push => Factor::Push,
            Way::Phone => Factor::Phone,
            Way::Sms => Factor::Sms,
        }
    }

    /// The tag of the Duo application that has the transaction.
    pub(in crate::gate) const fn application(&self) -> [u8; 8] {
        self.application
    }

    /// Duo's id of the transaction; `None` if the stored bytes are not an id.
    pub(in crate::gate) fn txid(&self) -> Option<Txid> {
        self.txid.as_str().parse().ok()
    }

    /// The user's name in log lines.
    pub(in crate::gate) fn user(&self) -> &str {
        self.user.as_str()
    }

    /// Writes the last prompt of an entry.
    pub(super) fn encode(prompted: Option<&Self>, bytes: &mut Vec<u8>) {
        let Some(Self { way, application, txid, user }) = prompted else {
            bytes.extend_from_slice(&[0; PROMPTED_BYTES]);
            return;
        };
        bytes.push(match way {
            Way::Push => 1,
            Way::Phone => 2,
            Way::Sms => 3,
        });
        bytes.extend_from_slice(application);
        bytes.extend_from_slice(&txid.0);
        bytes.extend_from_slice(&user.0);
    }

    /// Reads the bytes of [`Self::encode`].
    ///
    /// # Errors
    ///
    /// [`Foreign`] for any other bytes.
    pub(super) fn decode(bytes: &[u8; PROMPTED_BYTES]) -> Result<Option<Self>, Foreign> {
        let (&[way], rest) = bytes.split_first_chunk().ok_or(Foreign)?;
        let (application, rest) = rest.split_first_chunk().ok_or(Foreign)?;
        let (txid, rest) = rest.split_first_chunk().ok_or(Foreign)?;
        let user = rest.first_chunk().ok_or(Foreign)?;
        let way = match way {
            0 => return Ok(None),
            1 => Way::Push,
            2 => Way::Phone,
            3 => Way::Sms,
            _ => return Err(Foreign),
        };
        let (txid, user) = (Short(*txid), Short(*user));
        Ok(Some(Self { way, application: *application, txid, user }))
    }
}

/// Bytes that [`Prompted::encode`] does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign;

/// A text of at most `MAX` bytes, padded with NUL bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Short<const MAX: usize>([u8; MAX]);

impl<const MAX: usize> Short<MAX> {
    /// Cuts a text to the limit, between characters; `None` if it is empty.
    fn cut(text: &str) -> Option<Self> {
        let start = (1..=MAX).rev().find_map(|end| text.get(..end))?;
        let mut bytes = [0; MAX];
        bytes.get_mut(..start.len())?.copy_from_slice(start.as_bytes());
        Some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(prompted: Option<&Prompted>) -> Vec<u8> {
        let mut bytes = Vec::new();
        Prompted::encode(prompted, &mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Option<Prompted>, Foreign> {
        Prompted::decode(bytes.first_chunk().unwrap())
    }

    #[test]
    fn last_prompt_reads_back() {
        let txid = "45f7c92b-f45f-4862-8545-e0f58e78075a".parse().unwrap();
        for factor in [Factor::Push, Factor::Phone, Factor::Sms] {
            let prompted = Prompted::new(factor, [7; 8], &txid, "alice@corp.example").unwrap();
            let again = read(&written(Some(&prompted))).unwrap().unwrap();
            assert_eq!(again, prompted);
            assert_eq!((again.factor(), again.application()), (factor, [7; 8]));
            assert_eq!((again.txid(), again.user()), (Some(txid.clone()), "alice@corp.example"));
        }
        assert_eq!(read(&written(None)), Ok(None));
        assert_eq!(read(&[9; PROMPTED_BYTES]), Err(Foreign));
    }

    #[test]
    fn txid_is_kept_whole_or_not_at_all_and_a_name_is_cut() {
        let long = "x".repeat(TXID_BYTES + 1).parse().unwrap();
        assert_eq!(Prompted::new(Factor::Push, [0; 8], &long, "alice"), None);
        let txid = "x".repeat(TXID_BYTES).parse().unwrap();
        let name = "ä".repeat(40);
        let kept = Prompted::new(Factor::Push, [0; 8], &txid, &name).unwrap();
        assert_eq!((kept.txid(), kept.user().len()), (Some(txid), USER_BYTES));
        assert_eq!(Prompted::new(Factor::Passcode, [0; 8], &long, "alice"), None);
    }
}
