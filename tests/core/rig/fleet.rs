//! The rate limit service that several Envoys share.

use super::{Outcome, Progress, Rig, answered};
use duo_mfa::duo;
use duo_mfa::gate::{Effect, End, Event, FleetQuestion, Flow, Step, Unanswered};
use duo_mfa::http::Reply;
use std::collections::VecDeque;

/// The message that says so, without a wait.
const OVER_LIMIT: &[u8] = &[8, 2];

/// The outcome of a question.
#[derive(Clone, Debug)]
pub(crate) enum FleetSays {
    /// A response with this status and body.
    Responds(u16, Vec<u8>),
    Fails(Unanswered),
    /// The client leaves before there is one.
    ClientLeaves,
}

#[derive(Default)]
pub(crate) struct Fleet {
    /// The outcomes of the next questions. One that is not expected fails the test.
    pub(crate) script: VecDeque<FleetSays>,
    pub(crate) questions: Vec<FleetQuestion>,
    /// The state of random outcomes, for questions beyond the script; `None` if there are none.
    pub(crate) random: Option<u64>,
}

impl Fleet {
    /// The outcome of the next question.
    fn next(&mut self) -> FleetSays {
        if let Some(says) = self.script.pop_front() {
            return says;
        }
        let state = self.random.as_mut().expect("an unexpected question");
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.questions.clear();
        match *state >> 60 {
            0 => FleetSays::over_limit(),
            1 => FleetSays::Fails(Unanswered::NotSent),
            2 => FleetSays::Responds(504, Vec::new()),
            3 => FleetSays::Responds(200, framed(&[8, 0])),
            _ => FleetSays::ok(),
        }
    }
}

impl FleetSays {
    pub(crate) fn ok() -> Self {
        Self::Responds(200, framed(&[8, 1]))
    }

    pub(crate) fn over_limit() -> Self {
        Self::Responds(200, framed(OVER_LIMIT))
    }
}

/// A message in its frame.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

impl Rig {
    pub(crate) fn fleet_says(&mut self, script: impl IntoIterator<Item = FleetSays>) {
        self.fleet.script.extend(script);
    }

    /// Asks, and continues with the answer. The error is the end of a request whose client has left.
    pub(super) fn ask_fleet(&mut self, asked: FleetQuestion, then: Flow) -> Result<Step, Progress> {
        self.fleet.questions.push(asked);
        assert_eq!(then.application(), None, "it is no call to Duo");
        assert!(!then.outlives_its_client());
        let event = match self.fleet.next() {
            FleetSays::Responds(status, body) => {
                let response = duo::Response { status, retry_after: None, body: &body };
                let step = then.handle(Event::Answered(response), &self.env());
                if body == framed(OVER_LIMIT) {
                    let is_reply = matches!(step.effect, Effect::End(End::Reply(_)));
                    assert!(is_reply, "it goes on beyond the limit: {step:?}");
                }
                return Ok(step);
            }
            FleetSays::Fails(why) => Event::Failed(why),
            FleetSays::ClientLeaves => {
                self.leave(&then);
                let left = Reply::new(499, "left".to_owned(), "text/plain", Vec::new());
                return Err(answered(Outcome::Replied(left)));
            }
        };
        Ok(then.handle(event, &self.env()))
    }
}
