//! The programs that the cases need: a Chromium, Node, and two npm packages at pinned hashes, installed
//! under `.tools/browser`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names under which distributions install it.
const CHROMIUM: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser to run.
pub(crate) fn chromium() -> PathBuf {
    if let Some(named) = env::var_os("DUO_MFA_CHROMIUM") {
        return named.into();
    }
    CHROMIUM.iter().find_map(|name| on_path(name)).unwrap_or_else(|| {
        panic!(
            "no Chromium: apt-get install chromium fonts-dejavu-core, or set DUO_MFA_CHROMIUM to a \
             program"
        )
    })
}

pub(crate) fn node() -> PathBuf {
    on_path("node").expect("no Node.js: apt-get install nodejs npm (version 18 or later)")
}

/// Installs the packages, once for each state of the lock file; gives the directory they are in.
pub(crate) fn install() -> PathBuf {
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/browser");
    let lock = fs::read_to_string(here().join("package-lock.json")).unwrap();
    let installed = to.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|known| known == lock) {
        return to;
    }
    fs::create_dir_all(&to).unwrap();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(here().join(file), to.join(file)).unwrap();
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&to)
        .output()
        .expect("no npm: apt-get install npm");
    assert!(output.status.success(), "npm: {}", String::from_utf8_lossy(&output.stderr));
    fs::write(installed, lock).unwrap();
    to
}

/// Where the cases and what plays them are.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
