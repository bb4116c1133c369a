//! Envoy's log about a plugin configuration, valid or not, before Envoy serves a request.

use std::process::ExitStatus;

use serde_json::{Value, json};

use crate::envoy;
use crate::filter::Host;
use crate::setup::{COOKIE_KEY, DuoEnd, FirstFactor, PluginForm, SECRET_KEY, Setup};
use crate::stack::{Directory, write_authority};

fn validate(setup: &Setup) -> (ExitStatus, String) {
    let directory = Directory::new();
    let nowhere = "127.0.0.1:1".parse().unwrap();
    // Any certificate will do: nothing is called.
    let authority = directory.0.join("authority.pem");
    write_authority(&authority);
    let duo = DuoEnd { address: nowhere, authority };
    let configuration = setup.envoy(&envoy::module(), nowhere, &duo);
    envoy::validate(&directory.0, &configuration, setup)
}

#[test]
fn good_configuration_passes_validation() {
    for plugin_form in [PluginForm::JsonText, PluginForm::Struct] {
        let (status, output) = validate(&Setup { plugin_form, ..Setup::default() });
        assert_eq!(status.code(), Some(0), "{plugin_form:?}: {output}");
    }
}

/// A host passes the members of an object in any order.
#[test]
fn text_and_object_of_one_configuration_have_one_hash() {
    let hash = |plugin_form| {
        let (_, output) = validate(&Setup { plugin_form, ..Setup::default() });
        let (_, rest) = output.split_once("\"hash\":\"").unwrap_or_else(|| panic!("{output}"));
        rest[..16].to_owned()
    };
    assert_eq!(hash(PluginForm::JsonText), hash(PluginForm::Struct));
}

#[test]
fn log_names_the_trusted_header_and_the_filter_that_must_strip_it() {
    let told = |header: &str| {
        format!(
            "the header {header} is trusted: a filter before this one must remove a client's own"
        )
    };
    let groups = json!({"identity": {"groups": {"header": "x-groups"}}});
    let (_, output) = validate(&Setup::default().plugin(groups));
    for header in ["x-basic-user", "x-groups"] {
        assert!(output.contains(&told(header)), "{header} is not in:\n{output}");
    }
}

/// The native filter cannot read a claim of a token, which is nested in the metadata.
#[test]
fn identity_in_nested_metadata_trusts_no_header_and_is_refused_natively() {
    let mut jwt = Setup::default().plugin(json!({"identity": {
        "source": "jwt", "header": null,
        "metadata": ["envoy.filters.http.jwt_authn", "jwt_payload", "email"],
    }}));
    jwt.first_factor = FirstFactor::Jwt;
    match Host::of_this_run() {
        Host::Wasm => {
            let (status, output) = validate(&jwt);
            assert_eq!(status.code(), Some(0), "{output}");
            assert!(!output.contains("is trusted"), "{output}");
        }
        Host::Native => {
            let path = "envoy.filters.http.jwt_authn > jwt_payload > email is deeper";
            assert_refused(&jwt, &["metadata_not_reachable", path, "claim_to_headers"]);
        }
    }
}

fn assert_refused(setup: &Setup, words: &[&str]) {
    let (status, output) = validate(setup);
    assert_eq!(status.code(), Some(1), "{}: {output}", setup.plugin);
    for word in words {
        assert!(output.contains(word), "{word} is not in:\n{output}");
    }
    assert!(!output.contains("panicked"), "{output}");
}

#[test]
fn faulty_configuration_is_refused_with_its_path() {
    let faulty: &[(Value, &str)] = &[
        (json!({"version": 2}), "version"),
        (json!({"unknown_member": 1}), "unknown_member"),
        (json!({"duo": {"api_host": "https://api-sim.duosecurity.test"}}), "duo.api_host"),
        (json!({"duo": {"api_host": "api-sim.duosecurity.test:443"}}), "duo.api_host"),
        (json!({"duo": {"api_host": "api-sim.duosecurity.test/auth"}}), "duo.api_host"),
        (json!({"duo": {"integration_key": ""}}), "duo.integration_key"),
        (json!({"duo": {"secret_key": "in-the-clear-for-everybody-to-read-it"}}), "duo.secret_key"),
        (json!({"duo": {"factors": ["push", "passcode"]}}), "\"any_passcode\""),
        (json!({"duo": {"timeout": "soon"}}), "duo.timeout"),
        (json!({"duo": {"timeout": 10}}), "duo.timeout"),
        (json!({"duo": {"cluster": ""}}), "duo.cluster"),
        (json!({"identity": {"source": "guess"}}), "identity"),
        (json!({"session": {"keys": []}}), "session.keys"),
        (json!({"session": {"keys": [{"env": "DUO_SECRET_KEY"}]}}), "session.keys[0]"),
        (json!({"access_control": {"default_policy": "allow"}}), "access_control.default_policy"),
        (json!({"api": {"mode": "maybe"}}), "api.mode"),
        (json!({"path_prefix": "duo"}), "path_prefix"),
    ];
    for (patch, path) in faulty {
        assert_refused(&Setup::default().plugin(patch.clone()), &[path]);
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let setup = Setup::default().plugin(json!({
        "path_prefix": "duo", "duo": {"api_host": "https://x"}, "session": {"keys": []},
    }));
    assert_refused(&setup, &["path_prefix", "duo.api_host", "session.keys"]);
}

#[test]
fn text_that_is_no_configuration_is_refused() {
    for plugin in [json!({}), json!([]), json!("x"), json!(null), json!(1)] {
        assert_refused(&Setup { plugin, ..Setup::default() }, &["duo_mfa"]);
    }
    let deep = (0..400).fold(json!(1), |inner, _| json!([inner]));
    assert_refused(&Setup::default().plugin(json!({"duo": deep})), &["duo_mfa"]);
}

#[test]
fn missing_secret_is_refused_by_its_name() {
    for missing in ["DUO_SECRET_KEY", "DUO_MFA_COOKIE_KEY"] {
        let mut setup = Setup::default();
        setup.environment.retain(|(name, _)| *name != missing);
        assert_refused(&setup, &[missing]);
    }
    for weak in ["", "changeme", "c2hvcnQ=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let mut setup = Setup::default();
        setup.environment[1].1 = weak.to_owned();
        let (status, output) = validate(&setup);
        assert_eq!(status.code(), Some(1), "{weak}: {output}");
        assert!(output.contains("session.keys[0]"), "{output}");
        assert!(!output.contains(SECRET_KEY) && !output.contains(COOKIE_KEY), "{output}");
    }
}
