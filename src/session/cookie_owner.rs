//! The owner of cookies, if one host has several Duo applications.

/// The Duo application that cookies belong to, by its name. Its tokens are valid only for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieOwner<'a> {
    /// The only application, or the main one: its cookies have their plain names.
    Main(&'a str),
    /// A further application: the name of each cookie is the plain name, `-`, and the application's
    /// name.
    Beside(&'a str),
}

impl<'a> CookieOwner<'a> {
    /// The name of the application.
    pub(super) const fn application(self) -> &'a str {
        match self {
            Self::Main(name) | Self::Beside(name) => name,
        }
    }

    /// The name of its cookie with this plain name.
    pub(super) fn cookie(self, plain: &str) -> String {
        match self {
            Self::Main(_) => plain.to_owned(),
            Self::Beside(name) => format!("{plain}-{name}"),
        }
    }
}
