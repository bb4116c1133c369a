//! Faulty configurations in files of every kind, and files without a configuration.

use crate::files::{File, configure, example, extension_policy, plugin, wasm_plugin};
use crate::run::duo_mfa;
use serde_json::{Value, json};

/// Two faults.
fn faulty() -> Value {
    let mut plugin = plugin();
    plugin["duo"]["api_host"] = json!("https://api-xxxxxxxx.duosecurity.com/");
    plugin["sesion"] = json!({});
    plugin
}

#[test]
fn faults_are_found_in_every_kind_of_file() {
    let mut envoy = example("basic-auth");
    configure(&mut envoy, |plugin| *plugin = faulty());
    let as_text = json!({"kind": "ConfigMap", "metadata": {"name": "envoy"},
        "data": {"envoy.yaml": envoy.to_string(), "README": "{{"}});
    let filter = json!({"kind": "EnvoyFilter", "metadata": {"name": "second-factor"},
    "spec": {"configPatches": [{"applyTo": "HTTP_FILTER", "patch": {
        "operation": "INSERT_BEFORE",
        "value": {"name": "duo_mfa", "typed_config": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "value": {"config": {
                "vmConfig": {"environmentVariables":
                    {"hostEnvKeys": ["DUO_SECRET_KEY", "DUO_MFA_COOKIE_KEY"]}},
                "failurePolicy": "FAIL_RELOAD",
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.Struct",
                    "value": faulty()}
            }}
        }}
    }}]}});
    let traffic = json!({"kind": "TrafficExtension", "metadata": {"name": "second-factor"},
        "spec": {"phase": "AUTHZ", "wasm": wasm_plugin(&faulty())["spec"]}});
    for (file, place) in [
        (faulty(), ""),
        (envoy, ": listener main, filter duo_mfa"),
        (as_text, ": ConfigMap envoy, envoy.yaml, listener main, filter duo_mfa"),
        (filter, ": EnvoyFilter second-factor"),
        (wasm_plugin(&faulty()), ": WasmPlugin second-factor"),
        (traffic, ": TrafficExtension second-factor"),
        (extension_policy(&faulty()), ": EnvoyExtensionPolicy second-factor, wasm duo"),
    ] {
        let file = File::of(&file);
        let ran = duo_mfa(&["check", file.path()]);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert_eq!(ran.faults(), ["unknown_key", "invalid_api_host"], "{place}: {}", ran.output);
        let first = format!("{}{place}: 2 faults", file.path());
        assert!(ran.output.starts_with(&first), "{first} {}", ran.output);
        let line = "\n  fault invalid_api_host at duo.api_host: \
            \"https://api-xxxxxxxx.duosecurity.com/\" must be a bare host name; \
            use \"api-xxxxxxxx.duosecurity.com\"\n";
        assert!(ran.output.contains(line), "{}", ran.output);
    }
}

#[test]
fn every_document_of_a_file_is_looked_at() {
    let documents = [plugin(), faulty(), plugin()].map(|plugin| wasm_plugin(&plugin).to_string());
    let file = File::new("three.yaml", &documents.join("\n---\n"));
    let ran = duo_mfa(&["check", file.path()]);
    assert_eq!((ran.status, ran.faults().len()), (1, 2), "{ran:?}");
    assert_eq!(ran.output.matches(": WasmPlugin second-factor: ").count(), 3, "{}", ran.output);
}

#[test]
fn what_yaml_refuses_and_json_may_say_is_read_by_the_modules_reader() {
    let text = plugin().to_string();
    let twice = File::new("plugin.json", &text.replacen('{', r#"{"version":1,"#, 1));
    let ran = duo_mfa(&["check", twice.path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["duplicate_key"]), "{ran:?}");
    let cut = text.strip_suffix('}').unwrap();
    for text in [cut.to_owned(), format!("{cut},}}"), format!("\u{feff}{text}")] {
        let file = File::new("plugin.json", &text);
        let ran = duo_mfa(&["check", file.path()]);
        assert_eq!((ran.status, ran.faults()), (1, vec!["malformed_configuration"]), "{ran:?}");
    }
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    let other = File::new("other.yaml", "kind: Service\nmetadata: {name: app}\n");
    let broken = File::new("broken.yaml", "a: [1, 2\nb: 3");
    for (path, told) in [
        (other.path(), "no plugin configuration"),
        (broken.path(), "is not YAML"),
        ("/nonexistent.yaml", "No such file"),
    ] {
        let ran = duo_mfa(&["check", path]);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(format!("{}{}", ran.output, ran.errors).contains(told), "{ran:?}");
    }
    // A fault does not hide that something else could not be read, nor the other way round.
    let faulty = File::of(&faulty());
    let ran = duo_mfa(&["check", broken.path(), faulty.path()]);
    assert_eq!((ran.status, ran.faults().len()), (2, 2), "{ran:?}");
    assert_eq!(duo_mfa(&["check"]).status, 2);
}

#[test]
fn variables_are_read_from_a_file_and_unset_ones_are_named() {
    let file = File::of(&plugin());
    let ran = duo_mfa(&["check", file.path()]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let told = "not set here, so the value was not checked: DUO_MFA_COOKIE_KEY, DUO_SECRET_KEY";
    assert!(ran.output.contains(told), "{}", ran.output);

    let secret = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
    let short =
        format!("# Envoy's\nDUO_SECRET_KEY={secret}\n\nexport DUO_MFA_COOKIE_KEY='c2hvcnQ='\n");
    let variables = File::new("envoy.env", &short);
    let ran = duo_mfa(&["check", "--env-file", variables.path(), file.path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["invalid_cookie_key"]), "{ran:?}");
    assert!(!ran.output.contains("not set here"), "{}", ran.output);
    for text in [secret, "c2hvcnQ="] {
        assert!(!ran.output.contains(text) && !ran.errors.contains(text), "{ran:?}");
    }

    // A secret in the place of its variable's name is not printed either.
    let mut envoy = example("basic-auth");
    configure(&mut envoy, |plugin| plugin["duo"]["secret_key"] = json!({"env": secret}));
    let ran = duo_mfa(&["check", File::of(&envoy).path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["variable_not_passed"]), "{ran:?}");
    assert!(!ran.output.contains(secret), "{ran:?}");

    let nonsense = File::new("envoy.env", "DUO_SECRET_KEY\n");
    let ran = duo_mfa(&["check", "--env-file", nonsense.path(), file.path()]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.errors.contains("line 1 is not NAME=VALUE"), "{ran:?}");
}

#[test]
fn a_fresh_key_is_one_that_the_module_takes_and_never_the_same() {
    let keys = [duo_mfa(&["keygen"]), duo_mfa(&["keygen"])];
    assert_ne!(keys[0].output, keys[1].output);
    let file = File::of(&plugin());
    for key in keys {
        assert_eq!((key.status, key.output.len()), (0, 45), "{key:?}");
        let variables = File::new("envoy.env", &format!("DUO_MFA_COOKIE_KEY={}", key.output));
        let ran = duo_mfa(&["check", "--env-file", variables.path(), file.path()]);
        assert_eq!((ran.status, ran.faults().len()), (0, 0), "{ran:?}");
    }
}

/// A chart's values have the same sections; they are not what the module reads.
#[test]
fn values_and_templates_of_a_chart_are_no_configuration() {
    let values = "duo: {apiHost: x}\nidentity: {}\nsession: {}\nform: istio\n";
    let values = File::new("values.yaml", values);
    let template =
        File::new("plugin.yaml", "{{- if .Values.duo }}\nduo: {{ .Values.duo }}\n{{ end }}\n");
    for file in [values, template] {
        let ran = duo_mfa(&["check", file.path()]);
        assert_eq!((ran.status, ran.faults().len()), (2, 0), "{ran:?}");
    }
    let little = File::new("plugin.yaml", "version: 1\nsession: {}\n");
    let ran = duo_mfa(&["check", little.path()]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.faults().contains(&"missing_key"), "{ran:?}");
}
