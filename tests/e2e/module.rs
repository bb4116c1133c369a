//! The imports of the module's file: only the proxy-wasm ABI, and the few WASI calls that Rust's runtime
//! needs.

use std::collections::BTreeSet;

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

/// Reads a module's sections from front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    /// An unsigned LEB128 number.
    fn number(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return number;
            }
            shift += 7;
        }
    }

    fn name(&mut self) -> &'a str {
        let length = self.number();
        std::str::from_utf8(self.bytes(length)).unwrap()
    }

    fn limits(&mut self) {
        let has_maximum = self.byte() & 1 == 1;
        self.number();
        if has_maximum {
            self.number();
        }
    }
}

const IMPORTS: u8 = 2;
const EXPORTS: u8 = 7;

/// The section of that number.
fn section(module: &[u8], wanted: u8) -> Reader<'_> {
    let mut reader = Reader(module);
    assert_eq!(reader.bytes(8), b"\0asm\x01\0\0\0", "a WebAssembly module, version 1");
    loop {
        let (number, length) = (reader.byte(), reader.number());
        let content = reader.bytes(length);
        if number == wanted {
            return Reader(content);
        }
    }
}

#[test]
fn module_imports_only_what_is_allowed() {
    crate::of_another_host!();
    let bytes = std::fs::read(envoy::module()).unwrap();
    let mut reader = section(&bytes, IMPORTS);
    let mut beyond = Vec::new();
    for _ in 0..reader.number() {
        let (module, name) = (reader.name(), reader.name());
        match reader.byte() {
            0 => {
                reader.number();
            }
            1 => {
                reader.byte();
                reader.limits();
            }
            2 => reader.limits(),
            _ => {
                reader.bytes(2);
            }
        }
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
    let mut reader = section(&bytes, EXPORTS);
    let mut names = BTreeSet::new();
    for _ in 0..reader.number() {
        names.insert(reader.name());
        reader.byte();
        reader.number();
    }
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
