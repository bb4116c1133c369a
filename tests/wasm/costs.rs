//! The costs of typical requests: instructions of the module, host calls, and entries into the virtual machine. All are
//! counted, so that the same module gives the same numbers on any machine.
//!
//! `costs.txt` has the budget. `BLESS=1 cargo test --test wasm costs` writes it anew.

use crate::duo::Will;
use crate::host::{Recorded, is_shrunk};
use crate::people::{Ask, config};
use crate::world::{Root, TICK, World};
use serde_json::json;
use std::fmt::Write as _;

const BUDGET: &str = include_str!("costs.txt");
/// How many more instructions than recorded are no fault, in percent.
const TOLERANCE: u64 = 2;
const USER: &str = "alice";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    instructions: u64,
    host_calls: u64,
    entries: u64,
}

pub(crate) struct Meter {
    pub(crate) world: World,
    pub(crate) root: Root,
    table: Vec<(&'static str, Cost)>,
}

impl Meter {
    /// One worker with this configuration, which has checked Duo.
    pub(crate) fn with(config: &str) -> Self {
        let root = Root { vm: 0, context: 0, listener: 0, is_running: false, is_old: false };
        let mut meter = Self { world: World::new(7, 1, true), root, table: Vec::new() };
        meter.measure("start", |meter| meter.root = meter.world.configure(0, 0, config));
        assert!(meter.root.is_running);
        for _ in 0..4 {
            meter.world.settle();
            meter.world.pass(TICK);
        }
        meter
    }

    /// The instructions of the last work.
    pub(crate) fn instructions(&mut self, work: impl FnOnce(&mut Self)) -> u64 {
        self.measure("", work);
        self.table.pop().map_or(0, |(_, cost)| cost.instructions)
    }

    /// Measures what is done.
    fn measure(&mut self, name: &'static str, work: impl FnOnce(&mut Self)) {
        let vm = &self.world.vms[0];
        let (instructions, entries) = (vm.instructions(), vm.entries);
        self.world.record(Recorded::default());
        work(self);
        let host_calls = u64::try_from(self.world.recorded().calls.len()).unwrap();
        let vm = &self.world.vms[0];
        let (instructions, entries) = (vm.instructions() - instructions, vm.entries - entries);
        self.table.push((name, Cost { instructions, host_calls, entries }));
    }

    /// One exchange that needs no call; `true` if the request is forwarded.
    fn exchange(&mut self, ask: &Ask) -> bool {
        let id = self.world.ask(self.root, ask);
        assert_eq!(self.world.undecided().count(), 0, "{ask:?} waits");
        let is_forwarded = self.world.is_forwarded(id);
        if is_forwarded {
            self.world.respond(id);
        }
        is_forwarded
    }

    /// Measures an exchange that was done before, so that caches are filled and memory is allocated.
    fn again(&mut self, name: &'static str, ask: &Ask, is_forwarded: bool) {
        for _ in 0..20 {
            assert_eq!(self.exchange(ask), is_forwarded, "{name}");
        }
        self.measure(name, |meter| {
            meter.exchange(ask);
        });
    }

    pub(crate) fn with_cookies(&self, ask: Ask) -> Ask {
        ask.cookies(self.world.jars[&(USER.to_owned(), 0)].iter())
    }

    /// A request that is held until its push is approved.
    pub(crate) fn held(&mut self, path: &str) {
        let id = self.world.ask(self.root, &Ask::program(USER, path));
        self.world.settle();
        assert!(self.world.is_forwarded(id));
        self.world.respond(id);
    }
}

fn measured() -> Vec<(&'static str, Cost)> {
    let mut meter = Meter::with(&config(0).to_string());
    meter.measure("tick", |meter| meter.world.pass(TICK));
    meter.held("/reports");
    meter.measure("held", |meter| meter.held("/reports"));
    let pass = meter.with_cookies(Ask::program(USER, "/reports"));
    meter.again("pass", &pass, true);
    meter.again("bypass", &Ask::program(USER, "/public/x"), true);
    meter.again("refusal", &Ask::program(USER, "/deny/x"), false);
    meter.again("page", &Ask::opens("bob", "/reports"), false);
    meter.held("/api/a");
    meter.again("per_client", &Ask::program(USER, "/api/b"), true);
    let begin = Ask::posts(USER, "/.duo-mfa/auth?factor=push&return_to=%2Fwire%3Fto%3D8");
    meter.world.ask(meter.root, &begin);
    meter.world.settle();
    let status = meter.with_cookies(Ask::fetches(USER, "/.duo-mfa/status"));
    meter.world.ask(meter.root, &status);
    meter.world.settle();
    meter.world.duo.wills.insert(USER.to_owned(), Will::Deny);
    let wire = meter.with_cookies(Ask::opens(USER, "/wire?to=8"));
    meter.measure("per_request", |meter| assert!(meter.exchange(&wire)));
    assert_eq!(meter.world.broken(true), <[String; 0]>::default());
    meter.table
}

/// The costs of passes with an assertion: of the first one, which signs it, and of a later one.
fn with_assertions() -> Vec<(&'static str, Cost)> {
    let mut config = config(0);
    config["assertion"] = json!({
        "keys": [{"env": "ASSERTION_KEY"}], "issuer": "https://app.example.com", "audience": "wiki",
    });
    let mut meter = Meter::with(&config.to_string());
    meter.table.clear();
    meter.held("/reports");
    let pass = meter.with_cookies(Ask::program(USER, "/reports"));
    meter.measure("signed", |meter| assert!(meter.exchange(&pass)));
    meter.again("asserted", &pass, true);
    assert_eq!(meter.world.broken(true), <[String; 0]>::default());
    meter.table
}

fn parse(budget: &str) -> Vec<(String, Cost)> {
    let lines = budget.lines().filter(|line| !line.starts_with('#'));
    let cost = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let mut number = || words.next().unwrap().replace('_', "").parse().unwrap();
        (name, Cost { instructions: number(), host_calls: number(), entries: number() })
    };
    lines.map(cost).collect()
}

fn table(measured: &[(&str, Cost)]) -> String {
    let mut text = String::from("# request instructions host-calls entries; see costs.rs\n");
    for (name, Cost { instructions, host_calls, entries }) in measured {
        writeln!(text, "{name:<12} {instructions:>9} {host_calls:>4} {entries:>3}").unwrap();
    }
    text
}

#[test]
fn no_request_costs_more_than_its_budget() {
    let mut measured = measured();
    measured.extend(with_assertions());
    let text = table(&measured);
    crate::say!("{text}");
    if std::env::var_os("BLESS").is_some() {
        assert!(is_shrunk(), "the budget is that of the module that is shipped: `make module`");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wasm/costs.txt");
        return std::fs::write(path, text).unwrap();
    }
    let budget = parse(BUDGET);
    assert_eq!(budget.len(), measured.len(), "the names of costs.txt");
    let is_shrunk = is_shrunk();
    let too_dear = measured.iter().zip(&budget).filter(|((name, cost), (known, most))| {
        assert_eq!(name, known);
        let limit = most.instructions + most.instructions * TOLERANCE / 100;
        let is_too_long = is_shrunk && cost.instructions > limit;
        is_too_long || cost.host_calls > most.host_calls || cost.entries > most.entries
    });
    let too_dear: Vec<_> = too_dear.collect();
    assert!(
        too_dear.is_empty(),
        "dearer than tests/wasm/costs.txt allows: {too_dear:#?}\nIf that is meant: make module && BLESS=1 cargo test \
         --test wasm costs"
    );
}

/// A pass with an assertion that was signed before costs little more than one without.
#[test]
fn an_assertion_adds_at_most_a_tenth_to_a_pass() {
    let of = |table: &[(&str, Cost)], name: &str| {
        table.iter().find(|(known, _)| *known == name).map(|(_, cost)| *cost).unwrap()
    };
    let (pass, asserted) = (of(&measured(), "pass"), of(&with_assertions(), "asserted"));
    crate::say!("pass {pass:?}, with an assertion {asserted:?}");
    assert!(asserted.instructions * 10 <= pass.instructions * 11);
    assert_eq!(asserted.host_calls, pass.host_calls + 1, "one header more");
    assert_eq!(asserted.entries, pass.entries);
}
