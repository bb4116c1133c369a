//! The environment variables that a configuration takes its secrets from. They are set where Envoy
//! runs, and seldom here.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::plugin::Configuration;
use crate::value::{each, text_at};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use duo_mfa::config::{Config, ConfigFaults, may_be_a_secret};
use sha2::{Digest as _, Sha256};

/// The keys of a configuration under which Duo's secrets are.
const SECRETS: [&str; 3] = ["secret_key", "skey", "client_secret"];
/// The characters of a secret of Duo. A cookie key has more.
const DUO_SECRET: usize = 40;

/// Variables of a file and of this process.
pub(crate) struct Environment {
    of_file: BTreeMap<String, String>,
    absent: RefCell<BTreeSet<String>>,
    /// The variables that a secret of Duo comes from, in the configuration that is being read.
    of_duo: RefCell<BTreeSet<String>>,
}

/// A file of variables that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvironmentError {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: line {line} is not NAME=VALUE", path.display())]
    NoAssignment { path: PathBuf, line: usize },
}

impl Environment {
    /// The variables of a file with one `NAME=VALUE` a line, and after them those of this process.
    /// # Errors
    ///
    /// [`EnvironmentError`] if the file cannot be read, or a line has another form.
    pub(crate) fn new(file: Option<&Path>) -> Result<Self, EnvironmentError> {
        let of_file = file.map(variables).transpose()?.unwrap_or_default();
        Ok(Self { of_file, absent: RefCell::default(), of_duo: RefCell::default() })
    }

    /// The value of a variable. One that is not set here may be set where Envoy runs, so it gets a
    /// substitute that is valid as a secret of Duo or as a cookie key; each name gets a different
    /// one.
    fn value(&self, name: &str) -> String {
        let value = self.of_file.get(name).cloned().or_else(|| std::env::var(name).ok());
        value.unwrap_or_else(|| {
            self.absent.borrow_mut().insert(name.to_owned());
            let mut stand_in = Self::stand_in(name);
            if self.of_duo.borrow().contains(name) {
                stand_in.truncate(DUO_SECRET);
            }
            stand_in
        })
    }

    /// Reads a plugin configuration with these variables.
    ///
    /// # Errors
    ///
    /// All faults of the configuration.
    pub(crate) fn config(&self, configuration: &Configuration<'_>) -> Result<Config, ConfigFaults> {
        let mut of_duo = BTreeSet::new();
        each(&configuration.value().unwrap_or_default(), &mut |value| {
            let secrets = SECRETS.iter().filter_map(|key| text_at(value, &[*key, "env"]));
            of_duo.extend(secrets.map(str::to_owned));
        });
        self.of_duo.replace(of_duo);
        Config::parse(&configuration.bytes(), &|name| Some(self.value(name)))
    }

    /// The substitute for a variable that is not set here.
    fn stand_in(name: &str) -> String {
        STANDARD.encode(Sha256::digest(name))
    }

    /// The name of the variable that a secret should have come from, if it is not set here.
    pub(crate) fn missing<'n>(absent: &'n BTreeSet<String>, secret: &str) -> Option<&'n str> {
        let is_stand_in = |stand_in: &str| {
            stand_in == secret || stand_in.get(..DUO_SECRET).is_some_and(|it| it == secret)
        };
        let name = absent.iter().find(|name| is_stand_in(&Self::stand_in(name)));
        name.map(|name| printable(name))
    }

    /// Takes the names of the requested variables that are not set here.
    pub(crate) fn take_absent(&self) -> BTreeSet<String> {
        self.absent.take()
    }
}

/// A variable's name as it may be printed. A name with lower-case letters may be the secret itself,
/// written in the wrong place.
pub(crate) fn printable(name: &str) -> &str {
    if may_be_a_secret(name) {
        "(not repeated, as it has lower-case letters and may be the secret itself)"
    } else {
        name
    }
}

fn variables(path: &Path) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let text = fs::read_to_string(path)
        .map_err(|error| EnvironmentError::Unreadable { path: path.to_owned(), error })?;
    let mut variables = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            let line = index.saturating_add(1);
            return Err(EnvironmentError::NoAssignment { path: path.to_owned(), line });
        };
        variables.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(variables)
}

fn unquoted(value: &str) -> &str {
    let between = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    between('"').or_else(|| between('\'')).unwrap_or(value)
}
