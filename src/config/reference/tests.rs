//! The reference has the keys of the readers, and no others.

use super::key::Section;
use super::{access_control, assertion, duo, identity, operation, root, secret, session};
use crate::config::keys;
use std::collections::BTreeSet;

/// The lists of `src/config/keys.rs` by their names, each with its section here and the file of the
/// section.
const SECTIONS: [(&str, &[keys::Key], &Section, &str); 23] = [
    ("ROOT", keys::ROOT, &root::ROOT, "root.rs"),
    ("DUO", keys::DUO, &duo::DUO, "duo.rs"),
    ("UNIVERSAL", keys::UNIVERSAL, &duo::UNIVERSAL, "duo.rs"),
    ("APPLICATION", keys::APPLICATION, &duo::APPLICATION, "duo.rs"),
    ("APPLICATION_SESSION", keys::APPLICATION_SESSION, &duo::APPLICATION_SESSION, "duo.rs"),
    ("IDENTITY", keys::IDENTITY, &identity::IDENTITY, "identity.rs"),
    ("GROUPS", keys::GROUPS, &identity::GROUPS, "identity.rs"),
    ("SESSION", keys::SESSION, &session::SESSION, "session.rs"),
    ("ASSERTION", keys::ASSERTION, &assertion::ASSERTION, "assertion.rs"),
    ("ACCESS_CONTROL", keys::ACCESS_CONTROL, &access_control::ACCESS_CONTROL, "access_control.rs"),
    ("RULE", keys::RULE, &access_control::RULE, "access_control.rs"),
    ("APPROVAL", keys::APPROVAL, &access_control::APPROVAL, "access_control.rs"),
    ("APPROVER", keys::APPROVER, &access_control::APPROVER, "access_control.rs"),
    ("APPROVER_GROUP", keys::APPROVER_GROUP, &access_control::APPROVER_GROUP, "access_control.rs"),
    ("API", keys::API, &operation::API, "operation.rs"),
    ("PUSH", keys::PUSH, &operation::PUSH, "operation.rs"),
    ("LIMITS", keys::LIMITS, &operation::LIMITS, "operation.rs"),
    (
        "RATE_LIMIT_SERVICE",
        keys::RATE_LIMIT_SERVICE,
        &operation::RATE_LIMIT_SERVICE,
        "operation.rs",
    ),
    ("BRANDING", keys::BRANDING, &operation::BRANDING, "operation.rs"),
    ("SECRET", keys::SECRET, &secret::SECRET, "secret.rs"),
    ("MAPPING", keys::MAPPING, &identity::MAPPING, "identity.rs"),
    ("STEP", keys::STEP, &identity::STEP, "identity.rs"),
    ("BINDING", keys::BINDING, &session::BINDING, "session.rs"),
];

#[test]
fn every_key_of_the_readers_is_in_the_reference() {
    for (list, read, section, file) in SECTIONS {
        for key in read {
            let known = section.keys.iter().find(|known| known.name == key.name);
            let Some(known) = known else {
                panic!(
                    "src/config/reference/{file}: add to {list}: Key::new(\"{}\", Kind::…, Usual::…, \
                     (\"MEANING\", r#\"EXAMPLE\"#)); then BLESS=1 cargo test --test cli schema",
                    key.name
                )
            };
            assert_eq!(known.aliases, key.aliases, "{list}: {}", key.name);
            let is_later = matches!(known.kind, super::Kind::Later);
            assert_eq!(is_later, key.later.is_some(), "{list}: {}", key.name);
        }
        for known in section.keys {
            let is_read = read.iter().any(|key| key.name == known.name);
            assert!(is_read, "src/config/reference/{file}: remove {} from {list}", known.name);
        }
    }
}

#[test]
fn every_list_of_keys_has_a_section() {
    let source = include_str!("../keys.rs");
    let lists = source.lines().filter_map(|line| line.strip_prefix("pub(super) const "));
    let lists: BTreeSet<_> = lists.filter_map(|line| line.split(':').next()).collect();
    let known: BTreeSet<_> = SECTIONS.iter().map(|(list, ..)| *list).collect();
    assert_eq!(known, lists, "add it to SECTIONS in src/config/reference/tests.rs");
}
