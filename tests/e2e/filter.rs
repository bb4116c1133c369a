//! The module as an HTTP filter in Envoy's configuration, on both of its hosts.

use std::path::Path;

use serde_json::{Value, json};

use crate::setup::{PluginForm, Setup};

/// The part of Envoy that runs the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Envoy's wasm filter.
    Wasm,
    /// Envoy itself, as a dynamic module.
    Native,
}

impl Host {
    /// The host of this run: `DUO_MFA_HOST`, which is `wasm` (the default) or `native`.
    pub(crate) fn of_this_run() -> Self {
        match std::env::var("DUO_MFA_HOST").as_deref() {
            Ok("native") => Self::Native,
            Ok("wasm") | Err(_) => Self::Wasm,
            Ok(other) => panic!("DUO_MFA_HOST is wasm or native, not {other}"),
        }
    }

    /// The component of Envoy's log that the module's lines have.
    pub(crate) const fn component(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "dynamic_modules",
        }
    }
}

/// The filter with the settings of a test.
pub(crate) fn filter(setup: &Setup, module: &Path) -> Value {
    let configuration = match setup.plugin_form {
        PluginForm::JsonText => json!({
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": setup.plugin.to_string(),
        }),
        PluginForm::Struct => json!({
            "@type": "type.googleapis.com/google.protobuf.Struct",
            "value": setup.plugin,
        }),
    };
    let typed = match Host::of_this_run() {
        Host::Wasm => wasm(setup, module, &configuration),
        Host::Native => native(module, &configuration),
    };
    json!({"name": "duo_mfa", "typed_config": typed})
}

fn wasm(setup: &Setup, module: &Path, configuration: &Value) -> Value {
    let names: Vec<_> = setup.environment.iter().map(|(name, _)| name).collect();
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "duo_mfa",
            "root_id": "duo_mfa",
            "failure_policy": "FAIL_RELOAD",
            "allow_on_headers_stop_iteration": setup.stops_at_headers,
            "vm_config": {
                "vm_id": "duo_mfa",
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module}},
                "environment_variables": {"host_env_keys": names},
            },
            "configuration": configuration,
        },
    })
}

/// A dynamic module sees all of Envoy's environment, and can always read bodies. The metrics get the
/// prefix that those of a wasm module have.
fn native(module: &Path, configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {
            "module": {"local": {"filename": module}},
            "metrics_namespace": "wasmcustom",
        },
        "filter_name": "duo_mfa",
        "filter_config": configuration,
    })
}
