//! Whose cookies they are, where one host has several Duo applications.

/// The Duo application that cookies belong to, by its name: its tokens are good for that alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieOwner<'a> {
    /// The only one, or the first of several: its cookies have their plain names.
    Main(&'a str),
    /// One beside it: each of its cookies is called by the plain name, `-` and its own.
    Beside(&'a str),
}

impl<'a> CookieOwner<'a> {
    /// The name of the application.
    pub(super) const fn application(self) -> &'a str {
        match self {
            Self::Main(name) | Self::Beside(name) => name,
        }
    }

    /// What its cookie of this plain name is called.
    pub(super) fn cookie(self, plain: &str) -> String {
        match self {
            Self::Main(_) => plain.to_owned(),
            Self::Beside(name) => format!("{plain}-{name}"),
        }
    }
}
