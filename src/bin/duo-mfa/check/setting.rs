//! Settings that are allowed, but should not be deployed.

use super::Subject;
use super::warning::{Code, Warning};
use crate::environment::Environment;
use crate::value::is_set;
use duo_mfa::config::{Config, Mode};
use duo_mfa::policy::Policy;
use duo_mfa::secret::Secret;

/// The characters of a secret key.
const SECRET_KEY: usize = 40;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(config) = subject.config {
        warnings.extend(nobody_is_asked(config));
        let hosts = config.applications.iter().map(|it| it.duo.api_host().as_str());
        warnings.extend(hosts.filter_map(host_of_no_api));
        let mut secrets =
            config.applications.iter().filter_map(|it| Some(&it.duo.credentials()?.secret_key));
        let is_odd = |secret: &&Secret<String>| {
            let secret = secret.expose();
            secret.len() != SECRET_KEY && Environment::missing(subject.absent, secret).is_none()
        };
        warnings.extend(secrets.find(is_odd).map(secret_key_length));
    }
    if is_set(subject.written, &["allow_inline_secrets"]) {
        warnings.push(Warning::new(
            Code::InlineSecretsAllowed,
            "allow_inline_secrets is for demos: Envoy's /config_dump shows the configuration",
            "name environment variables, as in {\"env\": \"DUO_SECRET_KEY\"}",
        ));
    }
    warnings
}

fn secret_key_length(secret: &Secret<String>) -> Warning {
    let length = secret.expose().len();
    let problem = format!("a secret key has {length} characters, and Duo's have {SECRET_KEY}");
    let fix = "copy \"Secret key\" anew from the application's page in Duo's admin panel";
    Warning::new(Code::SecretKeyLength, problem, fix)
}

fn nobody_is_asked(config: &Config) -> Option<Warning> {
    let asks = |policy| policy == Policy::TwoFactor;
    let mut policies = config.policies.rules.iter().map(|rule| rule.policy);
    let (problem, fix) = match config.mode {
        Mode::ReportOnly | Mode::Off => (
            "mode lets every request pass, with or without an approval",
            "write \"enforce\", or leave the key out, as soon as you have tried the rules",
        ),
        Mode::Enforce if asks(config.policies.default) || policies.any(asks) => return None,
        Mode::Enforce => (
            "neither a rule nor access_control.default_policy asks for a second factor",
            "write \"two_factor\" as default_policy, or leave the key out",
        ),
    };
    Some(Warning::new(Code::NobodyIsAsked, problem, fix))
}

/// Reports a host of Duo's that is not an API host: the admin panel and other services have similar
/// names.
fn host_of_no_api(host: &str) -> Option<Warning> {
    let is_another = host.ends_with(".duosecurity.com") && !host.starts_with("api-");
    is_another.then(|| {
        let problem = format!("duo.api_host is {host}, but Duo's API hosts begin with \"api-\"");
        let fix = "copy \"API hostname\" from the application's page in Duo's admin panel";
        Warning::new(Code::HostOfNoApi, problem, fix)
    })
}
