//! Which names are user names at all.

/// The longest name that is looked at, in bytes, before and after normalization.
pub const MAX_BYTES: usize = 256;

/// Which characters a name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Printable ASCII without upper case and `"`, `\\`, `,`, `;` and `%`; spaces one at a time and
    /// within. With [`super::Step::Nfc`] letters beyond ASCII too.
    Any,
    /// `[a-z0-9._+-]`, `:` and `/`: other characters have several spellings in a URI.
    Uri,
    /// `[a-z0-9._+-]`.
    Dns,
}
