//! Duo's side of the Universal Prompt: health check, authorize, token, and the page between them.
//!
//! Everything here is written from Duo's contract and shares no code with the filter. The control
//! interface can answer for users without a browser:
//!
//! | `POST /sim/universal` | what |
//! |---|---|
//! | `{"user": "alice", "answer": "approve", "factor": "duo_push"}` | `authorize` redirects back at once; also `reason`, `auth_time` (unix seconds) |
//! | `{"user": "alice", "answer": "deny"}` | the user ends on Duo's page |
//! | `{"user": "alice", "answer": "ask"}` | the page asks (the default) |
//! | `{"start": "press"}` | the page rings no phone until a button is pressed (`auto`: at once) |
//! | `{"jti": "any"}` | a `jti` may come again (`once`: refused) |
//! | `{"code_seconds": 60}` | how long a code is valid |
//! | `{"redirect_uri": "signed"}` | a code is bound to the signed redirect URI (`used`: the used one) |
//!
//! `GET` shows the settings; `DELETE` and `POST /sim/reset` reset them.

mod authorize;
mod check;
mod id_token;
mod jwt;
mod page;
mod parameters;
mod prompt;
mod refusal;
mod settings;
mod state;
mod token;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Response};
use serde_json::{Value, json};

pub(crate) use settings::{Settings, SettingsChange};
pub(crate) use state::Universal;

use crate::endpoint::Endpoint;
use crate::faults::{Fault, Met};
use crate::journal::Entry;
use crate::params::Params;
use crate::received::Received;
use crate::sim::Sim;
use crate::spoil::{spoil, typed};
use crate::transaction::Transaction;
use crate::world::World;
use refusal::Refusal;

/// An application of the type Web SDK.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Why a further client cannot be read from the command line.
#[derive(Debug, thiserror::Error)]
#[error("not ID=SECRET")]
pub(crate) struct NotAClient;

impl std::str::FromStr for Client {
    type Err = NotAClient;

    fn from_str(text: &str) -> Result<Self, NotAClient> {
        let (id, secret) = text.split_once('=').ok_or(NotAClient)?;
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

/// One call, with everything that its reply depends on.
struct Call<'a> {
    clients: &'a [Client],
    /// `Host` of the request, in lower case.
    host: String,
    /// The simulator's own name, which counts as well as `host`.
    api_host: &'a str,
    /// The address of the phone page.
    phones: String,
    params: &'a Params,
    /// The value of the `Cookie` header.
    cookies: String,
    is_post: bool,
    sign_in_faults: &'a [Fault],
    now_ms: i64,
}

impl Call<'_> {
    fn now(&self) -> i64 {
        self.now_ms / 1000
    }

    fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }
}

/// The reply of an endpoint.
enum Reply {
    Json(Value),
    Page(String),
    Redirect {
        to: String,
        /// Token of a remembered device.
        remember: Option<String>,
    },
    /// Something has changed: the page should be reloaded.
    Reload,
}

/// A reply, and the transaction that began with it.
struct Done {
    reply: Reply,
    started: Option<Transaction>,
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Self {
        Self { reply, started: None }
    }
}

/// Responds to one request to the Universal Prompt.
///
/// # Errors
///
/// Only if a fault switch closes the connection without a response.
pub(crate) async fn serve(
    sim: Arc<Sim>,
    endpoint: Endpoint,
    received: Received,
) -> io::Result<Response<Body>> {
    let params = parameters::read(&received);
    let met = sim.change(|world| world.faults.meet(endpoint, None));
    let entry = entry(&received, endpoint, &params, &met);
    let number = sim.change(|world| world.journal.arrived(entry));
    tokio::time::sleep(Duration::from_millis(met.latency_ms)).await;
    let username = params.optional("duo_uname").unwrap_or_default().to_owned();
    if let Some(switch) = met.spoilt.as_ref().filter(|it| !it.acts && !it.fault.shapes_answer()) {
        finish(&sim, number, "fault");
        return spoil(switch, &username, Response::default()).await;
    }
    let call = Call {
        clients: &sim.settings.clients,
        host: received.host.to_ascii_lowercase(),
        api_host: &sim.settings.api_host,
        phones: format!("http://{}/phone", sim.settings.phones),
        params: &params,
        cookies: received
            .header("cookie")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .unwrap_or_default(),
        is_post: received.method == "POST",
        sign_in_faults: &met.sign_in,
        now_ms: Sim::now_ms() + met.skew_seconds * 1000,
    };
    if endpoint == Endpoint::Prompt && params.is_set("wait") {
        prompt::wait(&sim, &params).await;
    }
    let result = if method_fits(endpoint, &received.method) {
        sim.change(|world| answer(world, endpoint, &call))
    } else {
        Err(Refusal::Method)
    };
    if let Some(transaction) = result.as_ref().ok().and_then(|done| done.started.as_ref()) {
        sim.watch_over(transaction);
    }
    finish(&sim, number, result.as_ref().err().map_or("OK", Refusal::outcome));
    let response = rendered(endpoint, result.map(|done| done.reply), call.now());
    match &met.spoilt {
        Some(switch) => spoil(switch, &username, response).await,
        None => Ok(response),
    }
}

fn method_fits(endpoint: Endpoint, method: &str) -> bool {
    method == endpoint.method() || (endpoint == Endpoint::Prompt && method == "POST")
}

fn answer(world: &mut World, endpoint: Endpoint, call: &Call<'_>) -> Result<Done, Refusal> {
    match endpoint {
        Endpoint::HealthCheck => {
            check::client(world, endpoint, call)?;
            let response = json!({"timestamp": call.now()});
            Ok(Reply::Json(json!({"stat": "OK", "response": response})).into())
        }
        Endpoint::Authorize => authorize::authorize(world, call),
        Endpoint::Token => token::exchange(world, call).map(|body| Reply::Json(body).into()),
        Endpoint::Prompt => prompt::prompt(world, call),
        Endpoint::Ping
        | Endpoint::Check
        | Endpoint::Logo
        | Endpoint::Preauth
        | Endpoint::Auth
        | Endpoint::AuthStatus
        | Endpoint::Enroll
        | Endpoint::EnrollStatus => Err(Refusal::Method),
    }
}

fn entry(received: &Received, endpoint: Endpoint, params: &Params, met: &Met) -> Entry {
    let jwt = params.optional("client_assertion").or_else(|| params.optional("request"));
    let fault = met.spoilt.as_ref().map(|switch| &switch.fault).or_else(|| met.sign_in.first());
    Entry {
        number: 0,
        at_ms: Sim::now_ms(),
        endpoint: Some(endpoint),
        method: received.method.clone(),
        path: received.path().to_owned(),
        host: received.host.clone(),
        tls: received.tls,
        headers: received.journal_headers(),
        params: params.to_json(),
        signature: None,
        jwt: jwt.map(jwt::described),
        fault: fault.map(|fault| json!(fault)),
        outcome: None,
        result: None,
    }
}

fn finish(sim: &Sim, number: u64, outcome: &str) {
    sim.change(|world| world.journal.ended(number, outcome.to_owned(), None));
}

/// The reply as a response. It has no CORS headers, so a script of another site cannot read it, as
/// at Duo.
fn rendered(endpoint: Endpoint, result: Result<Reply, Refusal>, now: i64) -> Response<Body> {
    let json = |status, body: &Value| typed(status, "application/json", body.to_string().into());
    match result {
        Ok(Reply::Json(body)) => json(200, &body),
        Ok(Reply::Page(text)) => html(200, text),
        Ok(Reply::Reload) => typed(204, "text/plain", Bytes::new()),
        Ok(Reply::Redirect { to, remember }) => redirect(&to, remember.as_deref()),
        Err(refusal) if endpoint == Endpoint::Prompt => {
            html(refusal.status(), page::failure(refusal.detail()))
        }
        Err(refusal) => json(refusal.status(), &refusal.body(endpoint, now)),
    }
}

fn html(status: u16, text: String) -> Response<Body> {
    let mut response = typed(status, "text/html; charset=utf-8", Bytes::from(text));
    with(&mut response, CONTENT_SECURITY_POLICY, page::POLICY);
    with(&mut response, X_FRAME_OPTIONS, "DENY");
    with(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn redirect(to: &str, remember: Option<&str>) -> Response<Body> {
    let mut response = typed(303, "text/plain", Bytes::new());
    with(&mut response, LOCATION, to);
    with(&mut response, X_FRAME_OPTIONS, "DENY");
    with(&mut response, CACHE_CONTROL, "no-store");
    if let Some(token) = remember {
        let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", prompt::REMEMBERED);
        with(&mut response, SET_COOKIE, &cookie);
    }
    response
}

fn with(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
