//! How the host runs the module: what happens when it is down, and which variables it may read. A
//! native module is never down, reads all variables, and may hold every request.

use super::Subject;
use super::warning::{Code, Warning};
use crate::environment::printable;
use crate::plugin::{Chain, Form, Host};
use crate::value::{at, each, is_set, list_at, member, text_at};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(failure(subject.host));
    warnings.extend(variables(subject));
    warnings.extend(bodies(subject));
    warnings.extend(address(subject));
    warnings
}

/// The treatment of requests while the module is down.
fn failure(host: Host<'_>) -> Option<Warning> {
    let (is_open, reloads, fix) = match host {
        Host::Nothing
        | Host::Envoy { form: Form::Native, .. }
        | Host::Gateway { form: Form::Native, .. } => return None,
        Host::Envoy { plugin, form: Form::Wasm, .. } => {
            let policy = text_at(plugin, &["failure_policy"]);
            let is_open = is_set(plugin, &["fail_open"]) || policy == Some("FAIL_OPEN");
            (is_open, policy == Some("FAIL_RELOAD"), "write `failure_policy: FAIL_RELOAD`")
        }
        Host::Istio { plugin, .. } => {
            let strategy = text_at(plugin, &["fail_strategy"]);
            let reloads = strategy == Some("FAIL_RELOAD");
            (strategy == Some("FAIL_OPEN"), reloads, "write `failStrategy: FAIL_RELOAD`")
        }
        // Envoy Gateway has no setting to reload the module.
        Host::Gateway { plugin, form: Form::Wasm } => {
            (is_set(plugin, &["fail_open"]), true, "remove `failOpen: true`")
        }
    };
    if is_open {
        let problem = "while the module is down, every request passes without a second factor";
        return Some(Warning::new(Code::FailsOpen, problem, fix));
    }
    let problem =
        "after its module crashed, a worker refuses every request until Envoy is restarted";
    (!reloads).then(|| Warning::new(Code::FailsForGood, problem, fix))
}

/// Compares the variables that the configuration names with those that the module may read.
fn variables(subject: &Subject<'_>) -> Vec<Warning> {
    let (passed, written, fix) = match subject.host {
        Host::Nothing
        | Host::Envoy { form: Form::Native, .. }
        | Host::Gateway { form: Form::Native, .. } => return Vec::new(),
        Host::Envoy { plugin, form: Form::Wasm, .. } => {
            let variables = at(plugin, &["vm_config", "environment_variables"]);
            let variables = variables.unwrap_or(&Value::Null);
            let written = member(variables, "key_values").and_then(Value::as_object);
            let passed = texts(list_at(variables, &["host_env_keys"]));
            let written = written.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            (passed, written, "list it in vm_config.environment_variables.host_env_keys")
        }
        Host::Istio { plugin, .. } => {
            let variables = list_at(plugin, &["vm_config", "env"]);
            let of = |is_passed: bool| {
                let kind = move |variable: &&Value| {
                    (text_at(variable, &["value_from"]) == Some("HOST")) == is_passed
                };
                variables.iter().filter(kind).filter_map(|variable| text_at(variable, &["name"]))
            };
            (
                of(true).collect(),
                of(false).collect(),
                "list it in vmConfig.env with `valueFrom: HOST`",
            )
        }
        Host::Gateway { plugin, form: Form::Wasm } => {
            let passed = texts(list_at(plugin, &["env", "host_keys"]));
            (passed, BTreeSet::new(), "list it in env.hostKeys")
        }
    };
    let warn = |name: &str| {
        let shown = printable(name);
        if written.contains(name) {
            let problem = format!(
                "the value of {shown} is in Envoy's configuration, which /config_dump shows"
            );
            Some(Warning::new(Code::VariableInPlainSight, problem, fix))
        } else {
            let problem =
                format!("the module cannot see {shown}, and will refuse the configuration");
            (!passed.contains(name))
                .then(|| Warning::new(Code::VariableNotPassed, problem, fix).cannot_work())
        }
    };
    // The module itself reports a name that no variable can have.
    let is_name = |name: &&str| {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(is_fine)
    };
    named(subject.written).into_iter().filter(is_name).filter_map(warn).collect()
}

/// The variables that a configuration names as `{"env": "NAME"}`.
fn named(written: &Value) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    each(written, &mut |value| {
        if value.as_object().is_some_and(|members| members.len() == 1) {
            names.extend(value.get("env").and_then(Value::as_str));
        }
    });
    names
}

fn texts(list: &[Value]) -> BTreeSet<&str> {
    list.iter().filter_map(Value::as_str).collect()
}

/// Whether the host holds a request whose body the filter wants to read.
fn bodies(subject: &Subject<'_>) -> Option<Warning> {
    if !subject.is_readable() {
        return None;
    }
    let reads = is_set(subject.written, &["request_bodies"]);
    let (holds, fix) = match subject.host {
        Host::Nothing
        | Host::Envoy { form: Form::Native, .. }
        | Host::Gateway { form: Form::Native, .. } => return None,
        Host::Envoy { plugin, form: Form::Wasm, .. } => (
            is_set(plugin, &["allow_on_headers_stop_iteration"]),
            "write `allow_on_headers_stop_iteration: true` in the plugin's `config`",
        ),
        Host::Istio { .. } | Host::Gateway { form: Form::Wasm, .. } => (
            false,
            "remove request_bodies: this host cannot hold a request until its body has arrived",
        ),
    };
    match (reads, holds) {
        (true, false) => Some(Warning::new(
            Code::RequestBodiesNotHeld,
            "request_bodies is true, but Envoy forwards a request while its body is still arriving",
            fix,
        )),
        (false, true) => Some(Warning::new(
            Code::RequestBodiesNotRead,
            "allow_on_headers_stop_iteration is true, but the filter reads no bodies: without \
             JavaScript the page cannot take a passcode",
            "write \"request_bodies\": true",
        )),
        (true, true) | (false, false) => None,
    }
}

/// Whether the client can forge its address.
fn address(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { chain: Some(Chain { manager, .. }), .. } = subject.host else { return None };
    let is_detected = !list_at(manager, &["original_ip_detection_extensions"]).is_empty();
    (!is_set(manager, &["use_remote_address"]) && !is_detected).then(|| {
        Warning::new(
            Code::AddressNotTrusted,
            "the client can forge the address that rules and Duo's policies see, in \
             X-Forwarded-For",
            "write `use_remote_address: true`; behind another proxy, also xff_num_trusted_hops",
        )
        .on(subject, manager)
    })
}
