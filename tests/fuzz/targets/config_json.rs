//! A configuration as JSON text.

use crate::rig::{CLIENT_SECRET, COOKIE_KEY, SECRET_KEY};
use duo_mfa::config::Config;
use duo_mfa::gate::Gate;

pub(crate) fn target(bytes: &[u8]) {
    if let Some(config) = read(bytes) {
        let gate = Gate::new(config);
        assert!(gate.config().path_prefix.starts_with('/'));
    }
}

/// The configuration, if it has no faults. Faults say what is wrong, and show no secret.
fn read(bytes: &[u8]) -> Option<Config> {
    match Config::parse(bytes, &environment) {
        Ok(config) => Some(config),
        Err(faults) => {
            assert!(faults.iter().next().is_some());
            assert!(faults.iter().all(|fault| !fault.problem.is_empty() && !fault.fix.is_empty()));
            let text = faults.to_string();
            let secrets = [CLIENT_SECRET, COOKIE_KEY, SECRET_KEY];
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
            None
        }
    }
}

pub(super) fn environment(name: &str) -> Option<String> {
    match name {
        "DUO_CLIENT_SECRET" => Some(CLIENT_SECRET.to_owned()),
        "DUO_SECRET_KEY" => Some(SECRET_KEY.to_owned()),
        "DUO_MFA_COOKIE_KEY" => Some(COOKIE_KEY.to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}
