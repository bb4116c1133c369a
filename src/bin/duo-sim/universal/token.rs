//! `POST /oauth/v1/token`: exchanges a code for an id_token, once.

use serde_json::{Value, json};

use super::id_token;
use super::refusal::Refusal;
use super::settings::BoundUri;
use super::{Call, check};
use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::random;
use crate::world::World;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) fn exchange(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    if call.params.optional("grant_type") != Some("authorization_code") {
        return Err(Refusal::GrantType);
    }
    if call.params.optional("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(Refusal::Invalid("client_assertion_type is missing or not known"));
    }
    let client = check::client(world, Endpoint::Token, call)?;
    let code = call.params.optional("code").ok_or(Refusal::Invalid("code is missing"))?;
    let redirect_uri =
        call.params.optional("redirect_uri").ok_or(Refusal::Invalid("redirect_uri is missing"))?;
    let may_reuse = call.sign_in_faults.iter().any(|fault| matches!(fault, Fault::Code { .. }));
    let settings = &world.universal.settings;
    let (lifetime_ms, bound) = (settings.code_seconds * 1000, settings.redirect_uri);
    let universal = &mut world.universal;
    let known = universal.code_mut(code).ok_or(Refusal::Grant)?;
    let expected = match bound {
        BoundUri::Used => &known.request.redirect_uri,
        BoundUri::Signed => &known.request.signed_redirect_uri,
    };
    let fits = known.request.client_id == client.id
        && redirect_uri == expected
        && call.now_ms - known.made_ms <= lifetime_ms;
    let was_used = known.is_used;
    if was_used {
        universal.counts.reused += 1;
        if !may_reuse {
            return Err(Refusal::Grant);
        }
    }
    if !fits {
        return Err(Refusal::Grant);
    }
    let known = universal.code_mut(code).ok_or(Refusal::Grant)?;
    known.is_used = true;
    let known = known.clone();
    universal.counts.used += 1;
    let id_token = id_token::made(world, client, &known, call);
    Ok(json!({
        "id_token": id_token,
        "access_token": random::letters_and_digits(),
        "expires_in": 300,
        "token_type": "Bearer",
    }))
}
