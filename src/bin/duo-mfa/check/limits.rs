//! Whether one person's phone has one set of limits.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::Plugin;
use crate::value::{at, list_at, text_at};
use serde_json::Value;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    [names_are_joined(subject.written), limits_are_apart(subject)].into_iter().flatten().collect()
}

/// `alice@a.example` and `alice@b.example` become one user at Duo, whoever they are.
fn names_are_joined(written: &Value) -> Option<Warning> {
    let template = text_at(written, &["identity", "username"])?;
    let mut steps = list_at(written, &["identity", "normalize"]).iter();
    let strips = steps.any(|step| step.get("strip_domain").is_some());
    (template.contains("{local}") && !template.contains("{domain}") && !strips).then(|| {
        Warning::new(
            Code::NamesJoined,
            "identity.username makes one user of Duo's of a name in every domain: alice@a.example \
             and alice@b.example share approvals on one phone",
            "list your domains in {\"strip_domain\": [...]} of identity.normalize, which refuses \
             names of others",
        )
    })
}

/// Another configuration of the document that asks the same account under another key.
fn limits_are_apart(subject: &Subject<'_>) -> Option<Warning> {
    let own = subject.written;
    let host = api_host(own)?;
    let plugins = Plugin::all(subject.document);
    let other = plugins.iter().find(|other| {
        let written = other.configuration.value();
        written.is_some_and(|it| api_host(&it) == Some(host) && key(&it) != key(own))
    })?;
    let problem = format!(
        "another configuration ({}) asks {host} with another secret key: each has limits of its \
         own, so a phone rings twice as often",
        other.place
    );
    Some(Warning::new(Code::LimitsApart, problem, "give both the same limits.key"))
}

fn api_host(written: &Value) -> Option<&str> {
    ["api_host", "hostname", "host"].iter().find_map(|key| text_at(written, &["duo", key]))
}

/// What the key of the limits comes from: two applications at Duo never have one secret key.
fn key(written: &Value) -> Option<&Value> {
    let given = at(written, &["limits", "key"]).filter(|key| *key != "duo");
    given.or_else(|| ["secret_key", "skey"].iter().find_map(|key| at(written, &["duo", key])))
}
