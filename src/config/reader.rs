//! Access to the configuration as it was written: objects with known keys, and values of known
//! types.

use super::error::{Code, Fault, Faults, echo, member};
use super::keys::{self, Key};
use super::nearest::nearest;
use crate::json::{self, Json};
use std::borrow::Cow;

/// An object of the configuration whose keys were all checked.
#[derive(Debug)]
pub(super) struct Section<'v> {
    path: String,
    keys: &'static [Key],
    members: Members<'v>,
}

#[derive(Clone, Copy, Debug)]
enum Members<'v> {
    Of(&'v json::Members),
    Absent,
    /// The value, or an object around it, is not an object. That fault is already recorded; members
    /// count as absent.
    Unreadable,
}

/// A value and its path.
#[derive(Clone, Debug)]
pub(super) struct Entry<'v> {
    pub(super) path: String,
    value: &'v Json,
}

impl<'v> Section<'v> {
    /// Opens an object and records a fault for each key that is not allowed.
    pub(super) fn open(entry: &Entry<'v>, keys: &'static [Key], faults: &mut Faults) -> Self {
        let path = entry.path.clone();
        let Some(members) = faults.keep(entry.object()) else {
            return Self { path, keys, members: Members::Unreadable };
        };
        for (name, value) in members.iter() {
            if let Some(fault) = key_fault(&path, keys, (name, value), members) {
                faults.push(fault);
            }
        }
        Self { path, keys, members: Members::Of(members) }
    }

    /// Opens a member that is an object. If it is absent, all of its keys are absent.
    pub(super) fn section(
        &self,
        name: &'static str,
        keys: &'static [Key],
        faults: &mut Faults,
    ) -> Self {
        let path = member(&self.path, name);
        match (self.find(name), self.members) {
            (Some(entry), _) => Self::open(&entry, keys, faults),
            (None, Members::Unreadable) => Self { path, keys, members: Members::Unreadable },
            (None, Members::Of(_) | Members::Absent) => {
                Self { path, keys, members: Members::Absent }
            }
        }
    }

    /// Whether the value is an object, or absent.
    pub(super) const fn is_readable(&self) -> bool {
        !matches!(self.members, Members::Unreadable)
    }

    /// The path of a member.
    pub(super) fn path_of(&self, name: &str) -> String {
        member(&self.path, name)
    }

    /// A member under any of its names.
    #[inline(never)]
    pub(super) fn find(&self, name: &'static str) -> Option<Entry<'v>> {
        let Members::Of(members) = self.members else { return None };
        let key = self.keys.iter().find(|key| key.name == name)?;
        let (spelled, value) = members.iter().find(|(spelled, _)| key.is(spelled))?;
        Some(Entry { path: member(&self.path, spelled), value })
    }

    /// Reads a member; `None` if it is absent or at fault.
    pub(super) fn read<T>(
        &self,
        name: &'static str,
        faults: &mut Faults,
        meaning: impl FnOnce(&Entry<'v>) -> Result<T, Fault>,
    ) -> Option<T> {
        self.find(name).and_then(|entry| faults.keep(meaning(&entry)))
    }

    /// Reads a required member.
    pub(super) fn require<T>(
        &self,
        name: &'static str,
        fix: &'static str,
        faults: &mut Faults,
        meaning: impl FnOnce(&Entry<'v>) -> Result<T, Fault>,
    ) -> Option<T> {
        if self.find(name).is_none() && self.is_readable() {
            let path = member(&self.path, name);
            faults.push(Fault::new(Code::MissingKey, path, "is missing", fix));
        }
        self.read(name, faults, meaning)
    }
}

fn key_fault(
    path: &str,
    keys: &'static [Key],
    (name, value): (&str, &Json),
    members: &json::Members,
) -> Option<Fault> {
    let at = member(path, name);
    let Some(key) = keys.iter().find(|key| key.is(name)) else {
        let known = || keys.iter().filter(|key| key.later.is_none()).map(|key| key.name);
        let home = if path.is_empty() { keys::home(name) } else { None };
        let fix = match (nearest(name, known()), home) {
            (Some(meant), _) => format!("did you mean \"{meant}\"?"),
            (None, Some(section)) => format!("write it as {section}.{name}"),
            (None, None) => format!("this section has: {}", known().collect::<Vec<_>>().join(", ")),
        };
        return Some(Fault::new(Code::UnknownKey, at, "is not a known key", fix));
    };
    if let Some(fix) = key.later {
        let problem = "is not supported in this release";
        return (!is_off(value)).then(|| Fault::new(Code::NotSupported, at, problem, fix));
    }
    // If a key is present under several names, the first in the map's order is read; the others are
    // faults.
    let first = members.iter().map(|(name, _)| name).find(|name| key.is(name))?;
    (first != name).then(|| {
        let problem = format!("is another name for \"{first}\", which is also present");
        Fault::new(Code::ConflictingKeys, at, problem, format!("keep only \"{}\"", key.name))
    })
}

/// Whether a value switches nothing on, so that the missing support for its key makes no
/// difference. A bare `off` in YAML arrives as `false`.
fn is_off(value: &Json) -> bool {
    match value {
        Json::Flag(on) => !on,
        Json::Text(text) => text.is_empty() || text == "off",
        Json::List(list) => list.is_empty(),
        Json::Object(members) => members.iter().len() == 0,
        Json::Null | Json::Whole(_) | Json::OtherNumber(_) => false,
    }
}

impl<'v> Entry<'v> {
    pub(super) fn new(path: impl Into<String>, value: &'v Json) -> Self {
        Self { path: path.into(), value }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn fault(
        &self,
        code: Code,
        problem: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Fault {
        Fault::new(code, self.path.clone(), problem, fix)
    }

    #[inline(never)]
    pub(super) fn text(&self) -> Result<&'v str, Fault> {
        self.value.text().ok_or_else(|| self.wrong_type("a text"))
    }

    pub(super) fn flag(&self) -> Result<bool, Fault> {
        self.value.flag().ok_or_else(|| self.wrong_type("true or false"))
    }

    pub(super) fn whole_number(&self) -> Result<u64, Fault> {
        self.value.whole().ok_or_else(|| {
            let fix = "write it in digits and without quotes, as in 3".into();
            Fault { fix, ..self.wrong_type("a whole number, zero or more") }
        })
    }

    pub(super) const fn json(&self) -> &'v Json {
        self.value
    }

    pub(super) fn is_object(&self) -> bool {
        self.value.object().is_some()
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.text().is_some()
    }

    pub(super) fn is_false(&self) -> bool {
        self.value.flag() == Some(false)
    }

    /// The entries of a list.
    pub(super) fn list(&self) -> Result<Vec<Self>, Fault> {
        let list = self.value.list().ok_or_else(|| {
            let fix = "write it as a list: [...]".into();
            Fault { fix, ..self.wrong_type("a list") }
        })?;
        let entry = |(index, value)| Self { path: format!("{}[{index}]", self.path), value };
        Ok(list.iter().enumerate().map(entry).collect())
    }

    /// The entries of a list that must not be empty.
    pub(super) fn filled_list(&self, fix: &'static str) -> Result<Vec<Self>, Fault> {
        let list = self.list()?;
        if list.is_empty() { Err(self.fault(Code::EmptyList, "is empty", fix)) } else { Ok(list) }
    }

    /// The members of an object whose keys the operator chooses.
    pub(super) fn members(&self) -> Result<Vec<(&'v str, Self)>, Fault> {
        let entry =
            |(key, value): (&'v str, _)| (key, Self { path: member(&self.path, key), value });
        Ok(self.object()?.iter().map(entry).collect())
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Fault> {
        let text = self.value.text();
        match words.iter().find(|(word, _)| text == Some(*word)) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(self.unknown_word(text, &known))
            }
        }
    }

    fn unknown_word(&self, text: Option<&str>, known: &[&'static str]) -> Fault {
        let Some(text) = text else {
            let fix = format!("write {}", known.join(", ")).into();
            return Fault { fix, ..self.wrong_type("a text") };
        };
        let fix = match nearest(text, known.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("allowed values: {}", known.join(", ")),
        };
        self.fault(Code::UnknownValue, format!("{} is not known", echo(text)), fix)
    }

    fn object(&self) -> Result<&'v json::Members, Fault> {
        self.value.object().ok_or_else(|| self.wrong_type("an object"))
    }

    /// The message leaves the value out, since it may be a secret in the wrong place.
    pub(super) fn wrong_type(&self, wanted: &str) -> Fault {
        let problem = format!("must be {wanted}, not {}", self.value.kind());
        self.fault(Code::WrongType, problem, format!("write {wanted}"))
    }
}
