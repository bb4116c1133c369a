//! The schemas accept every configuration below `envoy/` and `examples/`.

use super::{Schema, root};
use crate::shipped::yaml_files;
use serde_json::Value;
use std::fs;

/// The documents of a YAML text.
pub(super) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The plugin configurations in a document, written as objects or as texts.
fn configurations(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| configurations(value, found)),
        Value::Object(members) if value["duo"]["api_host"].is_string() => {
            found.push(Value::Object(members.clone()));
        }
        Value::Object(members) => members.values().for_each(|value| configurations(value, found)),
        Value::String(text) if text.contains("\"api_host\"") => {
            found.push(serde_json::from_str(text).unwrap());
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn shipped_configurations_are_accepted() {
    let [plugin, wasm_plugin, policy] = ["plugin", "wasmplugin", "envoyextensionpolicy"]
        .map(|name| Schema::of(&format!("docs/schema/v1/{name}.json")));
    let (mut plugins, mut resources) = (0, 0);
    for file in ["envoy", "examples"].iter().flat_map(|folder| yaml_files(&root().join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        // A chart's templates are not YAML, and its values have their own schema.
        if text.contains("{{") || file.iter().any(|part| part == "helm") {
            continue;
        }
        for text in [text.clone(), text.replace("#universal ", "")] {
            for document in documents(&text) {
                let mut found = Vec::new();
                configurations(&document, &mut found);
                let kind = document["kind"].as_str();
                resources += usize::from(matches!(
                    kind,
                    Some("WasmPlugin" | "TrafficExtension" | "EnvoyExtensionPolicy")
                ));
                for schema in [&wasm_plugin, &policy] {
                    schema.judge(&document).unwrap_or_else(|it| panic!("{}: {it}", file.display()));
                }
                for found in found {
                    plugin.judge(&found).unwrap_or_else(|it| panic!("{}: {it}", file.display()));
                    plugins += 1;
                }
            }
        }
    }
    assert!(plugins > 25 && resources > 8, "{plugins} {resources}");
}

/// A file may also have plugins of others, and resources of other kinds.
#[test]
fn schemas_of_resources_look_at_the_filter_alone() {
    let other = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  \
                 pluginName: waf\n  pluginConfig: {rules: [1]}\n";
    let ours = other.replace("waf", "duo_mfa");
    let in_policy = |name: &str| {
        format!(
            "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nspec:\n  \
             wasm: [{{name: {name}, config: {{rules: [1]}}}}]\n"
        )
    };
    for (path, other, ours) in [
        ("docs/schema/v1/wasmplugin.json", other.to_owned(), ours.clone()),
        ("docs/schema/v1/envoyextensionpolicy.json", in_policy("waf"), in_policy("duo_mfa")),
        ("docs/schema/v1/envoyextensionpolicy.json", ours, in_policy("duo-mfa")),
    ] {
        let schema = Schema::of(path);
        assert!(schema.judge(&documents(&other)[0]).is_ok(), "{other}");
        assert!(schema.judge(&documents(&ours)[0]).is_err(), "{ours}");
    }
}
