//! The configuration of a rig, and the environment that its variables come from.

use super::{
    ASSERTION_KEY, CLIENT_SECRET, COOKIE_KEY, LIMITS_KEY, NEXT_ASSERTION_KEY, OTHER_CLIENT_SECRET,
    OTHER_COOKIE_KEY, OTHER_SECRET_KEY, SECRET_KEY, overlay,
};
use duo_mfa::config::{Config, ConfigFaults};
use serde_json::{Value, json};

/// The minimal configuration, overlaid with `changes`; `null` takes a member out.
pub(crate) fn configured(changes: Value) -> Result<Config, ConfigFaults> {
    let mut config = json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
            "secret_key": {"env": "DUO_SECRET_KEY"},
            "cluster": "duo_api",
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
    });
    overlay(&mut config, changes);
    let environment = |name: &str| match name {
        "DUO_SECRET_KEY" => Some(SECRET_KEY.to_owned()),
        "OTHER_SECRET_KEY" => Some(OTHER_SECRET_KEY.to_owned()),
        "DUO_CLIENT_SECRET" => Some(CLIENT_SECRET.to_owned()),
        "OTHER_CLIENT_SECRET" => Some(OTHER_CLIENT_SECRET.to_owned()),
        "DUO_MFA_COOKIE_KEY" => Some(COOKIE_KEY.to_owned()),
        "DUO_MFA_OTHER_COOKIE_KEY" => Some(OTHER_COOKIE_KEY.to_owned()),
        "DUO_MFA_ASSERTION_KEY" => Some(ASSERTION_KEY.to_owned()),
        "DUO_MFA_NEXT_ASSERTION_KEY" => Some(NEXT_ASSERTION_KEY.to_owned()),
        "DUO_MFA_LIMITS_KEY" => Some(LIMITS_KEY.to_owned()),
        _ => None,
    };
    Config::parse(config.to_string().as_bytes(), &environment)
}
