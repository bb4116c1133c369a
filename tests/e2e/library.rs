//! The library's file, `libduo_mfa.so`: what it needs of a system and of Envoy, what it offers, and that an
//! Envoy that lacks something refuses it when it reads its configuration. Both hosts' runs have these tests.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use object::elf::{
    DF_1_NODELETE, DF_1_NOW, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_TEXTREL, PF_X,
    PT_GNU_RELRO, PT_GNU_STACK, STB_WEAK,
};
use object::read::elf::{ElfFile64, ProgramHeader as _, Sym as _};
use object::{Endianness, SymbolIndex};
use serde_json::json;

use crate::envoy;
use crate::stack::Directory;

type Elf<'a> = ElfFile64<'a, Endianness>;

/// Bytes, as in the Makefile. The standard library's backtraces are in it only where that could not be
/// built anew.
const MAX_SIZE: usize = 1_153_000;
const BACKTRACES: (&str, usize) = ("RUST_BACKTRACE", 280_000);

/// The parts of glibc; the loader differs by machine.
const GLIBC: &[&str] = &["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];
const LOADERS: &[&str] = &["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"];

/// The newest glibc whose symbols the library may need.
const NEWEST_GLIBC: (u32, u32) = (2, 28);

const CALLBACK: &str = "envoy_dynamic_module_callback_";
const HOOK: &str = "envoy_dynamic_module_on_";

/// The callbacks that the library needs. Envoy 1.38, 1.39 and 1.40 have them all, and `make matrix`
/// compares this list with each of them; 1.37 lacks seven.
const CALLBACKS: &[&str] = &[
    "get_concurrency",
    "http_add_header",
    "http_filter_config_define_counter",
    "http_filter_config_define_gauge",
    "http_filter_config_define_histogram",
    "http_filter_config_http_callout",
    "http_filter_config_scheduler_commit",
    "http_filter_config_scheduler_delete",
    "http_filter_config_scheduler_new",
    "http_filter_continue_decoding",
    "http_filter_get_attribute_bool",
    "http_filter_get_attribute_string",
    "http_filter_get_worker_index",
    "http_filter_http_callout",
    "http_filter_increment_counter",
    "http_filter_record_histogram_value",
    "http_filter_scheduler_commit",
    "http_filter_scheduler_delete",
    "http_filter_scheduler_new",
    "http_filter_set_gauge",
    "http_get_body_chunks",
    "http_get_body_chunks_size",
    "http_get_body_size",
    "http_get_headers",
    "http_get_headers_size",
    "http_get_metadata_list_size",
    "http_get_metadata_list_string",
    "http_get_metadata_string",
    "http_send_response",
    "http_set_filter_state_bytes",
    "http_set_header",
    "is_validation_mode",
    "log",
    "log_enabled",
];

/// The callbacks that the library looks up as it runs, since Envoy 1.38 lacks them.
const NEWER_CALLBACKS: [&str; 3] = [
    "http_filter_config_increment_counter",
    "http_filter_config_record_histogram_value",
    "http_filter_config_set_gauge",
];

const HOOKS: &[&str] = &[
    "http_filter_config_destroy",
    "http_filter_config_http_callout_done",
    "http_filter_config_new",
    "http_filter_config_scheduled",
    "http_filter_destroy",
    "http_filter_downstream_above_write_buffer_high_watermark",
    "http_filter_downstream_below_write_buffer_low_watermark",
    "http_filter_http_callout_done",
    "http_filter_http_stream_complete",
    "http_filter_http_stream_data",
    "http_filter_http_stream_headers",
    "http_filter_http_stream_reset",
    "http_filter_http_stream_trailers",
    "http_filter_new",
    "http_filter_request_body",
    "http_filter_request_headers",
    "http_filter_request_trailers",
    "http_filter_response_body",
    "http_filter_response_headers",
    "http_filter_response_trailers",
    "http_filter_scheduled",
    "http_filter_stream_complete",
    "program_init",
];

/// The bytes of the library, read once by each test.
fn library() -> Vec<u8> {
    std::fs::read(envoy::library()).unwrap()
}

fn texts<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> BTreeSet<&'a str> {
    names.into_iter().map(|name| std::str::from_utf8(name).unwrap()).collect()
}

/// The names of the dynamic symbols that a file defines, or that it needs.
fn symbols<'a>(elf: &Elf<'a>, is_defined: bool) -> BTreeSet<&'a str> {
    let table = elf.elf_dynamic_symbol_table();
    let symbols = table.iter().skip(1);
    let wanted = symbols.filter(|it| it.is_undefined(elf.endian()) != is_defined);
    texts(wanted.map(|symbol| table.symbol_name(elf.endian(), symbol).unwrap()))
}

/// The callbacks among names, without the beginning that they share.
fn callbacks<'a>(names: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    names.iter().filter_map(|name| name.strip_prefix(CALLBACK)).collect()
}

#[test]
fn library_needs_only_callbacks_that_each_supported_envoy_has() {
    let bytes = library();
    let elf = Elf::parse(&*bytes).unwrap();
    let needed = callbacks(&symbols(&elf, false));
    assert_eq!(needed, BTreeSet::from_iter(CALLBACKS.iter().copied()));

    let bytes = std::fs::read(envoy::program()).unwrap();
    let envoy = Elf::parse(&*bytes).unwrap();
    let offered = callbacks(&symbols(&envoy, true));
    let version = envoy::version();
    let missing: Vec<_> = CALLBACKS.iter().filter(|name| !offered.contains(*name)).collect();
    assert_eq!(missing.is_empty(), version >= (1, 38), "Envoy {version:?} lacks {missing:?}");
    let has_newer = NEWER_CALLBACKS.map(|name| offered.contains(name));
    assert_eq!(has_newer, [version >= (1, 39); 3], "Envoy {version:?}");
}

#[test]
fn library_needs_glibc_alone_and_no_new_one() {
    let bytes = library();
    let elf = Elf::parse(&*bytes).unwrap();
    let dynamic = elf.elf_dynamic_table().unwrap();
    let needed = dynamic.iter().filter(|entry| entry.tag == DT_NEEDED);
    let needed = texts(needed.map(|entry| dynamic.string(entry).unwrap()));
    let foreign: Vec<_> =
        needed.iter().filter(|name| !GLIBC.contains(name) && !LOADERS.contains(name)).collect();
    assert!(foreign.is_empty(), "not of glibc: {foreign:?}");

    let table = elf.elf_dynamic_symbol_table();
    let versions = elf.elf_section_table().versions(elf.endian(), &*bytes).unwrap().unwrap();
    for (index, symbol) in table.enumerate().filter(|(index, _)| *index != SymbolIndex(0)) {
        let name = std::str::from_utf8(table.symbol_name(elf.endian(), symbol).unwrap()).unwrap();
        if !symbol.is_undefined(elf.endian()) || name.starts_with(CALLBACK) {
            continue;
        }
        let version = versions.version_index(elf.endian(), index).index();
        let Some(version) = versions.version(version).unwrap() else {
            assert_eq!(symbol.st_bind(), STB_WEAK, "{name} is of no version of glibc");
            continue;
        };
        let version = std::str::from_utf8(version.name()).unwrap();
        let number = version.strip_prefix("GLIBC_").map(numbers);
        assert!(number.is_some_and(|it| it <= NEWEST_GLIBC), "{name} is of {version}");
    }
}

/// The first two numbers of a version.
fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn library_exports_the_hooks_alone() {
    let bytes = library();
    let defined = symbols(&Elf::parse(&*bytes).unwrap(), true);
    let hooks: BTreeSet<_> = HOOKS.iter().map(|name| format!("{HOOK}{name}")).collect();
    assert_eq!(defined, hooks.iter().map(String::as_str).collect());
}

#[test]
fn library_is_bound_when_it_is_loaded_and_stays() {
    let bytes = library();
    let elf = Elf::parse(&*bytes).unwrap();
    let dynamic = elf.elf_dynamic_table().unwrap();
    let flags = dynamic.iter().find(|entry| entry.tag == DT_FLAGS_1).unwrap().val;
    for flag in [DF_1_NOW, DF_1_NODELETE] {
        assert_ne!(flags & flag.0, 0, "{flag:?}");
    }
    for unwanted in [DT_RPATH, DT_RUNPATH, DT_TEXTREL] {
        assert!(dynamic.iter().all(|entry| entry.tag != unwanted), "{unwanted:?}");
    }
    let mut segments = elf.elf_program_headers().iter();
    assert!(segments.any(|it| it.p_type(elf.endian()) == PT_GNU_RELRO), "no part is sealed");
    let mut segments = elf.elf_program_headers().iter();
    let stack = segments.find(|it| it.p_type(elf.endian()) == PT_GNU_STACK).unwrap();
    assert!(!stack.p_flags(elf.endian()).contains(PF_X), "the stack is executable");
}

#[test]
fn library_is_small_and_holds_neither_symbols_nor_paths_of_this_machine() {
    let bytes = library();
    let (mark, room) = BACKTRACES;
    let has_backtraces = bytes.windows(mark.len()).any(|it| it == mark.as_bytes());
    let most = if has_backtraces { MAX_SIZE + room } else { MAX_SIZE };
    assert!(bytes.len() <= most, "{} bytes", bytes.len());
    let elf = Elf::parse(&*bytes).unwrap();
    assert!(elf.elf_symbol_table().is_empty(), "it is not stripped");
    let home = std::env::var("HOME").unwrap();
    for path in [env!("CARGO_MANIFEST_DIR"), &format!("{home}/.cargo"), &format!("{home}/.rustup")]
    {
        let is_held = bytes.windows(path.len()).any(|it| it == path.as_bytes());
        assert!(!is_held, "it holds {path}");
    }
}

#[test]
fn library_has_no_faults_of_tests() {
    let planted = b"an injected fault";
    assert!(!library().windows(planted.len()).any(|it| it == planted), "built with native-faults");
}

/// The output of an Envoy that reads a configuration with the library, whose settings are empty.
fn said_by(program: &Path) -> String {
    let directory = Directory::new();
    std::fs::copy(envoy::library(), directory.0.join("libduo_mfa.so")).unwrap();
    let any = |name: &str| format!("type.googleapis.com/{name}");
    // By its name, not by a path, which Envoy 1.37 can't read.
    let filter = json!({
        "@type": any("envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"),
        "dynamic_module_config": {"name": "duo_mfa"},
        "filter_name": "duo_mfa",
        "filter_config": {"@type": any("google.protobuf.StringValue"), "value": "{}"},
    });
    let manager = json!({
        "@type": any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "http",
        "route_config": {},
        "http_filters": [{"name": "duo_mfa", "typed_config": filter}],
    });
    let listener = json!({
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    });
    let file = directory.0.join("envoy.json");
    std::fs::write(&file, json!({"static_resources": {"listeners": [listener]}}).to_string())
        .unwrap();
    let output = Command::new(program)
        .args(["--mode", "validate", "--config-path"])
        .arg(&file)
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", &directory.0)
        .stdin(Stdio::null())
        .output()
        .expect("Envoy runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// A part of what the library says of empty settings.
const OWN_WORDS: &str = "duo_mfa configuration: duo.api_host: missing_key";
const REFUSAL: &str = "Failed to load dynamic module";

#[test]
fn envoy_that_lacks_a_callback_refuses_the_library() {
    let output = said_by(&envoy::older());
    assert!(output.contains(REFUSAL) && !output.contains(OWN_WORDS), "{output}");
}

#[test]
fn envoy_loads_the_library_if_it_has_each_callback() {
    let output = said_by(&envoy::program());
    let is_supported = envoy::version() >= (1, 38);
    assert_eq!(output.contains(OWN_WORDS), is_supported, "{output}");
    assert_eq!(output.contains(REFUSAL), !is_supported, "{output}");
}
