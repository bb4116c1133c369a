//! Duo's responses to the health check and to `token`, and the browser's callback.

use super::{PATH, Response, Vectors};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::universal::{Callback, CallbackFault, Health, PromptError};
use duo_mfa::duo::{self, DuoError};

/// The vectors' word for an error.
fn meaning(error: &PromptError) -> &'static str {
    match error {
        PromptError::Refused(_) => "misconfigured",
        PromptError::StartAgain => "start_again",
        PromptError::Call(DuoError::RateLimited { .. }) => "too_many_requests",
        PromptError::Call(DuoError::Garbled(_) | DuoError::Malformed(_)) => "malformed",
        // Neither comes from Duo's API. Only the first is an outage, to which `fail_mode` may apply.
        PromptError::Call(
            DuoError::Unreachable(_) | DuoError::Overflow | DuoError::NotDuo { .. },
        ) => "unavailable",
        PromptError::Call(error) => panic!("{error}"),
    }
}

fn answer<'a>(response: &Response, body: &'a str) -> duo::Response<'a> {
    duo::Response { status: response.status, retry_after: None, body: body.as_bytes() }
}

#[test]
fn every_token_response_means_what_the_vectors_say() {
    let vectors = Vectors::read();
    let plain = &vectors.id_tokens[0].jwt;
    let now = UnixTime::from_seconds(vectors.now);
    for vector in &vectors.token_responses {
        let body = vector.body.replace("<id_token>", plain);
        let found = answer(vector, &body).id_token(now);
        if let Ok(text) = &found {
            assert_eq!(text.expose(), plain, "{}", vector.id);
        }
        let meant = found.as_ref().map_or_else(meaning, |_| "approved");
        assert_eq!(meant, vector.meaning, "{}", vector.id);
    }
    vectors.counted("token_responses", vectors.token_responses.len(), 32);
}

#[test]
fn every_health_response_means_what_the_vectors_say() {
    let vectors = Vectors::read();
    let now = UnixTime::from_seconds(vectors.now);
    for vector in &vectors.health_responses {
        let found = answer(vector, &vector.body).health_check(now);
        let meant = match &found {
            Ok(Health { time }) => {
                assert_eq!(time.is_some(), vector.body.contains("timestamp"), "{}", vector.id);
                assert!(time.is_none_or(|time| time == now), "{}", vector.id);
                "up"
            }
            // Never a reason to fail open: see `meaning`.
            Err(PromptError::Call(DuoError::NotDuo { .. })) => "malformed",
            Err(error) => meaning(error),
        };
        assert_eq!(meant, vector.meaning, "{}", vector.id);
        let is_outage = matches!(found, Err(PromptError::Call(DuoError::Unreachable(_))));
        assert_eq!(is_outage, vector.meaning == "unavailable", "{}", vector.id);
    }
    vectors.counted("health_responses", vectors.health_responses.len(), 17);
}

#[test]
fn every_callback_is_read_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.callbacks {
        // The file abbreviates one query.
        let long = "x".repeat(8 * 1024);
        let target = vector.target.replace("x...", &long);
        let found = Callback::read(vector.method.as_bytes(), target.as_bytes(), PATH);
        let (outcome, state, code) = match &found {
            Ok(Callback::Approved { state, code }) => ("take", Some(state), Some(code.as_str())),
            Ok(Callback::Ended { state, .. }) => ("ended", Some(state), None),
            Err(CallbackFault::BadRequest) => ("bad_request", None, None),
            Err(CallbackFault::MethodNotAllowed) => ("method_not_allowed", None, None),
            Err(CallbackFault::NotFound) => ("not_found", None, None),
        };
        assert_eq!(outcome, vector.outcome, "{}", vector.id);
        let takes = |name: &str| vector.takes.get(name).map(String::as_str);
        assert_eq!(
            (state.map(|state| state.as_str()), code),
            (takes("state"), takes("duo_code")),
            "{}",
            vector.id
        );
    }
    vectors.counted("callbacks", vectors.callbacks.len(), 36);
}
