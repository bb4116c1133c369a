//! `POST /auth/v2/auth`: starts or decides a factor. Also the responses of `GET
//! /auth/v2/auth_status`.

use serde_json::{Value, json};

use crate::fail::Fail;
use crate::params::{self, Params};
use crate::persona::{Capability, Device, User, UserStatus};
use crate::preauth::{found, subject};
use crate::random;
use crate::transaction::{Context, Factor, Status, Transaction};
use crate::world::{Message, NewUserPolicy, World};

/// The number of codes in one text message.
const MESSAGE_CODES: usize = 10;
/// The number of digits of a code.
const CODE_DIGITS: usize = 7;
/// Duo refuses a pushinfo of this many bytes or more.
const PUSHINFO_BYTES: usize = 20_000;

/// Starts a transaction and returns it. For passcodes, texts and refused users it has already
/// ended.
pub(crate) fn start(world: &mut World, params: &Params, now_ms: i64) -> Result<Transaction, Fail> {
    let name = subject(params)?;
    let factor = params.required("factor")?;
    let user = match found(world, name).cloned() {
        Some(user) => user,
        None if world.rules.new_users == NewUserPolicy::Allow => {
            return Ok(ended(world, name, Factor::Passcode, Status::Allow, now_ms));
        }
        None => return Err(Fail::InvalidParameter("username")),
    };
    let refused = match user.status {
        UserStatus::Active => None,
        UserStatus::NotEnrolled => return Err(Fail::InvalidParameter("username")),
        UserStatus::Bypass => Some(Status::Bypass),
        UserStatus::Denied => Some(Status::Deny),
        UserStatus::LockedOut => Some(Status::LockedOut),
    };
    if let Some(status) = refused {
        return Ok(ended(world, &user.username, Factor::Passcode, status, now_ms));
    }
    let transaction = match factor {
        "push" => push(world, &user, params, now_ms)?,
        "phone" => call(&user, params, now_ms)?,
        "auto" => automatic(world, &user, params, now_ms)?,
        "sms" => text(world, &user, params, now_ms)?,
        "passcode" => passcode(world, &user, params.required("passcode")?, now_ms),
        _ => return Err(Fail::InvalidParameter("factor")),
    };
    world.keep(transaction.clone(), now_ms);
    Ok(transaction)
}

/// Result, status and text, as synchronous `/auth` and `/auth_status` return them.
pub(crate) fn standing(transaction: &Transaction) -> Value {
    let mut reply = json!({
        "result": transaction.status.result(),
        "status": transaction.status.name(),
        "status_msg": transaction.message,
    });
    if let (Some(token), Some(members)) = (&transaction.trusted_device_token, reply.as_object_mut())
    {
        members.insert("trusted_device_token".to_owned(), json!(token));
    }
    reply
}

fn ended(
    world: &mut World,
    username: &str,
    factor: Factor,
    status: Status,
    now_ms: i64,
) -> Transaction {
    let transaction = Transaction::started(random::uuid(), username, factor, status, now_ms);
    world.keep(transaction.clone(), now_ms);
    transaction
}

fn device<'a>(user: &'a User, params: &Params, capability: Capability) -> Result<&'a Device, Fail> {
    user.device(params.required("device")?, capability).ok_or(Fail::InvalidParameter("device"))
}

/// A push; a call if the device supports no push.
fn automatic(
    world: &mut World,
    user: &User,
    params: &Params,
    now_ms: i64,
) -> Result<Transaction, Fail> {
    match device(user, params, Capability::Push) {
        Ok(_) => push(world, user, params, now_ms),
        Err(_) => call(user, params, now_ms),
    }
}

fn push(world: &mut World, user: &User, params: &Params, now_ms: i64) -> Result<Transaction, Fail> {
    let device = device(user, params, Capability::Push)?;
    let context = context(params)?;
    let offer = match (params.optional("txid"), user.verified_push) {
        (None, None) => None,
        // A push without its code would bypass the policy that requires one.
        (None, Some(_)) => return Err(Fail::InvalidParameter("txid")),
        (Some(txid), _) => Some(
            world
                .offers
                .extract_if(.., |offer| offer.txid == txid && offer.username == user.username)
                .next()
                .filter(|offer| offer.expires_ms >= now_ms)
                .ok_or(Fail::InvalidParameter("txid"))?,
        ),
    };
    let (txid, code) = match offer {
        Some(offer) => (offer.txid, Some(offer.code)),
        None => (random::uuid(), None),
    };
    let mut transaction =
        Transaction::started(txid, &user.username, Factor::Push, Status::Pushed, now_ms);
    transaction.device = Some(device.id.clone());
    transaction.verification_code = code;
    transaction.context = context;
    Ok(transaction)
}

fn call(user: &User, params: &Params, now_ms: i64) -> Result<Transaction, Fail> {
    let device = device(user, params, Capability::Phone)?;
    let mut transaction = Transaction::started(
        random::uuid(),
        &user.username,
        Factor::Phone,
        Status::Calling,
        now_ms,
    );
    transaction.device = Some(device.id.clone());
    transaction.message = format!("Dialing {}...", device.number);
    transaction.context = context(params)?;
    Ok(transaction)
}

/// Sends a new batch of codes. Their first digits count up, so that the first digit identifies a
/// code.
fn text(world: &mut World, user: &User, params: &Params, now_ms: i64) -> Result<Transaction, Fail> {
    let device = device(user, params, Capability::Sms)?;
    let codes: Vec<String> = (1..=MESSAGE_CODES)
        .map(|position| format!("{}{}", position % 10, random::digits(CODE_DIGITS - 1)))
        .collect();
    world.messages.push(Message {
        username: user.username.clone(),
        number: device.number.clone(),
        codes: codes.clone(),
        sent_ms: now_ms,
    });
    if let Some(user) = world.user_mut(&user.username) {
        user.sms_codes = codes;
    }
    let mut transaction =
        Transaction::started(random::uuid(), &user.username, Factor::Sms, Status::Sent, now_ms);
    transaction.device = Some(device.id.clone());
    Ok(transaction)
}

/// Codes of apps and tokens always work; texted codes and bypass codes work once.
fn passcode(world: &mut World, user: &User, passcode: &str, now_ms: i64) -> Transaction {
    let decided = |status| {
        Transaction::started(random::uuid(), &user.username, Factor::Passcode, status, now_ms)
    };
    let is_right = world.user_mut(&user.username).is_some_and(|user| {
        user.passcodes.iter().any(|code| code == passcode)
            || used_up(&mut user.sms_codes, passcode)
            || used_up(&mut user.bypass_codes, passcode)
    });
    if is_right {
        let mut transaction = decided(Status::Allow);
        transaction.trusted_device_token = world.succeeded(&user.username);
        return transaction;
    }
    world.failed(&user.username);
    let known = world.user(&user.username);
    if known.is_some_and(|user| user.status == UserStatus::LockedOut) {
        return decided(Status::LockedOut);
    }
    let mut transaction = decided(Status::Deny);
    "Incorrect passcode. Please try again.".clone_into(&mut transaction.message);
    transaction
}

/// Removes `code` from `codes`; `true` if it was there.
fn used_up(codes: &mut Vec<String>, code: &str) -> bool {
    codes.iter().position(|known| known == code).is_some_and(|position| {
        codes.remove(position);
        true
    })
}

fn context(params: &Params) -> Result<Context, Fail> {
    let owned = |name| params.optional(name).map(str::to_owned);
    let pushinfo = params.optional("pushinfo").unwrap_or_default();
    if pushinfo.len() >= PUSHINFO_BYTES {
        return Err(Fail::InvalidParameter("pushinfo"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Context {
        title: owned("type"),
        display_username: owned("display_username"),
        pushinfo: params::pairs(pushinfo.as_bytes())
            .iter()
            .map(|(key, value)| (text(key), text(value)))
            .collect(),
        ipaddr: owned("ipaddr"),
    })
}
