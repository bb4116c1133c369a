//! The application of the Universal Prompt.

use super::sim::{self, API_HOST, Sim, codes};
use crate::files::{File, configure, filter_config, for_browsers_alone, to_duos_page};
use crate::run::{Ran, duo_mfa};
use serde_json::{Value, json};

const CLIENT_ID: &str = "DIAAAAAAAAAAAAAAAAAA";
const CLIENT_SECRET: &str = "Bh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

fn envoy(sim: &Sim) -> Value {
    let mut envoy = sim.envoy();
    configure(&mut envoy, |plugin| to_duos_page(plugin, CLIENT_ID));
    envoy
}

fn doctor(envoy: &Value, variables: &str) -> Ran {
    let file = File::of(envoy);
    let text = format!("DUO_SECRET_KEY={}\n{variables}", sim::SECRET_KEY);
    let variables = File::new("envoy.env", &text);
    duo_mfa(&["doctor", file.path(), "--env-file", variables.path()])
}

/// A client secret must have 40 characters, so the substitute for one has too.
#[test]
fn a_client_secret_that_is_not_set_here_is_no_fault() {
    let sim = Sim::start(&[]);
    let mut envoy = envoy(&sim);
    let variables = &mut filter_config(&mut envoy)["vm_config"]["environment_variables"];
    variables["host_env_keys"].as_array_mut().unwrap().push(json!("DUO_CLIENT_SECRET"));
    let ran = duo_mfa(&["check", File::of(&envoy).path()]);
    assert_eq!((ran.status, ran.faults().len()), (0, 0), "{ran:?}");
    assert!(ran.output.contains("DUO_CLIENT_SECRET"), "{}", ran.output);
}

#[test]
fn the_universal_prompts_application_is_tested() {
    let options = ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET];
    let sim = Sim::start(&options);
    let secret = format!("DUO_CLIENT_SECRET={CLIENT_SECRET}\n");
    let ran = doctor(&envoy(&sim), &secret);
    assert_eq!((ran.status, codes(&ran)), (0, vec![]), "{ran:?}");
    assert!(ran.output.contains("ok health_check: Duo accepts the client ID"), "{}", ran.output);
    assert!(ran.output.contains(API_HOST) && !ran.output.contains(CLIENT_SECRET), "{ran:?}");

    let wrong = "DUO_CLIENT_SECRET=Ch5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\n";
    for (variables, status, expected) in [(wrong, 3, "wrong_client"), ("", 2, "secret_missing")] {
        let ran = doctor(&envoy(&sim), variables);
        assert_eq!((ran.status, codes(&ran)), (status, vec![expected]), "{ran:?}");
        // The Auth API's own application is tested anyway.
        assert!(ran.output.contains("  ok check: "), "{}", ran.output);
    }
    sim.fault(&json!({"kind": "status", "status": 503, "endpoint": "health_check"}));
    let ran = doctor(&envoy(&sim), &secret);
    assert_eq!((ran.status, codes(&ran)), (4, vec!["duo_failing"]), "{ran:?}");
}

#[test]
fn application_for_browsers_alone_is_tested_without_the_auth_api() {
    let options = ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET];
    let sim = Sim::start(&options);
    let mut envoy = envoy(&sim);
    configure(&mut envoy, for_browsers_alone);
    let file = File::of(&envoy);
    let variables = File::new("envoy.env", &format!("DUO_CLIENT_SECRET={CLIENT_SECRET}\n"));
    let alone = ["doctor", file.path(), "--env-file", variables.path()];
    let ran = duo_mfa(&alone);
    assert_eq!((ran.status, codes(&ran)), (0, vec![]), "{ran:?}");
    assert!(ran.output.contains("ok health_check: Duo accepts the client ID"), "{}", ran.output);
    for step in ["ping", " check: "] {
        assert!(!ran.output.contains(step), "{step}: {}", ran.output);
    }
    let ran = duo_mfa(&[alone.as_slice(), &["--user", "alice"]].concat());
    assert!(ran.output.contains("only Duo's page asks its users"), "{}", ran.output);
}

#[test]
fn keys_of_an_auth_api_application_in_place_of_the_clients_are_recognized() {
    let sim = Sim::start(&[]);
    let mut envoy = envoy(&sim);
    configure(&mut envoy, |plugin| {
        for_browsers_alone(plugin);
        plugin["duo"]["universal"]["client_id"] = json!(sim::INTEGRATION_KEY);
    });
    let ran = doctor(&envoy, &format!("DUO_CLIENT_SECRET={}\n", sim::SECRET_KEY));
    assert_eq!((ran.status, codes(&ran)), (3, vec!["wrong_application_type"]), "{ran:?}");
    assert!(ran.output.contains("the Auth API accepts these keys"), "{}", ran.output);
}
