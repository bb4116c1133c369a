//! How the cost of a request grows with held requests, rules, cookies and users, in instructions of the module. They are the
//! same on every machine. docs/scale.md has the figures, and this test prints them.

use crate::costs::Meter;
use crate::duo::Will;
use crate::people::{Ask, config};
use crate::world::TICK;
use serde_json::{Value, json};
use std::fmt::Write as _;

const USER: &str = "alice";

fn meter(config: &Value) -> Meter {
    let mut meter = Meter::with(&config.to_string());
    meter.held("/reports");
    meter
}

/// A configuration with this number of rules by path before the default.
fn with_rules(rules: usize) -> Value {
    let mut config = config(0);
    let rule = |number| json!({"paths": [format!("/area-{number}/*")], "policy": "bypass"});
    config["access_control"]["rules"] = (0..rules).map(rule).collect();
    if rules == 0 {
        config.as_object_mut().unwrap().remove("access_control");
    }
    config
}

/// The instructions of a pass by cookie, with this number of other cookies.
fn pass(meter: &mut Meter, cookies: usize) -> u64 {
    let others: Vec<_> =
        (0..cookies).map(|number| (format!("cookie-{number}"), "x".repeat(32))).collect();
    let others = others.iter().map(|(name, value)| (name, value));
    let ask = meter.with_cookies(Ask::program(USER, "/reports").cookies(others));
    let exchange = |meter: &mut Meter| {
        let id = meter.world.ask(meter.root, &ask);
        assert!(meter.world.is_forwarded(id));
        meter.world.respond(id);
    };
    for _ in 0..20 {
        exchange(meter);
    }
    meter.instructions(exchange)
}

/// Reports all calls that are under way.
fn deliver(meter: &mut Meter) {
    while !meter.world.vms[0].calls().is_empty() {
        meter.world.deliver(0, 0, None);
    }
}

/// Has users ask who do not answer, so that their requests wait, from this one to that one.
fn wait(meter: &mut Meter, from: usize, to: usize) {
    for number in from..to {
        let user = format!("waits-{number}");
        meter.world.duo.wills.insert(user.clone(), Will::Wait);
        meter.world.ask(meter.root, &Ask::program(&user, "/reports"));
        deliver(meter);
    }
    assert_eq!(meter.world.undecided().count(), to);
}

/// The instructions of a held request from its head to its response, as if nobody else asked at the time.
fn held(meter: &mut Meter) -> u64 {
    let ask = Ask::program("another", "/reports");
    meter.instructions(|meter| {
        let id = meter.world.ask(meter.root, &ask);
        while !meter.world.is_forwarded(id) {
            assert!(!meter.world.vms[0].calls().is_empty(), "it waits for the clock");
            meter.world.deliver(0, 0, None);
        }
        meter.world.respond(id);
    })
}

fn row(text: &mut String, name: &str, at: &[usize], figures: &[u64]) {
    let cells: Vec<_> =
        at.iter().zip(figures).map(|(at, figure)| format!("{at}: {figure}")).collect();
    writeln!(text, "{name:<28} {}", cells.join("  ")).unwrap();
}

/// The largest figure, as a multiple of the first.
fn growth(figures: &[u64]) -> f64 {
    *figures.iter().max().unwrap() as f64 / figures[0] as f64
}

#[test]
fn costs_grow_as_the_page_says() {
    let mut text = String::new();

    let mut plain = meter(&with_rules(0));
    let at = [0, 10, 50];
    let cookies = at.map(|cookies| pass(&mut plain, cookies));
    row(&mut text, "pass by other cookies", &at, &cookies);

    let at = [0, 10, 100];
    let rules = at.map(|rules| pass(&mut meter(&with_rules(rules)), 0));
    row(&mut text, "pass by rules", &at, &rules);

    // The fewest buckets, of which each has room for 32 users or phones: 250 users fill a quarter of it.
    let mut small = with_rules(0);
    small["limits"] = json!({"users": 64});
    let mut meter = meter(&small);
    let at = [0, 1, 100, 250];
    let (mut passes, mut holds, mut before) = (Vec::new(), Vec::new(), 0);
    for waiting in at {
        wait(&mut meter, before, waiting);
        before = waiting;
        passes.push(pass(&mut meter, 0));
        holds.push(held(&mut meter));
    }
    row(&mut text, "pass by held requests", &at, &passes);
    row(&mut text, "held request by users", &at, &holds);
    let polls = meter.instructions(|meter| {
        meter.world.pass(4 * TICK);
        deliver(meter);
    });
    row(&mut text, "poll of a held request", &[before], &[polls / before as u64]);
    crate::say!("{text}");
    // With any, the module looks for the response's cookie among them.
    assert!(growth(&passes) < 1.1, "{passes:?}");
    assert!(growth(&passes[2..]) < 1.02, "a pass depends on how many wait: {passes:?}");
}
