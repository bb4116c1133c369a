//! Decodes Duo's responses, with one method for each call.
//!
//! Members and words that this version does not know are tolerated; a `result` that it does not
//! know is an error.

use super::auth_status::{AuthResult, AuthStatus};
use super::enrollment::{Enrollment, EnrollmentState};
use super::envelope::{Response, member};
use super::error::{DuoError, Garbled, Malformed};
use super::id::{MalformedId, Txid};
use super::members::Members;
use super::preauth_response::PreauthResponse;
use crate::clock::UnixTime;

/// The eight bytes that every PNG starts with (RFC 2083, section 3.1).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl<'a> Response<'a> {
    /// Reads a response to ping: Duo's clock, in whole seconds.
    ///
    /// # Errors
    ///
    /// Every [`DuoError`] but those about credentials and parameters.
    pub fn ping(&self) -> Result<UnixTime, DuoError> {
        let response = member(self)?;
        Ok(UnixTime::from_seconds(Members::of(&response)?.required_whole("time")?))
    }

    /// Reads a response to check: Duo's clock. Credentials and signature are right then.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn check(&self) -> Result<UnixTime, DuoError> {
        self.ping()
    }

    /// Reads a response to logo: a PNG.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`]; [`DuoError::Rejected`] with 40401 if the account has no logo.
    pub fn logo(&self) -> Result<&'a [u8], DuoError> {
        if self.status != 200 || !self.body.starts_with(PNG) {
            return member(self).and(Err(DuoError::Garbled(Garbled::NotAnImage)));
        }
        if self.body.len() > Self::MAX_BODY_BYTES {
            return Err(DuoError::Malformed(Malformed::TooLong));
        }
        Ok(self.body)
    }

    /// Reads a response to preauth: what the user may do.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn preauth(&self) -> Result<PreauthResponse, DuoError> {
        Ok(PreauthResponse::read(Members::of(&member(self)?)?)?)
    }

    /// Reads a response to an asynchronous auth: the transaction that was started.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn auth_started(&self) -> Result<Txid, DuoError> {
        let response = member(self)?;
        let txid = Members::of(&response)?.required_text("txid")?;
        txid.parse().map_err(|MalformedId| DuoError::Malformed(Malformed::Members))
    }

    /// Reads a response to a synchronous auth: the decision, which is never to wait.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn auth_decided(&self) -> Result<AuthStatus, DuoError> {
        let decided = self.auth_status()?;
        match decided.result {
            AuthResult::Allow | AuthResult::Deny => Ok(decided),
            AuthResult::Waiting => Err(DuoError::Malformed(Malformed::UnknownResult)),
        }
    }

    /// Reads a response to auth_status: the state of the transaction.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn auth_status(&self) -> Result<AuthStatus, DuoError> {
        Ok(AuthStatus::read(Members::of(&member(self)?)?)?)
    }

    /// Reads a response to enroll: the user and how to activate a device.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`]; [`DuoError::InvalidParameter`] with `username` if the name is taken.
    pub fn enroll(&self) -> Result<Enrollment, DuoError> {
        Ok(Enrollment::read(Members::of(&member(self)?)?)?)
    }

    /// Reads a response to enroll_status: whether the code was used.
    ///
    /// # Errors
    ///
    /// Any [`DuoError`].
    pub fn enroll_status(&self) -> Result<EnrollmentState, DuoError> {
        let response = member(self)?;
        let word = response.text().ok_or(Malformed::Members)?;
        Ok(EnrollmentState::try_from(word)?)
    }
}

#[cfg(test)]
mod tests;
