//! Duo's official clients against `duo-sim`: what they send is what the simulator, and so every
//! other test, takes for right.
//!
//! The clients are installed from PyPI and npm, at pinned versions and hashes, under
//! `.tools/clients`. Where Python, Node or the network is missing these tests fail: an unchecked
//! simulator proves nothing.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the clients' own words help when one fails")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

#[test]
fn the_python_clients_agree_with_the_simulator() {
    let venv = tools("venv");
    let installed = venv.join("installed-5.7.0-2.3.1");
    install(&venv, &installed, |venv| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv));
        let requirements = here().join("requirements.txt");
        let mut pip = Command::new(venv.join("bin/pip"));
        run(pip
            .args(["install", "--quiet", "--no-deps", "--require-hashes", "-r"])
            .arg(requirements));
    });
    check(venv.join("bin/python"), "auth_api.py", &[]);
    // The client's JWT library warns of Duo's secrets, which have 40 bytes.
    check(venv.join("bin/python"), "universal.py", &[("PYTHONWARNINGS", &PathBuf::from("ignore"))]);
}

#[test]
fn the_node_clients_agree_with_the_simulator() {
    let node = tools("node");
    let installed = node.join("installed-1.5.0-3.0.0");
    install(&node, &installed, |node| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(here().join(file), node.join(file)).expect("the list of packages is copied");
        }
        let mut npm = Command::new("npm");
        // In its directory: under another prefix npm would not read the machine's own settings.
        run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(node));
    });
    let modules = node.join("node_modules");
    check("node", "auth_api.js", &[("NODE_PATH", &modules)]);
    // In another process: the other script wraps `https.request`.
    check("node", "universal.js", &[("NODE_PATH", &modules)]);
}

/// Runs a script of this directory against a new simulator.
fn check(program: impl AsRef<OsStr>, script: &str, environment: &[(&str, &PathBuf)]) {
    let state = tools(&format!("state-{script}"));
    let (mut sim, line) = start(&state);
    let mut command = Command::new(program);
    command.arg(here().join(script)).arg(line).envs(environment.iter().copied());
    run(&mut command);
    drop(sim.stdin.take());
    assert!(sim.wait().expect("duo-sim ends").success());
}

/// Starts the simulator and returns the line that it tells its addresses with.
fn start(state: &Path) -> (Child, String) {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_duo-sim"))
        .arg("--exit-with-stdin")
        .arg("--state-dir")
        .arg(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("duo-sim starts");
    let out = sim.stdout.take().expect("standard output is a pipe");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("duo-sim tells its addresses");
    (sim, line)
}

/// Runs `work` once.
fn install(directory: &Path, installed: &Path, work: impl FnOnce(&Path)) {
    fs::create_dir_all(directory).expect("the directory for the clients can be made");
    if !installed.exists() {
        work(directory);
        File::create(installed).expect("the mark can be made");
    }
}

/// Runs a command; its failure is the test's.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn tools(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/clients").join(name)
}
