//! The Envoy process. It picks free ports, its admin interface is read for statistics, and dropping the
//! handle ends it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::filter::Host;
use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::pool::{self, Loan};
use crate::setup::Setup;
use crate::sim::eventually;

const START: Duration = Duration::from_secs(120);

pub(crate) struct Envoy {
    /// Only the end of the handle takes it away.
    process: Option<Process>,
    pub(crate) listener: SocketAddr,
    /// Where the files of the test are.
    directory: PathBuf,
    /// Of an Envoy that serves the next test too.
    loan: Option<Loan>,
}

/// A process of Envoy, which ends with its handle.
pub(crate) struct Process {
    child: Child,
    admin: SocketAddr,
    log: PathBuf,
    /// How many bytes of the log are of the time before the present test.
    log_start: usize,
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

impl Process {
    /// Starts an Envoy in `directory` and waits until it is ready.
    pub(crate) fn start(directory: &Path, configuration: &Value, setup: &Setup) -> Self {
        let file = directory.join("envoy.json");
        fs::write(&file, configuration.to_string()).unwrap();
        let (log, admin_file) = (directory.join("envoy.log"), directory.join("admin"));
        let output = File::create(&log).unwrap();
        let mut child = command(&file, setup)
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
        let admin = wait_for(&mut child, &admin_file, &log);
        Self { child, admin, log, log_start: 0 }
    }

    fn page(&self, path: &str) -> String {
        asked(self.admin, &Request::get(path)).expect("the admin interface answers").text()
    }

    /// Sends a command to the admin interface.
    pub(crate) fn command(&self, path: &str) {
        let reply = asked(self.admin, &Request::post(path)).expect("the admin interface answers");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }

    /// The value of a counter or gauge; 0 if it does not exist.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let page = self.page(&format!("/stats?filter=^{name}$"));
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until Envoy has taken the first update of a subscription into use since its counters were at 0.
    pub(crate) fn await_update(&self, subscription: &str) {
        eventually("an update", || {
            let count = |what| self.stat(&format!("{subscription}.update_{what}"));
            assert_eq!(count("rejected"), 0, "Envoy refuses its configuration:\n{}", self.log());
            (count("success") == 1).then_some(())
        });
    }

    /// The address of the listener, once there is one.
    fn listener(&self) -> SocketAddr {
        let page = self.page("/listeners?format=json");
        let page: Value = serde_json::from_str(&page).unwrap();
        let address = &page["listener_statuses"][0]["local_address"]["socket_address"];
        let port = address["port_value"].as_u64().expect("a listener");
        SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()))
    }

    /// Has [`Self::log`] leave out what has been logged until now.
    pub(crate) fn log_begins_here(&mut self) {
        self.log_start = usize::try_from(fs::metadata(&self.log).unwrap().len()).unwrap();
    }

    fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap();
        String::from_utf8_lossy(&log[self.log_start..]).into_owned()
    }

    fn damage(&mut self) -> Option<String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(format!("Envoy ended: {status}"));
        }
        let stats = self.page("/stats?filter=vm_reload|crash|envoy_wasm.*failed");
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

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Envoy {
    /// Has an Envoy serve this configuration, and waits until it listens.
    pub(crate) fn start(directory: &Path, configuration: &Value, setup: &Setup) -> Self {
        let (process, loan) = match pool::lend(configuration, setup) {
            Some((process, loan)) => (process, Some(loan)),
            None => (Process::start(directory, configuration, setup), None),
        };
        let listener = process.listener();
        Self { process: Some(process), listener, directory: directory.to_owned(), loan }
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("until the end of the handle")
    }

    fn process_mut(&mut self) -> &mut Process {
        self.process.as_mut().expect("until the end of the handle")
    }

    /// Reads a page of the admin interface.
    pub(crate) fn admin(&self, path: &str) -> String {
        self.process().page(path)
    }

    /// The address of the admin interface.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.process().admin
    }

    /// The value of a counter or gauge; 0 if it does not exist.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        self.process().stat(name)
    }

    fn id(&self) -> u32 {
        self.process().child.id()
    }

    /// The resident memory of the process, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/statm", self.id());
        let pages = fs::read_to_string(path).unwrap().split(' ').nth(1).unwrap().parse::<u64>();
        pages.unwrap() * 4_096
    }

    /// The number of its threads of this name.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn threads(&self, name: &str) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let comm = |task: std::io::Result<fs::DirEntry>| {
            fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(comm).filter(|comm| comm.trim_end() == name).count()
    }

    /// The number of its threads.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn all_threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.id())).unwrap().count()
    }

    /// Ends the process by SIGKILL.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn kill(&mut self) {
        let child = &mut self.process_mut().child;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops the process, does `work`, and continues the process, which then receives everything at once.
    pub(crate) fn stopped(&self, work: impl FnOnce()) {
        let signal = |name: &str| {
            let process = self.id().to_string();
            assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
        };
        signal("-STOP");
        work();
        signal("-CONT");
    }

    pub(crate) fn log(&self) -> String {
        self.process().log()
    }

    /// Why Envoy or the module's VM has ended or restarted; `None` if neither has.
    pub(crate) fn damage(&mut self) -> Option<String> {
        self.process_mut().damage()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let (Some(mut process), Some(loan)) = (self.process.take(), self.loan.take()) else {
            return;
        };
        if thread::panicking() {
            fs::write(self.directory.join("envoy.log"), process.log()).ok();
        } else if process.damage().is_none() {
            pool::take_back(process, loan);
        }
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

fn wait_for(process: &mut Child, admin_file: &Path, log: &Path) -> SocketAddr {
    let start = Instant::now();
    loop {
        if let Some(admin) = ready(admin_file) {
            return admin;
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

/// The address of the admin interface, once Envoy serves.
fn ready(admin_file: &Path) -> Option<SocketAddr> {
    let at = fs::read_to_string(admin_file).ok()?.trim().parse().ok()?;
    (asked(at, &Request::get("/ready"))?.status == 200).then_some(at)
}

/// `None` if the admin interface does not answer in time, as on a busy machine.
fn asked(at: SocketAddr, request: &Request) -> Option<Reply> {
    Connection::try_open(at)?.ask(request).ok()
}
