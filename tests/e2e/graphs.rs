//! Takes the picture of `envoy/observability/graphs.png`: queries of the dashboard, drawn by Prometheus' own page from what a real
//! Envoy counts in some minutes. `make graphs` runs it.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::forgeries::now;
use crate::message::Request;
use crate::metrics::start_as;
use crate::prometheus::{Prometheus, read};
use crate::resources::root;
use crate::setup::{FirstFactor, Setup};
use crate::stack::{APPROVAL, Protocol, Stack};
use crate::tally::Verdict;

const PICTURE: &str = "envoy/observability/graphs.png";

/// The panels of the dashboard that are drawn, from the top.
const PANELS: [&str; 2] = ["Refused, by code", "Calls to Duo, by endpoint"];

/// How long there is traffic.
const TRAFFIC: Duration = Duration::from_secs(150);

/// The last query of a panel, for one Envoy that is scraped each second.
fn query_of(dashboard: &Value, panel: &str) -> String {
    let mut panels = dashboard["panels"].as_array().unwrap().iter();
    let found = panels.find(|it| it["title"] == panel).unwrap_or_else(|| panic!("no {panel}"));
    let query = found["targets"].as_array().unwrap().first().unwrap()["expr"].as_str().unwrap();
    let query = query.replace("$__rate_interval", "20s").replace("$instance", ".*");
    // Prometheus' page has a line and a row for each series, also for those that are 0 all the time.
    format!("{query} > 0")
}

/// Users sign in, are slow, deny, give up; programs pass, and somebody forges.
fn make_traffic(stack: &Stack) {
    let request = |user: &str| Request::get("/orders").header("x-basic-user", user);
    let from = Instant::now();
    for number in 0.. {
        if from.elapsed() > TRAFFIC {
            return;
        }
        let user = stack.sim.guest(number);
        let held = stack.held_push(request(&user), Protocol::Http1, &user);
        // The more users come, the slower they answer, and then the faster again.
        let wave = (from.elapsed().as_secs_f64() / 25.0).sin().abs();
        sleep(Duration::from_millis(200).mul_f64(1.0 + 5.0 * wave));
        let (action, verdict) = match number % 9 {
            3 => ("deny", Verdict::Denied),
            7 => ("fraud", Verdict::Denied),
            _ => ("approve", Verdict::Admitted(1)),
        };
        let reply = stack.judged(verdict, action, || {
            stack.sim.answer(&user, action);
            held.reply()
        });
        if let Some(cookie) = reply.set_cookie(APPROVAL) {
            for _ in 0..20 {
                stack.admitted(&request(&user).cookie(cookie));
            }
        }
        stack.denied(&request(&user).navigation());
    }
}

#[test]
#[ignore = "takes a picture: make graphs"]
fn queries_of_the_dashboard_are_drawn() {
    let page = "/usr/share/prometheus/web/templates/graph.html";
    assert!(
        std::path::Path::new(page).is_file(),
        "Prometheus has no pages here: apt-get install prometheus"
    );
    let stack = start_as(Setup { first_factor: FirstFactor::Absent, ..Setup::default() });
    let prometheus = Prometheus::start(&[stack.envoy.admin_address()]);
    make_traffic(&stack);
    // As Prometheus' page wants it: `2027-01-15 08:00:00`.
    let end = now().rfc3339().replace('T', " ").split('.').next().unwrap().to_owned();

    let dashboard: Value =
        serde_json::from_str(&read("envoy/observability/dashboard.json")).unwrap();
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    for (number, panel) in PANELS.into_iter().enumerate() {
        parameters.append_pair(&format!("g{number}.expr"), &query_of(&dashboard, panel));
        parameters.append_pair(&format!("g{number}.tab"), "0");
        parameters.append_pair(&format!("g{number}.range_input"), "2m");
        parameters.append_pair(&format!("g{number}.end_input"), &end);
    }
    let address = format!("http://{}/classic/graph?{}", prometheus.address, parameters.finish());
    let picture = root().join(PICTURE);
    let status = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,1550"])
        .args(["--virtual-time-budget=10000".into(), format!("--screenshot={}", picture.display())])
        .arg(address)
        .status();
    assert!(status.expect("Chromium runs").success());
}
