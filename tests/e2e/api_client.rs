//! `examples/api-client`: its shell script and its Python module, as programs of a user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::message::PASSWORD;
use crate::setup::Setup;
use crate::stack::{Directory, Stack};
use crate::tally::Verdict;

#[derive(Clone, Copy, Debug)]
enum Client {
    Shell,
    Python,
}

const CLIENTS: [Client; 2] = [Client::Shell, Client::Python];

/// A program of one user, and the folder for its files.
struct Program<'a> {
    stack: &'a Stack,
    client: Client,
    user: &'a str,
    directory: &'a Directory,
}

impl Program<'_> {
    fn command(&self, path: &str) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/api-client");
        let mut command = match self.client {
            Client::Shell => Command::new(folder.join("duo-mfa.sh")),
            Client::Python => {
                let mut command = Command::new("python3");
                command.arg(folder.join("duo_mfa.py"));
                command
            }
        };
        let credentials = format!("{}:{PASSWORD}", self.user);
        command
            .arg(format!("http://{}{path}", self.stack.envoy.listener))
            .env("DUO_MFA_CURLRC", self.curlrc(&credentials))
            .env("DUO_MFA_AUTHORIZATION", format!("Basic {}", STANDARD.encode(credentials)))
            .env("DUO_MFA_JAR", self.file("jar"))
            .stdin(Stdio::null());
        command
    }

    fn curlrc(&self, credentials: &str) -> PathBuf {
        let file = self.file("curlrc");
        fs::write(&file, format!("user = \"{credentials}\"\n")).unwrap();
        file
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.0.join(format!("{}.{name}", self.user))
    }

    /// Runs the program once and asserts that its request reaches the application.
    fn reaches_the_application(&self, mut command: Command) {
        let occasion = format!("{:?}", self.client);
        let run = self.stack.judged(Verdict::Admitted(1), &occasion, || command.output().unwrap());
        self.assert_answered(&run);
    }

    fn assert_answered(&self, run: &Output) {
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{:?}: {said}", self.client);
        assert_eq!(run.stdout, b"application\n", "{said}");
    }
}

/// Runs the check for both clients, each with a different user.
fn with_each(stack: &Stack, check: impl Fn(&Program<'_>)) {
    for (number, client) in CLIENTS.into_iter().enumerate() {
        let (user, directory) = (stack.sim.guest(number), Directory::new());
        check(&Program { stack, client, user: &user, directory: &directory });
    }
}

#[test]
fn clients_are_held_until_the_push_is_approved_and_keep_the_approval() {
    let stack = Stack::standard();
    with_each(&stack, |program| {
        stack.sim.always(program.user, "approve");
        let pushes = stack.sim.pushes();
        let mut upload = program.command("/orders");
        match program.client {
            Client::Shell => upload.args(["--data", "amount=12"]),
            Client::Python => upload.arg("amount=12"),
        };
        program.reaches_the_application(upload);
        let seen = stack.app.last();
        assert_eq!((seen.method.as_str(), seen.values("x-duo-mfa-factor")), ("POST", push()));
        assert!(seen.carries(b"amount=12"), "{seen:?}");
        assert_eq!(stack.sim.pushes(), pushes + 1);
    });
    let (user, directory) = (stack.sim.guest(2), Directory::new());
    stack.sim.always(&user, "approve");
    let shell =
        Program { stack: &stack, client: Client::Shell, user: &user, directory: &directory };
    let before = stack.sim.pushes();
    for _ in 0..2 {
        shell.reaches_the_application(shell.command("/reports"));
    }
    assert_eq!(stack.sim.pushes(), before + 1, "the second goes by the approval in the jar");
}

#[test]
fn clients_that_are_refused_start_the_push_and_follow_it() {
    let stack = Stack::start(Setup::default().plugin(json!({"api": {"mode": "refuse"}})));
    with_each(&stack, |program| {
        stack.sim.always(program.user, "approve");
        program.reaches_the_application(program.command("/reports?year=2026"));
        let seen = stack.app.last();
        assert_eq!((seen.target.as_str(), seen.values("x-duo-mfa-factor")), (REPORTS, push()));
    });
    assert_eq!(stack.sim.pushes(), CLIENTS.len());
}

const REPORTS: &str = "/reports?year=2026";

fn push() -> Vec<String> {
    vec!["push".to_owned()]
}

#[test]
fn clients_show_the_code_of_a_verified_push() {
    let stack = Stack::standard();
    for client in CLIENTS {
        stack.sim.reset();
        let directory = Directory::new();
        let program = Program { stack: &stack, client, user: "bob", directory: &directory };
        let mut command = program.command("/reports");
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let code = stack.judged(Verdict::Denied, "before the code is entered", || {
            let pending = stack.sim.pending("bob");
            pending["verification_code"].as_str().unwrap().to_owned()
        });
        let run = stack.judged(Verdict::Admitted(1), "the code is entered", || {
            stack.sim.enter("bob", &code);
            running.wait_with_output().unwrap()
        });
        program.assert_answered(&run);
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.contains(&format!("code is {code}")), "{client:?}: {said}");
    }
}

#[test]
fn clients_send_a_passcode_up_front() {
    let stack = Stack::standard();
    for client in CLIENTS {
        let directory = Directory::new();
        let program = Program { stack: &stack, client, user: "alice", directory: &directory };
        let mut command = program.command("/reports");
        command.env("DUO_MFA_PASSCODE", "123456");
        program.reaches_the_application(command);
        let seen = stack.app.last();
        assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"]);
        assert_eq!(seen.values("x-duo-mfa-passcode"), [""; 0]);
    }
    assert_eq!(stack.sim.pushes(), 0);
}

#[test]
fn clients_tell_of_a_denial() {
    let stack = Stack::start(Setup::default().plugin(json!({"api": {"mode": "refuse"}})));
    with_each(&stack, |program| {
        let run = stack.judged(Verdict::Denied, "a denied push", || {
            thread::scope(|scope| {
                let running = scope.spawn(|| program.command("/reports").output().unwrap());
                stack.sim.answer(program.user, "deny");
                running.join().unwrap()
            })
        });
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        assert!(said.contains("mfa_denied"), "{:?}: {said}", program.client);
    });
}
