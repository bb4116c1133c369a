//! Checks of the client's assertion, and of the request that a browser carries.

use serde_json::{Map, Value};

use super::jwt::{self, JwtError};
use super::refusal::Refusal;
use super::settings::Jti;
use super::{Call, Client};
use crate::endpoint::Endpoint;
use crate::world::World;

/// Lengths of `state` and `nonce`.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=1024;

/// The sign-in that a browser requests at `authorize`.
#[derive(Clone, Debug)]
pub(super) struct SignInRequest {
    pub(super) client_id: String,
    /// The URI to which the browser is redirected.
    pub(super) redirect_uri: String,
    /// The redirect URI in the signed request.
    pub(super) signed_redirect_uri: String,
    pub(super) state: String,
    pub(super) nonce: Option<String>,
    pub(super) username: String,
    /// The name of the parameter for the code.
    pub(super) code_name: &'static str,
    pub(super) destination: Option<String>,
    pub(super) display_username: Option<String>,
    /// Seconds; 0 with `prompt=login`.
    pub(super) max_age: Option<i64>,
}

/// The client of a call to `health_check` or `token`, by its assertion.
pub(super) fn client<'a>(
    world: &mut World,
    endpoint: Endpoint,
    call: &'a Call<'_>,
) -> Result<&'a Client, Refusal> {
    let assertion = call.params.optional("client_assertion").ok_or(JwtError::Malformed)?;
    // The parameter may be missing at `token`: Java's client sends none.
    let named = match call.params.optional("client_id") {
        Some(id) => Some(id.to_owned()),
        None if endpoint == Endpoint::Token => issuer(assertion),
        None => None,
    };
    let client = named.and_then(|id| call.client(&id)).ok_or(JwtError::Client)?;
    let claims = jwt::opened(assertion, &client.secret)?;
    jwt::check_expiry(&claims, seconds(call.now_ms))?;
    let is = |name, value: &str| jwt::text(&claims, name).as_deref() == Some(value);
    let audience = format!("https://{}/oauth/v1/{}", call.host, endpoint.name());
    if !is("iss", &client.id) || !is("sub", &client.id) || !is("aud", &audience) {
        return Err(JwtError::Claim.into());
    }
    use_once(world, &claims, &client.id)?;
    Ok(client)
}

fn issuer(assertion: &str) -> Option<String> {
    jwt::described(assertion).pointer("/claims/iss")?.as_str().map(str::to_owned)
}

fn use_once(
    world: &mut World,
    claims: &Map<String, Value>,
    client_id: &str,
) -> Result<(), JwtError> {
    let jti = jwt::text(claims, "jti").filter(|jti| !jti.is_empty()).ok_or(JwtError::Claim)?;
    let universal = &mut world.universal;
    let is_new = universal.seen.insert(format!("{client_id} {jti}"));
    if is_new || universal.settings.jti == Jti::Any { Ok(()) } else { Err(JwtError::Reused) }
}

/// The request of `authorize`. A value in the query takes precedence over the signed one, as at
/// Duo.
pub(super) fn request(call: &Call<'_>) -> Result<SignInRequest, Refusal> {
    let jwt = call.params.optional("request").ok_or(Refusal::Invalid("request is missing"))?;
    let client_id = call.params.optional("client_id").map(str::to_owned);
    let client_id = client_id
        .or_else(|| jwt::described(jwt).pointer("/claims/client_id")?.as_str().map(str::to_owned));
    let client = client_id.and_then(|id| call.client(&id)).ok_or(Refusal::UnknownClient)?;
    let claims = jwt::opened(jwt, &client.secret).map_err(|_| INVALID_REQUEST)?;
    jwt::check_expiry(&claims, seconds(call.now_ms)).map_err(|_| INVALID_REQUEST)?;
    let is_fine = jwt::text(&claims, "client_id").as_ref() == Some(&client.id)
        && jwt::text(&claims, "iss").is_none_or(|issuer| issuer == client.id)
        && jwt::text(&claims, "aud").is_none_or(|audience| is_audience(call, &audience));
    if !is_fine {
        return Err(INVALID_REQUEST);
    }
    let value = |name: &str| {
        call.params.optional(name).map(str::to_owned).or_else(|| jwt::text(&claims, name))
    };
    read_request(&client.id, &claims, value)
}

const INVALID_REQUEST: Refusal = Refusal::Invalid("The provided request was invalid.");

/// Whether the audience is `https://host` or the endpoint, with the request's host or the
/// simulator's own name. The demo's browser uses a loopback address, while the filter signs
/// `api_host`.
fn is_audience(call: &Call<'_>, audience: &str) -> bool {
    [call.host.as_str(), call.api_host].iter().any(|host| {
        let root = format!("https://{host}");
        audience == root || audience == format!("{root}/oauth/v1/authorize")
    })
}

fn read_request(
    client_id: &str,
    claims: &Map<String, Value>,
    value: impl Fn(&str) -> Option<String>,
) -> Result<SignInRequest, Refusal> {
    if value("response_type").as_deref() != Some("code") {
        return Err(Refusal::Invalid("response_type is not `code`"));
    }
    if !value("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "openid")) {
        return Err(Refusal::Invalid("scope has no `openid`"));
    }
    let length_fits = |text: &String| LENGTHS.contains(&text.chars().count());
    let state = value("state").filter(length_fits);
    let state = state.ok_or(Refusal::Invalid("state must have 16 to 1024 characters"))?;
    let nonce = value("nonce");
    if nonce.as_ref().is_some_and(|nonce| !length_fits(nonce)) {
        return Err(Refusal::Invalid("nonce must have 16 to 1024 characters"));
    }
    let redirect_uri = value("redirect_uri")
        .filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"));
    let redirect_uri = redirect_uri.ok_or(Refusal::Invalid("redirect_uri is no URL"))?;
    let username = value("duo_uname").filter(|name| !name.is_empty());
    let username = username.ok_or(Refusal::Invalid("duo_uname is missing"))?;
    let max_age = match value("max_age").map(|text| text.parse::<i64>()) {
        None if value("prompt").as_deref() == Some("login") => Some(0),
        None => None,
        Some(Ok(seconds)) if seconds >= 0 => Some(seconds),
        Some(_) => return Err(Refusal::Invalid("max_age is no number of seconds")),
    };
    let wants_duo_code =
        value("use_duo_code_attribute").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    Ok(SignInRequest {
        client_id: client_id.to_owned(),
        signed_redirect_uri: jwt::text(claims, "redirect_uri").unwrap_or_default(),
        redirect_uri,
        state,
        nonce,
        username,
        code_name: if wants_duo_code { "duo_code" } else { "code" },
        destination: value("dest_app_name"),
        display_username: value("display_username"),
        max_age,
    })
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
