//! The id_token: which user signed in and how, with the changes of fault switches.

use serde_json::{Map, Value, json};

use super::jwt;
use super::state::Code;
use super::{Call, Client};
use crate::faults::Fault;
use crate::persona::Device;
use crate::world::World;

/// Seconds until it expires.
const LIFETIME: i64 = 300;

pub(super) fn made(world: &World, client: &Client, code: &Code, call: &Call<'_>) -> Value {
    let mut claims = claims(world, client, code, call);
    let mut header = json!({"alg": "HS512", "typ": "JWT"}).to_string();
    let (mut algorithm, mut secret) = ("HS512", client.secret.as_str());
    for fault in call.sign_in_faults {
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other fault changes the token")]
        match fault {
            Fault::Claims { merge: changes, drop } => {
                merge(&mut claims, changes);
                drop.iter().for_each(|path| remove(&mut claims, path));
            }
            Fault::Nonce { .. } => remove(&mut claims, "nonce"),
            Fault::User { user } => {
                let names = json!({"name": user});
                let other = json!({"preferred_username": user, "sub": user, "auth_context": {"user": names}});
                merge(&mut claims, &other);
            }
            Fault::Header { text } => header.clone_from(text),
            Fault::Secret { secret: other } => secret = other,
            Fault::Algorithm { algorithm: other } => {
                algorithm = other;
                header = json!({"alg": other, "typ": "JWT"}).to_string();
            }
            Fault::RawIdToken { value } => return value.clone(),
            _ => {}
        }
    }
    jwt::signed(algorithm, &header, &claims.to_string(), secret).into()
}

fn claims(world: &World, client: &Client, code: &Code, call: &Call<'_>) -> Value {
    let (request, sign_in) = (&code.request, &code.sign_in);
    let user = world.user(&request.username);
    let name = user.map_or(&request.username, |user| &user.username);
    let device = user.and_then(|user| user.devices.first());
    let now = call.now();
    let mut claims = json!({
        "iss": format!("https://{}/oauth/v1/token", call.host),
        "sub": name,
        "aud": client.id,
        "exp": now + LIFETIME,
        "iat": now,
        "auth_time": sign_in.auth_time,
        "preferred_username": request.username,
        "auth_result": {"result": "allow", "status": "allow", "status_msg": "Login Successful"},
        "auth_context": {
            "txid": sign_in.txid,
            "timestamp": sign_in.auth_time,
            "event_type": "authentication",
            "factor": sign_in.factor,
            "reason": sign_in.reason,
            "result": "success",
            "alias": "",
            "email": "",
            "ood_software": null,
            "trusted_endpoint_status": "unknown",
            "user": {"key": user.map(|user| &user.user_id), "name": name, "groups": []},
            "application": {
                "key": client.id,
                "name": request.destination.as_deref().unwrap_or("Web SDK"),
            },
            "auth_device": {
                "key": device.map(|device| &device.id),
                "name": device.map(Device::display_name),
                "ip": null,
                "location": {"city": null, "state": null, "country": null},
            },
            "access_device": {
                "ip": "203.0.113.9",
                "browser": null,
                "browser_version": null,
                "os": null,
                "os_version": null,
                "hostname": null,
                "location": {"city": null, "state": null, "country": null},
                "is_encryption_enabled": "unknown",
                "is_firewall_enabled": "unknown",
                "is_password_set": "unknown",
                "flash_version": null,
                "java_version": null,
                "epkey": null,
            },
        },
    });
    if let (Some(nonce), Some(members)) = (&request.nonce, claims.as_object_mut()) {
        members.insert("nonce".to_owned(), json!(nonce));
    }
    claims
}

/// Merges the members of `changes` into `target`, and objects into objects.
fn merge(target: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else { return };
    let Value::Object(members) = target else {
        *target = Value::Object(Map::new());
        return merge(target, &Value::Object(changes.clone()));
    };
    for (name, change) in changes {
        if change.is_object() {
            merge(members.entry(name).or_insert(Value::Null), change);
        } else {
            members.insert(name.clone(), change.clone());
        }
    }
}

/// Removes the member at `path`, whose names are separated by dots.
fn remove(target: &mut Value, path: &str) {
    match path.split_once('.') {
        Some((name, rest)) => {
            if let Some(inner) = target.get_mut(name) {
                remove(inner, rest);
            }
        }
        None => {
            if let Some(members) = target.as_object_mut() {
                members.remove(path);
            }
        }
    }
}
