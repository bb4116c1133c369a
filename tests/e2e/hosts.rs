//! The two hosts of the module: each has its form of the shipped files, and some tests belong to one host
//! alone.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::filter::Host;
use crate::message::Request;
use crate::stack::Stack;
use crate::tally;

/// The text of a shipped file for the host of this run, with the module under test in it. The native
/// form is what `envoy/native.sed` makes of the text.
pub(crate) fn of_this_host(text: &str, module: &Path) -> String {
    let module = module.to_str().unwrap();
    match Host::of_this_run() {
        Host::Wasm => text.replace("/etc/envoy/duo_mfa.wasm", module),
        Host::Native => {
            let shipped = format!("/opt/duo-mfa/{}/libduo_mfa.so", env!("CARGO_PKG_VERSION"));
            natively(text).replace(&shipped, module)
        }
    }
}

fn natively(text: &str) -> String {
    let mut sed = Command::new("sed")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-f", "envoy/native.sed"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The texts are shorter than the buffer of a pipe.
    sed.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = sed.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The plugin's configuration in a filter.
pub(crate) fn plugin_of(filter: &mut Value) -> &mut Value {
    let typed = &mut filter["typed_config"];
    match Host::of_this_run() {
        Host::Wasm => &mut typed["config"]["configuration"]["value"],
        Host::Native => &mut typed["filter_config"]["value"],
    }
}

/// The tests of each host alone, as `wasm_only.txt` and `native_only.txt` list them: the beginning of a
/// name, and the reason.
fn only_tests_of(host: Host) -> impl Iterator<Item = (&'static str, &'static str)> {
    let list = match host {
        Host::Wasm => include_str!("wasm_only.txt"),
        Host::Native => include_str!("native_only.txt"),
    };
    let entries = list.lines().filter(|line| !line.starts_with('#'));
    entries.map(|line| line.split_once("  ").expect("a name and a reason"))
}

/// Whether the running test is one of the other host alone. `of_another_host!` ends the test then.
pub(crate) fn is_of_another_host() -> bool {
    let other = match Host::of_this_run() {
        Host::Wasm => Host::Native,
        Host::Native => Host::Wasm,
    };
    let thread = std::thread::current();
    let test = thread.name().expect("the test's name");
    let is_other = only_tests_of(other).any(|(name, _)| test.starts_with(name));
    if is_other {
        tally::skipped();
    }
    is_other
}

/// Has the counts reach Envoy if it takes them from a native module only with a request, as 1.38 does.
/// `ask` has the credentials of a user.
pub(crate) fn bring_counts(stack: &Stack, ask: impl FnOnce(Request) -> Request) {
    if Host::of_this_run() == Host::Native && stack.envoy.admin("/server_info").contains("/1.38.") {
        stack.denied(&ask(Request::get("/.duo-mfa/healthz")));
    }
}

#[test]
fn tests_of_one_host_alone_are_few_and_skipped_on_the_other() {
    for host in [Host::Wasm, Host::Native] {
        assert!(only_tests_of(host).count() <= 12, "{host:?}");
        for (name, reason) in only_tests_of(host) {
            assert!(!reason.trim().is_empty(), "{name}");
            let (module, test) = name.split_once("::").unwrap();
            let file = format!("{}/tests/e2e/{module}.rs", env!("CARGO_MANIFEST_DIR"));
            let source = std::fs::read_to_string(file).unwrap();
            let tests = source.split("#[test]\nfn ").skip(1);
            let mut meant = tests.filter(|it| it.starts_with(test)).peekable();
            assert!(meant.peek().is_some(), "{name} is no test");
            assert!(meant.all(|it| it.contains("of_another_host!();")), "{name}");
        }
    }
}
