//! Applies fault switches to responses.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body;
use crate::fail::Fail;
use crate::faults::{Fault, Switch};

pub(crate) fn typed(status: u16, content_type: &'static str, body: Bytes) -> Response<Body> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// Applies a fault to `answer`, the response about this user.
pub(crate) async fn spoil(
    switch: &Switch,
    username: &str,
    answer: Response<Body>,
) -> io::Result<Response<Body>> {
    let json = |status, body: &str| typed(status, "application/json", Bytes::from(body.to_owned()));
    Ok(match &switch.fault {
        Fault::Latency { .. }
        | Fault::Skew { .. }
        | Fault::Claims { .. }
        | Fault::Header { .. }
        | Fault::Secret { .. }
        | Fault::Algorithm { .. }
        | Fault::RawIdToken { .. }
        | Fault::Nonce { .. }
        | Fault::User { .. }
        | Fault::Code { .. }
        | Fault::Callback(_) => answer,
        Fault::Hang => std::future::pending().await,
        Fault::Refuse => return Err(io::Error::other("refused by a fault switch")),
        Fault::Status { status, body } => typed(*status, "text/html", Bytes::from(body.to_owned())),
        Fault::RateLimit { retry_after } => {
            let mut response = refused(&Fail::Told { code: 42901, detail: None });
            if let Some(Ok(value)) = retry_after.as_ref().map(|text| HeaderValue::from_str(text)) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            response
        }
        Fault::Fail { code, detail } => {
            refused(&Fail::Told { code: *code, detail: detail.clone() })
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

/// A refusal in the form of the Auth API.
pub(crate) fn refused(fail: &Fail) -> Response<Body> {
    typed(fail.status(), "application/json", Bytes::from(fail.envelope().to_string()))
}
