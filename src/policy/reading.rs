//! How exactly a rule matches.

/// How exactly a request has to match a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Path and method byte by byte, as they were sent. The host without a port and a final dot.
    AsWritten,
    /// As any application might read them: case is ignored, escapes in the path are decoded, and a
    /// final slash, spaces, or a part after an escaped `?` or `#` may be added; so may a port and a final
    /// dot of the host. `HEAD` is read as `GET`, since applications treat both alike, except for the
    /// body (RFC 9110, section 9.3.2).
    AnySpelling,
}

impl Reading {
    pub(super) const fn opposite(self) -> Self {
        match self {
            Self::AsWritten => Self::AnySpelling,
            Self::AnySpelling => Self::AsWritten,
        }
    }
}
