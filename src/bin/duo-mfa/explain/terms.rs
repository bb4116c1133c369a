//! The decision about a request in words: rule, policy, and the terms of the second factor.

use duo_mfa::config::{ApiMode, Application, Config};
use duo_mfa::factor::Factor;
use duo_mfa::policy::{FailMode, Policy, Ruled};
use duo_mfa::session::ApprovedBy;
use serde_json::{Map, Value};
use std::time::Duration;

/// Names and values, in the order in which they are printed.
pub(super) type Terms = Vec<(&'static str, String)>;

pub(super) fn terms(config: &Config, ruled: Ruled<'_>) -> Terms {
    let Ruled { policy, rule, terms } = ruled;
    let rule = match rule {
        Some(number) => format!("{number}, access_control.rules[{number}]"),
        None => "none, access_control.default_policy".to_owned(),
    };
    let mut all = vec![("rule", rule), ("policy", policy.name().to_owned())];
    match policy {
        Policy::Bypass | Policy::Deny => {}
        Policy::TwoFactor => {
            let Application { name, duo, .. } = config.applications.under(terms);
            let accepted = terms.factors.as_ref().or(duo.accepted.as_ref());
            let factors = accepted.map_or(Factor::ALL.as_slice(), |accepted| &accepted.factors);
            let mut names: Vec<_> = factors.iter().map(|factor| factor.name()).collect();
            let webauthn =
                duo.universal().is_some() && accepted.is_none_or(|accepted| accepted.webauthn);
            names.extend(webauthn.then_some(ApprovedBy::Webauthn.name()));
            let fail_mode = match terms.fail_mode.unwrap_or(duo.fail_mode) {
                FailMode::Secure => "secure",
                FailMode::Safe => "safe",
            };
            let mut add = |name, value: &str| all.push((name, value.to_owned()));
            if let Some(name) = name {
                add("application", name);
            }
            add("factors", &names.join(", "));
            if duo.universal().is_some() && !terms.is_per_request {
                add("prompt", "universal");
            }
            if terms.is_per_request {
                add("approval", "per_request");
            }
            if let Some(approvers) = &terms.approvers {
                let names: Vec<_> = approvers.iter().map(|it| it.user.as_str()).collect();
                add("approvers", &names.join(", "));
            }
            if let Some(per_client) = terms.per_client {
                add("approval", &format!("per client, for {}", seconds(per_client.lasts)));
            }
            let is_for_browsers = duo.credentials().is_none();
            match terms.api_mode {
                Some(ApiMode::Hold) => add("api_mode", "hold"),
                Some(ApiMode::Refuse) => add("api_mode", "refuse"),
                None if is_for_browsers => add("api_mode", "refuse"),
                None => {}
            }
            if is_for_browsers {
                add("auth_api", "none, so only browsers can sign in, at Duo's page");
            }
            add("max_age", &terms.max_age.map_or_else(|| "none".to_owned(), seconds));
            add("fail_mode", fail_mode);
        }
    }
    all
}

/// The terms for programs, as they are for people except the rule and the lists.
pub(super) fn json(ruled: Ruled<'_>, terms: &Terms) -> Value {
    let value = |(name, text): &(&str, String)| {
        let value = match *name {
            "rule" => ruled.rule.map_or(Value::Null, Value::from),
            "factors" | "approvers" => text.split(", ").collect(),
            _ => Value::from(text.as_str()),
        };
        ((*name).to_owned(), value)
    };
    Value::Object(terms.iter().map(value).collect::<Map<_, _>>())
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}
