//! Whether each person's phone has exactly one set of limits.

use super::Subject;
use super::native;
use super::warning::{Code, Warning};
use crate::plugin::Plugin;
use crate::value::{at, list_at, text_at};
use serde_json::Value;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    [names_are_joined(subject.written), limits_are_apart(subject)].into_iter().flatten().collect()
}

/// Reports that `alice@a.example` and `alice@b.example` become one user at Duo, even if they are
/// two people.
fn names_are_joined(written: &Value) -> Option<Warning> {
    let template = text_at(written, &["identity", "username"])?;
    let mut steps = list_at(written, &["identity", "normalize"]).iter();
    let strips = steps.any(|step| step.get("strip_domain").is_some());
    (template.contains("{local}") && !template.contains("{domain}") && !strips).then(|| {
        Warning::new(
            Code::NamesJoined,
            "identity.username gives names of different domains one Duo user: alice@a.example and \
             alice@b.example share approvals on one phone",
            "list your domains in {\"strip_domain\": [...]} of identity.normalize, which refuses \
             names of others",
        )
    })
}

/// Reports another configuration in the document that uses the same Duo account, but another table
/// of limits, or another key for it.
fn limits_are_apart(subject: &Subject<'_>) -> Option<Warning> {
    let own = subject.written;
    let host = api_host(own)?;
    let plugins = Plugin::all(subject.document);
    let of_account = plugins.iter().filter(|other| {
        other.configuration.value().is_some_and(|written| api_host(&written) == Some(host))
    });
    let (other, how, fix) = of_account.into_iter().find_map(|other| {
        let written = other.configuration.value()?;
        if key(&written) != key(own) {
            Some((other, "with another secret key", "set the same limits.key in both"))
        } else if native::are_tables_apart(subject.host, other.host) {
            let fix = "load both from the same path, or both as wasm modules";
            Some((other, "from another copy of the module", fix))
        } else {
            None
        }
    })?;
    let problem = format!(
        "another configuration ({}) calls {host} {how}, so the two do not share limits: a phone can \
         ring twice as often",
        other.place
    );
    Some(Warning::new(Code::LimitsApart, problem, fix))
}

fn api_host(written: &Value) -> Option<&str> {
    ["api_host", "hostname", "host"].iter().find_map(|key| text_at(written, &["duo", key]))
}

/// The value that the key of the limits is derived from. Two applications at Duo never have the
/// same secret key.
fn key(written: &Value) -> Option<&Value> {
    let given = at(written, &["limits", "key"]).filter(|key| *key != "duo");
    let of_auth_api = || ["secret_key", "skey"].iter().find_map(|key| at(written, &["duo", key]));
    let of_web_sdk = || {
        let keys = ["client_secret", "secret_key", "skey"];
        keys.iter().find_map(|key| at(written, &["duo", "universal", key]))
    };
    given.or_else(of_auth_api).or_else(of_web_sdk)
}
