//! A reading of an approval cookie for operators: all that it says, also if it is refused.

use super::approval::{Approval, TOKEN_BYTES, decode};
use super::{Refusal, Sessions, Subject};
use crate::clock::UnixTime;
use crate::session::token::Tag;

/// A cookie with a valid MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its approval, with the expiry that the present settings give it.
    pub approval: Approval,
    /// The position of its key in the ring, from 0 on; 0 signs new cookies.
    pub key: usize,
    /// Whether it is bound to more than its user.
    pub is_bound: bool,
    /// Why it is refused; `None` if nothing that was checked speaks against it.
    pub refusal: Option<Refusal>,
}

impl Sessions {
    /// Reads a cookie without a request. `user` is compared if it is given. Other bindings
    /// of the cookie are not compared.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the MAC is not valid under any key, or the layout is unknown.
    pub fn inspect(
        &self,
        value: &[u8],
        user: Option<&Subject<'_>>,
        now: UnixTime,
    ) -> Result<Inspection, Refusal> {
        let mut buffer = [0; TOKEN_BYTES];
        let token = self.sealer.open(value, &mut buffer)?;
        let (mut approval, audience) = decode(token.fields, token.key_is_first)?;
        approval.expires = self.expiry(&approval);
        let is_of = |user: &Subject<'_>| audience.user == token.key.user(user);
        let refusal = if audience.application != *token.key.application() {
            Some(Refusal::OtherApplication)
        } else if !user.is_none_or(is_of) {
            Some(Refusal::OtherUser)
        } else {
            let check = self.check_fresh(&approval, now);
            check.and_then(|()| self.check_in_force(&approval)).err()
        };
        let key = self.sealer.keys().position(|key| std::ptr::eq(key, token.key));
        Ok(Inspection {
            approval,
            key: key.unwrap_or_default(),
            is_bound: audience.binding != Tag::default(),
            refusal,
        })
    }
}
