//! Why a cookie is refused.

/// Why a cookie is refused. Only for metrics: replies never show the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The length is not possible for such a cookie.
    #[error("wrong length")]
    Length,
    /// Not base64url, or not the canonical base64url of its bytes.
    #[error("not canonical base64url")]
    Encoding,
    /// A layout that this version does not know, or field values outside the layout.
    #[error("unknown layout")]
    Layout,
    /// The key is not in the ring.
    #[error("unknown key")]
    UnknownKey,
    /// The MAC is wrong.
    #[error("wrong MAC")]
    Forged,
    /// Issued or last seen in the future, by more than clocks may differ.
    #[error("from the future")]
    Future,
    /// Past its absolute expiry.
    #[error("expired")]
    Expired,
    /// Not used for longer than the idle time.
    #[error("idle for too long")]
    Idle,
    /// For another application.
    #[error("of another application")]
    OtherApplication,
    /// For another user.
    #[error("of another user")]
    OtherUser,
    /// For another request.
    #[error("of another operation")]
    OtherRequest,
    /// Bound to a value that this request does not have.
    #[error("bound to something else")]
    OtherBinding,
    /// Issued before `not_before`: the operator has voided it.
    #[error("void")]
    Void,
}

impl Refusal {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::Length,
        Self::Encoding,
        Self::Layout,
        Self::UnknownKey,
        Self::Forged,
        Self::Future,
        Self::Expired,
        Self::Idle,
        Self::OtherApplication,
        Self::OtherUser,
        Self::OtherRequest,
        Self::OtherBinding,
        Self::Void,
    ];

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Encoding => "encoding",
            Self::Layout => "layout",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::Future => "future",
            Self::Expired => "expired",
            Self::Idle => "idle",
            Self::OtherApplication => "other_application",
            Self::OtherUser => "other_user",
            Self::OtherRequest => "other_operation",
            Self::OtherBinding => "other_binding",
            Self::Void => "void",
        }
    }
}
