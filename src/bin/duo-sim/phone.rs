//! The phone page, and the stream of events that keeps it up to date.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Response;
use serde_json::{Value, json};

use crate::body;
use crate::persona::Device;
use crate::sim::Sim;
use crate::world::World;

const PAGE: &str = include_str!("phone.html");

/// The page connects only to this listener.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";

pub(crate) async fn page() -> Response {
    let mut response = typed("text/html; charset=utf-8", Body::from(PAGE));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Sends a snapshot at once and after each change, until the page is closed.
pub(crate) async fn events(State(sim): State<Arc<Sim>>) -> Response {
    let (sender, body) = body::piped();
    tokio::spawn(async move {
        let mut changes = sim.changes();
        let mut last = String::new();
        loop {
            let snapshot = sim.read(snapshot).to_string();
            if snapshot != last {
                let event = Bytes::from(format!("data: {snapshot}\n\n"));
                if sender.send(Ok(event)).await.is_err() {
                    break;
                }
                last = snapshot;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = sender.closed() => break,
            }
        }
    });
    typed("text/event-stream", body)
}

/// The content of all phones: pending requests with their device, recent results, texts, activation
/// codes.
fn snapshot(world: &World) -> Value {
    let transactions: Vec<Value> = world
        .transactions
        .iter()
        .rev()
        .take(50)
        .map(|transaction| {
            let device = world
                .user(&transaction.username)
                .and_then(|user| {
                    user.devices.iter().find(|it| Some(&it.id) == transaction.device.as_ref())
                })
                .map(Device::display_name);
            json!({
                "txid": transaction.txid,
                "username": transaction.username,
                "device": device,
                "factor": transaction.factor,
                "status": transaction.status,
                "pending": !transaction.status.is_terminal(),
                "needs_code": transaction.verification_code.is_some(),
                "started_ms": transaction.started_ms,
                "context": transaction.context,
            })
        })
        .collect();
    let users: Vec<Value> = world
        .users
        .iter()
        .map(|user| {
            json!({
                "username": user.username,
                "status": user.status,
                "failures": user.failures,
                "devices": user.devices.iter().map(device).collect::<Vec<_>>(),
            })
        })
        .collect();
    let waiting: Vec<_> = world.enrollments.iter().filter(|it| !it.is_claimed).collect();
    json!({
        "transactions": transactions,
        "messages": world.messages.iter().rev().take(5).collect::<Vec<_>>(),
        "enrollments": waiting,
        "users": users,
    })
}

/// A device as its owner sees it.
fn device(device: &Device) -> Value {
    json!({
        "id": device.id,
        "name": device.display_name(),
        "runs_duo_mobile": device.runs_duo_mobile(),
        "deactivated": device.is_deactivated,
    })
}

fn typed(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
