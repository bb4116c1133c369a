//! `POST /auth/v2/enroll` and `enroll_status`: a new user, an activation code, and its claim.

use serde_json::{Value, json};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::fail::Fail;
use crate::params::Params;
use crate::persona::{Capability, Device, DeviceKind, User, UserStatus};
use crate::random;
use crate::world::{Enrollment, World};

/// The lifetime of an activation code in seconds, if the application names none.
const DEFAULT_VALID_SECONDS: i64 = 86_400;

/// Why an activation code cannot be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("no such activation code")]
    Unknown,
    #[error("the activation code has expired")]
    Expired,
    #[error("the activation code was claimed before")]
    Claimed,
}

pub(crate) fn enroll(
    world: &mut World,
    params: &Params,
    api_host: &str,
    now_ms: i64,
) -> Result<Value, Fail> {
    let username = match params.optional("username") {
        Some(_) => params.required("username")?.to_owned(),
        None => random::identifier("").to_lowercase(),
    };
    let valid_seconds = match params.optional("valid_secs") {
        None => DEFAULT_VALID_SECONDS,
        Some(text) => text
            .parse::<u32>()
            .map(i64::from)
            .ok()
            .filter(|seconds| *seconds > 0)
            .ok_or(Fail::InvalidParameter("valid_secs"))?,
    };
    // Duo takes no name that it knows, whether its user has a device or not.
    if world.user(&username).is_some() {
        return Err(Fail::InvalidParameter("username"));
    }
    let user = registered(world, &username);
    let secret = random::identifier("");
    let activation_code = format!("duo://{secret}-{}", STANDARD_NO_PAD.encode(api_host));
    let expires_ms = now_ms + valid_seconds * 1000;
    let mobile_host = format!("m{}", api_host.strip_prefix("api").unwrap_or(api_host));
    let escaped = utf8_percent_encode(&activation_code, NON_ALPHANUMERIC);
    world.enrollments.push(Enrollment {
        user_id: user.user_id.clone(),
        username: username.clone(),
        activation_code: activation_code.clone(),
        expires_ms,
        is_claimed: false,
    });
    Ok(json!({
        "activation_barcode": format!("https://{api_host}/frame/qr?value={escaped}"),
        "activation_code": activation_code,
        "activation_url": format!("https://{mobile_host}/activate/{secret}"),
        "expiration": expires_ms / 1000,
        "user_id": user.user_id,
        "username": username,
    }))
}

/// `waiting` until the code is claimed, then `success`. `invalid` after the code has expired, and
/// for any pair that was never issued.
pub(crate) fn enroll_status(world: &World, params: &Params, now_ms: i64) -> Result<Value, Fail> {
    let user_id = params.required("user_id")?;
    let code = params.required("activation_code")?;
    let enrollment = world
        .enrollments
        .iter()
        .find(|enrollment| enrollment.user_id == user_id && enrollment.activation_code == code)
        .filter(|enrollment| now_ms <= enrollment.expires_ms);
    Ok(json!(match enrollment {
        None => "invalid",
        Some(enrollment) if enrollment.is_claimed => "success",
        Some(_) => "waiting",
    }))
}

/// Plays Duo Mobile after it scanned a code: the user gets a phone.
pub(crate) fn claim(world: &mut World, code: &str, now_ms: i64) -> Result<(), ClaimError> {
    let enrollment = world
        .enrollments
        .iter_mut()
        .rev()
        .find(|enrollment| enrollment.activation_code == code || enrollment.username == code)
        .ok_or(ClaimError::Unknown)?;
    if enrollment.is_claimed {
        return Err(ClaimError::Claimed);
    }
    if now_ms > enrollment.expires_ms {
        return Err(ClaimError::Expired);
    }
    enrollment.is_claimed = true;
    let username = enrollment.username.clone();
    if let Some(user) = world.user_mut(&username) {
        user.status = UserStatus::Active;
        user.devices.push(Device {
            id: random::identifier("DP"),
            kind: DeviceKind::Phone,
            name: String::new(),
            platform: "Duo Mobile".to_owned(),
            number: String::new(),
            capabilities: vec![Capability::Auto, Capability::Push, Capability::MobileOtp],
            is_deactivated: false,
        });
    }
    Ok(())
}

fn registered(world: &mut World, username: &str) -> User {
    if let Some(user) = world.user(username) {
        return user.clone();
    }
    let user = User {
        username: username.to_owned(),
        user_id: String::new(),
        aliases: Vec::new(),
        status: UserStatus::NotEnrolled,
        devices: Vec::new(),
        verified_push: None,
        remembered_devices: false,
        passcodes: Vec::new(),
        bypass_codes: Vec::new(),
        sms_codes: Vec::new(),
        auto: None,
        failures: 0,
    }
    .completed();
    world.users.push(user.clone());
    user
}
