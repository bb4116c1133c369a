//! Output that nobody reads, or that cannot be written.

use crate::files::{File, plugin};
use std::process::{Command, Output, Stdio};

/// Runs the program, with its standard output there.
fn ran(arguments: &[&str], output: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duo-mfa"));
    command.args(arguments).env_clear().stdout(output).stderr(Stdio::piped());
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.spawn().unwrap().wait_with_output().unwrap()
}

/// Calls `look` with each command that prints, and the status that it ends with.
fn each(mut look: impl FnMut(&[&str], i32)) {
    let file = File::of(&plugin());
    let mut faulty = plugin();
    faulty["sesion"] = 1.into();
    let faulty = File::of(&faulty);
    let log = File::new("audit.log", "{\"event\":\"duo_mfa\",\"user\":\"alice\"}\n");
    let (file, faulty, log) = (file.path(), faulty.path(), log.path());
    for (arguments, status) in [
        (&["check", file][..], 0),
        (&["check", "--format", "json", faulty], 1),
        (&["explain", file, "--path", "/"], 0),
        (&["explain", file, "--path", "/", "--all", "--json"], 0),
        (&["cookie", "x", file], 1),
        (&["keygen"], 0),
        (&["schema"], 0),
        (&["completions", "bash"], 0),
        (&["version"], 0),
        (&["audit", log], 0),
    ] {
        look(arguments, status);
    }
}

/// As `duo-mfa schema | head -1`.
#[test]
fn a_reader_that_has_gone_is_no_fault() {
    each(|arguments, status| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = ran(arguments, writer);
        assert_eq!(output.status.code(), Some(status), "{arguments:?} {output:?}");
        assert!(output.stderr.is_empty(), "{arguments:?} {output:?}");
    });
}

/// A key that was not written is none.
#[test]
fn a_full_disk_is_a_fault() {
    each(|arguments, _| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = ran(arguments, full);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("No space left on device"), "{arguments:?} {said}");
    });
}
