//! Faults in the arguments of programs that have a stand-in.

use super::blocks::root;
use duo_mfa::signal::Code;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The fault of a call of a program in a sandbox.
pub(crate) fn fault(name: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    match name {
        "make" => arguments.iter().find(|it| !it.contains('=') && !is_target(it)).map(unknown),
        "cargo" => cargo(arguments),
        "curl" => arguments.iter().find_map(|it| address(it)),
        "kubectl" => first_word(arguments, &KUBECTL).or_else(|| missing_file(arguments, folder)),
        "helm" => first_word(arguments, &HELM).or_else(|| missing_file(arguments, folder)),
        "docker" => first_word(arguments, &["compose"]).or_else(|| missing_file(arguments, folder)),
        "envoy" => missing_file(arguments, folder),
        "python3" => missing(arguments.first()?, folder),
        "install" => install(arguments, folder),
        "rm" => {
            arguments.iter().filter(|it| !it.starts_with('-')).find_map(|it| missing(it, folder))
        }
        // Their arguments name nothing of this project.
        "git" | "htpasswd" | "journalctl" | "logcli" | "npm" | "promtool" => None,
        other => Some(format!("nobody checks {other}")),
    }
}

const KUBECTL: [&str; 15] = [
    "apply",
    "cp",
    "create",
    "delete",
    "describe",
    "exec",
    "get",
    "label",
    "logs",
    "patch",
    "port-forward",
    "replace",
    "rollout",
    "run",
    "set",
];
const HELM: [&str; 5] = ["install", "lint", "template", "uninstall", "upgrade"];

/// Options that a file follows.
const FILES: [&str; 6] = ["-f", "-k", "-c", "--config-path", "--from-env-file", "--from-file"];

fn unknown(word: impl std::fmt::Display) -> String {
    format!("there is no {word}")
}

fn is_target(word: &str) -> bool {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    makefile.lines().any(|line| line.split_once(':').is_some_and(|(name, _)| name == word))
}

fn cargo(arguments: &[&str]) -> Option<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let named = |word: &str| manifest.contains(&format!("name = \"{word}\""));
    let (command, _) = arguments.split_first()?;
    if !["build", "install", "run", "test", "update", "bench"].contains(command) {
        return Some(unknown(command));
    }
    let pairs = arguments.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    let mut pairs = pairs.filter(|(option, value)| match *option {
        "--test" => !root().join("tests").join(value).join("main.rs").is_file(),
        "--bin" | "--example" | "--bench" => !named(value),
        "--features" => !manifest.contains(&format!("\n{value} = ")),
        _ => false,
    });
    pairs.next().map(|(option, value)| unknown(format!("{option} {value}")))
}

/// A fault of an argument of curl that is an address.
fn address(argument: &str) -> Option<String> {
    let (_, rest) = argument.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match host {
        "127.0.0.1:9901" => admin(path),
        "127.0.0.1:10000" | "localhost:10004" | "app.example.com" => {
            let endpoint = path.strip_prefix(".duo-mfa")?.split('?').next()?;
            let page = fs::read_to_string(root().join("docs/endpoints.md")).unwrap();
            let is_known =
                ["GET", "POST"].iter().any(|it| page.contains(&format!("`{it} {endpoint}")));
            (!is_known).then(|| unknown(format!("endpoint {endpoint}")))
        }
        other => Some(format!("whose host is {other}?")),
    }
}

/// A fault of an address of Envoy's admin interface.
fn admin(path: &str) -> Option<String> {
    let (page, query) = path.split_once('?').unwrap_or((path, ""));
    let pages =
        ["clusters", "config_dump", "listeners", "logging", "ready", "server_info", "stats"];
    if !pages.contains(&page.split('/').next()?) {
        return Some(unknown(format!("/{page} at Envoy's admin interface")));
    }
    let filter = query.strip_prefix("filter=")?;
    let tried = Command::new("grep")
        .args(["-E", "--", filter])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    (tried.unwrap().code() == Some(2)).then(|| format!("{filter} is no regular expression"))
}

fn first_word(arguments: &[&str], known: &[&str]) -> Option<String> {
    let mut words = arguments.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "-n" => drop(words.next()),
            _ if known.contains(&word) => return None,
            _ => return Some(unknown(word)),
        }
    }
    Some("no command".to_owned())
}

/// A file that an option or an argument names, and that is missing.
fn missing_file(arguments: &[&str], folder: &Path) -> Option<String> {
    let after_options = arguments.windows(2).filter_map(|pair| {
        let (option, value) = (pair.first()?, pair.last()?);
        (FILES.contains(option) && *value != "-").then_some(*value)
    });
    let joined = arguments.iter().filter_map(|word| {
        let (option, value) = word.split_once('=')?;
        // Of `--from-file=KEY=FILE` too.
        let file = value.rsplit_once('=').map_or(value, |(_, file)| file);
        FILES.contains(&option).then_some(file)
    });
    let named = arguments.iter().copied().filter(|word| {
        ["envoy/", "examples/", "dist/"].iter().any(|start| word.starts_with(start))
    });
    after_options.chain(joined).chain(named).find_map(|file| missing(file, folder))
}

/// A file that is in neither the sandbox nor, if it is one of `/etc/envoy`, in `envoy`.
fn missing(file: &str, folder: &Path) -> Option<String> {
    let shipped = file.replacen("/etc/envoy/", "envoy/", 1);
    let places = [folder.join(&shipped), folder.join("examples/api-client").join(&shipped)];
    (!places.iter().any(|place| place.exists())).then(|| unknown(file))
}

/// Installs go to `/etc/envoy`, to a folder with the version, or home.
fn install(arguments: &[&str], folder: &Path) -> Option<String> {
    let [.., source, target] = arguments else { return Some("two files".to_owned()) };
    let versioned = format!("/opt/duo-mfa/{}/", env!("CARGO_PKG_VERSION"));
    let home = folder.join("home").display().to_string();
    let is_known = ["/etc/envoy/", versioned.as_str(), home.as_str()]
        .iter()
        .any(|start| target.starts_with(start));
    if !is_known {
        return Some(format!("installs to {target}"));
    }
    if *source == "/dev/null" { None } else { missing(source, folder) }
}

/// Names of metrics and codes that begin with `duo_mfa_` and that no line of the source contains.
pub(crate) fn unknown_names(text: &str, source: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut unknown = Vec::new();
    for (at, _) in text.match_indices("duo_mfa_") {
        // A longer word, such as `libduo_mfa_x`.
        if text[..at].ends_with(is_part) {
            continue;
        }
        let rest = &text[at..];
        let name = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        let code = name.trim_start_matches("duo_mfa_");
        let is_code = Code::ALL.iter().any(|known| known.name() == code);
        if !is_code && !code.is_empty() && !source.contains(name) {
            unknown.push(name.to_owned());
        }
    }
    unknown
}
