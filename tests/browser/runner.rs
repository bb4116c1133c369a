//! The Node process that plays the cases: lines of JSON both ways, several cases at a time.
//!
//! It begins with the list of its cases. Told `{"run", "case", ...}`, it plays that case, asks for
//! what only this side can do, and ends with `{"run", "word": "done", "failure"}`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::packages;

/// Longest wait for the next line of a case. The case itself has a shorter timeout.
const PATIENCE: Duration = Duration::from_secs(180);

/// A case, and the stack that it wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// How many requests the application has to see.
    pub(crate) admits: usize,
    /// Overrides members of the plugin configuration.
    #[serde(default)]
    pub(crate) plugin: Value,
    /// Duo's page asks for the second factor.
    #[serde(default)]
    pub(crate) is_universal: bool,
    /// Nothing says who the user is.
    #[serde(default)]
    pub(crate) is_anonymous: bool,
    /// `allow_on_headers_stop_iteration`
    #[serde(default)]
    pub(crate) stops_at_headers: bool,
}

/// A message from a case.
#[derive(Debug, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub(crate) enum Word {
    /// What has reached the application?
    Admitted,
    /// Envoy ends and another takes its place.
    Restart,
    /// Another Envoy goes on, while the first one lives.
    Switch,
    Done {
        failure: Option<String>,
        /// How many people have played on this stage.
        guests: usize,
    },
}

#[derive(Deserialize)]
struct Line {
    run: usize,
    #[serde(flatten)]
    word: Word,
}

impl Case {
    /// Any stage of its way to Duo will do.
    pub(crate) fn is_plain(&self) -> bool {
        self.plugin.is_null() && !self.is_anonymous && !self.stops_at_headers
    }
}

type Runs = Arc<Mutex<HashMap<usize, Sender<Word>>>>;

pub(crate) struct Runner {
    process: Child,
    input: Mutex<Option<ChildStdin>>,
    runs: Runs,
    count: AtomicUsize,
}

/// A case that is played.
pub(crate) struct Run<'a> {
    runner: &'a Runner,
    number: usize,
    words: Receiver<Word>,
}

impl Runner {
    /// Starts Node and hears which cases there are.
    pub(crate) fn start() -> (Self, Vec<Case>) {
        let mut process = Command::new(packages::node())
            .arg(packages::here().join("runner.mjs"))
            .env("CHROMIUM", packages::chromium())
            .env("PACKAGES", packages::install())
            .env("REPORTS", env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the runner tells its cases").unwrap();
        let cases = serde_json::from_str(&first).expect("a list of cases");
        let runs = Runs::default();
        let input = Mutex::new(process.stdin.take());
        thread::spawn({
            let runs = Arc::clone(&runs);
            move || hand_out(lines, &runs)
        });
        (Self { process, input, runs, count: AtomicUsize::new(0) }, cases)
    }

    /// Starts a case; `addresses` are those of its stack.
    pub(crate) fn play(&self, case: &Case, addresses: &Value) -> Run<'_> {
        let number = self.count.fetch_add(1, SeqCst);
        let (sender, words) = channel();
        self.runs.lock().unwrap().insert(number, sender);
        self.tell(&json!({"run": number, "case": case.name, "addresses": addresses}));
        Run { runner: self, number, words }
    }

    fn tell(&self, line: &Value) {
        let mut input = self.input.lock().unwrap();
        writeln!(input.as_mut().unwrap(), "{line}").expect("the runner hears");
    }
}

impl Run<'_> {
    pub(crate) fn next(&self) -> Word {
        self.words.recv_timeout(PATIENCE).expect("the runner goes on")
    }

    pub(crate) fn answer(&self, value: &Value) {
        self.runner.tell(&json!({"run": self.number, "answer": value}));
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.runner.runs.lock().unwrap().remove(&self.number);
    }
}

impl Drop for Runner {
    /// The runner closes its browser and ends when there is nothing more to hear.
    fn drop(&mut self) {
        self.input.lock().unwrap().take();
        self.process.wait().ok();
    }
}

/// Gives each word to the case that waits for it, until the process ends.
fn hand_out(lines: Lines<BufReader<ChildStdout>>, runs: &Runs) {
    for line in lines.map_while(Result::ok) {
        let Line { run, word } = serde_json::from_str(&line).expect("a word of a case");
        if let Some(sender) = runs.lock().unwrap().get(&run) {
            sender.send(word).ok();
        }
    }
    runs.lock().unwrap().clear();
}
