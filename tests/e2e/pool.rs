//! Envoys that serve one test after another. At its start an Envoy has V8 compile the module, which takes longer than
//! most tests do; within one process V8 compiles a file once.
//!
//! A test has its Envoy to itself and finds nothing of the tests before. Its listeners, its clusters and its VMs are new;
//! the VMs share no data with earlier ones, since each loan has other `vm_id`s; counters are at 0; and the log begins
//! with the loan.
//!
//! A test gets such an Envoy if its configuration has nothing but listeners and clusters, which Envoy can replace.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};

use crate::discovery::{self, CLUSTER, LISTENER};
use crate::envoy::{Process, module};
use crate::filter::Host;
use crate::setup::{COOKIE_KEY, SECRET_KEY, Setup, any_port};
use crate::sim::eventually;
use crate::stack::Directory;

/// How many Envoys wait for a test of their kind.
const MOST_UNUSED: usize = 8;

/// The Envoys that no test uses; the last one has served last.
static UNUSED: Mutex<Vec<(Process, Loan)>> = Mutex::new(Vec::new());

/// The settings that an Envoy gets at its start and keeps.
#[derive(Clone, PartialEq, Eq)]
struct Kind {
    workers: u32,
    log: &'static str,
    environment: Vec<(&'static str, String)>,
}

/// The settings and the files of an Envoy of this pool.
pub(crate) struct Loan {
    kind: Kind,
    /// Where Envoy reads its listeners and clusters.
    directory: Directory,
}

/// An Envoy that serves this configuration. `None` if it needs a new one.
pub(crate) fn lend(configuration: &Value, setup: &Setup) -> Option<(Process, Loan)> {
    let [listeners, clusters] = replaceable(configuration)?;
    let (mut process, loan) = unused(setup).unwrap_or_else(|| start(setup));
    await_listeners(&process, 1);
    eventually("the end of the clusters before", || {
        (process.stat("cluster_manager.active_clusters") == 0).then_some(())
    });
    process.command("/reset_counters");
    process.log_begins_here();
    discovery::write(&loan.clusters(), CLUSTER, clusters);
    process.await_update("cluster_manager.cds");
    discovery::write(&loan.listeners(), LISTENER, &with_new_ids(listeners));
    process.await_update("listener_manager.lds");
    await_listeners(&process, listeners.len());
    Some((process, loan))
}

/// Waits until an Envoy has so many listeners, and those before have ended.
fn await_listeners(process: &Process, count: usize) {
    eventually("listeners", || {
        let of_kind = |kind| process.stat(&format!("listener_manager.total_listeners_{kind}"));
        let counts = ["active", "warming", "draining"].map(of_kind);
        (counts == [count.try_into().unwrap(), 0, 0]).then_some(())
    });
}

/// Takes back an Envoy, for the next test of its kind.
pub(crate) fn take_back(process: Process, loan: Loan) {
    loan.rest();
    let mut unused = UNUSED.lock().unwrap();
    unused.push((process, loan));
    if unused.len() > MOST_UNUSED {
        unused.remove(0);
    }
}

/// Ends all Envoys that no test uses.
pub(crate) fn close() {
    UNUSED.lock().unwrap().clear();
}

/// The listeners and the clusters of a configuration that has nothing else.
fn replaceable(configuration: &Value) -> Option<[&[Value]; 2]> {
    let resources = configuration.get("static_resources")?;
    let has_only = |value: &Value, names: [&str; 2]| {
        value.as_object().is_some_and(|it| it.keys().all(|name| names.contains(&name.as_str())))
    };
    let is_replaceable = Host::of_this_run() == Host::Wasm
        && has_only(configuration, ["admin", "static_resources"])
        && configuration["admin"] == json!({"address": any_port()})
        && has_only(resources, ["listeners", "clusters"]);
    let list = |name| resources.get(name)?.as_array().map(Vec::as_slice);
    is_replaceable.then_some([list("listeners")?, list("clusters")?])
}

fn unused(setup: &Setup) -> Option<(Process, Loan)> {
    let mut unused = UNUSED.lock().unwrap();
    let place = unused.iter().position(|(_, loan)| loan.kind == Kind::of(setup))?;
    Some(unused.remove(place))
}

fn start(setup: &Setup) -> (Process, Loan) {
    let loan = Loan { kind: Kind::of(setup), directory: Directory::new() };
    loan.rest();
    let mut configuration = json!({"admin": {"address": any_port()}});
    discovery::subscribe(&mut configuration, "lds_config", &loan.listeners());
    discovery::subscribe(&mut configuration, "cds_config", &loan.clusters());
    // A listener that is removed ends at once: its test is over.
    let setup = Setup { drain_seconds: 0, ..setup.clone() };
    (Process::start(&loan.directory.0, &configuration, &setup), loan)
}

/// The listener without a port, in a configuration that needs no environment and no cluster.
fn keeper() -> Value {
    let manager = json!({"route_config": {"validate_clusters": false}});
    let setup = Setup { environment: Vec::new(), manager, ..Setup::default() }.plugin(json!({
        "mode": "off",
        "allow_inline_secrets": true,
        "duo": {"secret_key": SECRET_KEY, "cluster": "none"},
        "session": {"keys": [COOKIE_KEY]},
    }));
    let mut keeper = setup.listener(&module());
    keeper["name"] = json!("keeper");
    // Envoy refuses two listeners with one address.
    keeper["address"]["socket_address"]["address"] = json!("127.0.0.2");
    keeper["bind_to_port"] = json!(false);
    keeper
}

impl Kind {
    fn of(setup: &Setup) -> Self {
        let mut environment = setup.environment.clone();
        environment.sort();
        Self { workers: setup.workers, log: setup.log, environment }
    }
}

impl Loan {
    fn listeners(&self) -> PathBuf {
        self.directory.0.join("listeners.json")
    }

    fn clusters(&self) -> PathBuf {
        self.directory.0.join("clusters.json")
    }

    /// Leaves Envoy without clusters, and with a listener that nobody can reach. Its plugin keeps V8's code of the module:
    /// Envoy has the next listener before it ends this one.
    fn rest(&self) {
        discovery::write(&self.listeners(), LISTENER, &[keeper()]);
        discovery::write(&self.clusters(), CLUSTER, &[]);
    }
}

/// The listeners with a number added to the `vm_id` of each plugin.
fn with_new_ids(listeners: &[Value]) -> Vec<Value> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let end = format!("-{}", NUMBER.fetch_add(1, SeqCst));
    let mut listeners = listeners.to_vec();
    listeners.iter_mut().for_each(|listener| extend_ids(listener, &end));
    listeners
}

fn extend_ids(value: &mut Value, end: &str) {
    if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(|item| extend_ids(item, end));
    } else if let Some(members) = value.as_object_mut() {
        for (name, member) in members {
            if name == "vm_id" {
                *member = json!(format!("{}{end}", member.as_str().expect("a text")));
            } else {
                extend_ids(member, end);
            }
        }
    }
}
