//! How the cost of a request grows with held requests, rules, cookies and users, in instructions of the module. They are the
//! same on every machine. docs/scale.md has the figures, and this test prints them.

use crate::costs::Meter;
use crate::duo::Will;
use crate::people::{Ask, config};
use crate::world::TICK;
use serde_json::{Value, json};

const USER: &str = "alice";
const PAGE: &str = include_str!("../../docs/scale.md");

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

/// A row of the page's table.
struct Row {
    name: &'static str,
    at: Vec<usize>,
    figures: Vec<u64>,
}

impl Row {
    fn new(name: &'static str, at: &[usize], figures: &[u64]) -> Self {
        Self { name, at: at.to_vec(), figures: figures.to_vec() }
    }

    fn print(&self) {
        let cells = self.at.iter().zip(&self.figures).map(|(at, figure)| format!("{at}: {figure}"));
        crate::say!("{:<28} {}", self.name, cells.collect::<Vec<_>>().join("  "));
    }
}

/// The figures of each row of the page's table, as in "none: 1,000; 10: 2,000. **100 a rule**".
fn page() -> impl Iterator<Item = Vec<u64>> {
    let table = PAGE.split_once("## Growth").expect("a section").1;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').nth(2));
    let figure = |part: &str| {
        let digits = part.rsplit(':').next()?.replace(|it: char| !it.is_ascii_digit(), "");
        digits.parse().ok()
    };
    let figures = move |cell: &str| {
        cell.split("**").next().unwrap_or_default().split(';').filter_map(figure).collect()
    };
    rows.map(figures).filter(|row: &Vec<u64>| !row.is_empty())
}

/// The largest figure, as a multiple of the first.
fn growth(figures: &[u64]) -> f64 {
    *figures.iter().max().unwrap() as f64 / figures[0] as f64
}

#[test]
fn costs_grow_as_the_page_says() {
    let mut rows = Vec::new();

    let mut plain = meter(&with_rules(0));
    let at = [0, 10, 50];
    let cookies = at.map(|cookies| pass(&mut plain, cookies));
    rows.push(Row::new("pass by other cookies", &at, &cookies));

    let at = [0, 10, 100];
    let rules = at.map(|rules| pass(&mut meter(&with_rules(rules)), 0));
    rows.push(Row::new("pass by rules", &at, &rules));

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
    rows.push(Row::new("pass by held requests", &at, &passes));
    rows.push(Row::new("held request by users", &at, &holds));
    let polls = meter.instructions(|meter| {
        meter.world.pass(4 * TICK);
        deliver(meter);
    });
    rows.push(Row::new("poll of a held request", &[before], &[polls / before as u64]));
    rows.iter().for_each(Row::print);
    assert_eq!(page().count(), rows.len());
    for (row, said) in rows.iter().zip(page()) {
        let is_near = |(counted, said): (&u64, &u64)| counted.abs_diff(*said) <= counted / 50;
        let is_said = said.len() == row.figures.len();
        assert!(is_said && row.figures.iter().zip(&said).all(is_near), "{}: {said:?}", row.name);
    }
    // With any, the module looks for the response's cookie among them.
    assert!(growth(&passes) < 1.1, "{passes:?}");
    assert!(growth(&passes[2..]) < 1.02, "a pass depends on how many wait: {passes:?}");
}
