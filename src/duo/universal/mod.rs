//! Duo's Universal Prompt as values: the OIDC Auth API of a "Web SDK" application.
//!
//! The browser is sent to Duo's page and comes back with a code:
//!
//! 1. [`WebSdk::health_check`] makes a call that asks whether Duo is there.
//! 2. [`WebSdk::authorize`] makes the URL that the browser is redirected to.
//! 3. The browser comes back to the [`RedirectUri`], with the [`State`] and a [`Code`].
//! 4. [`WebSdk::token`] makes a call that exchanges the code for an id_token.
//!
//! All JWTs are signed with HMAC-SHA512, in both directions, with the client secret as the key.
//!
//! Time, the random bytes of a `jti`, `state` and `nonce` come in as values. `now` is always the
//! time on Duo's clock. This module must never know who waits for an answer: no cookie, page, rule
//! or fail mode.
//!
//! Sources: Duo, "OIDC Auth API" (<https://duo.com/docs/oauthapi>) and "Web SDK"
//! (<https://duo.com/docs/duoweb>); RFC 6749, 7515, 7519; OpenID Connect Core 1.0.

mod authorize;
mod call;
mod callback_host;
mod jwt;
mod opaque;
mod redirect_uri;
mod web_sdk;

pub use authorize::{Authorize, AuthorizeFault, Freshness};
pub use call::Endpoint;
pub use callback_host::{CallbackHost, CallbackHostFault};
pub use opaque::{Code, Jti, Nonce, NotOpaque, State};
pub use redirect_uri::{RedirectFault, RedirectUri};
pub use web_sdk::{WebSdk, WebSdkFault};
