//! Envoy's list of capabilities: the one of docs/security.md is whole, and each entry is needed.

use crate::files::{File, example, filter_config};
use crate::run::duo_mfa;
use crate::warnings::warned;
use serde_json::{Map, Value, json};

/// The list that the document shows.
fn documented() -> Map<String, Value> {
    let document = include_str!("../../docs/security.md");
    let (_, list) = document.split_once("```yaml capabilities\n").unwrap();
    let list: Value = serde_saphyr::from_str(list.split_once("```").unwrap().0).unwrap();
    list["capability_restriction_config"]["allowed_capabilities"].as_object().unwrap().clone()
}

fn restricted(list: &Map<String, Value>) -> Value {
    let mut bootstrap = example("jwt");
    filter_config(&mut bootstrap)["capability_restriction_config"] =
        json!({"allowed_capabilities": list});
    bootstrap
}

#[test]
fn each_capability_of_the_documented_list_is_demanded() {
    let list = documented();
    assert!(list.len() > 30, "{list:?}");
    warned(&[restricted(&list)], &[]);
    for name in list.keys() {
        let mut others = list.clone();
        others.remove(name);
        let ran = duo_mfa(&["check", File::of(&restricted(&others)).path()]);
        assert_eq!((ran.status, ran.faults()), (1, vec!["capability_missing"]), "{ran:?}");
        assert!(
            ran.output.contains(&format!("the list of capabilities lacks {name}: ")),
            "{ran:?}"
        );
    }
    // A list without entries restricts nothing.
    warned(&[restricted(&Map::new())], &[]);
}

#[test]
fn a_list_by_which_requests_pass_by_the_filter_is_a_fault() {
    let mut list = documented();
    list.remove("proxy_on_request_headers");
    list.remove("proxy_log");
    let text = serde_json::to_string_pretty(&restricted(&list)).unwrap();
    let place =
        text.lines().position(|line| line.contains("capability_restriction_config")).unwrap();
    let ran = duo_mfa(&["check", File::new("envoy.json", &text).path()]);
    let told = format!(
        "fault capability_missing at line {}: the list of capabilities lacks proxy_on_request_headers: every \
         request passes without the filter; write the whole list of docs/security.md, or remove \
         capability_restriction_config\n",
        place + 1
    );
    assert!(ran.output.contains(&told), "{told}{ran:?}");
    assert!(ran.output.contains("lacks proxy_log: the module cannot do its work; "), "{ran:?}");
}
