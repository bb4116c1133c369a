//! What a page knows of the request that it answers, and the addresses that it posts to.

use super::display_text::DisplayText;
use super::problem::Reference;
use super::screen::Factor;
use super::site::{Site, encoded};
use super::text::Language;
use crate::http::ReturnPath;

/// Where a page stands, and so what follows an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// At the application's address, asked for by GET: it is loaded again.
    InPlace,
    /// At the application's address, asked for by another method: a form that was not sent.
    /// It is never sent again by us; there is a way back to it.
    Form,
    /// At the prompt's own address: the browser goes to `return_to`.
    OwnAddress,
}

/// A page but for its state.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What all pages share.
    pub site: &'a Site,
    /// In which language.
    pub language: Language,
    /// Where it stands.
    pub arrival: Arrival,
    /// Where the person wanted to go.
    pub return_to: &'a ReturnPath,
    /// What to look up in the log.
    pub reference: &'a Reference,
    /// Who has signed in, where that is known.
    pub user: Option<&'a DisplayText>,
    /// The name of the application, shown while waiting: the same that the device shows.
    pub application: Option<&'a DisplayText>,
    /// The client's address, shown while waiting.
    pub address: Option<&'a DisplayText>,
}

impl Frame<'_> {
    /// Where a factor is started: `auth?factor=push&device=DP..&return_to=..`.
    pub(super) fn auth(&self, factor: Factor, device: Option<&str>) -> String {
        let device = device.map(|id| format!("&device={}", encoded(id))).unwrap_or_default();
        let (prefix, return_to) = (&self.site.path_prefix, encoded(self.return_to.as_str()));
        format!("{prefix}/auth?factor={}{device}&return_to={return_to}", factor.name())
    }

    /// One of the own endpoints, with the way back: `preauth?return_to=..`.
    pub(super) fn own(&self, endpoint: &str) -> String {
        self.site.address(endpoint, self.return_to)
    }

    /// Where everything begins anew by GET, which never sends a push. An empty reference keeps
    /// path and query of the application's address.
    pub(super) fn again(&self) -> String {
        match self.arrival {
            Arrival::InPlace | Arrival::Form => String::new(),
            Arrival::OwnAddress => self.own(""),
        }
    }
}
