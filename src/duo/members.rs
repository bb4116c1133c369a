//! The members of a response's objects, by name and type.

use super::error::{DuoError, Malformed};
use super::text::Text;
use crate::json::{self, Json};

/// An object of a response. A member that is `null` counts as absent; one of another type than is
/// asked for is [`Malformed::Members`].
#[derive(Clone, Copy)]
pub(super) struct Members<'j>(pub(super) &'j json::Members);

impl<'j> Members<'j> {
    /// The members of a value that has to be an object.
    pub(super) fn of(value: &'j Json) -> Result<Self, Malformed> {
        value.object().map(Self).ok_or(Malformed::Members)
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'j str>, Malformed> {
        self.find(name).map(|value| value.text().ok_or(Malformed::Members)).transpose()
    }

    pub(super) fn required_text(self, name: &str) -> Result<&'j str, Malformed> {
        self.text(name)?.ok_or(Malformed::Members)
    }

    /// A text of Duo's to show; empty if it is absent.
    pub(super) fn label(self, name: &str) -> Result<Text, Malformed> {
        Ok(self.text(name)?.unwrap_or_default().into())
    }

    pub(super) fn whole(self, name: &str) -> Result<Option<u64>, Malformed> {
        self.find(name).map(|value| value.whole().ok_or(Malformed::Members)).transpose()
    }

    pub(super) fn required_whole(self, name: &str) -> Result<u64, Malformed> {
        self.whole(name)?.ok_or(Malformed::Members)
    }

    /// The entries of a list; empty if it is absent.
    pub(super) fn list(self, name: &str) -> Result<&'j [Json], Malformed> {
        match self.find(name) {
            Some(value) => value.list().ok_or(Malformed::Members),
            None => Ok(&[]),
        }
    }

    /// Duo's code: a number, or in some responses an empty text.
    pub(super) fn code(self, name: &str) -> Result<Option<u32>, Malformed> {
        match self.find(name) {
            Some(Json::Whole(code)) => Ok(u32::try_from(*code).ok()),
            Some(Json::Text(code)) => Ok(code.parse().ok()),
            Some(_) => Err(Malformed::Members),
            None => Ok(None),
        }
    }

    fn find(self, name: &str) -> Option<&'j Json> {
        self.0.find(name).filter(|value| !matches!(value, Json::Null))
    }
}

impl From<Malformed> for DuoError {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}
