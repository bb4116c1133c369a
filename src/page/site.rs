//! The parts that all pages share: the look, the addresses, the style sheet and the script.

use super::accent::Accent;
use super::asset::Asset;
use super::display_text::DisplayText;
use super::link::{Link, Logo};
use crate::http::{Reply, ReturnPath};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters but the unreserved ones (RFC 3986, section 2.3), since the text is one value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes a text as one value of a query.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// The return path as parameters: `return_to=..`, with `&method=..` unless that is GET.
pub(super) fn query(return_to: &ReturnPath) -> String {
    let path = encoded(return_to.as_str());
    let method = return_to.other_method().map(|method| format!("&method={}", encoded(method)));
    format!("return_to={path}{}", method.unwrap_or_default())
}

/// The organisation's look and help, as configured under `branding`.
#[derive(Clone, Debug, Default)]
pub struct Branding {
    /// The name: in the title, and in place of a logo.
    pub name: DisplayText,
    /// The picture; without it, pages show the name.
    pub logo: Option<Logo>,
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
    /// Where users find help, in the organisation's own words.
    pub help_text: Option<DisplayText>,
    /// The address where users find help.
    pub help_url: Option<Link>,
    /// The address where users sign out of the first factor, so that somebody else can sign in.
    pub sign_out_url: Option<Link>,
}

/// The parts that all pages are built with. Made once for each configuration.
#[derive(Clone, Debug)]
pub struct Site {
    pub(super) branding: Branding,
    pub(super) path_prefix: String,
    pub(super) request_bodies: bool,
    pub(super) style: Asset,
    pub(super) script: Asset,
}

impl Site {
    /// Pages with this look. Their addresses begin with `path_prefix` (no slash at its end).
    #[must_use]
    pub fn new(branding: Branding, path_prefix: &str) -> Self {
        let style = Asset::style(path_prefix, branding.accent);
        let script = Asset::script(path_prefix);
        let path_prefix = path_prefix.to_owned();
        Self { branding, path_prefix, request_bodies: false, style, script }
    }

    /// Sets whether the filter can read a form's body. If so, a passcode needs no script.
    #[must_use]
    pub fn with_request_bodies(mut self, can_read_bodies: bool) -> Self {
        self.request_bodies = can_read_bodies;
        self
    }

    /// The prompt page's own address. An approval there leads to `return_to`.
    #[must_use]
    pub fn start_url(&self, return_to: &ReturnPath) -> String {
        self.address("", return_to)
    }

    /// Whether pages show the account's picture at Duo.
    #[must_use]
    pub const fn serves_logo(&self) -> bool {
        matches!(self.branding.logo, Some(Logo::Served))
    }

    /// The address to poll for a pending sign-in.
    #[must_use]
    pub fn status_url(&self) -> String {
        format!("{}/status", self.path_prefix)
    }

    /// The address of the QR code of an enrollment.
    #[must_use]
    pub fn enrollment_url(&self, return_to: &ReturnPath) -> String {
        self.address("enroll", return_to)
    }

    /// The address to which a form posts to sign out; the user continues at `next`.
    pub(super) fn logout_url(&self, next: Option<&ReturnPath>) -> String {
        let next = next.map(|next| format!("?next={}", encoded(next.as_str())));
        format!("{}/logout{}", self.path_prefix, next.unwrap_or_default())
    }

    /// An address of the filter with the return path: `preauth?return_to=..`.
    pub(super) fn address(&self, endpoint: &str, return_to: &ReturnPath) -> String {
        format!("{}/{endpoint}?{}", self.path_prefix, query(return_to))
    }

    /// The style sheet or the script; `None` if this is neither's path.
    #[must_use]
    pub fn asset(&self, path: &str) -> Option<Reply> {
        [&self.style, &self.script].into_iter().find(|asset| asset.path == path).map(Asset::reply)
    }
}
