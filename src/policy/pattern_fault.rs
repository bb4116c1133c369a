//! Why a text is not a pattern.

use std::net::IpAddr;

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// A method in lower case, or with a character that methods do not have.
    #[error("is not a method")]
    NotAMethod,
    /// A path that no request has in this form, or a `*` elsewhere than after a final slash.
    #[error("is neither a path that a request can have, nor one with \"/*\" at its end")]
    NotAPath,
    /// Neither a lower-case host name without a port, nor `*.` and such a name.
    #[error("is neither a lower-case host name without a port, nor \"*.\" and such a name")]
    NotAHost,
    /// Neither an address, nor an address and a prefix length.
    #[error("is neither an IP address nor a network")]
    NotANetwork,
    /// A network that is not written with its first address.
    #[error("is not the first address of its network")]
    NotTheFirst {
        /// The first address.
        first: IpAddr,
        /// The prefix length.
        length: u32,
    },
    /// A name that no canonical user has, or with a `*` before its end.
    #[error("is neither a lower-case user name, nor the beginning of one and \"*\"")]
    NotAUser,
    /// An empty name, one with a control character, or with a `*` before its end.
    #[error("is neither a group name, nor the beginning of one and \"*\"")]
    NotAGroup,
}
