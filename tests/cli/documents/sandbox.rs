//! A folder in which the commands of documents run: a copy of the files that they name, and stand-ins for programs that are not
//! here, take minutes, write outside the folder, or change files that a later
//! command of the same line needs. A stand-in prints what the document shows, and records its arguments.

use super::blocks::root;
use super::programs;
use crate::guide::Shell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that run as they are. No other program can be started.
const TOOLS: [&str; 22] = [
    "base64",
    "bash",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "echo",
    "grep",
    "head",
    "jq",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "sed",
    "sha256sum",
    "sleep",
    "sort",
    "tail",
    "tr",
    "uniq",
];

/// Programs with a stand-in.
const STAND_INS: [&str; 16] = [
    "cargo",
    "curl",
    "docker",
    "envoy",
    "git",
    "helm",
    "htpasswd",
    "install",
    "journalctl",
    "kubectl",
    "logcli",
    "make",
    "npm",
    "promtool",
    "python3",
    "rm",
];

const STAND_IN: &str = r#"#!/bin/bash
{ printf '%s\x1f' "${0##*/}" "$@"; printf '\x1e'; } >>"$CALLS"
cat "$SHOWN"
case "${0##*/} $*" in journalctl* | kubectl*\ logs*) cat "$HOME/../envoy.log" ;; esac
"#;

/// Runs the real program, on the copies of the files. `doctor` and `cookie` read their arguments only: one would
/// call Duo, the other needs a cookie.
const DUO_MFA: &str = r#"#!/bin/bash
set -- "${@//\/etc\/envoy\//envoy/}"
case "$1" in
cookie | doctor) exec "$PROGRAM" "$@" --help ;;
*) exec "$PROGRAM" "$@" ;;
esac
"#;

/// Lines of Envoy's log, with the reference and the codes that the documents name.
const LOG: &str = r#"[2027-01-15 08:00:00.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: {"event":"duo_mfa","version":1,"time":"2027-01-15T08:00:00.123Z","kind":"push_sent","result":"push_sent","user":"alice","client":"192.0.2.7","path":"/reports","reference":"K7M2Q4XP"}
[2027-01-15 08:00:01.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: {"event":"duo_mfa","version":1,"time":"2027-01-15T08:00:01.123Z","kind":"decision","result":"refused","code":"mfa_denied","user":"alice","client":"192.0.2.7","path":"/reports","reference":"K7M2Q4XP"}
[2027-01-15 08:00:02.123][17][error][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: the check of Duo failed: Duo cannot be reached
[2027-01-15 08:00:03.123][17][error][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: duo_mfa configuration: fault
[2027-01-15 08:00:04.123][17][error][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: panicked at src/lib.rs:1
[2027-01-15 08:00:04.223][17][error][dynamic_modules] [source/extensions/dynamic_modules/abi_impl.cc:50] duo_mfa: a fault of the filter at on_http_filter_request_headers: its request gets 500; please report this line
[2027-01-15 08:00:05.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: {"event":"duo_mfa","version":1,"time":"2027-01-15T08:00:05.123Z","kind":"config_loaded","result":"config_loaded","hash":"1736f7be9409d721","filter_version":"0.1.0"}
"#;

pub(crate) struct Sandbox {
    folder: PathBuf,
    shell: Shell,
}

impl Sandbox {
    /// A fresh sandbox. Its shell is in `inside`.
    pub(crate) fn new(name: &str, inside: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("docs-{}-{name}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        for made in ["bin", "dist", "home"] {
            fs::create_dir_all(folder.join(made)).unwrap();
        }
        for copied in ["envoy", "examples"] {
            let copy = Command::new("cp").arg("-r").arg(root().join(copied)).arg(&folder).status();
            assert!(copy.unwrap().success());
        }
        prepare(&folder);
        let text = |path: &str| folder.join(path).display().to_string();
        let variables = [
            ("PATH", text("bin")),
            ("HOME", text("home")),
            ("TMPDIR", text("home")),
            ("CALLS", text("calls")),
            ("SHOWN", text("shown")),
            ("PROGRAM", env!("CARGO_BIN_EXE_duo-mfa").to_owned()),
            ("ADMIN", "http://127.0.0.1:9901".to_owned()),
            ("SECRET_KEY", "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
            ("TOKEN", "token".to_owned()),
        ];
        let shell = Shell::start(&folder.join(inside), &variables);
        Self { folder, shell }
    }

    /// Runs a command. `shown` is the output that the document shows. Returns the faults.
    pub(crate) fn run(&mut self, command: &str, shown: &[String]) -> Vec<String> {
        let shown_text: String = shown.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.folder.join("shown"), shown_text).unwrap();
        fs::write(self.folder.join("calls"), "").unwrap();
        let (printed, status) = self.shell.run(command, None);
        let mut faults = Vec::new();
        if status != 0 {
            faults.push(format!("status {status}: {printed:?}"));
        }
        if !shown.is_empty() && printed != shown {
            faults.push(format!("printed {printed:?}, the document shows {shown:?}"));
        }
        let calls = fs::read_to_string(self.folder.join("calls")).unwrap();
        for call in calls.split_terminator('\u{1e}') {
            let words: Vec<_> = call.split_terminator('\u{1f}').collect();
            let (name, arguments) = words.split_first().unwrap();
            let fault = programs::fault(name, arguments, &self.folder);
            faults.extend(fault.map(|fault| format!("{name}: {fault}")));
        }
        faults
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.folder).ok();
        }
    }
}

/// Writes the programs, and files that the documents expect beside those of the repository.
fn prepare(folder: &Path) {
    let path = std::env::var("PATH").unwrap();
    for tool in TOOLS {
        let found = path.split(':').map(|place| Path::new(place).join(tool));
        let found = found.into_iter().find(|place| place.exists());
        symlink(found.unwrap_or_else(|| panic!("no {tool}")), folder.join("bin").join(tool))
            .unwrap();
    }
    let program = |name: &str, text: &str| {
        let file = folder.join("bin").join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    for name in STAND_INS {
        program(name, STAND_IN);
    }
    program("duo-mfa", DUO_MFA);
    let built = ["dist/duo_mfa.wasm", "dist/oci.tar", "dist/libduo_mfa.so"];
    for file in built {
        fs::write(folder.join(file), file).unwrap();
    }
    let sums = "cd dist && sha256sum duo_mfa.wasm oci.tar libduo_mfa.so >SHA256SUMS";
    assert!(
        Command::new("bash").args(["-c", sums]).current_dir(folder).status().unwrap().success()
    );
    fs::write(folder.join("envoy.log"), LOG).unwrap();
    let lines = LOG.lines().filter_map(|line| line.find("{\"event\"").map(|at| &line[at..]));
    fs::write(folder.join("audit.jsonl"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    // `FILE` in a document is a configuration of the reader's, and so is `/etc/envoy/envoy.yaml`.
    for copy in ["FILE", "envoy/envoy.yaml"] {
        fs::copy(folder.join("envoy/production.yaml"), folder.join(copy)).unwrap();
    }
    fs::write(folder.join("envoy/duo-mfa.env"), "").unwrap();
}
