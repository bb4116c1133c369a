//! The grammars of user names.

/// The longest name that is read, in bytes, before and after normalization.
pub const MAX_BYTES: usize = 256;

/// The characters that a name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Printable ASCII without upper case and `"`, `\\`, `,`, `;` and `%`; single spaces, not at
    /// the ends. With [`super::Step::Nfc`] also letters beyond ASCII.
    Any,
    /// `[a-z0-9._+-]`, `:` and `/`: other characters have several spellings in a URI.
    Uri,
    /// `[a-z0-9._+-]`.
    Dns,
}
