//! Finds the filter's plugin configurations, and the configuration around each.

use crate::document::{Content, Document};
use crate::value::{list_at, member, text_at};
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;

/// Sections of a configuration; every configuration has at least one.
const SECTIONS: [&str; 4] = ["duo", "identity", "session", "access_control"];
/// Keys of a Duo application.
const APPLICATION: [&str; 7] =
    ["api_host", "hostname", "host", "integration_key", "ikey", "secret_key", "skey"];

/// A plugin configuration of the filter.
#[derive(Debug)]
pub(crate) struct Plugin<'d> {
    /// Its place in the file; empty if the whole file is the configuration.
    pub(crate) place: String,
    pub(crate) configuration: Configuration<'d>,
    /// The object that runs the module with it.
    pub(crate) host: Host<'d>,
}

/// The configuration that the host hands to the module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Configuration<'d> {
    /// A text, as it is.
    Text(&'d str),
    /// An object, which the control plane writes as JSON, or Envoy as a `Struct`.
    Object(&'d Value),
    /// Nothing.
    Absent,
}

/// The object that runs the module with a plugin configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Host<'d> {
    /// A bare configuration: nothing shows how the module is run.
    Nothing,
    /// Envoy's `PluginConfig` or `DynamicModuleFilter`; `chain` is `Some` if it is inside a
    /// connection manager.
    Envoy { plugin: &'d Value, form: Form, chain: Option<Chain<'d>> },
    /// The part of Istio's WasmPlugin or TrafficExtension that describes the module, and the phase.
    Istio { plugin: &'d Value, phase: Option<&'d str> },
    /// An entry of Envoy Gateway's EnvoyExtensionPolicy.
    Gateway { plugin: &'d Value, form: Form },
}

/// The form in which the filter is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A wasm module.
    Wasm,
    /// A library that Envoy loads, a dynamic module.
    Native,
}

/// The way of a request to the filter, from the listener on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain<'d> {
    /// The HTTP filters before it.
    pub(crate) before: &'d [Value],
    /// The connection manager.
    pub(crate) manager: &'d Value,
    /// The filter chain that contains the connection manager.
    pub(crate) filter_chain: Option<&'d Value>,
    /// The listener.
    pub(crate) listener: Option<&'d Value>,
}

impl Configuration<'_> {
    /// The bytes that the module reads.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Object(value) => Cow::Owned(value.to_string().into_bytes()),
            Self::Absent => Cow::Borrowed(b""),
        }
    }

    /// The configuration as a value; `None` if it is not JSON.
    pub(crate) fn value(&self) -> Option<Cow<'_, Value>> {
        match self {
            Self::Text(text) => serde_json::from_str(text).ok().map(Cow::Owned),
            Self::Object(value) => Some(Cow::Borrowed(value)),
            Self::Absent => None,
        }
    }
}

impl<'d> Plugin<'d> {
    /// The plugin configurations of files, each with the path and the document that it is in.
    pub(crate) fn all_in<P: AsRef<Path>>(
        files: &'d [(P, Vec<Document>)],
    ) -> impl Iterator<Item = (&'d Path, &'d Document, Self)> {
        let documents = files
            .iter()
            .flat_map(|(path, own)| own.iter().map(move |document| (path.as_ref(), document)));
        documents.flat_map(|(path, document)| {
            Self::all(document).into_iter().map(move |plugin| (path, document, plugin))
        })
    }

    /// The plugin configurations of a document.
    pub(crate) fn all(document: &'d Document) -> Vec<Self> {
        let mut search = Search { found: Vec::new() };
        let around =
            Around { place: document.place.clone().unwrap_or_default(), ..Around::default() };
        match &document.content {
            Content::Text(text) => {
                search.add(around.place, Configuration::Text(text), Host::Nothing);
            }
            Content::Value(value) => {
                let place = around.place.clone();
                search.look(value, &around);
                // A file that is a configuration itself, even an incomplete one.
                let is_any = SECTIONS.iter().any(|name| value.get(name).is_some());
                if search.found.is_empty() && is_any && value.get("version").is_some() {
                    search.add(place, Configuration::Object(value), Host::Nothing);
                }
            }
        }
        search.found
    }
}

struct Search<'d> {
    found: Vec<Plugin<'d>>,
}

/// The objects that the search has passed on its way down.
#[derive(Clone, Default)]
struct Around<'d> {
    place: String,
    listener: Option<&'d Value>,
    filter_chain: Option<&'d Value>,
    chain: Option<Chain<'d>>,
}

impl Around<'_> {
    fn within(&self, what: &str, name: Option<&str>) -> Self {
        let Some(name) = name else { return self.clone() };
        let separator = if self.place.is_empty() { "" } else { ", " };
        Self { place: format!("{}{separator}{what} {name}", self.place), ..self.clone() }
    }
}

impl<'d> Search<'d> {
    fn add(&mut self, place: String, configuration: Configuration<'d>, host: Host<'d>) {
        self.found.push(Plugin { place, configuration, host });
    }

    fn look(&mut self, value: &'d Value, around: &Around<'d>) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.look(value, around)),
            Value::Object(_) => self.look_at_object(value, around),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn look_at_object(&mut self, value: &'d Value, around: &Around<'d>) {
        let spec = value.get("spec").unwrap_or(&Value::Null);
        match value.get("kind").and_then(Value::as_str) {
            Some("WasmPlugin") if is_of_higress(value) => self.of_higress(spec, around),
            Some("WasmPlugin") => self.of_istio(spec, spec, around),
            Some("TrafficExtension") => {
                spec.get("wasm").into_iter().for_each(|wasm| self.of_istio(wasm, spec, around));
            }
            Some("EnvoyExtensionPolicy") => {
                for (list, form) in [("wasm", Form::Wasm), ("dynamic_module", Form::Native)] {
                    let entries = list_at(spec, &[list]).iter();
                    entries.for_each(|entry| self.of_gateway(entry, form, around));
                }
            }
            Some(_) | None => self.look_at_envoys(value, around),
        }
    }

    fn of_istio(&mut self, plugin: &'d Value, spec: &'d Value, around: &Around<'d>) {
        let configuration = configuration(member(plugin, "plugin_config"));
        if is_ours(plugin, configuration) {
            let phase = text_at(spec, &["phase"]);
            self.add(around.place.clone(), configuration, Host::Istio { plugin, phase });
        }
    }

    /// Higress has a separate WasmPlugin. How it runs the module is not known here.
    fn of_higress(&mut self, plugin: &'d Value, around: &Around<'d>) {
        let configuration = configuration(plugin.get("defaultConfig"));
        if configuration.value().is_some_and(|value| is_configuration(&value)) {
            self.add(around.place.clone(), configuration, Host::Nothing);
        }
    }

    fn of_gateway(&mut self, plugin: &'d Value, form: Form, around: &Around<'d>) {
        let configuration = configuration(plugin.get("config"));
        if is_ours(plugin, configuration) {
            let list = match form {
                Form::Wasm => "wasm",
                Form::Native => "dynamicModule",
            };
            let place = around.within(list, text_at(plugin, &["name"])).place;
            self.add(place, configuration, Host::Gateway { plugin, form });
        }
    }

    fn look_at_envoys(&mut self, value: &'d Value, around: &Around<'d>) {
        let is_there = |name| member(value, name).is_some();
        if is_there("vm_config") {
            self.of_envoy(value, Form::Wasm, member(value, "configuration"), around);
        } else if is_there("dynamic_module_config") {
            self.of_envoy(value, Form::Native, member(value, "filter_config"), around);
        } else if is_configuration(value) {
            self.add(around.place.clone(), Configuration::Object(value), Host::Nothing);
        } else if member(value, "http_filters").is_some_and(Value::is_array) {
            self.look_at_manager(value, around);
        } else {
            let mut around = around.clone();
            if member(value, "filter_chains").is_some() {
                around = around.within("listener", text_at(value, &["name"]));
                around.listener = Some(value);
            }
            if value.get("filters").is_some_and(Value::is_array) {
                around.filter_chain = Some(value);
            }
            self.look_inside(value, &around);
        }
    }

    /// `given` is an `Any`: a `StringValue`, or a `Struct`.
    fn of_envoy(
        &mut self,
        plugin: &'d Value,
        form: Form,
        given: Option<&'d Value>,
        around: &Around<'d>,
    ) {
        let configuration = configuration(given.and_then(|given| given.get("value")));
        if is_ours(plugin, configuration) {
            let host = Host::Envoy { plugin, form, chain: around.chain };
            self.add(around.place.clone(), configuration, host);
        }
    }

    fn look_inside(&mut self, value: &'d Value, around: &Around<'d>) {
        let members = value.as_object().into_iter().flatten();
        members.for_each(|(_, value)| self.look(value, around));
    }

    fn look_at_manager(&mut self, manager: &'d Value, around: &Around<'d>) {
        let filters = list_at(manager, &["http_filters"]);
        for (index, filter) in filters.iter().enumerate() {
            let before = filters.get(..index).unwrap_or_default();
            let mut inside = around.within("filter", text_at(filter, &["name"]));
            let Around { filter_chain, listener, .. } = *around;
            inside.chain = Some(Chain { before, manager, filter_chain, listener });
            self.look(filter, &inside);
        }
    }
}

/// Reads the member that holds the configuration.
fn configuration(given: Option<&Value>) -> Configuration<'_> {
    match given {
        Some(Value::String(text)) => Configuration::Text(text),
        Some(Value::Null) | None => Configuration::Absent,
        Some(value) => Configuration::Object(value),
    }
}

fn is_of_higress(object: &Value) -> bool {
    let version = text_at(object, &["apiVersion"]);
    version.is_some_and(|version| version.starts_with("extensions.higress.io/"))
}

/// Whether a plugin is the filter: by its configuration, or by its name.
fn is_ours(plugin: &Value, configuration: Configuration<'_>) -> bool {
    let names = [
        text_at(plugin, &["name"]),
        text_at(plugin, &["root_id"]),
        text_at(plugin, &["plugin_name"]),
        text_at(plugin, &["url"]),
        text_at(plugin, &["vm_config", "vm_id"]),
        text_at(plugin, &["vm_config", "code", "local", "filename"]),
        text_at(plugin, &["code", "image", "url"]),
        text_at(plugin, &["code", "http", "url"]),
        text_at(plugin, &["filter_name"]),
        text_at(plugin, &["dynamic_module_config", "name"]),
        text_at(plugin, &["dynamic_module_config", "module", "local", "filename"]),
        text_at(plugin, &["dynamic_module_config", "module", "remote", "http_uri", "uri"]),
    ];
    let is_named = |name: &str| name.contains("duo_mfa") || name.contains("duo-mfa");
    names.into_iter().flatten().any(is_named)
        || configuration.value().is_some_and(|value| is_configuration(&value))
}

/// Whether an object has the shape of the filter's configuration. Only there a Duo application is
/// written in this way.
fn is_configuration(value: &Value) -> bool {
    let duo = value.get("duo");
    APPLICATION.iter().any(|key| duo.is_some_and(|duo| duo.get(key).is_some()))
}
