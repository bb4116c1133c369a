//! Duo's Universal Prompt as values: the OIDC Auth API of a "Web SDK" application.
//!
//! The browser is sent to Duo's page and comes back with a code:
//!
//! 1. [`WebSdk::health_check`] makes a call that asks whether Duo responds;
//!    [`Response::health_check`] reads the response.
//! 2. [`WebSdk::authorize`] makes the URL that the browser is redirected to.
//! 3. [`Callback::read`] reads the request with which the browser comes back to the
//!    [`RedirectUri`].
//! 4. [`WebSdk::token`] makes a call that exchanges the code; [`Response::id_token`] reads the
//!    response, and [`WebSdk::verify`] decides whether the id_token approves this user in this
//!    attempt.
//!
//! All JWTs are signed with HMAC-SHA512, in both directions, with the client secret as the key. An
//! id_token is an approval in exactly one case: it passes every check of [`TokenFault`].
//!
//! Time, the random bytes of a `jti`, `state` and `nonce` come in as values. `now` is always the
//! time on Duo's clock. This module never learns who waits for a response. It knows no cookie,
//! page, rule or fail mode.
//!
//! Sources: Duo, "OIDC Auth API" (<https://duo.com/docs/oauthapi>) and "Web SDK"
//! (<https://duo.com/docs/duoweb>); RFC 6749, 7515, 7519; OpenID Connect Core 1.0.

mod authorize;
mod call;
mod callback;
mod callback_host;
mod confirmed_by;
mod id_token;
mod jwt;
mod opaque;
mod prompt_error;
mod redirect_uri;
mod response;
mod token_fault;
mod web_sdk;

#[cfg(doc)]
use super::Response;
pub use authorize::{Authorize, AuthorizeFault, Freshness};
pub use callback::{Callback, CallbackFault};
pub use callback_host::{CallbackHost, CallbackHostFault};
pub use confirmed_by::ConfirmedBy;
pub use id_token::{Approved, Expected};
pub use opaque::{Code, Jti, Nonce, NotOpaque, State};
pub use prompt_error::{Cause, PromptError, Refusal};
pub use redirect_uri::{RedirectFault, RedirectUri};
pub use response::Health;
pub use token_fault::TokenFault;
pub use web_sdk::{WebSdk, WebSdkFault};
