//! The imports of the module's file: only the proxy-wasm ABI, and the few WASI calls that Rust's runtime
//! needs.

#![allow(clippy::wildcard_enum_match_arm, reason = "a module has parts of many kinds")]

use std::collections::BTreeSet;

use wasmparser::{Import, Parser, Payload};

use crate::envoy;

/// Calls of the proxy-wasm ABI that the filter may use.
const PROXY: &[&str] = &[
    "proxy_add_header_map_value",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

const WASI: &[&str] = &["environ_get", "environ_sizes_get", "random_get"];

/// The parts of a module, from front to back.
fn parts(module: &[u8]) -> impl Iterator<Item = Payload<'_>> {
    Parser::new(0).parse_all(module).map(Result::unwrap)
}

#[test]
fn module_imports_only_what_is_allowed() {
    crate::of_another_host!();
    let bytes = std::fs::read(envoy::module()).unwrap();
    let imports = parts(&bytes).find_map(|part| match part {
        Payload::ImportSection(imports) => Some(imports),
        _ => None,
    });
    let mut beyond = Vec::new();
    for Import { module, name, .. } in imports.unwrap().into_iter().map(Result::unwrap) {
        let is_allowed = match module {
            "env" => PROXY.contains(&name),
            "wasi_snapshot_preview1" => WASI.contains(&name),
            _ => false,
        };
        if !is_allowed {
            beyond.push(format!("{module}.{name}"));
        }
    }
    assert!(beyond.is_empty(), "not on the list: {beyond:?}");
}

#[test]
fn module_exports_the_callbacks_that_it_does_something_in() {
    crate::of_another_host!();
    let bytes = std::fs::read(envoy::module()).unwrap();
    let exports = parts(&bytes).find_map(|part| match part {
        Payload::ExportSection(exports) => Some(exports),
        _ => None,
    });
    let names: BTreeSet<_> = exports.unwrap().into_iter().map(|it| it.unwrap().name).collect();
    let expected = BTreeSet::from([
        "_initialize",
        "memory",
        "proxy_abi_version_0_2_1",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_http_call_response",
        "proxy_on_memory_allocate",
        "proxy_on_request_body",
        "proxy_on_request_headers",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_tick",
        "proxy_on_vm_start",
    ]);
    assert_eq!(names, expected, "each costs a request its entry; none may be missing");
}

#[test]
fn module_has_no_faults_of_tests() {
    crate::of_another_host!();
    let bytes = std::fs::read(envoy::module()).unwrap();
    let planted = b"a planted fault";
    assert!(!bytes.windows(planted.len()).any(|it| it == planted), "built with wasm-faults");
}
