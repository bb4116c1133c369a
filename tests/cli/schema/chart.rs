//! The schema of the chart's values has the keys of the plugin configuration.

use super::files::documents;
use super::{Schema, read, root};
use crate::shipped::yaml_files;
use serde_json::{Value, json};
use std::fs;

const CHART: &str = "envoy/helm/duo-mfa";

/// Values laid over others, as Helm does it.
fn laid_over(values: &mut Value, over: &Value) {
    match (values, over) {
        (Value::Object(values), Value::Object(over)) => {
            for (key, value) in over {
                laid_over(values.entry(key).or_insert(json!(null)), value);
            }
        }
        (values, over) => *values = over.clone(),
    }
}

#[test]
fn values_of_the_chart_are_accepted() {
    let schema = Schema::of(&format!("{CHART}/values.schema.json"));
    let usual = documents(&read(&format!("{CHART}/values.yaml"))).remove(0);
    let mut accepted = 0;
    for file in yaml_files(&root().join(CHART).join("ci")) {
        if file.parent().unwrap().ends_with("refused") {
            continue;
        }
        let mut values = usual.clone();
        laid_over(&mut values, &documents(&fs::read_to_string(&file).unwrap())[0]);
        schema.judge(&values).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        accepted += 1;
    }
    assert!(accepted > 8, "{accepted}");
}

#[test]
fn faults_of_the_plugin_configuration_are_refused_in_values() {
    let schema = Schema::of(&format!("{CHART}/values.schema.json"));
    let mut values = documents(&read(&format!("{CHART}/values.yaml"))).remove(0);
    let ci = read(&format!("{CHART}/ci/standalone-values.yaml"));
    laid_over(&mut values, &documents(&ci)[0]);
    for (config, is_good) in [
        (json!({}), true),
        (json!({"duo": {"timeout": "5s"}}), true),
        (json!({"duo": {"timeout": "61s"}}), false),
        (json!({"duo": {"timeuot": "5s"}}), false),
        (json!({"duo": {"prompt": "universal"}}), false),
        (json!({"duo": {"secret_key": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"}}), false),
        (json!({"duo": {"secret_key": {"env": "OTHER"}}}), true),
        (json!({"session": {"keys": [{"env": "A"}, {"env": "B"}]}}), true),
        (json!({"session": {"keys": ["plain text"]}}), false),
        (json!({"allow_inline_secrets": true}), false),
        (json!({"access_control": {"rules": [{"paths": ["/a"], "policy": "bypass"}]}}), true),
        (json!({"access_control": {"rules": [{"paths": ["a"], "policy": "bypass"}]}}), false),
        (json!({"access_control": {"rules": [{"policy": "bypass"}]}}), false),
        (json!([]), false),
    ] {
        values["pluginConfig"] = config.clone();
        assert_eq!(schema.judge(&values).is_ok(), is_good, "{config}");
    }
}
