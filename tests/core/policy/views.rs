//! A client can spell a path in many ways, but cannot choose the rule that way.

use super::rig;
use crate::rig::{Outcome, get};
use percent_encoding::percent_decode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::cell::{Cell, RefCell};

/// Segments that lead some reader to another folder.
const PIECES: [&str; 35] = [
    "%23",
    "%3f",
    "/..%23",
    "/..%20",
    "%20/",
    "/",
    "//",
    "/..",
    "/.",
    "/..;",
    "/%2e%2e",
    "/.%2e",
    "/%252e%252e",
    "%2f",
    "%5c",
    "\\",
    ";x=1",
    "%3b",
    "%00",
    "%",
    "%25",
    "#",
    "?",
    "?a=/../",
    "public",
    "PUBLIC",
    "%70ublic",
    "publi%63",
    "/public",
    "/public/",
    "/admin",
    "/a",
    "b",
    "%20",
    "%c0%ae",
];

fn path() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES.as_slice());
    let pieces = proptest::collection::vec(piece, 0..7);
    (proptest::sample::select(vec!["/public/", "/public", "/", ""]), pieces)
        .prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
        .prop_filter("a request has a path", |path| !path.is_empty())
}

/// The paths that an application may read from these bytes: as sent, decoded once or twice, and the decoded
/// ones cut at their first `?` or `#`; each with and without parameters, in the given case and in lower case.
fn views(target: &str) -> Vec<Vec<u8>> {
    let path = target.split('?').next().unwrap().as_bytes().to_vec();
    let once: Vec<u8> = percent_decode(&path).collect();
    let twice: Vec<u8> = percent_decode(&once).collect();
    let cut = |path: &[u8]| path.split(|b| matches!(b, b'?' | b'#')).next().unwrap().to_vec();
    let plain = [cut(&once), cut(&twice), path, once, twice];
    let bare = plain.clone().map(|path| without_parameters(&path));
    let mut views: Vec<_> = plain.into_iter().chain(bare).collect();
    views.extend(views.clone().iter().map(|view| view.to_ascii_lowercase()));
    views
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/');
    let bare = segments.map(|segment| segment.split(|byte| *byte == b';').next().unwrap());
    bare.collect::<Vec<_>>().join(&b'/')
}

/// The segments of a path after resolving dots and dropping empty segments. Both slashes separate.
fn resolved(view: &[u8]) -> Vec<Vec<u8>> {
    let mut place = Vec::new();
    for segment in view.split(|byte| matches!(byte, b'/' | b'\\')) {
        match (segment, segment.trim_ascii_end()) {
            (b"", _) | (_, b".") => {}
            (_, b"..") => drop(place.pop()),
            (_, name) => place.push(name.to_vec()),
        }
    }
    place
}

#[test]
fn bypass_admits_nothing_outside_its_prefix_in_any_view() {
    let rules = json!({"rules": [{"paths": ["/public/*"], "policy": "bypass"}]});
    let rig = RefCell::new(rig(&rules));
    let admitted = Cell::new(0);
    let config = Config { cases: 4000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&path(), |path| {
        if matches!(rig.borrow_mut().send(&get(&path), &[]), Outcome::Forwarded(_)) {
            admitted.set(admitted.get() + 1);
            for view in views(&path) {
                prop_assert!(
                    resolved(&view).first().is_some_and(|first| first == b"public"),
                    "{} as {}",
                    path,
                    String::from_utf8_lossy(&view)
                );
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let admitted = admitted.get();
    assert!(admitted > 50, "only {admitted} of the paths were admitted");
}

#[test]
fn request_that_a_rule_asks_for_is_not_let_by_in_another_spelling() {
    let rules = json!({
        "default_policy": "bypass",
        "rules": [{"paths": ["/admin/*"], "policy": "deny"}],
    });
    let rig = RefCell::new(rig(&rules));
    let admitted = Cell::new(0);
    let config = Config { cases: 4000, failure_persistence: None, ..Config::default() };
    let path = path().prop_map(|path| path.replace("ublic", "dmin").replace("UBLIC", "DMIN"));
    let path = path.prop_map(|path| path.replace(['p', 'P'], "a").replace("%70", "%61"));
    let outcome = TestRunner::new(config).run(&path, |path| {
        if matches!(rig.borrow_mut().send(&get(&path), &[]), Outcome::Forwarded(_)) {
            admitted.set(admitted.get() + 1);
            for view in views(&path) {
                let first = resolved(&view).into_iter().next().unwrap_or_default();
                prop_assert!(!first.eq_ignore_ascii_case(b"admin"), "{}", path);
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let admitted = admitted.get();
    assert!(admitted > 50, "only {admitted} of the paths were admitted");
}
