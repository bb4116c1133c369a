//! One Envoy with a listener for each variant.

use crate::Fault;
use crate::setup::Setup;
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;

/// Long enough for V8 to compile the module under valgrind.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The part of the machine, or the tool, that runs Envoy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Under<'a> {
    /// The system alone.
    Nothing,
    /// These CPUs alone, if `taskset` is there.
    Cpus(&'a str),
    /// Valgrind's callgrind, which writes its counts to files of this name and a number.
    Callgrind(&'a Path),
}

/// The process; it ends with this value.
#[derive(Debug)]
pub(crate) struct Envoy {
    process: Child,
    log: PathBuf,
}

impl Envoy {
    /// Starts Envoy with so many workers.
    pub(crate) fn start(
        setup: &Setup,
        config: &Value,
        workers: u32,
        under: Under<'_>,
    ) -> Result<Self, Fault> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (file, log) = (folder.join("bench-envoy.json"), folder.join("bench-envoy.log"));
        std::fs::write(&file, config.to_string())?;
        let mut command = under.command(&setup.envoy);
        let output = std::fs::File::create(&log)?;
        command.arg("--config-path").arg(&file);
        command.args(["--concurrency", &workers.to_string()]);
        command.args(["--log-level", "error", "--disable-hot-restart"]);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process =
            command.spawn().map_err(|error| format!("{}: {error}", setup.envoy.display()))?;
        Ok(Self { process, log })
    }

    /// Waits until a listener takes connections.
    pub(crate) async fn wait_for(&mut self, port: u16) -> Result<(), Fault> {
        let look = async {
            while !listens(port).await {
                if self.process.try_wait()?.is_some() {
                    return Err("Envoy has ended".into());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(PATIENCE, look).await;
        waited.unwrap_or_else(|_| Err("Envoy does not listen".into())).map_err(|fault: Fault| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            format!("{fault}\n{log}").into()
        })
    }

    /// Time that all threads have spent on a CPU. `/proc/PID/stat` has it in ticks of 10 ms only.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Fault> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let schedule = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_cpu = schedule.split_whitespace().next().ok_or("schedstat is empty")?;
            sum += on_cpu.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Envoy {
    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its memory.
    pub(crate) fn resident(&self) -> Result<Resident, Fault> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.id()))?;
        let megabytes = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
            let kilobytes: Option<f64> = line.and_then(|number| number.trim().parse().ok());
            kilobytes.map(|kilobytes| kilobytes / 1024.0).ok_or("smaps_rollup is incomplete")
        };
        Ok(Resident { all: megabytes("Rss:")?, private_dirty: megabytes("Private_Dirty:")? })
    }
}

/// The memory of a process, in megabytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub(crate) all: f64,
    pub(crate) private_dirty: f64,
}

impl Under<'_> {
    /// The first CPU, if the clients are pinned to another one.
    pub(crate) const fn first_cpu(clients_are_pinned: bool) -> Self {
        if clients_are_pinned { Self::Cpus("0") } else { Self::Nothing }
    }

    fn command(self, program: &Path) -> Command {
        match self {
            Self::Cpus(cpus) if has_taskset() => {
                let mut taskset = Command::new("taskset");
                taskset.args(["--cpu-list", cpus]).arg(program);
                taskset
            }
            Self::Nothing | Self::Cpus(_) => Command::new(program),
            Self::Callgrind(files) => {
                let mut valgrind = Command::new("valgrind");
                // V8 writes code while it runs.
                valgrind.args(["--tool=callgrind", "--smc-check=all-non-file"]);
                valgrind.arg(format!("--callgrind-out-file={}", files.display())).arg(program);
                valgrind
            }
        }
    }
}

fn has_taskset() -> bool {
    let asked = Command::new("taskset").arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether Envoy accepts a connection. If nobody listens on a port and the system picks that port as the
/// source, TCP connects the socket to itself, which does not count.
async fn listens(port: u16) -> bool {
    let connection = TcpStream::connect(("127.0.0.1", port)).await;
    connection.is_ok_and(|stream| stream.local_addr().is_ok_and(|ours| ours.port() != port))
}

/// Ports that nobody listens on.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>, Fault> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
