//! Applications as verifiers, in Python (PyJWT), Node (jose) and Rust. They keep the keys for minutes, so each run is a new
//! application.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::cases::{AUDIENCE, Case, ISSUER, MAX_AGE, OLD, REPORTS};
use super::{Counts, genuine, under};
use crate::http1::Connection;
use crate::message::Request;
use crate::resources::root;
use crate::stack::{Directory, Stack};

#[allow(missing_docs, reason = "an example for applications")]
#[path = "../../../examples/assertion/verify.rs"]
mod verify;

/// The judgement of each case: the user, or why the assertion was refused.
type Judgements = Vec<Result<String, String>>;

/// A program that gets the address of the public keys, and cases.
type Program = fn(&Path, &Stack, &[Case]) -> Judgements;

const PROGRAMS: [(&str, Program); 3] =
    [("PyJWT (Python)", python), ("jose (Node)", node), ("ring (Rust)", rust)];

#[test]
fn applications_accept_what_the_filter_signed_and_refuse_forgeries() {
    let directory = Directory::new();
    let mut stack = Stack::start(under(&[&OLD]));
    let is_published = |stack: &Stack, first: &str| {
        let case = Case {
            name: "genuine",
            refused_by: None,
            assertion: first.to_owned(),
            received: REPORTS,
            approvers: &[],
        };
        for (name, program) in PROGRAMS {
            let judgements = program(&directory.0, stack, std::slice::from_ref(&case));
            assert_eq!(judgements, [Ok("alice".to_owned())], "{name}");
        }
    };
    let genuine = genuine(&mut stack, is_published, || {});
    let mut cases = genuine.cases();
    cases.extend(genuine.approved_by_another());
    let [session, payment] = [&genuine.session, &genuine.payment].map(String::len);
    crate::say!("bytes of an assertion: {session}, for one request: {payment}");
    for (name, program) in PROGRAMS {
        let judgements = program(&directory.0, &stack, &cases);
        assert_eq!(judgements.len(), cases.len(), "{name}");
        let mut counts = Counts::default();
        for (case, judgement) in cases.iter().zip(judgements) {
            match (case.refused_by, judgement) {
                (None, Ok(user)) => {
                    assert_eq!(user, "alice", "{name}");
                    counts.accepted += 1;
                }
                (Some(_), Err(_)) => counts.refused += 1,
                (_, other) => panic!("{name}: {}: {other:?}", case.name),
            }
        }
        counts.print(name);
    }
}

fn python(_: &Path, stack: &Stack, cases: &[Case]) -> Judgements {
    let mut command = Command::new(installed("bin/python"));
    command.arg(root().join("tests/e2e/verifiers/verify_cases.py"));
    judgements(&mut command, stack, cases)
}

/// Node looks for packages from the file's folder upwards, so the example is copied to where there are some.
fn node(directory: &Path, stack: &Stack, cases: &[Case]) -> Judgements {
    let modules = directory.join("node_modules");
    if !modules.exists() {
        symlink(installed("node_modules"), modules).unwrap();
        for file in ["examples/assertion/verify.mjs", "tests/e2e/verifiers/verify_cases.mjs"] {
            let file = root().join(file);
            fs::copy(&file, directory.join(file.file_name().unwrap())).unwrap();
        }
    }
    let mut command = Command::new("node");
    command.arg(directory.join("verify_cases.mjs"));
    judgements(&mut command, stack, cases)
}

fn rust(_: &Path, stack: &Stack, cases: &[Case]) -> Judgements {
    let mut verifier = verify::Verifier::new(ISSUER, AUDIENCE);
    let assertion = &cases[0].assertion;
    assert!(verifier.verify(assertion, None, &[]).is_err(), "without keys");
    let reply = Connection::open(stack.envoy.listener).exchange(&Request::get(JWKS)).unwrap();
    verifier.replace_keys(&reply.body).unwrap();
    assert!(verifier.replace_keys(b"{\"keys\": []}").is_err());
    assert!(verifier.replace_keys(b"<html>").is_err());
    let max_age = Some(Duration::from_secs(MAX_AGE));
    let judged = |Case { assertion, received, approvers, .. }: &Case| {
        let claims = if received.is_payment() {
            let received = verify::Received {
                method: received.method,
                host: received.host,
                path: received.path,
                body: received.body.as_bytes(),
            };
            verifier.verify_request(assertion, &received, max_age, approvers)
        } else {
            verifier.verify(assertion, max_age, approvers)
        };
        claims.map(|claims| claims["sub"].as_str().unwrap().to_owned()).map_err(str::to_owned)
    };
    cases.iter().map(judged).collect()
}

const JWKS: &str = "/.duo-mfa/jwks.json";

/// Runs a program with the cases as its standard input.
fn judgements(command: &mut Command, stack: &Stack, cases: &[Case]) -> Judgements {
    let cases: Vec<Value> = cases
        .iter()
        .map(|Case { assertion, received, approvers, .. }| {
            let request = received.is_payment().then(|| {
                json!({
                    "method": received.method,
                    "host": received.host,
                    "path": received.path,
                    "body": received.body,
                })
            });
            json!({
                "assertion": assertion, "max_age": MAX_AGE, "request": request, "approvers": approvers,
            })
        })
        .collect();
    let given = json!({
        "jwks": format!("http://{}{JWKS}", stack.envoy.listener),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "cases": cases,
    });
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let judgement = |line: &str| match line.split_once(' ') {
        Some(("accepted", user)) => Ok(user.to_owned()),
        Some(("refused", why)) => Err(why.to_owned()),
        _ => panic!("{text}"),
    };
    text.lines().map(judgement).collect()
}

/// A file that `tools/verifiers.sh` has installed.
fn installed(name: &str) -> PathBuf {
    let path = root().join(".tools/verifiers").join(name);
    assert!(path.exists(), "{} is missing: run `tools/verifiers.sh`", path.display());
    path
}
