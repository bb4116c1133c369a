//! The plugin configuration: bytes in, typed parts out, or every fault at once.
//!
//! In go the bytes that the host hands over (JSON text, or a serialized `google.protobuf.Struct`)
//! and a look at the environment, which holds the secrets. Out comes a [`Config`] whose parts need
//! no further check, or [`ConfigFaults`]: each with a stable code, the path in the JSON, what is
//! wrong and what to write instead. A key that is not known is a fault, and so is one whose time
//! has not come: nothing that an operator wrote is passed over in silence.
//!
//! This is the composition root. It knows how the leaves are built from words, and nothing of
//! requests, clocks or the host; no secret stands in any text that it makes.

mod application;
mod build;
mod duo_settings;
mod duration;
mod error;
mod keys;
mod nearest;
mod protobuf;
mod reader;
mod secrets;
mod wire;

pub use crate::policy::ApiMode;
pub use application::{Application, Applications};
pub use duo_settings::{DuoSettings, Enrollment};
pub use error::{Code, ConfigFaults, Fault};
pub use secrets::may_be_a_secret;

use crate::identity::IdentityRules;
use crate::page::Site;
use crate::policy::{Pattern, Policies};
use crate::session::{Bindings, SharedKey};
use std::time::Duration;

/// One plugin configuration, checked as a whole.
#[derive(Debug)]
pub struct Config {
    /// Whether anybody is refused.
    pub mode: Mode,
    /// Where the filter's own endpoints are: absolute, without a slash at its end.
    pub path_prefix: String,
    /// The applications at Duo, and what browsers keep for each.
    pub applications: Applications,
    /// Who the user is.
    pub identity: IdentityRules,
    /// What approvals are bound to besides the user.
    pub bindings: Bindings,
    /// Exact paths of the application or the first factor whose responses end the approval.
    pub logout_paths: Vec<String>,
    /// Which requests want a second factor.
    pub policies: Policies,
    /// What happens to clients that are no browsers.
    pub api: Api,
    /// Whether the host lets the filter read a request's body before the application sees it.
    pub request_bodies: bool,
    /// Paths to which other sites' pages may send forms: exact, without a query. Empty where
    /// `request_bodies` is off.
    pub cross_site_forms: Vec<String>,
    /// Whether Envoy is told what became of each request, for its access log and other filters.
    pub filter_state: bool,
    /// What a push says beyond the user's name.
    pub push: PushDetails,
    /// How often a user's phone may ring.
    pub limits: Limits,
    /// The key of what all workers of an Envoy share about those limits. All configurations that
    /// have it share one table.
    pub shared: SharedKey,
    /// How much of Duo one worker asks for at once.
    pub capacity: Capacity,
    /// The look of the prompt page.
    pub site: Site,
}

/// Whether what the rules say is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is done.
    #[default]
    Enforce,
    /// It is counted and written down; every request passes.
    ReportOnly,
    /// Nobody asks; every request passes.
    Off,
}

/// What happens to a client that is no browser and has no approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// Whether its request waits, where no rule says otherwise.
    pub mode: ApiMode,
    /// How long it waits at most.
    pub hold_timeout: Duration,
}

/// What a push says beyond the user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushDetails {
    /// What the phone shows before the word "request".
    pub title: String,
    /// Names and values that the user sees besides.
    pub info: Vec<(String, String)>,
    /// The hosts that a push names: a client can write any other into its request.
    pub hosts: Vec<Pattern>,
}

/// How often a user's phone may ring, by a push or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How often within the window without an approval: 1 to [`Self::MAX_PUSHES`].
    pub pushes: usize,
    /// How long a push counts.
    pub window: Duration,
    /// How long it may not after a denial, after the next one in a row, and so on; the last holds
    /// for all that follow. At least one.
    pub deny_cooldown: Vec<Duration>,
    /// How many passcodes may be wrong in five minutes: 1 to [`Self::MAX_PASSCODE_TRIES`].
    pub passcode_tries: usize,
}

impl Limits {
    /// The most pushes that a window may have.
    pub const MAX_PUSHES: usize = 9;

    /// The most passcodes that may be wrong.
    pub const MAX_PASSCODE_TRIES: usize = 9;
}

/// How many calls to Duo one worker has under way, and how many requests wait in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Calls for one user at once.
    pub user_calls: usize,
    /// Calls that one user's clients begin in a minute.
    pub user_rate: u32,
    /// Calls for all users at once.
    pub calls: usize,
    /// Requests of programs that are held at once.
    pub held: usize,
}

impl Capacity {
    /// The usual capacity: four workers stay below Envoy's default of 1,024 connections.
    pub const USUAL: Self = Self { user_calls: 20, user_rate: 180, calls: 240, held: 1_000 };

    /// The time between two calls of one user that begin at the highest rate.
    #[must_use]
    pub fn pace(&self) -> Duration {
        Duration::from_secs(60).checked_div(self.user_rate).unwrap_or(Duration::from_secs(60))
    }
}

impl Config {
    /// Reads a plugin configuration. `environment` looks a variable up.
    ///
    /// # Errors
    ///
    /// All faults that were found, in the order of the documented keys.
    pub fn parse(
        bytes: &[u8],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigFaults> {
        let mut faults = error::Faults::default();
        let config = wire::read(bytes, &mut faults)
            .and_then(|value| build::config(&value, environment, &mut faults));
        faults.none_or(config)
    }
}
