//! How an application sends browsers to Duo's Universal Prompt.

use crate::clock::UnixTime;
use crate::duo::universal::{Authorize, AuthorizeFault, CallbackHost, WebSdk};
use crate::session::SharedKey;

/// How an application sends browsers to Duo's Universal Prompt (`duo.prompt: universal`).
#[derive(Debug)]
pub struct Universal {
    /// The credentials of the "Web SDK" application.
    pub web_sdk: WebSdk,
    /// The hosts that a browser may come back to; at least one.
    pub hosts: Vec<CallbackHost>,
    /// The name of the application in Duo Mobile and in Duo's log.
    pub destination: Destination,
    /// The origin of Duo's page, without a slash at its end: `https://{api_host}`. In a demo it may
    /// be an origin on loopback.
    pub origin: String,
}

/// The name of the application that a user signs in to (`dest_app_name`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// The host of the request.
    #[default]
    Host,
    /// The same name for all requests.
    Text(String),
    /// No name.
    Off,
}

impl Universal {
    /// The URL that the browser is redirected to: [`WebSdk::authorize`] at [`Self::origin`].
    ///
    /// # Errors
    ///
    /// The same as [`WebSdk::authorize`].
    pub fn authorize(
        &self,
        request: &Authorize<'_>,
        now: UnixTime,
    ) -> Result<String, AuthorizeFault> {
        let url = self.web_sdk.authorize(request, now)?;
        let usual = format!("https://{}", self.web_sdk.api_host());
        Ok(match url.strip_prefix(&usual) {
            Some(rest) if usual != self.origin => format!("{}{rest}", self.origin),
            Some(_) | None => url,
        })
    }

    /// The key for data about the Web SDK application that all configurations share in one Envoy, if
    /// they call it through the same `cluster`. It is derived from the client secret.
    #[must_use]
    pub fn shared_key(&self, cluster: &str) -> SharedKey {
        let (host, client_id) = (self.web_sdk.api_host().as_str(), self.web_sdk.client_id());
        let parts = [host.as_bytes(), client_id.as_bytes(), cluster.as_bytes()];
        SharedKey::new(self.web_sdk.client_secret().expose().as_bytes(), &parts)
    }

    /// The name of the application for a request to this host.
    #[must_use]
    pub fn destination<'a>(&'a self, host: &'a str) -> Option<&'a str> {
        match &self.destination {
            Destination::Host => Some(host),
            Destination::Text(name) => Some(name),
            Destination::Off => None,
        }
    }
}
