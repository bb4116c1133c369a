//! One request to the Auth API, from its bytes to the response: journal, faults, signature,
//! endpoint.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Response, request};
use serde_json::{Value, json};

use crate::auth::{self, standing};
use crate::endpoint::Endpoint;
use crate::enroll;
use crate::fail::Fail;
use crate::faults::Met;
use crate::journal::Entry;
use crate::params::{ContentType, Params, content_type};
use crate::preauth;
use crate::received::Received;
use crate::sim::Sim;
use crate::spoil::{refused, spoil, typed};
use crate::transaction::Transaction;
use crate::universal;
use crate::verify::{Form, verify};

const LOGO: &[u8] = include_bytes!("logo.png");

/// The result of an endpoint.
enum Reply {
    Json(Value),
    Png,
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
    let received = Received::read(head, body, tls).await?;
    match Endpoint::of_path(received.path()) {
        Ok(endpoint) if endpoint.is_universal() => universal::serve(sim, endpoint, received).await,
        Ok(_) | Err(_) => auth_api(sim, received).await,
    }
}

async fn auth_api(sim: Arc<Sim>, received: Received) -> io::Result<Response<Body>> {
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

fn route(received: &Received) -> Result<Endpoint, Fail> {
    let endpoint = Endpoint::of_path(received.path())?;
    if received.method == endpoint.method() { Ok(endpoint) } else { Err(Fail::MethodNotAllowed) }
}

fn read_params(received: &Received) -> Result<Params, Fail> {
    if received.method != "POST" {
        return Ok(Params::from_encoded(received.query().as_bytes()));
    }
    match content_type(received.header("content-type")) {
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
        headers: received.journal_headers(),
        params: params.as_ref().map_or(Value::Null, Params::to_json),
        signature: signature.as_ref().ok().copied(),
        jwt: None,
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
        Endpoint::HealthCheck | Endpoint::Authorize | Endpoint::Token | Endpoint::Prompt => {
            return Err(Fail::NotFound);
        }
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
    match reply {
        Ok(Reply::Png) => typed(200, "image/png", Bytes::from_static(LOGO)),
        Ok(Reply::Json(response)) => {
            let envelope = json!({"stat": "OK", "response": response});
            typed(200, "application/json", Bytes::from(envelope.to_string()))
        }
        Err(fail) => refused(&fail),
    }
}
