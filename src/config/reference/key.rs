//! The parts of the reference.

use super::texts::Text;

/// An object of the configuration.
#[derive(Debug)]
pub struct Section {
    /// The name, unique among sections.
    pub name: &'static str,
    /// Its keys, in the order of the documents.
    pub keys: &'static [Key],
}

/// A key of an object.
#[derive(Debug)]
pub struct Key {
    /// The name.
    pub name: &'static str,
    /// Other names that are read as well.
    pub aliases: &'static [&'static str],
    /// The values that it takes.
    pub kind: Kind,
    /// The meaning of its absence.
    pub usual: Usual,
    /// The first release that has it.
    pub since: &'static str,
    /// One or more sentences in Markdown. Links are relative to `docs`.
    pub meaning: &'static str,
    /// A value, as JSON text.
    pub example: &'static str,
}

/// The meaning of an absent key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// The configuration is refused.
    Required,
    /// The same as with this value, as JSON text.
    Value(&'static str),
    /// A value that depends on others, in words; empty if nothing takes its place.
    Words(&'static str),
}

/// The values that a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An object.
    Section(&'static Section),
    /// An object whose names the operator chooses, and whose values are sections. The text describes
    /// the names.
    Named(&'static Text, &'static Section),
    /// At most so many names and texts. Names and texts are alike.
    Pairs(usize, &'static Text),
    /// A list.
    List(List),
    /// One of several kinds.
    Either(&'static [Self]),
    /// `true` or `false`.
    Flag,
    /// A whole number between two, which are included.
    Number(u64, u64),
    /// A time such as `10s`, `5m` or `8h`, between two in seconds, which are included.
    Time(u64, u64),
    /// A time such as `250ms`, between two in milliseconds, which are included.
    Milliseconds(u64, u64),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// One of some words. `false` is read as `off`, since a bare `off` in YAML is `false`.
    ChoiceOrOff(&'static [&'static str]),
    /// A text.
    Text(&'static Text),
    /// A secret: a section that names a variable or, with `allow_inline_secrets`, the text.
    Secret(&'static Section),
    /// Not supported by this release. Values that switch nothing on are accepted.
    Later,
}

/// A list of values.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Its entries.
    pub of: &'static Kind,
    /// The least number of entries.
    pub least: usize,
    /// The greatest number of entries; `None` if there is no limit.
    pub most: Option<usize>,
    /// Whether no two entries may be the same.
    pub unique: bool,
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        usual: Usual,
        (meaning, example): (&'static str, &'static str),
    ) -> Self {
        Self { name, aliases: &[], kind, usual, since: "0.1.0", meaning, example }
    }

    pub(super) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// A key of a later release.
    pub(super) const fn later(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Later, Usual::Words(""), (meaning, "false"))
    }

    /// The name and the other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl List {
    /// A list of any length.
    pub(super) const fn of(of: &'static Kind) -> Self {
        Self { of, least: 0, most: None, unique: false }
    }

    pub(super) const fn least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    pub(super) const fn most(self, most: usize) -> Self {
        Self { most: Some(most), ..self }
    }

    pub(super) const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }
}

impl Kind {
    /// The section whose keys are below a key of this kind, and the text between the two in a path:
    /// `.` or `[].`. `None` if there is none, and for secrets.
    #[must_use]
    pub fn below(&self) -> Option<(&'static str, &'static Section)> {
        match self {
            Self::Section(section) => Some((".", section)),
            Self::Named(_, section) => Some((".NAME.", section)),
            Self::List(list) => list.of.below().map(|(_, section)| ("[].", section)),
            Self::Either(kinds) => kinds.iter().find_map(Self::below),
            Self::Pairs(..)
            | Self::Flag
            | Self::Number(..)
            | Self::Time(..)
            | Self::Milliseconds(..)
            | Self::Choice(_)
            | Self::ChoiceOrOff(_)
            | Self::Text(_)
            | Self::Secret(_)
            | Self::Later => None,
        }
    }
}
