//! Envoys that serve one test after another. At its start an Envoy has V8 compile the module, which takes longer than
//! most tests do; within one process V8 compiles a file once.
//!
//! A test has its Envoy to itself and finds nothing of the tests before. Its listeners, its clusters and its VMs are new;
//! the VMs share no data with earlier ones, since each loan has other `vm_id`s; counters are at 0; and the log begins
//! with the loan.
//!
//! A test gets such an Envoy if its configuration has nothing but listeners and clusters, which Envoy can replace.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};

use crate::envoy::{Process, module};
use crate::filter::{Host, filter};
use crate::setup::{COOKIE_KEY, SECRET_KEY, Setup, any_port, router};
use crate::sim::eventually;
use crate::stack::Directory;

/// The name of a listener without a port, which keeps V8's code of the module while no test uses the Envoy. Envoy has
/// the next listener before it ends this one.
const KEEPER: &str = "keeper";

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
    loan.offer("clusters", "cluster.v3.Cluster", clusters);
    process.await_update("cluster_manager.cds");
    loan.offer("listeners", "listener.v3.Listener", &with_new_ids(listeners));
    process.await_update("listener_manager.lds");
    await_listeners(&process, listeners.as_array().expect("listeners").len());
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
    loan.offer("listeners", "listener.v3.Listener", &json!([keeper()]));
    loan.offer("clusters", "cluster.v3.Cluster", &json!([]));
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
fn replaceable(configuration: &Value) -> Option<[&Value; 2]> {
    let resources = configuration.get("static_resources")?;
    let has_only = |value: &Value, names: [&str; 2]| {
        value.as_object().is_some_and(|it| it.keys().all(|name| names.contains(&name.as_str())))
    };
    let is_replaceable = Host::of_this_run() == Host::Wasm
        && has_only(configuration, ["admin", "static_resources"])
        && configuration["admin"] == json!({"address": any_port()})
        && has_only(resources, ["listeners", "clusters"]);
    let lists = [resources.get("listeners")?, resources.get("clusters")?];
    is_replaceable.then_some(lists)
}

fn unused(setup: &Setup) -> Option<(Process, Loan)> {
    let mut unused = UNUSED.lock().unwrap();
    let place = unused.iter().position(|(_, loan)| loan.kind == Kind::of(setup))?;
    Some(unused.remove(place))
}

fn start(setup: &Setup) -> (Process, Loan) {
    let loan = Loan { kind: Kind::of(setup), directory: Directory::new() };
    loan.offer("listeners", "listener.v3.Listener", &json!([keeper()]));
    loan.offer("clusters", "cluster.v3.Cluster", &json!([]));
    let source = |name| {
        let file = loan.directory.0.join(name);
        json!({"resource_api_version": "V3", "path_config_source": {"path": file}})
    };
    let configuration = json!({
        "admin": {"address": any_port()},
        "node": {"id": "e2e", "cluster": "e2e"},
        "dynamic_resources": {"lds_config": source("listeners"), "cds_config": source("clusters")},
    });
    // A listener that is removed ends at once: its test is over.
    let setup = Setup { drain_seconds: 0, ..setup.clone() };
    (Process::start(&loan.directory.0, &configuration, &setup), loan)
}

/// The listener [`KEEPER`].
fn keeper() -> Value {
    let setup = Setup { environment: Vec::new(), ..Setup::default() }.plugin(json!({
        "mode": "off",
        "allow_inline_secrets": true,
        "duo": {"secret_key": SECRET_KEY, "cluster": "none"},
        "session": {"keys": [COOKIE_KEY]},
    }));
    let mut kept = filter(&setup, &module());
    kept["typed_config"]["config"]["vm_config"]["vm_id"] = json!(KEEPER);
    json!({
        "name": KEEPER,
        // Envoy refuses two listeners with one address.
        "address": {"socket_address": {"address": "127.0.0.2", "port_value": 0}},
        "bind_to_port": false,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": KEEPER,
                "http_filters": [kept, router()],
                "route_config": {},
            },
        }]}],
    })
}

impl Kind {
    fn of(setup: &Setup) -> Self {
        let mut environment = setup.environment.clone();
        environment.sort();
        Self { workers: setup.workers, log: setup.log, environment }
    }
}

impl Loan {
    /// Has Envoy replace its resources of one kind.
    fn offer(&self, name: &str, kind: &str, resources: &Value) {
        let mut resources = resources.clone();
        for resource in resources.as_array_mut().unwrap() {
            resource["@type"] = json!(format!("type.googleapis.com/envoy.config.{kind}"));
        }
        let next = self.directory.0.join("next");
        fs::write(&next, json!({"resources": resources}).to_string()).unwrap();
        fs::rename(next, self.directory.0.join(name)).unwrap();
    }
}

/// The listeners with a number added to the `vm_id` of each plugin.
fn with_new_ids(listeners: &Value) -> Value {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut listeners = listeners.clone();
    extend_ids(&mut listeners, &format!("-{}", NUMBER.fetch_add(1, SeqCst)));
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
