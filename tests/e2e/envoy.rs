//! The Envoy process. It picks free ports, its admin interface is read for statistics, and dropping the
//! handle ends it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::filter::Host;
use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::setup::Setup;

const START: Duration = Duration::from_secs(120);

pub(crate) struct Envoy {
    process: Child,
    pub(crate) admin: SocketAddr,
    pub(crate) listener: SocketAddr,
    log: PathBuf,
}

/// Waits until each worker of an Envoy has read the record of Duo's health, as it does on its tick, four times a second.
pub(crate) fn await_tick() {
    sleep(Duration::from_millis(600));
}

/// The module under test.
pub(crate) fn module() -> PathBuf {
    match Host::of_this_run() {
        Host::Wasm => existing("DUO_MFA_WASM", "dist/duo_mfa.wasm", "make wasm"),
        Host::Native => library(),
    }
}

/// The library, in the runs of both hosts.
pub(crate) fn library() -> PathBuf {
    existing("DUO_MFA_NATIVE", "dist/libduo_mfa.so", "make native")
}

/// Another plugin, to run beside the module.
#[allow(dead_code, reason = "for the tests of neighbors")]
pub(crate) fn neighbor() -> PathBuf {
    let built = "target/wasm32-wasip1/release/examples/neighbor.wasm";
    existing("DUO_MFA_NEIGHBOR_WASM", built, "make neighbor")
}

/// The Envoy that the tests start.
pub(crate) fn program() -> PathBuf {
    existing("DUO_MFA_ENVOY", ".tools/bin/envoy", "make setup")
}

/// The newest Envoy that can't run the library.
#[allow(dead_code, reason = "for the tests of the library")]
pub(crate) fn older() -> PathBuf {
    existing("DUO_MFA_OLDER_ENVOY", ".tools/envoy-1.37.0/envoy", "tools/envoy.sh 1.37.0")
}

/// The first two numbers of the version of [`program`].
#[allow(dead_code, reason = "for the tests of the library")]
pub(crate) fn version() -> (u32, u32) {
    let output = Command::new(program()).arg("--version").output().expect("Envoy runs").stdout;
    let text = String::from_utf8(output).unwrap();
    // As in "envoy  version: 3909deb1../1.37.0/Clean/RELEASE/BoringSSL".
    let (_, text) = text.split_once("version: ").unwrap();
    let version = text.split('/').nth(1).unwrap();
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn existing(variable: &str, default: &str, maker: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(std::env::var(variable).unwrap_or_else(|_| default.to_owned()));
    assert!(path.is_file(), "{} is missing: run `{maker}` or set {variable}", path.display());
    path
}

fn command(configuration: &Path, setup: &Setup) -> Command {
    let mut command = Command::new(program());
    command.arg("--config-path").arg(configuration);
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null());
    command
}

impl Envoy {
    /// Starts an Envoy in `directory` and waits until it listens.
    pub(crate) fn start(directory: &Path, configuration: &Value, setup: &Setup) -> Self {
        let file = directory.join("envoy.json");
        fs::write(&file, configuration.to_string()).unwrap();
        let (log_file, admin_file) = (directory.join("envoy.log"), directory.join("admin"));
        let output = File::create(&log_file).unwrap();
        let mut process = command(&file, setup)
            .arg("--disable-hot-restart")
            .args(["--concurrency", &setup.workers.to_string()])
            .args(["--drain-time-s", &setup.drain_seconds.to_string()])
            .args(["--log-level", "info", "--component-log-level"])
            .arg(setup.log.replace("wasm", Host::of_this_run().component()))
            .arg("--admin-address-path")
            .arg(&admin_file)
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .expect("Envoy runs");
        let (admin, listener) = wait_for(&mut process, &admin_file, &log_file);
        Self { process, admin, listener, log: log_file }
    }

    /// Reads a page of the admin interface.
    pub(crate) fn admin(&self, path: &str) -> String {
        admin(self.admin, path).text()
    }

    /// The address of the admin interface.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) const fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// The value of a counter or gauge; 0 if it does not exist.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let page = self.admin(&format!("/stats?filter=^{name}$"));
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// The resident memory of the process, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/statm", self.process.id());
        let pages = fs::read_to_string(path).unwrap().split(' ').nth(1).unwrap().parse::<u64>();
        pages.unwrap() * 4_096
    }

    /// The number of its threads of this name.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn threads(&self, name: &str) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let comm = |task: std::io::Result<fs::DirEntry>| {
            fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(comm).filter(|comm| comm.trim_end() == name).count()
    }

    /// The number of its threads.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn all_threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap().count()
    }

    /// Ends the process by SIGKILL.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Stops the process, does `work`, and continues the process, which then receives everything at once.
    pub(crate) fn stopped(&self, work: impl FnOnce()) {
        let signal = |name: &str| {
            let process = self.process.id().to_string();
            assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
        };
        signal("-STOP");
        work();
        signal("-CONT");
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Why Envoy or the module's VM has ended or restarted; `None` if neither has.
    pub(crate) fn damage(&mut self) -> Option<String> {
        if let Ok(Some(status)) = self.process.try_wait() {
            return Some(format!("Envoy ended: {status}"));
        }
        let stats = self.admin("/stats?filter=vm_reload|crash|envoy_wasm.*failed");
        let lines = stats.lines().filter(|line| !line.ends_with(": 0"));
        let reloads: Vec<_> = lines.filter(|line| line.contains("reload")).collect();
        if !reloads.is_empty() {
            return Some(format!("the VM was reloaded: {reloads:?}"));
        }
        let log = self.log();
        let lines = log.lines();
        // A test has planted the faults of that file.
        let trap = lines.filter(|line| !line.contains("native/faults.rs")).find(|line| {
            ["panicked at", "Uncaught", "a fault of the filter"].iter().any(|it| line.contains(it))
        });
        trap.map(|line| format!("the VM trapped: {line}"))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Has Envoy validate a configuration, which runs the module's check too. Returns the output.
pub(crate) fn validate(
    directory: &Path,
    configuration: &Value,
    setup: &Setup,
) -> (ExitStatus, String) {
    let file = directory.join("envoy.json");
    fs::write(&file, configuration.to_string()).unwrap();
    let output = command(&file, setup)
        .args(["--mode", "validate", "--log-level", "info"])
        .output()
        .expect("Envoy runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

/// Starts an Envoy with a configuration that it has to refuse. Returns its end and the output.
#[allow(dead_code, reason = "for the tests of e2e")]
pub(crate) fn start_in_vain(
    directory: &Path,
    configuration: &Value,
    setup: &Setup,
) -> (ExitStatus, String) {
    let (file, log_file) = (directory.join("envoy.json"), directory.join("envoy.log"));
    fs::write(&file, configuration.to_string()).unwrap();
    let mut process = command(&file, setup)
        .arg("--disable-hot-restart")
        .stdout(Stdio::null())
        .stderr(File::create(&log_file).unwrap())
        .spawn()
        .expect("Envoy runs");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > START {
            process.kill().ok();
            process.wait().ok();
            panic!("Envoy has started");
        }
        sleep(Duration::from_millis(20));
    };
    (status, fs::read_to_string(log_file).unwrap())
}

/// Asserts that Envoy calls nothing in a configuration deprecated. Of the ABI's version it says so
/// wherever one native module serves older Envoys too.
#[allow(dead_code, reason = "for the tests of e2e")]
pub(crate) fn assert_nothing_deprecated(log: &str) {
    let is_meant = |line: &&str| {
        line.to_lowercase().contains("deprecated") && !line.contains("Dynamic module ABI version")
    };
    assert_eq!(log.lines().find(is_meant), None);
}

fn wait_for(process: &mut Child, admin_file: &Path, log: &Path) -> (SocketAddr, SocketAddr) {
    let start = Instant::now();
    loop {
        if let Some(addresses) = addresses(admin_file) {
            return addresses;
        }
        let ended = process.try_wait().unwrap();
        if ended.is_some() || start.elapsed() > START {
            process.kill().ok();
            process.wait().ok();
            let log = fs::read_to_string(log).unwrap_or_default();
            panic!("Envoy does not start ({ended:?}):\n{log}");
        }
        sleep(Duration::from_millis(20));
    }
}

/// The addresses of the admin interface and of the listener, once both serve.
fn addresses(admin_file: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let at = fs::read_to_string(admin_file).ok()?.trim().parse().ok()?;
    if asked(at, "/ready")?.status != 200 {
        return None;
    }
    let listeners = asked(at, "/listeners?format=json")?.json();
    let socket = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
    let port = u16::try_from(socket["port_value"].as_u64()?).ok()?;
    (port != 0).then(|| (at, SocketAddr::from(([127, 0, 0, 1], port))))
}

fn admin(at: SocketAddr, path: &str) -> Reply {
    asked(at, path).expect("the admin interface answers")
}

/// `None` if the admin interface does not answer in time, as on a busy machine.
fn asked(at: SocketAddr, path: &str) -> Option<Reply> {
    Connection::open(at).ask(&Request::get(path)).ok()
}
