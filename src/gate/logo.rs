//! The account's picture at Duo, as each VM stores it for its pages.
//!
//! It is fetched in the background, at most some times an hour, and served from memory. So a
//! request to its public address never causes a call.

use super::call::{Call, Question};
use super::configured::Gate;
use super::event::Event;
use super::health::Health;
use crate::clock::UnixTime;
use crate::duo::{DuoError, Request, Response};
use crate::http::Reply;
use crate::signal::{Level, Signal};
use std::sync::Arc;
use std::time::Duration;

/// How long a picture is served before it is fetched again, and how long browsers cache it.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The wait before another try after a failed fetch.
const AFTER_FAILURE: Duration = Duration::from_secs(5 * 60);

/// How long a browser remembers that there is no picture.
const ABSENT: Duration = Duration::from_secs(60);

/// The picture, if it was fetched, and the result of the last fetch.
#[derive(Clone, Debug, Default)]
pub struct Logo {
    picture: Option<Vec<u8>>,
    fault: Option<DuoError>,
    asked: Option<UnixTime>,
}

impl Logo {
    /// Whether to fetch it: pages show it, the last check of Duo succeeded, and it is time.
    #[must_use]
    pub fn is_due(&self, gate: &Gate, health: &Health, now: UnixTime) -> bool {
        let pause = if self.fault.is_none() { FRESH } else { AFTER_FAILURE };
        gate.config().site.serves_logo()
            && health.is_ready()
            && self.asked.is_none_or(|asked| now.apart(asked) >= pause)
    }

    /// Begins to fetch it. Make the call at once, and pass its outcome to [`Self::learn`]. `None`
    /// if the main application has no keys of the Auth API.
    #[must_use]
    pub fn fetch(&mut self, gate: &Gate, health: &Health, now: UnixTime) -> Option<Call> {
        let credentials = gate.config().applications.main.duo.credentials()?;
        self.asked = Some(now);
        let question = Question::AuthApi(Arc::clone(credentials), Request::Logo);
        Some(Call::at_once(gate, 0, &question, now.shifted(health.offset)))
    }

    /// Handles the outcome of the call. A failed fetch keeps the previous picture. Each new fault
    /// is logged once.
    pub fn learn(&mut self, event: Event<'_>) -> Option<Signal> {
        let fault = match event.read(Response::logo) {
            Ok(picture) => {
                self.picture = Some(picture.to_vec());
                None
            }
            Err(fault) => Some(fault),
        };
        let is_other = self.fault != fault;
        self.fault = fault;
        let fault = self.fault.as_ref().filter(|_| is_other)?;
        let text =
            format!("branding.logo: Duo's picture of the account could not be fetched: {fault}");
        Some(Signal::Log(Level::Warn, text))
    }

    /// The reply with the picture; `absent` if there is none.
    #[must_use]
    pub fn reply(&self, absent: Reply) -> Reply {
        match &self.picture {
            Some(picture) => {
                let details = "duo_mfa_logo".to_owned();
                Reply::new(200, details, "image/png", picture.clone()).kept_by_browsers(FRESH)
            }
            None => absent.kept_by_browsers(ABSENT),
        }
    }
}
