//! Reads secrets from the environment. The configuration only names their variables.

use super::error::{Code, Fault, Faults, echo};
use super::keys;
use super::reader::{Entry, Section};
use crate::secret::Secret;

/// The source of secrets.
pub(super) struct Secrets<'e> {
    pub(super) environment: &'e dyn Fn(&str) -> Option<String>,
    /// Whether a secret may be in the configuration itself, which `/config_dump` shows.
    pub(super) inline_is_allowed: bool,
}

impl Secrets<'_> {
    /// The secret that an entry names, as in `{"env": "DUO_SECRET_KEY"}`.
    pub(super) fn read(&self, entry: &Entry<'_>, faults: &mut Faults) -> Option<Secret<String>> {
        if entry.is_text() {
            return faults.keep(self.inline(entry));
        }
        let reference = Section::open(entry, keys::SECRET, faults);
        let fix = "name the environment variable, as in {\"env\": \"DUO_SECRET_KEY\"}";
        reference.require("env", fix, faults, |name| self.variable(entry, name.text()?))
    }

    fn inline(&self, entry: &Entry<'_>) -> Result<Secret<String>, Fault> {
        if self.inline_is_allowed {
            return Ok(Secret::new(entry.text()?.to_owned()));
        }
        Err(entry.fault(
            Code::InlineSecret,
            "is a secret in plain text, which Envoy's /config_dump shows",
            "name an environment variable, as in {\"env\": \"DUO_SECRET_KEY\"}, and list it in the \
             plugin's host_env_keys (for a demo only: \"allow_inline_secrets\": true)",
        ))
    }

    fn variable(&self, entry: &Entry<'_>, name: &str) -> Result<Secret<String>, Fault> {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty()
            || name.starts_with(|first: char| first.is_ascii_digit())
            || !name.bytes().all(is_name_byte)
        {
            return Err(entry.fault(
                Code::InvalidVariable,
                "is not the name of an environment variable",
                "write its name, of letters, digits and \"_\"",
            ));
        }
        match (self.environment)(name) {
            Some(value) if !value.is_empty() => Ok(Secret::new(value)),
            found => {
                let what = if found.is_some() { "empty" } else { "not set" };
                Err(entry.fault(
                    Code::MissingVariable,
                    format!("the environment variable{} is {what}", shown(name)),
                    "set it where Envoy runs, and list it in the plugin's host_env_keys",
                ))
            }
        }
    }
}

/// Whether a text in the place of a variable's name may be the secret itself: it has lower-case
/// letters, so messages must not repeat it.
#[must_use]
pub fn may_be_a_secret(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The variable's name, unless it may be a secret in the wrong place.
fn shown(name: &str) -> String {
    if may_be_a_secret(name) {
        " (not shown, since it may be the secret itself)".to_owned()
    } else {
        format!(" {}", echo(name))
    }
}
