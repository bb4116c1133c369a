//! Running the program.

use std::process::Command;

/// The result of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs `duo-mfa` in the repository, without a variable of ours.
pub(crate) fn duo_mfa(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duo-mfa"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command.output().unwrap();
    Ran {
        status: output.status.code().unwrap(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The codes of the warnings, in their order.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.codes("  warning ")
    }

    /// The codes of the faults, in their order.
    pub(crate) fn faults(&self) -> Vec<&str> {
        self.codes("  fault ")
    }

    /// The codes of faults and warnings.
    pub(crate) fn found(&self) -> Vec<&str> {
        [self.faults(), self.warnings()].concat()
    }

    fn codes(&self, start: &str) -> Vec<&str> {
        let lines = self.output.lines().filter_map(|line| line.strip_prefix(start));
        lines.map(|line| line.split([':', ' ']).next().unwrap()).collect()
    }
}
