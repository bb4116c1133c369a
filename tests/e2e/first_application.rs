//! `docs/first-application.md`, word for word: each command in its order, in a folder with files of a release alone. `DUO_MFA_RELEASE`
//! names the folder of a release, as `make release-dry-run` makes it; else the files are those of this build.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use duo_mfa::hex::hex;
use sha2::{Digest, Sha256};

use crate::envoy;
use crate::guide::{Shell, Step, steps};
use crate::resources::root;
use crate::setup::{API_HOST, INTEGRATION_KEY, SECRET_KEY};
use crate::sim::Sim;
use crate::stack::Directory;

const PAGE: &str = "docs/first-application.md";

/// A file of a release.
struct Released {
    name: String,
    /// The name, as `tools/release.py` writes it.
    made: &'static str,
    /// The file of this build.
    source: PathBuf,
}

/// The files of a release that the page uses.
fn released() -> [Released; 2] {
    let (version, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    [
        Released {
            name: format!("duo_mfa-{version}.wasm"),
            made: "f\"duo_mfa-{number}.wasm\"",
            source: envoy::module(),
        },
        Released {
            name: format!("duo-mfa-{version}-{machine}-linux"),
            made: "f\"duo-mfa-{number}-{MACHINE}-linux\"",
            source: env!("CARGO_BIN_EXE_duo-mfa").into(),
        },
    ]
}

/// All that differs from the page: the simulator in place of Duo's cloud, and free ports in place of those that another
/// program may have here.
fn substitutions(sim: &Sim) -> Vec<(&'static str, String)> {
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [listener, app] = ports.map(|port| port.local_addr().unwrap().port());
    let own = [
        "s|/etc/envoy|$PWD|".to_owned(),
        format!(
            "s|{{address: {API_HOST}, port_value: 443}}|{{address: 127.0.0.1, port_value: {}}}|",
            sim.end.address.port()
        ),
        format!("s|/etc/ssl/certs/ca-certificates.crt|{}|", sim.end.authority.display()),
        format!("s|0.0.0.0, port_value: 8443|127.0.0.1, port_value: {listener}|"),
    ];
    vec![
        ("s|/etc/envoy|$PWD|", own.join("; ")),
        ("=api-xxxxxxxx.duosecurity.com", format!("={API_HOST}")),
        (": api-xxxxxxxx.duosecurity.com", format!(": {API_HOST}")),
        ("=DIXXXXXXXXXXXXXXXXXX", format!("={INTEGRATION_KEY}")),
        ("localhost:8443", format!("localhost:{listener}")),
        ("127.0.0.1:8080", format!("127.0.0.1:{app}")),
        ("site 8080", format!("site {app}")),
        ("x86_64", std::env::consts::ARCH.to_owned()),
    ]
}

#[test]
fn guide_of_the_first_application_ends_signed_in() {
    crate::of_another_host!();
    let directory = Directory::new();
    let folder = directory.0.join("release");
    fs::create_dir(&folder).unwrap();
    let sim = Sim::start(&directory.0);
    sim.always("alice", "approve");
    let substitutions = substitutions(&sim);
    let here = |text: &str| {
        substitutions.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    match std::env::var_os("DUO_MFA_RELEASE") {
        Some(release) => copy(Path::new(&release), &folder),
        None => collect(&folder),
    }

    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    for (from, _) in &substitutions {
        assert!(page.contains(from), "{PAGE} has no {from}");
    }
    let steps: Vec<_> = steps(PAGE, "console guide")
        .into_iter()
        .map(|Step { command, shown }| Step {
            command: here(&command),
            shown: shown.iter().map(|line| here(line)).collect(),
        })
        .collect();
    assert!(steps.len() > 20, "{}", steps.len());
    let envoys = envoy::program().parent().unwrap().display().to_string();
    let variables = [
        ("PATH", format!("{envoys}:/usr/local/bin:/usr/bin:/bin")),
        ("HOME", folder.display().to_string()),
    ];
    let mut shell = Shell::start(&folder, &variables);
    shell.follow(&steps, &HashMap::from([("DUO_SECRET_KEY", SECRET_KEY.to_owned())]));

    assert_eq!(sim.pushes(), 2, "one of the sign-in, one of doctor");
    let log = fs::read_to_string(folder.join("app.log")).unwrap();
    let reached = log.lines().filter(|line| line.contains("\"GET / HTTP/1.1\" 200")).count();
    assert_eq!(reached, 2, "the approved request, and the one with the cookie: {log}");
}

/// Copies the files that the page names from the folder of a release.
fn copy(release: &Path, folder: &Path) {
    let names = released().into_iter().map(|file| file.name);
    for name in names.chain(["SHA256SUMS".to_owned()]) {
        fs::copy(release.join(&name), folder.join(&name)).unwrap_or_else(|_| panic!("no {name}"));
    }
}

/// Puts files of this build into a folder, with the names and checksums that it has.
fn collect(folder: &Path) {
    let makes = fs::read_to_string(root().join("tools/release.py")).unwrap();
    let mut sums = String::new();
    for Released { name, made, source } in released() {
        let bytes = fs::read(&source).unwrap();
        assert!(makes.contains(made), "tools/release.py makes no {made}");
        let sum = hex(&Sha256::digest(&bytes));
        writeln!(sums, "{sum}  {name}").unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }
    // A release has more files than the page uses.
    writeln!(sums, "{}  duo_mfa-0.0.0.oci.tar", "0".repeat(64)).unwrap();
    let mut lines: Vec<_> = sums.lines().collect();
    lines.sort_by_key(|line| line.split_whitespace().nth(1));
    fs::write(folder.join("SHA256SUMS"), lines.join("\n") + "\n").unwrap();
}
