//! The text of warnings. A configuration with faults gets no warnings.

use crate::files::{File, example, filter_config};
use crate::run::duo_mfa;
use crate::warnings::{remove, without};
use serde_json::json;

/// A file without a configuration gets no warnings about bodies, names and clusters.
#[test]
fn a_missing_configuration_has_no_warnings() {
    let mut bootstrap = example("jwt");
    filter_config(&mut bootstrap)["allow_on_headers_stop_iteration"] = json!(true);
    remove(filter_config(&mut bootstrap), "configuration");
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    clusters.retain(|cluster| cluster["name"] != "duo_api");
    let file = File::of(&bootstrap);
    let ran = duo_mfa(&["check", file.path()]);
    assert_eq!((ran.faults(), ran.warnings()), (vec!["empty_configuration"], vec![]), "{ran:?}");
}

#[test]
fn a_warning_says_why_and_what_to_write() {
    let mut bootstrap = example("basic-auth");
    without(&mut bootstrap, "strip");
    without(&mut bootstrap, "envoy.filters.http.basic_auth");
    let file = File::of(&bootstrap);
    let ran = duo_mfa(&["check", file.path()]);
    let line = "  warning header_not_stripped: x-basic-user is trusted, and no filter before this \
        one is known to remove the client's own: a client can impersonate any user; add a \
        header_mutation filter with {remove: x-basic-user} before the filter that sets it; a \
        route's request_headers_to_remove acts after this filter";
    assert!(ran.output.contains(line), "{}", ran.output);
}
