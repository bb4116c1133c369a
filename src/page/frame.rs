//! The data of a page that do not depend on its state, and the addresses that it posts to.

use super::display_text::DisplayText;
use super::site::{Site, encoded, query};
use super::text::Language;
use crate::factor::Factor;
use crate::http::ReturnPath;
use crate::reference::Reference;

/// The address of a page, which determines what follows an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// At the application's address, requested by GET: the page reloads it.
    InPlace,
    /// At the application's address, requested with another method: a form that was not sent. The
    /// page never sends it again; it offers a way back to the form.
    Form,
    /// At the prompt's own address: the browser goes to `return_to`.
    OwnAddress,
    /// At the address to which browsers come back from Duo's page. The page has no form. Its
    /// `Referrer-Policy: no-referrer` would make the form send `Origin: null`. The cross-site guard
    /// refuses that in browsers that send no `Sec-Fetch-Site`, such as Safari before 16.4. A link
    /// leads to `return_to`, where the start page has the button.
    Callback,
}

impl Arrival {
    /// Whether the page is at one of the filter's own addresses.
    pub(super) const fn is_own(self) -> bool {
        matches!(self, Self::OwnAddress | Self::Callback)
    }
}

/// All data of a page except its state.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The data that all pages share.
    pub site: &'a Site,
    /// The language of the page.
    pub language: Language,
    /// The address of the page.
    pub arrival: Arrival,
    /// The path to which the user returns.
    pub return_to: &'a ReturnPath,
    /// The origin of Duo's page, if that page asks the user; buttons lead there.
    pub duo: Option<&'a str>,
    /// Whether another person has to approve the request.
    pub asks_another: bool,
    /// The reference by which the sign-in is found in the log; `None` if the log does not have it.
    pub reference: Option<Reference>,
    /// The reference and its seal, with which the page's requests continue the sign-in.
    pub ticket: Option<&'a str>,
    /// The user, if known.
    pub user: Option<&'a DisplayText>,
    /// The name of the application, shown while waiting. The device shows the same name.
    pub application: Option<&'a DisplayText>,
    /// The client's address, shown while waiting.
    pub address: Option<&'a DisplayText>,
}

impl Frame<'_> {
    /// The address that starts a factor: `auth?factor=push&device=DP..&return_to=..`.
    pub(super) fn auth(&self, factor: Factor, device: Option<&str>) -> String {
        let device = device.map(|id| format!("&device={}", encoded(id))).unwrap_or_default();
        let (prefix, return_to) = (&self.site.path_prefix, query(self.return_to));
        let ticket = self.ticket();
        format!("{prefix}/auth?factor={}{device}&{return_to}{ticket}", factor.name())
    }

    /// The address that has another person asked: `auth?factor=push&approver=carol&return_to=..`.
    pub(super) fn ask(&self, approver: &str) -> String {
        format!("{}&approver={}", self.auth(Factor::Push, None), encoded(approver))
    }

    /// An address of the filter with the return path: `preauth?return_to=..`.
    pub(super) fn own(&self, endpoint: &str) -> String {
        self.site.address(endpoint, self.return_to) + &self.ticket()
    }

    fn ticket(&self) -> String {
        self.ticket.map(|ticket| format!("&reference={ticket}")).unwrap_or_default()
    }

    /// The address that starts again by GET, which never sends a push. An empty reference keeps
    /// path and query of the application's address.
    pub(super) fn again(&self) -> String {
        match self.arrival {
            Arrival::InPlace | Arrival::Form => String::new(),
            // A new sign-in.
            Arrival::OwnAddress => self.site.address("", self.return_to),
            Arrival::Callback => self.return_to.as_str().to_owned(),
        }
    }
}
