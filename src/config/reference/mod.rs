//! The reference of the configuration: every key with its kind, default, bounds and meaning.
//!
//! Operators' documents are made from it: the JSON Schema and the tables of `docs/configuration.md`
//! (`duo-mfa schema`). The readers in `build` do not use it, so it is not part of the module.
//! `tests/core/reference` shows each entry to the readers: names, defaults, bounds, words and
//! examples are what they accept.

mod access_control;
mod assertion;
mod duo;
mod identity;
mod key;
mod operation;
mod root;
mod secret;
mod session;
mod texts;

pub use key::{Key, Kind, List, Section, Usual};
pub use root::ROOT;
pub use texts::Text;

#[cfg(test)]
mod tests;
