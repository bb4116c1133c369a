//! A configuration as JSON text.

use crate::rig::{CLIENT_SECRET, COOKIE_KEY, SECRET_KEY};
use duo_mfa::config::Config;
use duo_mfa::gate::Gate;
use serde_json::Value;

pub(crate) fn target(bytes: &[u8]) {
    if let Some(config) = read(bytes) {
        let gate = Gate::new(config);
        assert!(gate.config().path_prefix.starts_with('/'));
    }
}

/// The members whose values are secrets; `skey` is another name of the first one.
const SECRET_MEMBERS: [&str; 4] = ["secret_key", "skey", "client_secret", "keys"];

/// The configuration, if it has no faults. Faults say what is wrong, and show no secret, unless the
/// configuration has it where no secret belongs: they name keys, and show other values.
fn read(bytes: &[u8]) -> Option<Config> {
    match Config::parse(bytes, &environment) {
        Ok(config) => Some(config),
        Err(faults) => {
            assert!(faults.iter().next().is_some());
            assert!(faults.iter().all(|fault| !fault.problem.is_empty() && !fault.fix.is_empty()));
            let text = faults.to_string();
            let secrets = [CLIENT_SECRET, COOKIE_KEY, SECRET_KEY];
            let input: Value = serde_json::from_slice(bytes).unwrap_or_default();
            let is_shown =
                |secret: &&&str| text.contains(**secret) && !is_in_the_open(&input, secret);
            assert_eq!(secrets.iter().find(is_shown), None, "{text}");
            None
        }
    }
}

fn is_in_the_open(value: &Value, secret: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let is_secret = SECRET_MEMBERS.contains(&key.as_str());
            key.contains(secret) || !is_secret && is_in_the_open(value, secret)
        }),
        Value::Array(items) => items.iter().any(|item| is_in_the_open(item, secret)),
        Value::String(text) => text.contains(secret),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
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
