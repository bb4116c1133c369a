//! The capability list of docs/security.md (`yaml capabilities`) names each host call and each callback of the module, and no other.

use crate::host::{callbacks, host_calls, is_shrunk};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../docs/security.md");

#[test]
fn capability_list_is_exact() {
    let list = DOCUMENT.split_once("allowed_capabilities:\n").unwrap().1;
    let list = list.split_once("```").unwrap().0;
    let listed: Vec<&str> =
        list.lines().map(|line| line.trim().strip_suffix(": {}").unwrap()).collect();
    let needed: BTreeSet<String> = host_calls().into_iter().chain(callbacks()).collect();
    if is_shrunk() {
        assert_eq!(listed, needed.iter().map(String::as_str).collect::<Vec<_>>());
    } else {
        // Before `tools/shrink.py`, the file also imports calls that only the SDK's unused code makes.
        assert_eq!(listed.iter().find(|it| !needed.contains(**it)), None);
    }
}
