//! The account's picture at Duo, as one VM keeps it for its pages.
//!
//! It is fetched in the background, some times an hour at most, and served from memory: an address
//! that everybody may ask for makes no call.

use super::call::Call;
use super::configured::Gate;
use super::event::Event;
use super::health::Health;
use crate::clock::UnixTime;
use crate::duo::{DuoError, Request, Response};
use crate::http::Reply;
use crate::signal::{Level, Signal};
use std::time::Duration;

/// How long a picture is served before it is fetched again, and kept by browsers.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How soon a picture that could not be had is asked for again.
const AFTER_FAILURE: Duration = Duration::from_secs(5 * 60);

/// How long a browser remembers that there is none.
const ABSENT: Duration = Duration::from_secs(60);

/// The picture, once it was fetched, and how that went last.
#[derive(Clone, Debug, Default)]
pub struct Logo {
    picture: Option<Vec<u8>>,
    fault: Option<DuoError>,
    asked: Option<UnixTime>,
}

impl Logo {
    /// Whether to fetch it: pages show it, the last check of Duo went well, and it is time.
    #[must_use]
    pub fn is_due(&self, gate: &Gate, health: &Health, now: UnixTime) -> bool {
        let pause = if self.fault.is_none() { FRESH } else { AFTER_FAILURE };
        gate.config().site.serves_logo()
            && health.is_ready()
            && self.asked.is_none_or(|asked| now.apart(asked) >= pause)
    }

    /// Begins to fetch it: the call to make at once, whose outcome goes to [`Self::learn`].
    #[must_use]
    pub fn fetch(&mut self, gate: &Gate, health: &Health, now: UnixTime) -> Call {
        self.asked = Some(now);
        Call::at_once(gate, 0, Request::Logo, now.shifted(health.offset))
    }

    /// Takes what came of the call. A picture from before stays where there is no better one; what
    /// an operator should know is said once.
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

    /// The answer to whoever asks for it; `absent` where there is none to show.
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
