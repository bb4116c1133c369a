//! Every block and every command of the documents: it runs, or it is read by the reader that it is for. Tables name the tests that run
//! the others, and the few that nothing runs.

mod blocks;
mod data;
mod programs;
mod sandbox;

use blocks::{Block, blocks, code, pages, prose, root};
use sandbox::Sandbox;
use std::collections::BTreeMap;
use std::fs;

/// Blocks that another test runs: the fence, and the file that reads it.
const RUN_ELSEWHERE: [(&str, &str); 11] = [
    ("console audit", "tests/core/monitoring.rs"),
    ("console cli", "tests/cli/readme.rs"),
    ("console demo", "examples/demo/readme.py"),
    ("console doctor", "tests/cli/doctor/documents.rs"),
    ("console explain", "tests/cli/readme.rs"),
    ("console guide", "tests/e2e/first_application.rs"),
    ("console init", "tests/cli/init.rs"),
    ("console live", "tests/e2e/live_change.rs"),
    ("console session=demo", "examples/demo/readme.py"),
    ("console session=key", "examples/demo/smoke.py"),
    ("yaml capabilities", "tests/wasm/capabilities.rs"),
];

/// Pages whose commands run in another folder than the root.
const FOLDERS: [(&str, &str); 1] = [("examples/api-client/README.md", "examples/api-client")];

/// Commands that nothing runs: the page, how the command begins, and the reason.
const NOT_RUN: [(&str, &str, &str); 1] = [(
    "examples/api-client/README.md",
    "DUO_MFA_CURLRC=curlrc ./duo-mfa.sh",
    "the script reads the answers of a server; tests/e2e/api_client.rs runs it",
)];

#[test]
fn every_command_of_a_block_runs() {
    let mut pages: BTreeMap<String, Vec<Block>> = BTreeMap::new();
    let consoles = blocks().into_iter().filter(|block| block.fence == "console");
    for block in consoles {
        pages.entry(block.page.clone()).or_default().push(block);
    }
    let mut ran: usize = 0;
    let mut faults = Vec::new();
    for (page, blocks) in pages {
        let folder = FOLDERS.iter().find(|(it, _)| *it == page).map_or("", |(_, folder)| folder);
        let mut sandbox = Sandbox::new(&page.replace('/', "-"), folder);
        for (line, command, shown) in blocks.iter().flat_map(steps) {
            if is_not_run(&page, &command) {
                continue;
            }
            let found = sandbox.run(&command, &shown);
            faults.extend(found.iter().map(|fault| format!("{page}:{line}: {command}: {fault}")));
            ran += 1;
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(ran > 90, "{ran}");
}

/// The commands of a block, each with its line in the page and the output that is shown below it. Further lines of a command
/// begin with `> `.
fn steps(block: &Block) -> Vec<(usize, String, Vec<String>)> {
    let mut steps: Vec<(usize, String, Vec<String>)> = Vec::new();
    for (number, line) in block.text.lines().enumerate() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push((block.line + number + 1, command.to_owned(), Vec::new()));
            }
            (None, Some((_, _, shown))) => shown.push(line.to_owned()),
            (None, None) => panic!("{}:{}: output without a command", block.page, block.line),
        }
    }
    steps
}

fn is_not_run(page: &str, command: &str) -> bool {
    NOT_RUN.iter().any(|(at, start, _)| *at == page && command.starts_with(start))
}

#[test]
fn every_command_of_a_sentence_runs() {
    let programs = [
        "cargo", "curl", "docker", "duo-mfa", "envoy", "grep", "helm", "jq", "kubectl", "make",
        "sed",
    ];
    let mut sandbox = Sandbox::new("sentences", "");
    let mut ran: usize = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for command in code(&page) {
            let words: Vec<_> = command.split_whitespace().collect();
            let is_command = words.first().is_some_and(|word| programs.contains(word));
            // The name of a command: `helm lint`.
            let is_mention = words.len() < 3;
            let run = match (is_command, is_mention, words.as_slice()) {
                (true, true, ["duo-mfa", _]) => format!("{command} --help"),
                (true, false, _) => command.clone(),
                _ => continue,
            };
            let found = sandbox.run(&run, &[]);
            // A stand-in prints nothing for `grep` to find.
            let found = found
                .into_iter()
                .filter(|it| !(run.contains("| grep") && it.starts_with("status 1")));
            faults.extend(found.map(|fault| format!("{page}: {command}: {fault}")));
            ran += 1;
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(ran > 40, "{ran}");
}

#[test]
fn wrong_commands_are_found() {
    let wrong = [
        "make nonsense",
        "cargo test --test nonsense",
        "duo-mfa nonsense",
        "duo-mfa check --nonsense envoy/production.yaml",
        "duo-mfa doctor FILE --nonsense",
        "duo-mfa check envoy/nonsense.yaml",
        "kubectl apply -f envoy/nonsense.yaml",
        "kubectl nonsense pods",
        "helm install mfa envoy/helm/nonsense",
        "docker compose -f envoy/nonsense.yaml up",
        "envoy -c /etc/envoy/nonsense.yaml",
        "install -m 644 dist/nonsense /etc/envoy/duo_mfa.wasm",
        "install -m 644 dist/duo_mfa.wasm /bin/duo_mfa.wasm",
        "curl -s http://127.0.0.1:10000/.duo-mfa/nonsense",
        "curl -s http://nonsense.example.com/",
        "curl -s $ADMIN/nonsense",
        "curl -s \"$ADMIN/stats?filter=(\"",
        "jq -c 'select(.code == )' audit.jsonl",
        "grep nonsense envoy.log",
        "python3 nonsense.py",
        "wget http://127.0.0.1:10000/",
    ];
    let mut sandbox = Sandbox::new("wrong", "");
    for command in wrong {
        assert!(!sandbox.run(command, &[]).is_empty(), "{command}");
    }
    assert!(!sandbox.run("echo 1", &["2".to_owned()]).is_empty());
}

#[test]
fn every_block_has_a_check() {
    let known = ["console"];
    for block in blocks() {
        let elsewhere = RUN_ELSEWHERE.iter().find(|(fence, _)| *fence == block.fence);
        if let Some((fence, reader)) = elsewhere {
            let words = fence.trim_start_matches("console ");
            let text = fs::read_to_string(root().join(reader)).unwrap();
            let word = words.trim_start_matches("session=");
            assert!(text.contains(word), "{reader} does not read {fence}");
            continue;
        }
        let is_known = known.contains(&block.fence.as_str()) || data::has_check(&block);
        assert!(is_known, "{}:{}: nobody checks ```{}", block.page, block.line, block.fence);
    }
}

#[test]
fn every_metric_and_code_exists() {
    let source = data::text_below(&root().join("src"));
    // The name of a metric at Prometheus without labels, as an example.
    let exceptions = ["duo_mfa_refused_code_mfa_denied"];
    let mut seen: usize = 0;
    for page in pages() {
        let blocks = blocks().into_iter().filter(|block| block.page == page);
        let text = prose(&page) + &blocks.map(|block| block.text).collect::<String>();
        seen += text.matches("duo_mfa_").count();
        let mut unknown = programs::unknown_names(&text, &source);
        unknown.retain(|name| !exceptions.contains(&name.as_str()));
        assert!(unknown.is_empty(), "{page}: {unknown:?}");
    }
    assert!(seen > 60, "{seen}");
}
