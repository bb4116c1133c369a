//! The URL that the browser is redirected to.

use std::time::Duration;

use super::call::LIFETIME_SECONDS;
use super::jwt;
use super::opaque::{Nonce, State};
use super::redirect_uri::RedirectUri;
use super::web_sdk::WebSdk;
use crate::clock::UnixTime;
use crate::json::ObjectText;

const PATH: &str = "/oauth/v1/authorize";

/// The longest text that is sent, in bytes of UTF-8.
const MAX_TEXT_BYTES: usize = 1_024;

/// The request that Duo's page receives.
///
/// In Duo's view, a parameter in the query takes precedence over the signed one, so the user can
/// change each of these. Only the id_token shows which values Duo used.
#[derive(Clone, Copy, Debug)]
pub struct Authorize<'a> {
    /// The URI to which the browser comes back.
    pub redirect_uri: &'a RedirectUri,
    /// Returned by Duo with the code.
    pub state: &'a State,
    /// Returned by Duo in the id_token.
    pub nonce: &'a Nonce,
    /// The user's name or alias at Duo: 1 to 1,024 bytes.
    pub username: &'a str,
    /// The application's name, for Duo Mobile and for Duo's log: 1 to 1,024 bytes.
    pub destination: Option<&'a str>,
    /// A lasting id of the application, which is not shown: 1 to 1,024 bytes.
    pub destination_id: Option<&'a str>,
    /// The user's name as the phone shows it: 1 to 1,024 bytes.
    pub display_username: Option<&'a str>,
    /// Whether a session that Duo remembers is enough.
    pub freshness: Freshness,
}

/// How old a session that Duo remembers may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As Duo's policy says.
    #[default]
    Any,
    /// At most this old, in whole seconds (`max_age`). Zero means that the user always has to
    /// authenticate.
    MaxAge(Duration),
    /// The user always has to authenticate (`prompt=login`).
    Login,
}

/// Why there is no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeFault {
    /// A text is empty or too long. An empty claim would not mean the same as a missing one.
    #[error("{claim} is empty or longer than {MAX_TEXT_BYTES} bytes")]
    Length {
        /// The claim that would have held the text.
        claim: &'static str,
    },
}

impl Freshness {
    /// The age, for [`super::Expected::max_age`]. A freshness that was requested must also be
    /// checked.
    #[must_use]
    pub const fn max_age(self) -> Option<Duration> {
        match self {
            Self::Any => None,
            Self::MaxAge(age) => Some(age),
            Self::Login => Some(Duration::ZERO),
        }
    }
}

impl WebSdk {
    /// `https://{api_host}/oauth/v1/authorize` with a signed request (RFC 9101). Opening this URL
    /// starts the prompt: Duo's page may ring the phone without another click.
    ///
    /// With a state of 1,024 characters it is about 2,200 bytes long; it has only ASCII characters.
    ///
    /// # Errors
    ///
    /// [`AuthorizeFault::Length`].
    pub fn authorize(
        &self,
        request: &Authorize<'_>,
        now: UnixTime,
    ) -> Result<String, AuthorizeFault> {
        let (client_id, audience) = (self.client_id(), self.url(""));
        let client = [
            ("scope", "openid"),
            ("redirect_uri", request.redirect_uri.as_str()),
            ("client_id", client_id),
            ("iss", client_id),
            ("aud", &audience),
        ];
        let attempt = [
            ("state", request.state.as_str()),
            ("response_type", "code"),
            ("duo_uname", bounded("duo_uname", request.username)?),
        ];
        let mut payload = jwt::with_texts(ObjectText::new(), &client)
            .number("exp", now.seconds().saturating_add(LIFETIME_SECONDS));
        payload = jwt::with_texts(payload, &attempt)
            .flag("use_duo_code_attribute", true)
            .text("nonce", request.nonce.as_str());
        for (claim, value) in [
            ("dest_app_name", request.destination),
            ("dest_app_id", request.destination_id),
            ("display_username", request.display_username),
        ] {
            let value = value.map(|text| bounded(claim, text)).transpose()?;
            payload = payload.some_text(claim, value);
        }
        payload = match request.freshness {
            Freshness::Any => payload,
            Freshness::MaxAge(age) => payload.number("max_age", age.as_secs()),
            Freshness::Login => payload.text("prompt", "login"),
        };
        let jwt = jwt::signed(payload, self.client_secret());
        Ok(format!("{audience}{PATH}?response_type=code&client_id={client_id}&request={jwt}"))
    }
}

fn bounded<'a>(claim: &'static str, text: &'a str) -> Result<&'a str, AuthorizeFault> {
    if text.is_empty() || text.len() > MAX_TEXT_BYTES {
        return Err(AuthorizeFault::Length { claim });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::Value;

    fn web_sdk() -> WebSdk {
        let secret = Secret::new("UniversalTestSecretUniversalTestSecret40".to_owned());
        let host = "api-sim.duo.test".parse().unwrap();
        WebSdk::new(host, "DIUNIVERSALTEST00001", secret).unwrap()
    }

    fn redirect_uri() -> RedirectUri {
        let hosts = ["localhost".parse().unwrap()];
        RedirectUri::of(b"localhost", &hosts, "/callback").unwrap()
    }

    fn attempt() -> (State, Nonce) {
        ("s".repeat(1_024).parse().unwrap(), "n".repeat(43).parse().unwrap())
    }

    fn url(username: &str, destination: Option<&str>) -> Result<String, AuthorizeFault> {
        let (state, nonce) = attempt();
        let request = Authorize {
            redirect_uri: &redirect_uri(),
            state: &state,
            nonce: &nonce,
            username,
            destination,
            destination_id: destination,
            display_username: destination,
            freshness: Freshness::MaxAge(Duration::from_millis(1_999)),
        };
        web_sdk().authorize(&request, UnixTime::from_millis(1_800_000_000_999))
    }

    fn claims(url: &str) -> Value {
        let jwt = url.split_once("&request=").unwrap().1;
        let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    #[test]
    fn absent_texts_are_absent_claims() {
        let claims = claims(&url("alice", None).unwrap());
        for claim in ["dest_app_name", "dest_app_id", "display_username", "prompt"] {
            assert_eq!(claims.get(claim), None, "{claim}");
        }
        assert_eq!((&claims["max_age"], &claims["exp"]), (&1.into(), &1_800_000_300_u64.into()));
    }

    #[test]
    fn a_text_that_is_empty_or_too_long_is_not_sent() {
        let fault = |claim| Err(AuthorizeFault::Length { claim });
        assert_eq!(url("", None), fault("duo_uname"));
        assert_eq!(url("alice", Some("")), fault("dest_app_name"));
        assert!(url(&"a".repeat(1_024), Some(&"é".repeat(512))).is_ok());
        assert_eq!(url(&"a".repeat(1_025), None), fault("duo_uname"));
        assert_eq!(url("alice", Some(&"é".repeat(513))), fault("dest_app_name"));
    }

    #[test]
    fn a_login_is_checked_like_an_age_of_zero() {
        assert_eq!(Freshness::Any.max_age(), None);
        assert_eq!(Freshness::Login.max_age(), Some(Duration::ZERO));
        assert_eq!(Freshness::MaxAge(Duration::ZERO).max_age(), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn every_name_arrives_as_it_was_sent(name in ".{1,256}") {
            let url = url(&name, Some(&name)).unwrap();
            prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(url.split(['?', '&']).count(), 4);
            let claims = claims(&url);
            prop_assert_eq!(&claims["duo_uname"], &name);
            prop_assert_eq!(&claims["display_username"], &name);
        }
    }
}
