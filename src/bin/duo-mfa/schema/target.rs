//! The schema for each document that has a plugin configuration in it.

use super::definitions::{Place, all, definition};
use super::{conditions, print};
use duo_mfa::config::reference::ROOT;
use serde_json::{Map, Value, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of the chart's values, as it is shipped. Its definition `plugin` is made here.
const CHART: &str = include_str!("../../../../envoy/helm/duo-mfa/values.schema.json");

/// The definition in the chart's schema: its first line, and the line after it.
const IN_CHART: (&str, &str) = ("\n    \"plugin\": ", "\n    }");

/// A document with a plugin configuration in it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[clap(rename_all = "lower")]
pub(super) enum Target {
    /// The plugin configuration itself
    Plugin,
    /// Istio's WasmPlugin and TrafficExtension, and Higress' WasmPlugin
    WasmPlugin,
    /// Envoy Gateway's EnvoyExtensionPolicy
    EnvoyExtensionPolicy,
    /// The values of the Helm chart
    Helm,
}

impl Target {
    /// The schema as text.
    pub(super) fn text(self) -> String {
        let schema = match self {
            Self::Plugin => {
                let place = Place::WHOLE;
                let mut schema = head("plugin", "Plugin configuration of duo-mfa");
                schema.extend(whole(place));
                schema.insert("$defs".to_owned(), Value::Object(all(place)));
                schema
            }
            Self::WasmPlugin => around(
                head("wasmplugin", "WasmPlugin or TrafficExtension that runs duo-mfa"),
                json!([
                    of_kind("^extensions\\.istio\\.io/", "WasmPlugin", &spec("pluginConfig")),
                    of_kind(
                        "^extensions\\.istio\\.io/",
                        "TrafficExtension",
                        &json!({"properties": {"wasm": spec("pluginConfig")}})
                    ),
                    of_kind("^extensions\\.higress\\.io/", "WasmPlugin", &spec("defaultConfig")),
                ]),
            ),
            Self::EnvoyExtensionPolicy => around(
                head("envoyextensionpolicy", "EnvoyExtensionPolicy that runs duo-mfa"),
                json!([of_kind(
                    "^gateway\\.envoyproxy\\.io/",
                    "EnvoyExtensionPolicy",
                    &json!({"properties": {"wasm": {"items": spec("config")}}})
                )]),
            ),
            Self::Helm => return chart(),
        };
        format!("{}\n", print::text(&Value::Object(schema), 0, 0))
    }
}

fn head(name: &str, title: &str) -> Map<String, Value> {
    Map::from_iter([
        ("$schema".to_owned(), json!(DRAFT)),
        ("$id".to_owned(), json!(format!("urn:duo-mfa:schema:v1:{name}"))),
        ("title".to_owned(), json!(title)),
        (
            "description".to_owned(),
            json!(
                "Made by `duo-mfa schema`. `duo-mfa check` finds faults that no schema can express."
            ),
        ),
    ])
}

/// The definition of a whole configuration.
fn whole(place: Place) -> Map<String, Value> {
    let mut root = definition(&ROOT, place);
    root.insert("allOf".to_owned(), json!(conditions::whole()));
    root
}

fn around(mut schema: Map<String, Value>, kinds: Value) -> Map<String, Value> {
    let place = Place::WHOLE;
    let mut definitions = all(place);
    definitions.insert(ROOT.name.to_owned(), Value::Object(whole(place)));
    schema.insert("allOf".to_owned(), kinds);
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    schema
}

/// Applies to resources of one kind only, since a file may have others too.
fn of_kind(version: &str, kind: &str, spec: &Value) -> Value {
    json!({
        "if": {
            "required": ["apiVersion", "kind"],
            "properties": {"apiVersion": {"pattern": version}, "kind": {"const": kind}},
        },
        "then": {"properties": {"spec": spec}},
    })
}

/// Applies to plugins that are duo-mfa, by name or configuration.
fn spec(configuration: &str) -> Value {
    let named =
        |key: &str| json!({"required": [key], "properties": {key: {"pattern": "duo[-_]mfa"}}});
    json!({
        "if": {"anyOf": [
            named("name"),
            named("pluginName"),
            named("rootID"),
            named("url"),
            {"required": [configuration], "properties": {configuration: {"required": ["duo"]}}},
        ]},
        "then": {
            "required": [configuration],
            "properties": {configuration: {"$ref": format!("#/$defs/{}", ROOT.name)}},
        },
    })
}

/// The chart's schema with its definition `plugin` made anew. Values are laid over those that the
/// chart makes, so nothing is required in them.
fn chart() -> String {
    let (start, end) = IN_CHART;
    let found = CHART
        .split_once(start)
        .and_then(|(before, rest)| rest.split_once(end).map(|(_, after)| (before, after)));
    match found {
        Some((before, after)) => {
            let text = print::text(&of_chart(), 4, 4);
            format!("{before}{start}{text}{after}")
        }
        None => CHART.to_owned(),
    }
}

/// The definition of `pluginConfig`, which has no secret and does not open the filter.
///
/// Helm shows only the outermost fault of `allOf`, so the definitions themselves leave out the keys
/// that a chart may not have.
fn of_chart() -> Value {
    let place = Place { path: "#/definitions/plugin/definitions/", has_secrets: false };
    let mut plugin = definition(&ROOT, place);
    let mut definitions = all(place);
    // The chart's `duo.prompt` decides; named applications have this key.
    let mut duo = definitions.get("duo").cloned().unwrap_or_default();
    forbid(&mut duo, "prompt");
    definitions.insert("main_duo".to_owned(), duo);
    definitions.get_mut("universal").into_iter().for_each(|it| forbid(it, "browser_origin"));
    plugin.insert("definitions".to_owned(), Value::Object(definitions));
    let mut plugin = Value::Object(plugin);
    forbid(&mut plugin, "allow_inline_secrets");
    if let Some(reference) = plugin.pointer_mut("/properties/duo/$ref") {
        *reference = json!(format!("{}main_duo", place.path));
    }
    plugin
}

fn forbid(definition: &mut Value, key: &str) {
    if let Some(property) = definition.pointer_mut(&format!("/properties/{key}")) {
        *property = json!(false);
    }
}
