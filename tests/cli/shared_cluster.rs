//! Two configurations by one cluster of Duo are warned of where one of them is to fail safe.

use crate::files::{configure, filter_config};
use crate::one_host::two;
use crate::warnings::{breakers, warned};
use serde_json::{Value, json};

/// A change of the second, and whether it is warned of.
type Row = (fn(&mut Value), bool);

fn safe(of: &mut Value) {
    configure(of, |plugin| plugin["duo"]["fail_mode"] = json!("safe"));
}

fn other_application(of: &mut Value) {
    configure(of, |plugin| plugin["duo"]["integration_key"] = json!("DIYYYYYYYYYYYYYYYYYY"));
}

const ROWS: &[Row] = &[
    (safe, false),
    (other_application, false),
    (
        |it| {
            safe(it);
            other_application(it);
        },
        true,
    ),
    (
        |it| {
            safe(it);
            filter_config(it)["vm_config"]["vm_id"] = json!("another");
        },
        true,
    ),
    (
        |it| {
            configure(it, |plugin| {
                plugin["access_control"]["rules"] =
                    json!([{"paths": ["/x"], "policy": "two_factor", "fail_mode": "safe"}]);
            });
            other_application(it);
        },
        true,
    ),
];

#[test]
fn a_cluster_that_another_configuration_can_fill_is_warned_of_under_safe() {
    for (change, is_warned_of) in ROWS {
        let codes: &[&str] = if *is_warned_of { &["cluster_shared"] } else { &[] };
        let mut both = two(change);
        breakers(&mut both, &json!(4096));
        warned(&[both], codes);
    }
}
