//! The files that the program is run on.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A file that is gone with this.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("{}-{number}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn of(value: &Value) -> Self {
        Self::new("file.json", &value.to_string())
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A plugin configuration with nothing wrong.
pub(crate) fn plugin() -> Value {
    json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": "DIXXXXXXXXXXXXXXXXXX",
            "secret_key": {"env": "DUO_SECRET_KEY"},
            "cluster": "duo_api"
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]}
    })
}

/// Has a plugin configuration send browsers to Duo's page.
pub(crate) fn to_duos_page(plugin: &mut Value, client_id: &str) {
    plugin["duo"]["prompt"] = json!("universal");
    plugin["duo"]["universal"] = json!({
        "client_id": client_id,
        "client_secret": {"env": "DUO_CLIENT_SECRET"},
        "hosts": ["app.example.com"]
    });
}

/// Takes the keys of the Auth API out of a plugin configuration, which then refuses programs.
pub(crate) fn for_browsers_alone(plugin: &mut Value) {
    let duo = plugin["duo"].as_object_mut().unwrap();
    duo.remove("integration_key").unwrap();
    duo.remove("secret_key").unwrap();
    plugin["api"] = json!({"mode": "refuse"});
}

/// `examples/NAME/envoy.yaml`, which has nothing to be warned of.
pub(crate) fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    serde_saphyr::from_str(&fs::read_to_string(path.join("envoy.yaml")).unwrap()).unwrap()
}

/// The connection manager of an example.
pub(crate) const MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// The filter's `PluginConfig` in an example.
pub(crate) fn filter_config(bootstrap: &mut Value) -> &mut Value {
    let filters = bootstrap.pointer_mut(MANAGER).unwrap()["http_filters"].as_array_mut().unwrap();
    let ours = filters.iter_mut().find(|filter| filter["name"] == "duo_mfa").unwrap();
    &mut ours["typed_config"]["config"]
}

/// Changes the plugin configuration of an example.
pub(crate) fn configure(bootstrap: &mut Value, change: impl FnOnce(&mut Value)) {
    let text = &mut filter_config(bootstrap)["configuration"]["value"];
    let mut plugin = serde_json::from_str(text.as_str().unwrap()).unwrap();
    change(&mut plugin);
    *text = json!(plugin.to_string());
}

/// A plugin configuration as text in an example's Envoy file, and the number of lines before it.
pub(crate) fn in_envoy(text: &str) -> (String, usize) {
    in_file("examples/basic-auth/envoy.yaml", text)
}

/// The same in an Envoy file with the native filter.
pub(crate) fn in_native_envoy(text: &str) -> (String, usize) {
    in_file("envoy/native.yaml", text)
}

fn in_file(path: &str, text: &str) -> (String, usize) {
    const NEXT: &str = "          - name: envoy.filters.http.router";
    let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (start, rest) = file.split_once(" value: |\n").unwrap();
    let (_, after) = rest.split_once(NEXT).unwrap();
    let passed = "DUO_SECRET_KEY, DUO_MFA_COOKIE_KEY]";
    let start =
        start.replace(passed, "DUO_SECRET_KEY, DUO_MFA_COOKIE_KEY, DUO_MFA_COOKIE_KEY_OLD]");
    let before = format!("{start} value: |\n");
    let indented: String = text.lines().map(|line| format!("{:22}{line}\n", "")).collect();
    let lines = before.lines().count();
    (format!("{before}{indented}{NEXT}{after}"), lines)
}

/// Istio's WasmPlugin around a plugin configuration.
pub(crate) fn wasm_plugin(plugin: &Value) -> Value {
    json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "second-factor"},
        "spec": {
            "url": "oci://registry.example.com/duo_mfa:1",
            "phase": "AUTHZ",
            "failStrategy": "FAIL_RELOAD",
            "pluginConfig": plugin,
            "vmConfig": {"env": [
                {"name": "DUO_SECRET_KEY", "valueFrom": "HOST"},
                {"name": "DUO_MFA_COOKIE_KEY", "valueFrom": "HOST"}
            ]}
        }
    })
}

/// Envoy Gateway's EnvoyExtensionPolicy around a plugin configuration.
pub(crate) fn extension_policy(plugin: &Value) -> Value {
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyExtensionPolicy",
        "metadata": {"name": "second-factor"},
        "spec": {"wasm": [{
            "name": "duo",
            "code": {"type": "Image", "image": {"url": "registry.example.com/duo_mfa:1"}},
            "config": plugin,
            "env": {"hostKeys": ["DUO_SECRET_KEY", "DUO_MFA_COOKIE_KEY"]}
        }]}
    })
}
