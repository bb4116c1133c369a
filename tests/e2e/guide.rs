//! Runs a document's commands in one shell, as a reader would who copies them from top to bottom.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// The longest wait for a command. Envoy compiles the module for its first start.
const PATIENCE: Duration = Duration::from_secs(150);

/// Ends the output of a command. Its status follows.
const END: &str = "@@ended ";

/// A command of a document, and the lines of output that the document shows below it.
#[allow(dead_code, reason = "for the tests of e2e")]
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) shown: Vec<String>,
}

/// The steps of all blocks of a page with this fence, in their order.
#[allow(dead_code, reason = "for the tests of e2e")]
pub(crate) fn steps(page: &str, fence: &str) -> Vec<Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split(&format!("\n```{fence}\n")).skip(1) {
        for line in block.split("\n```").next().unwrap().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    steps.push(Step { command: command.to_owned(), shown: Vec::new() });
                }
                None => steps.last_mut().expect("a command").shown.push(line.to_owned()),
            }
        }
    }
    steps
}

/// A shell in a folder. Everything that it has started ends with it.
pub(crate) struct Shell {
    process: Child,
    input: ChildStdin,
    output: Receiver<String>,
}

impl Shell {
    /// Starts a shell that knows nothing of this process but these variables.
    pub(crate) fn start(folder: &Path, variables: &[(&str, String)]) -> Self {
        let mut process = Command::new("bash")
            .args(["--noprofile", "--norc", "-s"])
            .current_dir(folder)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("bash runs");
        let input = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, output) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut shell = Self { process, input, output };
        shell.run("exec 2>&1", None);
        shell
    }

    /// Types a command, and what it asks for. Returns its output, with its standard errors, and its status.
    pub(crate) fn run(&mut self, command: &str, typed: Option<&str>) -> (Vec<String>, i32) {
        writeln!(self.input, "{command}").unwrap();
        if let Some(typed) = typed {
            writeln!(self.input, "{typed}").unwrap();
        }
        writeln!(self.input, "printf '\\n{END}%s\\n' \"$?\"").unwrap();
        let mut lines = Vec::new();
        loop {
            let line = self.output.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{command}: no end after {lines:#?}"));
            if let Some(status) = line.strip_prefix(END) {
                // The line break before the end.
                if lines.last().is_some_and(String::is_empty) {
                    lines.pop();
                }
                return (lines, status.parse().unwrap());
            }
            lines.push(line);
        }
    }

    /// Runs steps, and asserts that each ends well and prints the lines that the document shows. `typed` has the values that
    /// `read` waits for, by the variable's name.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn follow(&mut self, steps: &[Step], typed: &HashMap<&str, String>) {
        for Step { command, shown } in steps {
            let value = command.strip_prefix("read -rs ").map(|name| typed[name].as_str());
            let (printed, status) = self.run(command, value);
            assert_eq!(status, 0, "{command}: {printed:#?}");
            if !shown.is_empty() {
                let shapes =
                    |lines: &[String]| lines.iter().map(|it| shape(it)).collect::<Vec<_>>();
                assert_eq!(shapes(&printed), shapes(shown), "{command}: {printed:#?}");
            }
        }
    }
}

/// The part of a line that is equal in two runs: a line of `doctor` up to its finding; otherwise the text without digits, with one letter for a
/// reference of a sign-in or for a hash.
#[allow(dead_code, reason = "for the tests of e2e")]
fn shape(line: &str) -> String {
    if line.starts_with("  ") && !line.starts_with("  2") {
        return line.split(": ").next().unwrap().to_owned();
    }
    let words = line.split(' ').map(|word| {
        let is_reference =
            word.len() == 8 && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let hash = word.strip_prefix("hash=").unwrap_or(word);
        let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash {
            "H".to_owned()
        } else if is_reference {
            "R".to_owned()
        } else {
            word.replace(|c: char| c.is_ascii_digit(), "0")
        }
    });
    let mut shape = words.collect::<Vec<_>>().join(" ");
    while shape.contains("00") {
        shape = shape.replace("00", "0");
    }
    shape
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        Command::new("kill").args(["-KILL", "--", &group]).status().ok();
        self.process.wait().ok();
    }
}
