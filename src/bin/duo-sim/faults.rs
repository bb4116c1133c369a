//! Faults that the control interface switches on: for one endpoint or all, for a number of requests
//! or until cleared.
//!
//! As JSON: `{"endpoint": "auth", "times": 1, "acts": true, "kind": "status", "status": 503}`.
//! Without `endpoint` it holds for all, without `times` until cleared. With `factor` it holds for
//! the calls of `auth` that ask for this factor. With `acts` the call is carried out first and only
//! its answer is lost.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Switch {
    #[serde(default)]
    pub(crate) endpoint: Option<Endpoint>,
    /// The parameter `factor` of the calls to hit: `push`, `phone`, `sms`, `passcode`.
    #[serde(default)]
    pub(crate) factor: Option<String>,
    /// Requests that are still to be hit.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    /// Carries the call out before its answer is spoilt.
    #[serde(default)]
    pub(crate) acts: bool,
    #[serde(flatten)]
    pub(crate) fault: Fault,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Waits before anything else; the answer is as ever.
    Latency { ms: u64 },
    /// Moves the server's clock for the check of the date and for the times it tells.
    Skew { seconds: i64 },
    /// Never answers.
    Hang,
    /// Closes the connection without an answer.
    Refuse,
    /// A status with any body.
    Status {
        status: u16,
        #[serde(default)]
        body: String,
    },
    /// 42901.
    RateLimit {
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// A refusal of Duo's with this code.
    Fail {
        code: u32,
        #[serde(default)]
        detail: Option<String>,
    },
    /// 200 with JSON that breaks off.
    Malformed,
    /// 200 without a body.
    Empty,
    /// The true answer, cut off in the middle of its announced length.
    Truncated,
    /// 200 with a JSON string of this many bytes.
    Huge { bytes: u64 },
    /// Exactly this status, body and headers; `{username}` in the body is the name in the call.
    Raw {
        status: u16,
        body: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// The true answer with this many more headers.
    Headers { count: u32 },
    /// The true answer, one byte each `ms` milliseconds.
    Drip { ms: u64 },
}

impl Fault {
    /// Whether the true answer is needed, so that the call is always carried out.
    pub(crate) fn shapes_answer(&self) -> bool {
        match self {
            Self::Truncated | Self::Headers { .. } | Self::Drip { .. } => true,
            Self::Latency { .. }
            | Self::Skew { .. }
            | Self::Hang
            | Self::Refuse
            | Self::Status { .. }
            | Self::RateLimit { .. }
            | Self::Fail { .. }
            | Self::Malformed
            | Self::Empty
            | Self::Huge { .. }
            | Self::Raw { .. } => false,
        }
    }
}

/// What one request meets: any latency and skew, and at most one spoilt answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met {
    pub(crate) latency_ms: u64,
    pub(crate) skew_seconds: i64,
    pub(crate) spoilt: Option<Switch>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Faults(Vec<Switch>);

impl Faults {
    pub(crate) fn switch_on(&mut self, switch: Switch) {
        self.0.push(switch);
    }

    /// Clears the faults of one endpoint, or all.
    pub(crate) fn clear(&mut self, endpoint: Option<Endpoint>) {
        self.0.retain(|switch| endpoint.is_some() && switch.endpoint != endpoint);
    }

    /// What a request to `endpoint` meets, which may ask for a factor; switches with a count are
    /// used up by it.
    pub(crate) fn meet(&mut self, endpoint: Endpoint, factor: Option<&str>) -> Met {
        let mut met = Met::default();
        for switch in &mut self.0 {
            if switch.endpoint.is_some_and(|only| only != endpoint) {
                continue;
            }
            if switch.factor.is_some() && switch.factor.as_deref() != factor {
                continue;
            }
            if let Fault::Latency { ms } = &switch.fault {
                met.latency_ms += ms;
            } else if let Fault::Skew { seconds } = &switch.fault {
                met.skew_seconds += seconds;
            } else if met.spoilt.is_none() {
                met.spoilt = Some(switch.clone());
            } else {
                continue;
            }
            if let Some(times) = &mut switch.times {
                *times = times.saturating_sub(1);
            }
        }
        self.0.retain(|switch| switch.times != Some(0));
        met
    }
}
