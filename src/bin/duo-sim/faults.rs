//! Faults that the control interface switches on: for one endpoint or all, for a number of requests
//! or until they are cleared.
//!
//! As JSON: `{"endpoint": "auth", "times": 1, "acts": true, "kind": "status", "status": 503}`.
//! Without `endpoint` it applies to all, without `times` until it is cleared. With `factor` it
//! applies to calls of `auth` with this factor. With `acts` the call is executed first, and only
//! its response is lost. The kinds from `claims` on change a sign-in at the Universal Prompt;
//! several may apply at once: `{"endpoint": "token", "kind": "claims", "drop": ["auth_time"]}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::Endpoint;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Switch {
    #[serde(default)]
    pub(crate) endpoint: Option<Endpoint>,
    /// The parameter `factor` of the calls that are affected: `push`, `phone`, `sms`, `passcode`.
    #[serde(default)]
    pub(crate) factor: Option<String>,
    /// How many more requests are affected.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    /// Executes the call before its response is replaced.
    #[serde(default)]
    pub(crate) acts: bool,
    #[serde(flatten)]
    pub(crate) fault: Fault,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Waits before anything else; the response is unchanged.
    Latency { ms: u64 },
    /// Moves the server's clock, for the check of the date and for the times in responses.
    Skew { seconds: i64 },
    /// Never responds.
    Hang,
    /// Closes the connection without a response.
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
    /// One of Duo's refusals, with this code.
    Fail {
        code: u32,
        #[serde(default)]
        detail: Option<String>,
    },
    /// 200 with truncated JSON.
    Malformed,
    /// 200 without a body.
    Empty,
    /// The real response, truncated in the middle of its announced length.
    Truncated,
    /// 200 with a JSON string of this many bytes.
    Huge { bytes: u64 },
    /// Exactly this status, body and headers; `{username}` in the body becomes the name in the
    /// call.
    Raw {
        status: u16,
        body: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// The real response with this many more headers.
    Headers { count: u32 },
    /// The real response, one byte every `ms` milliseconds.
    Drip { ms: u64 },
    /// The id_token with these members merged in, then without the members named in `drop`, such
    /// as `auth_context.factor`.
    Claims {
        #[serde(default)]
        merge: Value,
        #[serde(default)]
        drop: Vec<String>,
    },
    /// The id_token with this text as its JOSE header.
    Header { text: String },
    /// The id_token, signed with another secret.
    Secret { secret: String },
    /// The id_token, signed with another algorithm, which its header names: `HS256`, `HS384`,
    /// `none`.
    Algorithm { algorithm: String },
    /// Any value in place of the id_token.
    RawIdToken { value: Value },
    /// The id_token without a nonce.
    Nonce { nonce: Omitted },
    /// The id_token of another user.
    User { user: String },
    /// A code that was exchanged before is exchanged again.
    Code { code: Reused },
    /// Changes the query that a browser brings back from the prompt.
    Callback(Callback),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Omitted {
    Omit,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reused {
    Reuse,
}

/// Changes to the query with which a browser comes back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Callback {
    /// `error` with this value instead of a code.
    pub(crate) error: Option<String>,
    /// `error_description`, if there is an `error`.
    pub(crate) error_description: Option<String>,
    pub(crate) without_state: bool,
    /// Every parameter is present twice.
    pub(crate) twice: bool,
}

impl Fault {
    /// Whether the fault needs the real response, so that the call is always executed.
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
            | Self::Raw { .. }
            | Self::Claims { .. }
            | Self::Header { .. }
            | Self::Secret { .. }
            | Self::Algorithm { .. }
            | Self::RawIdToken { .. }
            | Self::Nonce { .. }
            | Self::User { .. }
            | Self::Code { .. }
            | Self::Callback(_) => false,
        }
    }

    /// Whether the fault changes the result of a sign-in at the prompt, while the call itself
    /// succeeds.
    fn is_about_sign_in(&self) -> bool {
        matches!(
            self,
            Self::Claims { .. }
                | Self::Header { .. }
                | Self::Secret { .. }
                | Self::Algorithm { .. }
                | Self::RawIdToken { .. }
                | Self::Nonce { .. }
                | Self::User { .. }
                | Self::Code { .. }
                | Self::Callback(_)
        )
    }
}

/// The faults of one request: any latency and skew, at most one replaced response, and any number
/// of changes to a sign-in at the prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met {
    pub(crate) latency_ms: u64,
    pub(crate) skew_seconds: i64,
    pub(crate) spoilt: Option<Switch>,
    pub(crate) sign_in: Vec<Fault>,
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

    /// The faults for a request to `endpoint`; `factor` is that of a call to `auth`. Reduces the
    /// count of switches that have one.
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
            } else if switch.fault.is_about_sign_in() {
                met.sign_in.push(switch.fault.clone());
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
