//! `POST /auth/v2/preauth`: whether a user may authenticate, and how.

use serde_json::{Value, json};

use crate::fail::Fail;
use crate::params::Params;
use crate::persona::{Capability, Device, DeviceKind, User, UserStatus};
use crate::random;
use crate::world::{NewUserPolicy, Offer, World};

/// How long a verification code is valid, in milliseconds.
const OFFER_MS: i64 = 60_000;

pub(crate) const LOCKED_OUT: &str = "Your account is disabled due to excessive failures.";

pub(crate) fn preauth(
    world: &mut World,
    params: &Params,
    api_host: &str,
    now_ms: i64,
) -> Result<Value, Fail> {
    let name = subject(params)?;
    let Some(user) = found(world, name).cloned() else {
        return Ok(match world.rules.new_users {
            NewUserPolicy::Enroll => enroll(api_host),
            NewUserPolicy::Allow => answer("allow", "User allowed by new user policy"),
            NewUserPolicy::Deny => answer("deny", "Access denied to unknown users"),
        });
    };
    Ok(match user.status {
        UserStatus::Bypass => answer("allow", "Account is in bypass status"),
        UserStatus::Denied => answer("deny", "Access is denied by policy"),
        UserStatus::LockedOut => answer("deny", LOCKED_OUT),
        UserStatus::NotEnrolled => enroll(api_host),
        UserStatus::Active if is_remembered(world, &user, params) => {
            answer("allow", "Device is remembered")
        }
        UserStatus::Active if user.devices.is_empty() => enroll(api_host),
        UserStatus::Active => may_authenticate(world, &user, params, now_ms),
    })
}

/// The name of the user: exactly one of `username` and `user_id`.
pub(crate) fn subject(params: &Params) -> Result<&str, Fail> {
    match (params.optional("username"), params.optional("user_id")) {
        (Some(_), Some(_)) => Err(Fail::InvalidParameter("user_id")),
        (None, Some(_)) => params.required("user_id"),
        (Some(_) | None, None) => params.required("username"),
    }
}

/// Finds a user by name, alias or user id.
pub(crate) fn found<'a>(world: &'a World, name: &str) -> Option<&'a User> {
    world.users.iter().find(|user| user.answers_to(name) || user.user_id == name)
}

fn answer(result: &str, message: &str) -> Value {
    json!({"result": result, "status_msg": message})
}

fn enroll(api_host: &str) -> Value {
    let code = random::identifier("");
    let application = random::identifier("DA");
    json!({
        "result": "enroll",
        "status_msg": "Enroll an authentication device to proceed",
        "enroll_portal_url": format!("https://{api_host}/portal?code={code}&akey={application}"),
    })
}

fn is_remembered(world: &World, user: &User, params: &Params) -> bool {
    params
        .optional("trusted_device_token")
        .and_then(|token| world.remembered.get(token))
        .is_some_and(|owner| *owner == user.username)
}

fn may_authenticate(world: &mut World, user: &User, params: &Params, now_ms: i64) -> Value {
    let is_verified = user.verified_push.is_some();
    let shows_codes = params.is_set("client_supports_verified_push");
    let can_push = shows_codes || !is_verified;
    let devices: Vec<Value> =
        user.devices.iter().map(|device| described(user, device, can_push)).collect();
    let mut reply =
        json!({"result": "auth", "status_msg": "Account is active", "devices": devices});
    if let Some(digits) = user.verified_push.filter(|_| shows_codes) {
        let offer = Offer {
            txid: random::uuid(),
            username: user.username.clone(),
            code: random::digits(digits),
            expires_ms: now_ms + OFFER_MS,
        };
        if let Some(members) = reply.as_object_mut() {
            members.insert("txid".to_owned(), json!(offer.txid));
            members.insert("verification_code".to_owned(), json!(offer.code));
            members.insert("expiration".to_owned(), json!(offer.expires_ms / 1000));
        }
        world.offers.retain(|old| old.expires_ms >= now_ms);
        world.offers.push(offer);
    }
    reply
}

/// A device in the response. A token has only an id, a type and a name.
fn described(user: &User, device: &Device, can_push: bool) -> Value {
    if device.kind == DeviceKind::Token {
        return json!({"device": device.id, "type": "token", "name": device.name});
    }
    let capabilities: Vec<Capability> = device
        .abilities()
        .filter(|capability| can_push || *capability != Capability::Push)
        .collect();
    let mut reply = json!({
        "device": device.id,
        "type": "phone",
        "name": device.name,
        "display_name": device.display_name(),
        "number": device.number,
        "capabilities": capabilities,
    });
    let next = user.sms_codes.first().and_then(|code| code.chars().next());
    if let (Some(next), Some(members)) = (next, reply.as_object_mut()) {
        members.insert("sms_nextcode".to_owned(), json!(next.to_string()));
    }
    reply
}
