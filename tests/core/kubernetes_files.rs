//! The files for Istio and Kubernetes, and their guides: what selects a pod agrees with what labels it, and each proxy has what the
//! filter needs of it.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines of a text without what is commented out.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split(" #").next().unwrap()).filter(|line| !line.starts_with('#'))
}

/// The words after each place of `before`, up to a character that no label has.
fn after<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    let is_of_label = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    let words = text.split(before).skip(1);
    words.map(|rest| rest.split(|it| !is_of_label(it)).next().unwrap()).collect()
}

/// Istio's gateway chart labels its pods by the name of the release, without "istio-". A selector of another label selects
/// nothing, and then no request is asked.
#[test]
fn selectors_of_the_gateway_have_the_label_of_the_guides_release() {
    let (mut releases, mut selectors) = (Vec::new(), Vec::new());
    for guide in files("docs", "md") {
        let text = read(&guide);
        for line in text.lines().filter(|line| line.contains("istio/gateway ")) {
            let words: Vec<_> = line.split_whitespace().collect();
            let at = words.iter().position(|it| *it == "istio/gateway").unwrap();
            releases.push(words[at - 1].to_owned());
        }
        selectors.extend(after(&text, "-l istio=").into_iter().map(str::to_owned));
        selectors.extend(after(&text, "deployment/istio-").into_iter().map(str::to_owned));
    }
    for file in files("envoy", "yaml") {
        for line in lines(&read(&file)) {
            selectors.extend(after(line, "{istio: ").into_iter().map(str::to_owned));
        }
    }
    releases.dedup();
    let [release] = &releases[..] else { panic!("{releases:?}") };
    let label = release.strip_prefix("istio-").unwrap_or(release);
    assert!(selectors.len() >= 12, "{selectors:?}");
    assert!(selectors.iter().all(|it| it == label), "{label}: {selectors:?}");
}

/// A file that gives a proxy the secrets makes or changes the pod of that proxy.
#[test]
fn each_pod_writes_the_filters_lines_and_ends_after_its_held_requests() {
    let mut checked = 0;
    for file in files("envoy", "yaml") {
        let (text, name) = (read(&file), file.display());
        let text = lines(&text).collect::<Vec<_>>().join("\n");
        if !text.contains("secretKeyRef: {name: duo-mfa") || text.contains("{{") {
            continue;
        }
        let levels = ["wasm:info", "wasm: info", "dynamic_modules: info"];
        assert!(levels.iter().any(|it| text.contains(it)), "{name}: the log level");
        if text.contains("kind: EnvoyProxy") {
            // Envoy Gateway kills the pod only after six minutes.
            assert_eq!(after(&text, "drainTimeout: "), ["75s"], "{name}");
        } else {
            let seconds: Vec<u32> = ["terminationDrainDuration: ", "preStop: {sleep: {seconds: "]
                .iter()
                .flat_map(|key| after(&text, key))
                .map(|word| word.trim_end_matches('s').parse().unwrap())
                .collect();
            let until = after(&text, "terminationGracePeriodSeconds: ");
            let until: Vec<u32> = until.iter().map(|word| word.parse().unwrap()).collect();
            // Above `api.hold_timeout`, and below the time after which the pod is killed.
            assert!(
                !seconds.is_empty() && seconds.iter().all(|it| *it > 60),
                "{name}: {seconds:?}"
            );
            assert!(
                until.iter().all(|it| seconds.iter().all(|less| less < it)),
                "{name}: {until:?}"
            );
            assert_eq!(until.len(), 1, "{name}");
        }
        checked += 1;
    }
    assert!(checked >= 6, "{checked}");
}

/// A port that a list leaves out has no second factor, and the number is easy to get wrong.
#[test]
fn no_plugin_is_for_some_ports_only() {
    for file in files("envoy/istio", "yaml") {
        for line in lines(&read(&file)).filter(|line| line.contains("match: [{mode")) {
            assert!(!line.contains("ports"), "{}: {line}", file.display());
        }
    }
    assert!(read(&root().join("envoy/helm/duo-mfa/values.yaml")).contains("\n  ports: []\n"));
}
