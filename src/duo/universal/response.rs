//! Duo's responses to the health check and to `token`.

use super::prompt_error::PromptError;
use crate::clock::UnixTime;
use crate::duo::envelope;
use crate::duo::members::Members;
use crate::duo::{DuoError, Malformed, Response};
use crate::json::Json;
use crate::secret::Secret;

/// Duo is there and accepts the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Duo's clock, in whole seconds. `None` if it is not in the response.
    pub time: Option<UnixTime>,
}

impl Response<'_> {
    /// Reads a response to `health_check`. `signed_at` is the time for which the call was signed,
    /// so that a refusal because of the clock is recognized.
    ///
    /// Duo is up only if the status is 200 and `stat` is exactly `OK`; `FAIL` counts with any
    /// status.
    ///
    /// # Errors
    ///
    /// [`PromptError::Call`] or [`PromptError::Refused`].
    pub fn health_check(&self, signed_at: UnixTime) -> Result<Health, PromptError> {
        match envelope::outcome(self) {
            Ok(response) => Ok(Health { time: response.as_ref().and_then(timestamp) }),
            Err(error) => Err(self.refusal(error, signed_at)),
        }
    }

    /// Reads Duo's clock from a response to `ping` or to [`Self::health_check`]. A refusal of the
    /// latter has it too.
    ///
    /// # Errors
    ///
    /// As for [`Self::ping`].
    pub fn clock(&self) -> Result<UnixTime, DuoError> {
        self.ping().or_else(|fault| {
            let outcome = self.health_check(UnixTime::default());
            outcome.map_or_else(|error| error.duo_time(), |health| health.time).ok_or(fault)
        })
    }

    /// Reads a response to `token`: the text of the id_token, for [`super::WebSdk::verify`]. The
    /// access token is of no use to the filter. `signed_at` as in [`Self::health_check`].
    ///
    /// # Errors
    ///
    /// Any [`PromptError`].
    pub fn id_token(&self, signed_at: UnixTime) -> Result<Secret<String>, PromptError> {
        if matches!(self.status, 429 | 500..=599) {
            return Err(PromptError::Call(envelope::by_status(self)));
        }
        let object = match envelope::object(self.body) {
            Ok(object) => object,
            Err(fault) if self.status == 200 => return Err(PromptError::Call(fault)),
            Err(_) => return Err(PromptError::Call(envelope::by_status(self))),
        };
        let members = Members(&object);
        let malformed = || PromptError::Call(DuoError::Malformed(Malformed::Members));
        if !object.is_unambiguous() {
            return Err(malformed());
        }
        if object.find("stat").is_some() {
            let error = envelope::outcome(self).err().ok_or_else(malformed)?;
            return Err(self.refusal(error, signed_at));
        }
        if let Some(error) = members.text("error").map_err(|_| malformed())? {
            if !matches!(self.status, 400..=499) {
                return Err(malformed());
            }
            let description = members.label("error_description").unwrap_or_default();
            return Err(PromptError::of_oauth(self.status, error, description));
        }
        let id_token = members.required_text("id_token").map_err(|_| malformed());
        if self.status != 200 {
            let error = id_token
                .map_or_else(|_| PromptError::Call(envelope::by_status(self)), |_| malformed());
            return Err(error);
        }
        // RFC 6749, section 5.1: the type is needed, and its case is ignored.
        let token_type = members.required_text("token_type").map_err(|_| malformed())?;
        if !token_type.eq_ignore_ascii_case("Bearer") {
            return Err(malformed());
        }
        id_token.map(|text| Secret::new(text.to_owned()))
    }

    /// The error for a response in Duo's `stat` form, which also has Duo's time.
    fn refusal(&self, error: DuoError, signed_at: UnixTime) -> PromptError {
        let duo_time = Json::read(self.body).ok().as_ref().and_then(timestamp);
        PromptError::of_envelope(error, duo_time, signed_at)
    }
}

fn timestamp(object: &Json) -> Option<UnixTime> {
    object.object()?.find("timestamp")?.whole().map(UnixTime::from_seconds)
}

#[cfg(test)]
mod tests;
