//! One finding of `check`, whatever it is about.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// A value to replace before the deployment. It does not change the exit status.
    Note,
    /// Something around the configuration that the module cannot see.
    Warning,
    /// The module refuses the configuration, or nothing works with what is around it.
    Fault,
}

/// A finding. Programs read it by the names of its members.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// Its stable code.
    pub(super) code: &'static str,
    /// The part of the plugin configuration that it is about; empty for all of it.
    pub(super) path: String,
    /// The line of the file, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    /// Whether the line is that of something around the plugin configuration.
    #[serde(skip)]
    pub(super) is_around: bool,
    /// The problem, and what to do.
    pub(super) text: String,
    /// The line at fault and the likely mistake, if the configuration is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quoted: Option<String>,
}

impl Level {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}
