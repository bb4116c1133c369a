//! What is allowed in a configuration, and should not be in one that is deployed.

use super::Subject;
use super::warning::{Code, Warning};
use crate::value::is_set;
use duo_mfa::config::Mode;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match subject.config.map(|config| config.mode) {
        Some(Mode::Enforce) | None => {}
        Some(Mode::ReportOnly | Mode::Off) => warnings.push(Warning::new(
            Code::NobodyIsAsked,
            "mode lets every request pass, whoever sends it",
            "write \"enforce\", or leave the key out, once the rules are tried",
        )),
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
