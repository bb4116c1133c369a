//! Configurations inside other things: the objects of a `List`, the texts of a ConfigMap, files of
//! any size.

use crate::files::{File, extension_policy, plugin, wasm_plugin};
use crate::run::duo_mfa;
use crate::warnings::warned;
use serde_json::{Value, json};

/// A ConfigMap with one text.
fn config_map(key: &str, text: &str) -> Value {
    json!({"kind": "ConfigMap", "metadata": {"name": "envoy"}, "data": {key: text}})
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "items": items})
}

/// As `kubectl get -o json` prints several objects.
#[test]
fn the_objects_of_a_list_are_looked_at_one_by_one() {
    let mut faulty = plugin();
    faulty["sesion"] = json!({});
    let map = config_map("plugin.json", &serde_json::to_string_pretty(&faulty).unwrap());
    let good = wasm_plugin(&plugin());
    let nested = list("List", &[list("List", std::slice::from_ref(&map)), good.clone()]);
    for objects in [list("List", &[map, good]), nested] {
        let ran = duo_mfa(&["check", File::of(&objects).path()]);
        assert_eq!((ran.status, ran.faults()), (1, vec!["unknown_key"]), "{ran:?}");
        for title in [": ConfigMap envoy, plugin.json: 1 fault", ": WasmPlugin second-factor: "] {
            assert!(ran.output.contains(title), "{title}: {ran:?}");
        }
    }
    // The API server leaves out the kind of each item.
    let mut faulty = wasm_plugin(&faulty);
    faulty.as_object_mut().unwrap().remove("kind");
    let ran = duo_mfa(&["check", File::of(&list("WasmPluginList", &[faulty])).path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["unknown_key"]), "{ran:?}");
}

#[test]
fn an_object_of_a_list_is_known_to_the_others() {
    let early = json!({"kind": "ClientTrafficPolicy",
        "spec": {"headers": {"earlyRequestHeaders": {"remove": ["x-basic-user"]}}}});
    let host = "api-xxxxxxxx.duosecurity.com";
    let mut plugin = plugin();
    plugin["duo"]["cluster"] = json!("httproute/default/duo-api/rule/0");
    let route = json!({"kind": "HTTPRoute", "metadata": {"name": "duo-api"},
        "spec": {"rules": [{"backendRefs": [{"kind": "Backend", "name": "duo-api"}]}]}});
    let tls = json!({"kind": "BackendTLSPolicy", "spec": {
        "targetRefs": [{"kind": "Backend", "name": "duo-api"}], "validation": {"hostname": host}}});
    let policy = extension_policy(&plugin);
    let objects = [policy, early, route, tls];
    warned(&[list("List", &objects)], &[]);
    warned(&[list("List", &objects[..3])], &["cluster_without_tls"]);
}

#[test]
fn a_fault_in_a_list_has_its_line() {
    let text = "apiVersion: v1\nitems:\n- kind: Service\n- kind: WasmPlugin\n  spec:\n    pluginConfig:\n      \
                version: 1\n      duo: {api_host: a.duosecurity.com}\n      sesion: {}\nkind: List\n";
    let ran = duo_mfa(&["check", File::new("list.yaml", text).path()]);
    assert!(ran.output.contains("\n  fault unknown_key at sesion, line 9: "), "{ran:?}");
}

/// YAML allows a comma before a bracket, the module's reader does not.
#[test]
fn json_in_a_config_map_is_read_as_the_module_reads_it() {
    let text = "kind: ConfigMap\nmetadata: {name: envoy}\ndata:\n  a.json: |\n    {}\n  plugin.json: |\n    {\n      \
                \"duo\": {\"api_host\": \"a\"},\n      \"version\": 1,\n    }\n";
    let ran = duo_mfa(&["check", File::new("map.yaml", text).path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["malformed_configuration"]), "{ran:?}");
    assert!(ran.output.contains("ConfigMap envoy, plugin.json: 1 fault"), "{ran:?}");
    assert!(ran.output.contains("line 10 of the file: }"), "{ran:?}");
}

/// Of a ConfigMap with a template, and a text that may be the filter's.
#[test]
fn a_text_that_cannot_be_read_is_named_if_it_may_be_the_filters() {
    let mut map = config_map("plugin.json", &plugin().to_string());
    map["data"]["page.yaml"] = json!("title: {{ .Title }}\n");
    let ran = duo_mfa(&["check", File::of(&map).path()]);
    assert_eq!((ran.status, ran.faults().len()), (0, 0), "{ran:?}");
    let text = "kind: ConfigMap\nmetadata: {name: envoy}\ndata:\n  envoy.yaml: |\n    duo:\n      a: [1\n    b: 2\n";
    let ran = duo_mfa(&["check", File::new("map.yaml", text).path()]);
    let told = ": ConfigMap envoy, envoy.yaml is not YAML: line 7, column ";
    assert!(ran.status == 2 && ran.output.contains(told), "{ran:?}");
}

/// Two listeners with the same text, and a fault in both.
#[test]
fn equal_texts_have_their_own_lines() {
    let of_one = |name: &str| {
        format!(
            "- name: {name}\n  filter_chains:\n  - filters:\n    - typed_config:\n        http_filters:\n        \
             - name: duo_mfa\n          typed_config:\n            config:\n              vm_config: {{vm_id: \
             duo_mfa}}\n              configuration:\n                value: |\n                  {{\"version\": \
             1,\n                  \"bogus\": 1}}\n"
        )
    };
    let text = format!("listeners:\n{}{}", of_one("one"), of_one("two"));
    let ran = duo_mfa(&["check", File::new("envoy.yaml", &text).path()]);
    for line in [14, 27] {
        let told = format!("unknown_key at bogus, line {line}: ");
        assert_eq!(ran.output.matches(&told).count(), 1, "{told}: {ran:?}");
    }
}

#[test]
fn files_of_any_size_are_read() {
    let object = format!("{}\n", wasm_plugin(&plugin()));
    let many = format!("{}{object}", "kind: Service\n---\n".repeat(2_000));
    let deep = format!("{object}---\na: [{}]\n", "[1, 2, 3],".repeat(70_000));
    let aliases = format!("{object}---\na: &a 1\nb: [{}]\n", "*a, ".repeat(200));
    for text in [many, deep, aliases] {
        let ran = duo_mfa(&["check", File::new("large.yaml", &text).path()]);
        assert_eq!((ran.status, ran.faults().len()), (0, 0), "{ran:?}");
    }
    // Aliases that multiply, and nested brackets, still have a limit.
    let mut bomb = "a0: &a0 [1, 1]\n".to_owned();
    (1..40).for_each(|n| bomb += &format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1));
    for text in [bomb, "[".repeat(100_000), format!("a: {}", "[".repeat(100_000))] {
        let ran = duo_mfa(&["check", File::new("bomb.yaml", &text).path()]);
        assert!(ran.status == 2 && ran.output.contains("is not YAML: "), "{ran:?}");
    }
}

/// A key's colon on the next line is JSON, and no YAML.
#[test]
fn json_that_yaml_does_not_know_is_read() {
    let text = wasm_plugin(&plugin()).to_string().replacen("\"kind\":", "\"kind\"\n:", 1);
    let ran = duo_mfa(&["check", File::new("plugin.json", &text).path()]);
    assert_eq!((ran.status, ran.faults().len()), (0, 0), "{ran:?}");
    assert!(ran.output.contains(": WasmPlugin second-factor: "), "{ran:?}");
    // A bootstrap is no plugin configuration, even if it cannot be read.
    let text = text.replacen("\"spec\"", "\"kind\":1,\"spec\"", 1);
    let ran = duo_mfa(&["check", File::new("plugin.json", &text).path()]);
    assert!(ran.status == 2 && ran.output.contains("is not YAML: "), "{ran:?}");
}

#[test]
fn higress_object_is_read_and_its_host_is_not_judged() {
    let mut plugin = plugin();
    plugin["duo"]["cluster"] = json!("outbound|443||duo-api.dns");
    let mut object = json!({"apiVersion": "extensions.higress.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "duo"}, "spec": {"failStrategy": "FAIL_CLOSE", "defaultConfig": plugin}});
    warned(std::slice::from_ref(&object), &[]);
    object["spec"]["defaultConfig"]["sesion"] = json!({});
    let ran = duo_mfa(&["check", File::of(&object).path()]);
    assert_eq!((ran.status, ran.faults()), (1, vec!["unknown_key"]), "{ran:?}");
}
