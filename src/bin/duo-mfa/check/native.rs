//! A native module needs a file that is there, a path for each version, and values that a dynamic
//! module can read.

use super::Subject;
use super::mesh;
use super::warning::{Code, Warning};
use crate::plugin::{Form, Host};
use crate::value::{at, is_set, list_at, text_at};
use duo_mfa::policy::Criterion;
use serde_json::Value;

/// The deepest path in the metadata that a dynamic module can read: a filter, and one key.
const REACHABLE: usize = 2;
/// The fewest hexadecimal digits in a row that count as a part of a hash.
const OF_HASH: usize = 8;
/// The fewest digits of a date, or of a number of a build.
const OF_BUILD: usize = 4;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let (config, is_gateway) = match subject.host {
        Host::Envoy { plugin, form: Form::Native, .. } => {
            (at(plugin, &["dynamic_module_config"]), false)
        }
        Host::Gateway { plugin, form: Form::Native } => (registered(subject, plugin), true),
        Host::Nothing
        | Host::Istio { .. }
        | Host::Envoy { form: Form::Wasm, .. }
        | Host::Gateway { form: Form::Wasm, .. } => return Vec::new(),
    };
    let mut warnings = Vec::new();
    if let Some(config) = config {
        warnings.extend(if is_gateway { of_registered(config) } else { of_envoy(config) });
    }
    warnings.extend(not_reachable(subject));
    warnings
}

/// The data in memory that other configurations of the same module share: that of a VM's id, or that
/// of a library. Two paths of one library are two libraries.
pub(super) fn state(host: Host<'_>) -> Option<(Form, Option<&str>)> {
    let Host::Envoy { plugin, form, .. } = host else { return None };
    let name = match form {
        Form::Wasm => text_at(plugin, &["vm_config", "vm_id"]),
        Form::Native => path(at(plugin, &["dynamic_module_config"])?),
    };
    Some((form, name))
}

/// Whether a native module is one of the two, and not the other one's.
pub(super) fn are_tables_apart(one: Host<'_>, other: Host<'_>) -> bool {
    let (Some(one), Some(other)) = (state(one), state(other)) else { return false };
    one != other && (one.0 == Form::Native || other.0 == Form::Native)
}

/// The path of a module in Envoy's configuration, or the name by which Envoy looks for it.
fn path(config: &Value) -> Option<&str> {
    let path = text_at(config, &["module", "local", "filename"]);
    path.or_else(|| text_at(config, &["name"]))
}

/// Envoy Gateway's entry for the module, if the files have it.
fn registered<'s>(subject: &Subject<'s>, plugin: &Value) -> Option<&'s Value> {
    let name = text_at(plugin, &["name"])?;
    let mut modules = mesh::objects(subject.documents, "EnvoyProxy")
        .flat_map(|proxy| list_at(proxy, &["spec", "dynamic_modules"]));
    modules.find(|module| text_at(module, &["name"]) == Some(name))
}

fn of_registered(module: &Value) -> Option<Warning> {
    if at(module, &["source", "remote"]).is_some() {
        return Some(fails_open(
            "write `type: Local` and a path in `source`: Envoy Gateway cannot have Envoy refuse the \
             configuration instead",
        ));
    }
    without_version(text_at(module, &["source", "local", "path"])?)
}

fn of_envoy(config: &Value) -> Option<Warning> {
    if at(config, &["module", "remote"]).is_some() {
        let is_refused = is_set(config, &["nack_on_cache_miss"]);
        let fix = "write `nack_on_cache_miss: true` beside it, or take the module from a file with \
                   `module.local`";
        return (!is_refused).then(|| fails_open(fix));
    }
    without_version(path(config)?)
}

fn fails_open(fix: &'static str) -> Warning {
    let problem = "if Envoy cannot download the module, it leaves the filter out, and every request \
                   passes without a second factor";
    Warning::new(Code::ModuleFailsOpen, problem, fix)
}

fn without_version(path: &str) -> Option<Warning> {
    let is_versioned = path.split('/').any(has_version);
    (!is_versioned).then(|| {
        let problem = format!(
            "the path of the module ({path}) has no version in it: Envoy does not load a new file of \
             that path before it is restarted, and overwriting the file ends Envoy"
        );
        let fix = "use a path for each version, as /opt/duo-mfa/0.1.0/libduo_mfa.so";
        Warning::new(Code::ModulePathWithoutVersion, problem, fix)
    })
}

/// Whether a part of a path has a version in it, as `0.1.0` or `v2`, or a date, a number of a build,
/// or part of a hash.
fn has_version(part: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let words = part.split(|it: char| !it.is_ascii_alphanumeric() && it != '.');
    let mut words = words.map(|word| word.strip_suffix(".so").unwrap_or(word));
    words.any(|word| {
        let has_digit = word.bytes().any(|it| it.is_ascii_digit());
        let is_hash = word.len() >= OF_HASH && word.bytes().all(|it| it.is_ascii_hexdigit());
        let numbers = word.strip_prefix('v').unwrap_or(word);
        let mut digits = numbers.split('.').take(2);
        let is_release = digits.all(is_number) && (numbers.contains('.') || numbers != word);
        let is_build = is_number(word) && word.len() >= OF_BUILD;
        is_release || is_build || is_hash && has_digit
    })
}

/// The parts of the metadata that the module refuses to start with.
fn not_reachable(subject: &Subject<'_>) -> Vec<Warning> {
    let Some(config) = subject.config else { return Vec::new() };
    let identity = at(subject.written, &["identity"]).unwrap_or(&Value::Null);
    let mut places = Vec::new();
    if config.identity.attribute().is_some() {
        places.push(("identity.metadata".to_owned(), list_at(identity, &["metadata"])));
    }
    if config.policies.mentions(Criterion::Groups) {
        let path = list_at(identity, &["groups", "metadata"]);
        places.push(("identity.groups.metadata".to_owned(), path));
    }
    let bound = list_at(subject.written, &["session", "bind"]).iter().enumerate();
    places.extend(bound.map(|(index, entry)| {
        (format!("session.bind[{index}].metadata"), list_at(entry, &["metadata"]))
    }));
    let too_deep = places.into_iter().filter(|(_, path)| path.len() > REACHABLE);
    too_deep.map(|(place, path)| refused(&path_of(path)).at(place)).collect()
}

fn path_of(path: &[Value]) -> String {
    path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" > ")
}

fn refused(path: &str) -> Warning {
    let problem = format!(
        "the native module reads one key of a filter's metadata, and {path} is deeper: it will refuse \
         the configuration"
    );
    let fix = "have jwt_authn copy the claim into a header (claim_to_headers) and write `source: \
               header`, or a Lua filter copy it to such a key, or load the filter as a wasm module";
    Warning::new(Code::MetadataNotReachable, problem, fix).cannot_work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_a_path_is_recognized() {
        for (path, expected) in [
            ("/opt/duo-mfa/0.1.0/libduo_mfa.so", true),
            ("/opt/duo-mfa/v2/libduo_mfa.so", true),
            ("/opt/libduo_mfa-1.2.so", true),
            ("/opt/libduo_mfa_20261130.so", true),
            ("/opt/2026-11-30/libduo_mfa.so", true),
            ("/opt/8d3f21ac77/libduo_mfa.so", true),
            ("/opt/duo-mfa/libduo_mfa.so", false),
            ("/usr/lib64/x86_64-linux-gnu/libduo_mfa.so", false),
            ("/opt/envoy1/libduo_mfa.so", false),
            ("duo_mfa", false),
            ("duo_mfa_0.1.0", true),
            ("/deadbeef/libduo_mfa.so", false),
        ] {
            assert_eq!(path.split('/').any(has_version), expected, "{path}");
        }
    }
}
