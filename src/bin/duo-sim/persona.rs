//! The users that the simulator knows and their devices: from a YAML file, from the control
//! interface, or the built-in cast.

use serde::{Deserialize, Serialize};

use crate::random;
use crate::transaction::Action;

/// A user as described by a YAML file or the control interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) user_id: String,
    /// Other names of the same user.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    #[serde(default)]
    pub(crate) status: UserStatus,
    #[serde(default)]
    pub(crate) devices: Vec<Device>,
    /// The number of digits of the code that a push requires; `None` for a plain push.
    #[serde(default)]
    pub(crate) verified_push: Option<usize>,
    /// Whether an approval comes with a token that makes the next preauth return `allow`.
    #[serde(default)]
    pub(crate) remembered_devices: bool,
    /// Codes of the app or hardware token; each works any number of times.
    #[serde(default)]
    pub(crate) passcodes: Vec<String>,
    /// Codes from the help desk; each works once.
    #[serde(default)]
    pub(crate) bypass_codes: Vec<String>,
    /// Codes of the last text message; each works once.
    #[serde(default)]
    pub(crate) sms_codes: Vec<String>,
    /// The user's automatic answer to every push and call.
    #[serde(default)]
    pub(crate) auto: Option<AutoAnswer>,
    /// Failed attempts since the last success.
    #[serde(default)]
    pub(crate) failures: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserStatus {
    #[default]
    Active,
    /// Skips the second factor.
    Bypass,
    /// Denied by a policy.
    Denied,
    LockedOut,
    /// Known only by name: preauth asks for enrollment.
    NotEnrolled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    /// If absent, derived from the user's name and the device's position.
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: DeviceKind,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) platform: String,
    #[serde(default)]
    pub(crate) number: String,
    /// The capabilities while Duo Mobile works.
    #[serde(default)]
    pub(crate) capabilities: Vec<Capability>,
    /// Duo Mobile on it is not activated for this user.
    #[serde(default, rename = "deactivated")]
    pub(crate) is_deactivated: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeviceKind {
    #[default]
    Phone,
    Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    Auto,
    Push,
    Sms,
    Phone,
    MobileOtp,
}

/// An answer that is given after `after_ms` milliseconds, as if someone had pressed the button.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct AutoAnswer {
    pub(crate) answer: Action,
    #[serde(default)]
    pub(crate) after_ms: u64,
}

/// A complete YAML file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cast {
    users: Vec<User>,
}

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CastError {
    #[error("can't read the users file: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("the users file is not valid: {0}")]
    Invalid(#[from] serde_saphyr::Error),
}

/// The users of a YAML text.
pub(crate) fn parse(text: &str) -> Result<Vec<User>, CastError> {
    let cast: Cast = serde_saphyr::from_str(text)?;
    Ok(cast.users.into_iter().map(User::completed).collect())
}

/// The cast that is used without a file.
pub(crate) fn built_in() -> Result<Vec<User>, CastError> {
    parse(include_str!("personas.yaml"))
}

impl User {
    /// Fills in identifiers. They depend only on the name, so they are the same in every run.
    pub(crate) fn completed(mut self) -> Self {
        if self.user_id.is_empty() {
            self.user_id = random::identifier_of("DU", &self.username);
        }
        for (position, device) in self.devices.iter_mut().enumerate() {
            if device.id.is_empty() {
                let prefix = match device.kind {
                    DeviceKind::Phone => "DP",
                    DeviceKind::Token => "DH",
                };
                device.id = random::identifier_of(prefix, &format!("{}/{position}", self.username));
            }
        }
        self
    }

    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.username == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The device with this id, if it has the `capability`; with `auto`, the first device that has
    /// it.
    pub(crate) fn device(&self, choice: &str, capability: Capability) -> Option<&Device> {
        self.devices
            .iter()
            .filter(|device| choice == "auto" || device.id == choice)
            .find(|device| device.abilities().any(|ability| ability == capability))
    }
}

impl Device {
    /// The present capabilities. A phone without Duo Mobile still receives calls and texts.
    pub(crate) fn abilities(&self) -> impl Iterator<Item = Capability> {
        let takes_calls = self.capabilities.contains(&Capability::Phone);
        self.capabilities.iter().copied().filter(move |capability| match capability {
            Capability::Push | Capability::MobileOtp => !self.is_deactivated,
            Capability::Auto => !self.is_deactivated || takes_calls,
            Capability::Sms | Capability::Phone => true,
        })
    }

    /// Whether Duo Mobile is installed, activated or not.
    pub(crate) fn runs_duo_mobile(&self) -> bool {
        self.capabilities.contains(&Capability::Push)
    }

    /// The name to show: "iOS (XXX-XXX-1234)".
    pub(crate) fn display_name(&self) -> String {
        let label = if self.name.is_empty() { &self.platform } else { &self.name };
        if self.number.is_empty() { label.clone() } else { format!("{label} ({})", self.number) }
    }
}
