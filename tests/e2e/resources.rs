//! The Kubernetes resources of this project, from files or rendered by the chart.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::setup::{API_HOST, CLIENT_ID, INTEGRATION_KEY};

/// The resources of some files, with the API host and the integration key of the simulator.
pub(crate) struct Resources(Vec<Value>);

impl Resources {
    pub(crate) fn of_files(files: &[&str]) -> Self {
        Self::read(files, of_simulator)
    }

    /// The same with the lines for Duo's Universal Prompt switched on.
    pub(crate) fn of_files_with_universal(files: &[&str]) -> Self {
        Self::read(files, with_universal)
    }

    fn read(files: &[&str], adapted: fn(String) -> String) -> Self {
        let texts = files.iter().map(|file| fs::read_to_string(root().join(file)).unwrap());
        Self(texts.flat_map(|text| documents(&adapted(text))).collect())
    }

    /// The output of the chart for one of its sets of values.
    pub(crate) fn of_chart(values: &str) -> Self {
        let chart = root().join("envoy/helm/duo-mfa");
        let helm = std::env::var("DUO_MFA_HELM")
            .unwrap_or_else(|_| ".tools/validators/bin/helm".to_owned());
        let output = Command::new(root().join(&helm))
            .args(["template", "mfa", "--namespace", "app"])
            .arg(&chart)
            .arg("--values")
            .arg(chart.join("ci").join(values))
            .output()
            .unwrap_or_else(|error| panic!("{helm}: {error}: run `make e2e` or set DUO_MFA_HELM"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let rendered = String::from_utf8(output.stdout).unwrap();
        Self(documents(&of_simulator(rendered)))
    }

    /// The only resource of this kind; if there are several, the one with this name.
    pub(crate) fn one(&self, kind: &str, name: &str) -> &Value {
        let found: Vec<&Value> =
            self.0.iter().filter(|resource| resource["kind"] == kind).collect();
        let named = found.iter().find(|resource| resource["metadata"]["name"] == name);
        match (found.as_slice(), named) {
            ([only], _) => only,
            (_, Some(named)) => named,
            _ => panic!("no {kind} {name}"),
        }
    }

    pub(crate) fn one_mut(&mut self, kind: &str) -> &mut Value {
        self.0.iter_mut().find(|resource| resource["kind"] == kind).expect("the resource")
    }

    pub(crate) fn find(&self, kind: &str) -> Option<&Value> {
        self.all().find(|resource| resource["kind"] == kind)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    pub(crate) fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn without(mut self, kind: &str) -> Self {
        self.0.retain(|resource| resource["kind"] != kind);
        self
    }

    pub(crate) fn namespace(resource: &Value) -> &str {
        // The output of a chart is for the namespace on Helm's command line.
        resource["metadata"]["namespace"].as_str().unwrap_or("app")
    }
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The text with the API host, the integration key and the client ID of the simulator.
pub(crate) fn of_simulator(text: String) -> String {
    text.replace("api-xxxxxxxx.duosecurity.com", API_HOST)
        .replace("DIXXXXXXXXXXXXXXXXXX", INTEGRATION_KEY)
        .replace("DIZZZZZZZZZZZZZZZZZZ", CLIENT_ID)
}

/// As [`of_simulator`], with the lines for Duo's Universal Prompt switched on, as docs/deploy/README.md
/// says.
pub(crate) fn with_universal(text: String) -> String {
    of_simulator(text.replace("#universal ", ""))
}

pub(crate) fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
