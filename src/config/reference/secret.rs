//! Secrets in the environment.

use super::key::{Key, Kind, Section, Usual};
use super::texts;

pub(super) const SECRET: Section = Section {
    name: "secret",
    keys: &[Key::new(
        "env",
        Kind::Text(&texts::VARIABLE),
        Usual::Required,
        ("the environment variable that holds it", r#""DUO_SECRET_KEY""#),
    )],
};
