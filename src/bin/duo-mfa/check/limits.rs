//! Whether each person's phone has exactly one set of limits.

use super::Subject;
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

/// Reports another configuration in the document that uses the same Duo account, but another key
/// for the limits.
fn limits_are_apart(subject: &Subject<'_>) -> Option<Warning> {
    let own = subject.written;
    let host = api_host(own)?;
    let plugins = Plugin::all(subject.document);
    let other = plugins.iter().find(|other| {
        let written = other.configuration.value();
        written.is_some_and(|it| api_host(&it) == Some(host) && key(&it) != key(own))
    })?;
    let problem = format!(
        "another configuration ({}) calls {host} with another secret key, so the two do not share \
         limits: a phone can ring twice as often",
        other.place
    );
    Some(Warning::new(Code::LimitsApart, problem, "set the same limits.key in both"))
}

fn api_host(written: &Value) -> Option<&str> {
    ["api_host", "hostname", "host"].iter().find_map(|key| text_at(written, &["duo", key]))
}

/// The value that the key of the limits is derived from. Two applications at Duo never have the
/// same secret key.
fn key(written: &Value) -> Option<&Value> {
    let given = at(written, &["limits", "key"]).filter(|key| *key != "duo");
    given.or_else(|| ["secret_key", "skey"].iter().find_map(|key| at(written, &["duo", key])))
}
