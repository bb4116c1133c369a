//! One request to the Auth API, from its bytes to the response: journal, faults, signature,
//! endpoint.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, request};
use serde_json::{Value, json};

use crate::auth::{self, standing};
use crate::body;
use crate::endpoint::Endpoint;
use crate::enroll;
use crate::fail::Fail;
use crate::faults::{Fault, Met, Switch};
use crate::journal::Entry;
use crate::params::{ContentType, Params, content_type};
use crate::preauth;
use crate::sim::Sim;
use crate::transaction::Transaction;
use crate::verify::{Form, Presented, verify};

/// Largest request body that is read.
const MAX_BODY: usize = 1024 * 1024;

const LOGO: &[u8] = include_bytes!("logo.png");

/// The result of an endpoint.
enum Reply {
    Json(Value),
    Png,
}

/// A request whose body was read.
struct Received {
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    tls: bool,
}

/// Responds to one request.
///
/// # Errors
///
/// Only if a fault switch closes the connection without a response, or the client's body breaks
/// off.
pub(crate) async fn serve(
    sim: Arc<Sim>,
    head: request::Parts,
    body: Body,
    tls: bool,
) -> io::Result<Response<Body>> {
    let received = read(head, body, tls).await?;
    let endpoint = route(&received);
    let params = read_params(&received);
    let factor = params.as_ref().ok().and_then(|params| params.optional("factor"));
    let username = params.as_ref().ok().and_then(|params| params.optional("username"));
    let username = username.unwrap_or_default().to_owned();
    let met = match endpoint {
        Ok(endpoint) => sim.change(|world| world.faults.meet(endpoint, factor)),
        Err(_) => Met::default(),
    };
    let now_ms = Sim::now_ms() + met.skew_seconds * 1000;
    let signature =
        verify(&received.presented(), &sim.settings.keys, sim.settings.accepted, now_ms / 1000);
    let number = sim.change(|world| {
        let entry = entry(&received, endpoint.as_ref().ok(), &params, &signature, &met);
        world.journal.arrived(entry)
    });
    tokio::time::sleep(Duration::from_millis(met.latency_ms)).await;
    if let Some(switch) = met.spoilt.as_ref().filter(|it| !it.acts && !it.fault.shapes_answer()) {
        finish(&sim, number, "fault".to_owned(), None);
        return spoil(switch, &username, Response::default()).await;
    }
    let reply = match (endpoint, signature, params) {
        (Ok(Endpoint::Ping), _, _) => Ok(Reply::Json(json!({"time": now_ms / 1000}))),
        (Ok(endpoint), Ok(_), Ok(params)) => answer(&sim, endpoint, &params, now_ms).await,
        (Err(fail), _, _) | (Ok(_), Err(fail), _) | (Ok(_), Ok(_), Err(fail)) => Err(fail),
    };
    let (outcome, result) = told(&reply);
    finish(&sim, number, outcome, result);
    match &met.spoilt {
        Some(switch) => spoil(switch, &username, rendered(reply)).await,
        None => Ok(rendered(reply)),
    }
}

impl Received {
    fn presented(&self) -> Presented<'_> {
        Presented {
            method: &self.method,
            host: &self.host,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        }
    }

    fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }
}

async fn read(head: request::Parts, body: Body, tls: bool) -> io::Result<Received> {
    let headers: Vec<(String, Vec<u8>)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let host = head
        .uri
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| {
            let host = head.headers.get("host")?;
            Some(String::from_utf8_lossy(host.as_bytes()).into_owned())
        })
        .unwrap_or_default();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(io::Error::other)?;
    Ok(Received { method: head.method.as_str().to_owned(), host, target, headers, body, tls })
}

fn route(received: &Received) -> Result<Endpoint, Fail> {
    let endpoint = Endpoint::of_path(received.path())?;
    if received.method == endpoint.method() { Ok(endpoint) } else { Err(Fail::MethodNotAllowed) }
}

fn read_params(received: &Received) -> Result<Params, Fail> {
    if received.method != "POST" {
        let query = received.target.split_once('?').map_or("", |(_, query)| query);
        return Ok(Params::from_encoded(query.as_bytes()));
    }
    let header = received
        .headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map(|(_, value)| value.as_slice());
    match content_type(header) {
        ContentType::Json => Params::from_json(&received.body),
        ContentType::Form | ContentType::Absent | ContentType::Other => {
            Ok(Params::from_encoded(&received.body))
        }
    }
}

fn entry(
    received: &Received,
    endpoint: Option<&Endpoint>,
    params: &Result<Params, Fail>,
    signature: &Result<Form, Fail>,
    met: &Met,
) -> Entry {
    Entry {
        number: 0,
        at_ms: Sim::now_ms(),
        endpoint: endpoint.copied(),
        method: received.method.clone(),
        path: received.path().to_owned(),
        host: received.host.clone(),
        tls: received.tls,
        headers: received
            .headers
            .iter()
            .filter(|(name, _)| name != "authorization")
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        params: params.as_ref().map_or(Value::Null, Params::to_json),
        signature: signature.as_ref().ok().copied(),
        fault: met.spoilt.as_ref().map(|switch| json!(switch.fault)),
        outcome: None,
        result: None,
    }
}

fn finish(sim: &Sim, number: u64, outcome: String, result: Option<String>) {
    sim.change(|world| world.journal.ended(number, outcome, result));
}

/// The outcome and Duo's `result`, for the journal.
fn told(reply: &Result<Reply, Fail>) -> (String, Option<String>) {
    match reply {
        Ok(Reply::Png) => ("OK".to_owned(), None),
        Ok(Reply::Json(response)) => {
            let result = response.get("result").unwrap_or(response).as_str();
            ("OK".to_owned(), result.map(str::to_owned))
        }
        Err(fail) => (fail.code().to_string(), None),
    }
}

async fn answer(
    sim: &Arc<Sim>,
    endpoint: Endpoint,
    params: &Params,
    now_ms: i64,
) -> Result<Reply, Fail> {
    let host = &sim.settings.api_host;
    let response = match endpoint {
        Endpoint::Logo => return Ok(Reply::Png),
        Endpoint::Ping | Endpoint::Check => json!({"time": now_ms / 1000}),
        Endpoint::Preauth => sim.change(|world| preauth::preauth(world, params, host, now_ms))?,
        Endpoint::Auth => auth(sim, params, now_ms).await?,
        Endpoint::AuthStatus => auth_status(sim, params.required("txid")?).await?,
        Endpoint::Enroll => sim.change(|world| enroll::enroll(world, params, host, now_ms))?,
        Endpoint::EnrollStatus => sim.read(|world| enroll::enroll_status(world, params, now_ms))?,
    };
    Ok(Reply::Json(response))
}

/// With `async`, returns the txid at once; otherwise the decision, as soon as there is one.
async fn auth(sim: &Arc<Sim>, params: &Params, now_ms: i64) -> Result<Value, Fail> {
    let transaction = sim.change(|world| auth::start(world, params, now_ms))?;
    sim.watch_over(&transaction);
    let txid = &transaction.txid;
    if params.is_set("async") {
        return Ok(json!({"txid": txid}));
    }
    sim.wait_until(sim.settings.push_timeout * 2, |world| {
        world.transaction(txid).is_none_or(|transaction| transaction.status.is_terminal())
    })
    .await;
    sim.read(|world| world.transaction(txid).map(standing))
        .ok_or(Fail::Told { code: 50001, detail: None })
}

/// The first call for a transaction returns the state at once; later calls wait for a change.
async fn auth_status(sim: &Arc<Sim>, txid: &str) -> Result<Value, Fail> {
    sim.wait_until(sim.settings.max_hold, |world| {
        world.transaction(txid).is_none_or(Transaction::has_news)
    })
    .await;
    sim.change(|world| {
        let transaction =
            world.transaction_mut(txid).filter(|known| !known.is_forgotten(Sim::now_ms()));
        let transaction = transaction.ok_or(Fail::InvalidParameter("txid"))?;
        transaction.told = Some(transaction.version);
        Ok(standing(transaction))
    })
}

fn rendered(reply: Result<Reply, Fail>) -> Response<Body> {
    let (status, envelope) = match reply {
        Ok(Reply::Png) => return typed(200, "image/png", Bytes::from_static(LOGO)),
        Ok(Reply::Json(response)) => (200, json!({"stat": "OK", "response": response})),
        Err(fail) => (fail.status(), fail.envelope()),
    };
    typed(status, "application/json", Bytes::from(envelope.to_string()))
}

fn typed(status: u16, content_type: &'static str, body: Bytes) -> Response<Body> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// Applies a fault to `answer`, the response about this user.
async fn spoil(
    switch: &Switch,
    username: &str,
    answer: Response<Body>,
) -> io::Result<Response<Body>> {
    let json = |status, body: &str| typed(status, "application/json", Bytes::from(body.to_owned()));
    Ok(match &switch.fault {
        Fault::Latency { .. } | Fault::Skew { .. } => answer,
        Fault::Hang => std::future::pending().await,
        Fault::Refuse => return Err(io::Error::other("refused by a fault switch")),
        Fault::Status { status, body } => typed(*status, "text/html", Bytes::from(body.to_owned())),
        Fault::RateLimit { retry_after } => {
            let mut response = rendered(Err(Fail::Told { code: 42901, detail: None }));
            if let Some(Ok(value)) = retry_after.as_ref().map(|text| HeaderValue::from_str(text)) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            response
        }
        Fault::Fail { code, detail } => {
            rendered(Err(Fail::Told { code: *code, detail: detail.clone() }))
        }
        Fault::Malformed => json(200, "{\"stat\": \"OK\", \"response\": {\"result\": \"al"),
        Fault::Empty => json(200, ""),
        Fault::Raw { status, body, headers } => {
            with_headers(json(*status, &body.replace("{username}", username)), headers)
        }
        Fault::Huge { bytes } => Response::new(body::huge(*bytes)),
        Fault::Headers { count } => {
            let more: Vec<(String, String)> =
                (0..*count).map(|n| (format!("x-sim-{n}"), "filler".to_owned())).collect();
            with_headers(answer, &more)
        }
        Fault::Truncated => reshaped(answer, |whole| body::truncated(&whole)).await?,
        Fault::Drip { ms } => {
            reshaped(answer, |whole| body::dripping(whole, Duration::from_millis(*ms))).await?
        }
    })
}

/// The same response head with another body; the announced length stays.
async fn reshaped(
    answer: Response<Body>,
    shape: impl FnOnce(Bytes) -> Body,
) -> io::Result<Response<Body>> {
    let (head, body) = answer.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.map_err(io::Error::other)?;
    Ok(Response::from_parts(head, shape(whole)))
}

fn with_headers(mut response: Response<Body>, more: &[(String, String)]) -> Response<Body> {
    for (name, value) in more {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
