//! The control interface. Tests and the phone page use it to inspect the simulator, and to play the
//! users, the network and the faults. JSON both ways, on a separate listener.
//!
//! | request | what |
//! |---|---|
//! | `GET /sim/users`, `PUT /sim/users` | all users; add or replace one (same members as in YAML) |
//! | `PUT`, `DELETE /sim/users/{name}/auto` | `{"answer": "approve", "after_ms": 200}` |
//! | `POST /sim/users/{name}/devices/{id}/{change}` | a device is `deactivate`d or `reactivate`d |
//! | `GET /sim/transactions` | all, oldest first; `?username=`, `?pending=true` |
//! | `POST /sim/transactions/{txid}/{action}` | an `Action`; for a verified push `{"code": "123"}` |
//! | `POST /sim/answer` | `{"username", "answer", "code"?, "wait_ms"?}`: the newest pending one |
//! | `GET /sim/messages`, `GET /sim/enrollments` | texts sent, activation codes given out |
//! | `DELETE /sim/enrollments` | all activation codes have expired |
//! | `POST /sim/enrollments/claim` | `{"activation_code"}` or `{"username"}`: the code is scanned |
//! | `GET`, `POST`, `DELETE /sim/faults` | see `faults.rs`; `DELETE ...?endpoint=auth` |
//! | `GET`, `DELETE /sim/requests` | the journal; `?endpoint=auth` |
//! | `GET /sim/counters` | calls and outcomes by endpoint, `pushes`, `calls`, `messages`, and codes |
//! | `GET`, `POST`, `DELETE /sim/universal` | answers without a browser, and switches; `universal.rs` |
//! | `DELETE /sim/remembered` | tokens of remembered devices are void |
//! | `POST /sim/reset` | back to the start |
//! | `GET /sim/events` | server-sent events: a snapshot at each change |
//! | `GET /phone` | the phone page |

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::enroll::{self, ClaimError};
use crate::faults::Switch;
use crate::persona::{AutoAnswer, User};
use crate::phone;
use crate::sim::Sim;
use crate::transaction::{Action, ActionError};
use crate::universal::{self, SettingsChange};

type Shared = State<Arc<Sim>>;

/// Why the control interface refuses a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("no such user")]
    NoSuchUser,
    #[error("the user has no such device")]
    NoSuchDevice,
    #[error("nothing is pending for the user")]
    NothingPending,
    #[error("the body is not what it should be: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("requests from other sites are refused")]
    CrossSite,
    #[error(transparent)]
    Action(#[from] ActionError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuchUser
            | Self::NoSuchDevice
            | Self::NothingPending
            | Self::Action(ActionError::Unknown)
            | Self::Claim(ClaimError::Unknown) => StatusCode::NOT_FOUND,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::Malformed(_) | Self::Action(ActionError::NotApplicable) => {
                StatusCode::BAD_REQUEST
            }
            Self::Action(ActionError::Ended | ActionError::WrongCode)
            | Self::Claim(ClaimError::Expired | ClaimError::Claimed) => StatusCode::CONFLICT,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

pub(crate) fn router(sim: Arc<Sim>) -> Router {
    Router::new()
        .route("/", get(phone::page))
        .route("/phone", get(phone::page))
        .route("/sim/events", get(phone::events))
        .route("/sim/users", get(users).put(put_user))
        .route("/sim/users/{name}/auto", put(set_auto).delete(clear_auto))
        .route("/sim/users/{name}/devices/{id}/{change}", post(change_device))
        .route("/sim/transactions", get(transactions))
        .route("/sim/transactions/{txid}/{action}", post(act))
        .route("/sim/answer", post(answer))
        .route("/sim/messages", get(messages))
        .route("/sim/enrollments", get(enrollments).delete(expire))
        .route("/sim/enrollments/claim", post(claim))
        .route("/sim/faults", get(faults).post(switch_on).delete(clear_faults))
        .route("/sim/requests", get(requests).delete(clear_requests))
        .route("/sim/counters", get(counters))
        .route(
            "/sim/universal",
            get(universal_settings).post(change_universal).delete(clear_universal),
        )
        .route("/sim/reset", post(reset))
        .route("/sim/remembered", delete(forget_devices))
        .layer(middleware::from_fn(same_site))
        .with_state(sim)
}

/// A web page of another site must not answer pushes. Browsers name the site that sends a request.
async fn same_site(request: Request, next: Next) -> Result<Response, ControlError> {
    let is_foreign = request
        .headers()
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if is_foreign && request.uri().path() != "/phone" {
        return Err(ControlError::CrossSite);
    }
    Ok(next.run(request).await)
}

async fn users(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| json!(world.users)))
}

async fn put_user(State(sim): Shared, Json(user): Json<User>) -> Json<Value> {
    sim.change(|world| world.put_user(user));
    done()
}

async fn set_auto(
    State(sim): Shared,
    Path(name): Path<String>,
    Json(auto): Json<AutoAnswer>,
) -> Result<Json<Value>, ControlError> {
    change_auto(&sim, &name, Some(auto))
}

async fn clear_auto(
    State(sim): Shared,
    Path(name): Path<String>,
) -> Result<Json<Value>, ControlError> {
    change_auto(&sim, &name, None)
}

fn change_auto(
    sim: &Sim,
    name: &str,
    auto: Option<AutoAnswer>,
) -> Result<Json<Value>, ControlError> {
    sim.change(|world| {
        world.user_mut(name).ok_or(ControlError::NoSuchUser)?.auto = auto;
        Ok(done())
    })
}

/// A change of Duo Mobile on a device.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Deactivate,
    Reactivate,
}

async fn change_device(
    State(sim): Shared,
    Path((name, id, change)): Path<(String, String, Change)>,
) -> Result<Json<Value>, ControlError> {
    sim.change(|world| {
        let user = world.user_mut(&name).ok_or(ControlError::NoSuchUser)?;
        let device = user.devices.iter_mut().find(|device| device.id == id);
        device.ok_or(ControlError::NoSuchDevice)?.is_deactivated = change == Change::Deactivate;
        Ok(done())
    })
}

#[derive(Deserialize)]
struct TransactionFilter {
    username: Option<String>,
    #[serde(default)]
    pending: bool,
}

async fn transactions(State(sim): Shared, Query(filter): Query<TransactionFilter>) -> Json<Value> {
    sim.read(|world| {
        let found: Vec<Value> = world
            .transactions
            .iter()
            .filter(|known| filter.username.as_ref().is_none_or(|name| known.username == *name))
            .filter(|known| !(filter.pending && known.status.is_terminal()))
            .map(|known| json!(known))
            .collect();
        Json(Value::Array(found))
    })
}

#[derive(Default, Deserialize)]
struct Typed {
    code: Option<String>,
}

async fn act(
    State(sim): Shared,
    Path((txid, action)): Path<(String, Action)>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let typed = match body.as_ref() {
        b"" => Typed::default(),
        text => serde_json::from_slice(text)?,
    };
    sim.act(&txid, action, typed.code.as_deref())?;
    Ok(done())
}

#[derive(Deserialize)]
struct Answer {
    username: String,
    answer: Action,
    code: Option<String>,
    /// How long to wait until a request is pending, in milliseconds.
    #[serde(default)]
    wait_ms: u64,
}

async fn answer(
    State(sim): Shared,
    Json(wanted): Json<Answer>,
) -> Result<Json<Value>, ControlError> {
    let name = &wanted.username;
    let limit = Duration::from_millis(wanted.wait_ms);
    sim.wait_until(limit, |world| world.pending(name).is_some()).await;
    let txid = sim
        .read(|world| world.pending(name).map(|pending| pending.txid.clone()))
        .ok_or(ControlError::NothingPending)?;
    sim.act(&txid, wanted.answer, wanted.code.as_deref())?;
    Ok(Json(json!({"txid": txid})))
}

async fn messages(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| json!(world.messages)))
}

async fn enrollments(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| json!(world.enrollments)))
}

async fn expire(State(sim): Shared) -> Json<Value> {
    sim.change(|world| world.enrollments.clear());
    done()
}

#[derive(Deserialize)]
struct Claim {
    #[serde(alias = "username")]
    activation_code: String,
}

async fn claim(State(sim): Shared, Json(claim): Json<Claim>) -> Result<Json<Value>, ControlError> {
    sim.change(|world| enroll::claim(world, &claim.activation_code, Sim::now_ms()))?;
    Ok(done())
}

#[derive(Deserialize)]
struct EndpointFilter {
    endpoint: Option<Endpoint>,
}

async fn faults(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| json!(world.faults)))
}

async fn switch_on(State(sim): Shared, Json(switch): Json<Switch>) -> Json<Value> {
    sim.change(|world| world.faults.switch_on(switch));
    done()
}

async fn clear_faults(State(sim): Shared, Query(filter): Query<EndpointFilter>) -> Json<Value> {
    sim.change(|world| world.faults.clear(filter.endpoint));
    done()
}

async fn requests(State(sim): Shared, Query(filter): Query<EndpointFilter>) -> Json<Value> {
    sim.read(|world| {
        let found: Vec<Value> = world
            .journal
            .entries()
            .iter()
            .filter(|entry| filter.endpoint.is_none() || entry.endpoint == filter.endpoint)
            .map(|entry| json!(entry))
            .collect();
        Json(Value::Array(found))
    })
}

async fn clear_requests(State(sim): Shared) -> Json<Value> {
    sim.change(|world| world.journal.clear());
    done()
}

async fn counters(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| {
        json!({
            "endpoints": world.journal.counters(),
            "deliveries": world.deliveries,
            "codes": world.universal.counts,
        })
    }))
}

async fn universal_settings(State(sim): Shared) -> Json<Value> {
    Json(sim.read(|world| json!(world.universal.settings)))
}

async fn change_universal(State(sim): Shared, Json(change): Json<SettingsChange>) -> Json<Value> {
    sim.change(|world| world.universal.settings.apply(change));
    done()
}

async fn clear_universal(State(sim): Shared) -> Json<Value> {
    sim.change(|world| world.universal.settings = universal::Settings::default());
    done()
}

async fn reset(State(sim): Shared) -> Json<Value> {
    sim.change(crate::world::World::reset);
    done()
}

async fn forget_devices(State(sim): Shared) -> Json<Value> {
    sim.change(|world| world.remembered.clear());
    done()
}

fn done() -> Json<Value> {
    Json(json!({"ok": true}))
}
