//! The plugin configuration: bytes in, typed parts out, or every fault at once.
//!
//! In go the bytes from the host (JSON text, or a serialized `google.protobuf.Struct`) and access
//! to the environment, which holds the secrets. Out comes a [`Config`] whose parts need no further
//! check, or [`ConfigFaults`]. Each fault has a stable code, the path in the JSON, the problem and
//! the fix. An unknown key is a fault, and so is a key of a later release: nothing that an operator
//! wrote is ignored silently.
//!
//! This module puts the parts together. It knows how to build the leaves from text, and nothing
//! about requests, clocks or the host. None of its messages contains a secret.

mod application;
mod build;
mod duo_settings;
mod duration;
mod error;
mod fingerprint;
mod keys;
mod nearest;
mod protobuf;
mod rate_limit_service;
mod reader;
#[cfg(not(target_arch = "wasm32"))]
pub mod reference;
mod secrets;
mod universal;
mod wire;

pub use crate::policy::ApiMode;
pub use application::{Application, Applications};
pub use duo_settings::{DuoSettings, Enrollment, Keys};
pub use error::{Code, ConfigFaults, Fault};
pub use rate_limit_service::{OnError, RateLimitService};
pub use secrets::may_be_a_secret;
pub use universal::{Destination, Universal};

use crate::assertion::Assertions;
use crate::identity::IdentityRules;
use crate::page::Site;
use crate::policy::{Pattern, Policies};
use crate::session::{Bindings, SharedKey};
use std::time::Duration;

/// One plugin configuration, checked as a whole.
#[derive(Debug)]
pub struct Config {
    /// The name of its content: 16 hexadecimal digits, the same wherever the same configuration is in
    /// use, whatever the order of members and the blanks between them.
    pub hash: String,
    /// Whether requests are refused.
    pub mode: Mode,
    /// The path under which the filter's own endpoints are: absolute, without a slash at its end.
    pub path_prefix: String,
    /// The applications at Duo, and the cookies of each.
    pub applications: Applications,
    /// How the user is identified.
    pub identity: IdentityRules,
    /// The properties to which approvals are bound, besides the user.
    pub bindings: Bindings,
    /// The signed assertions for the application; `None` if it gets none.
    pub assertion: Option<Assertions>,
    /// Exact paths of the application or the first factor whose responses end the approval.
    pub logout_paths: Vec<String>,
    /// Which requests need a second factor.
    pub policies: Policies,
    /// The treatment of clients other than browsers.
    pub api: Api,
    /// Whether the filter can read a request's body before the application receives it.
    pub request_bodies: bool,
    /// Paths to which pages of other sites may send forms: exact, without a query. Empty if
    /// `request_bodies` is off.
    pub cross_site_forms: Vec<String>,
    /// Whether the filter sets Envoy's filter state for each request, for the access log and other
    /// filters.
    pub filter_state: bool,
    /// The details that a push shows beside the user's name.
    pub push: PushDetails,
    /// How often a user's phone may ring.
    pub limits: Limits,
    /// The service that limits prompts over several Envoys; `None` if each Envoy limits its own.
    pub rate_limit_service: Option<RateLimitService>,
    /// The key for the limits, which all workers of an Envoy share. Configurations with the same
    /// key share one table.
    pub shared: SharedKey,
    /// How many calls to Duo and held requests one worker has at once.
    pub capacity: Capacity,
    /// The look of the prompt page.
    pub site: Site,
}

/// Whether the decisions of the rules are executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are executed.
    #[default]
    Enforce,
    /// They are counted and logged, but every request passes.
    ReportOnly,
    /// They are not even made; every request passes.
    Off,
}

/// The treatment of a client that is not a browser and has no approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// Whether its request is held, unless a rule has its own `api_mode`.
    pub mode: ApiMode,
    /// The longest time that a request is held.
    pub hold_timeout: Duration,
}

/// The details that a push shows beside the user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushDetails {
    /// The text that the phone shows before the word "request".
    pub title: String,
    /// Further names and values that the user sees.
    pub info: Vec<(String, String)>,
    /// The hosts that a push may show. Other hosts are left out, since a client can write any host
    /// into its request.
    pub hosts: Vec<Pattern>,
}

/// How often a user's phone may ring, for a push or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many prompts without an approval are allowed within the window: 1 to
    /// [`Self::MAX_PUSHES`].
    pub pushes: usize,
    /// How long a prompt counts.
    pub window: Duration,
    /// Cool-down after the first, second, ... consecutive denial; the last entry repeats. At least
    /// one entry.
    pub deny_cooldown: Vec<Duration>,
    /// How many incorrect passcodes are allowed in five minutes: 1 to [`Self::MAX_PASSCODE_TRIES`].
    pub passcode_tries: usize,
    /// Sign-ins at Duo's page that a user may start within the window without an approval: 1 to
    /// [`Self::MAX_STARTS`].
    pub starts: usize,
    /// The users for which the table of limits has room at once: 1 to [`Self::MAX_USERS`].
    pub users: usize,
}

impl Limits {
    /// The greatest value of `pushes`.
    pub const MAX_PUSHES: usize = 9;

    /// The greatest value of `starts`.
    pub const MAX_STARTS: usize = 9;

    /// The greatest value of `users`.
    pub const MAX_USERS: usize = 65_536;

    /// The greatest value of `window`, and of each cool-down.
    pub const MAX_TIME: Duration = Duration::from_secs(8 * 60 * 60);

    /// The greatest value of `passcode_tries`.
    pub const MAX_PASSCODE_TRIES: usize = 9;
}

/// The limits of one worker: calls to Duo, and held requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Concurrent calls for one user.
    pub user_calls: usize,
    /// Calls for one user that may begin within a minute.
    pub user_rate: u32,
    /// Concurrent calls for all users.
    pub calls: usize,
    /// Requests of programs that are held at the same time.
    pub held: usize,
}

impl Capacity {
    /// The default: four workers stay below Envoy's default of 1,024 connections.
    pub const USUAL: Self = Self { user_calls: 20, user_rate: 180, calls: 240, held: 1_000 };

    /// The shortest time between two calls of one user at the highest rate.
    #[must_use]
    pub fn pace(&self) -> Duration {
        Duration::from_secs(60).checked_div(self.user_rate).unwrap_or(Duration::from_secs(60))
    }
}

impl Config {
    /// Reads a plugin configuration. `environment` looks up a variable.
    ///
    /// # Errors
    ///
    /// All faults, in the order of the documented keys.
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
