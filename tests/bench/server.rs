//! The servers behind Envoy: the authoriser that `ext_authz` asks, and an upstream that answers
//! with the head it was sent.
//!
//! The authoriser checks the approval cookie with the module's own code, compiled natively, on
//! this host and without TLS: a lower bound of what a real one costs.

use crate::Fault;
use crate::credential::{COOKIE, Keys, USER_HEADER, now};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use duo_mfa::http::cookie::{CookieLines, Sent};
use duo_mfa::session::{Sessions, Subject};
use std::net::TcpListener;
use std::sync::Arc;

/// The prefix of the paths that the authoriser is asked at.
pub(crate) const AUTHORIZE: &str = "/authorize";
/// A path that goes to the upstream; any other is answered by Envoy itself.
pub(crate) const ECHO: &str = "/echo";

/// Both servers, on one port, until the process ends.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) port: u16,
}

impl Servers {
    pub(crate) fn start(keys: &Keys) -> Result<Self, Fault> {
        let sessions = Arc::new(keys.sessions()?);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                let router = Router::new()
                    .route(ECHO, any(echo))
                    .route(&format!("{AUTHORIZE}/"), any(authorize))
                    .route(&format!("{AUTHORIZE}/{{*path}}"), any(authorize))
                    .with_state(sessions);
                axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
            })
        });
        Ok(Self { port })
    }
}

async fn authorize(State(sessions): State<Arc<Sessions>>, headers: HeaderMap) -> Response {
    let mut cookies = CookieLines::default();
    for line in headers.get_all("cookie") {
        cookies.push(line.as_bytes());
    }
    let user = headers.get(USER_HEADER).and_then(|user| user.to_str().ok());
    if let (Some(user), Sent::Once(value)) = (user, cookies.find(COOKIE))
        && sessions.open(value, &Subject { source: "header", user, bound: &[] }, now()).is_ok()
    {
        return [("x-duo-mfa-user", user)].into_response();
    }
    StatusCode::FORBIDDEN.into_response()
}

async fn echo(headers: HeaderMap) -> String {
    let line = |(name, value): (_, &HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}
