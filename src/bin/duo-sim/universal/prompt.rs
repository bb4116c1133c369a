//! The page between `authorize` and the redirect to the application: the actions of its buttons.

use serde_json::Value;
use std::time::Duration;

use super::page;
use super::refusal::Refusal;
use super::state::{Code, Prompt, SignIn};
use super::{Call, Done, Reply};
use crate::auth;
use crate::faults::Callback;
use crate::params::Params;
use crate::persona::{DeviceKind, User};
use crate::random;
use crate::sim::Sim;
use crate::transaction::{Action, Factor, Status, Transaction};
use crate::world::{Offer, World};

/// The cookie of a remembered device.
pub(super) const REMEMBERED: &str = "duo_sim_remembered";

/// Lifetime of a verification code, in milliseconds.
const OFFER_MS: i64 = 60_000;

pub(super) fn address(sid: &str) -> String {
    format!("/frame/prompt?sid={sid}")
}

/// Waits until the phone of a prompt has answered.
pub(super) async fn wait(sim: &Sim, params: &Params) {
    let sid = params.optional("sid").unwrap_or_default().to_owned();
    let has_news = |world: &World| {
        let prompt = world.universal.prompts.iter().find(|prompt| prompt.sid == sid);
        prompt.is_none_or(|prompt| pending(world, prompt).is_none())
    };
    sim.wait_until(Duration::from_secs(60), has_news).await;
}

fn pending<'a>(world: &'a World, prompt: &Prompt) -> Option<&'a Transaction> {
    let txid = prompt.txid.as_ref()?;
    world.transaction(txid).filter(|transaction| !transaction.status.is_terminal())
}

pub(super) fn prompt(world: &mut World, call: &Call<'_>) -> Result<Done, Refusal> {
    let sid = call.params.optional("sid").unwrap_or_default();
    let mut prompt = world.universal.prompt_mut(sid).cloned().ok_or(Refusal::NoPrompt)?;
    if call.params.is_set("wait") {
        return Ok(Reply::Reload.into());
    }
    if call.is_post {
        return Ok(press(world, prompt, call));
    }
    if let Some(sign_in) = approved(world, &prompt, call.now()) {
        return Ok(finish(world, &prompt, sign_in, call.now_ms).into());
    }
    let user = world.user(&prompt.request.username);
    let transaction = prompt.txid.as_ref().and_then(|txid| world.transaction(txid));
    let ended = transaction.filter(|transaction| transaction.status.is_terminal());
    if let Some(ended) = ended {
        prompt.note.get_or_insert_with(|| ended.message.clone());
    }
    let waits_for = pending(world, &prompt);
    Ok(Reply::Page(page::prompt(&prompt, user, waits_for, &call.phones)).into())
}

/// Executes a button's action. The browser is sent back to the page, or to the application.
fn press(world: &mut World, mut prompt: Prompt, call: &Call<'_>) -> Done {
    let again = Reply::Redirect { to: address(&prompt.sid), remember: None };
    let passcode = call.params.optional("passcode").unwrap_or_default().trim();
    prompt.note = None;
    let mut started = None;
    match call.params.optional("factor") {
        Some(factor @ ("push" | "phone" | "sms")) => {
            started = ring(world, &mut prompt, factor, call.now_ms);
        }
        Some("passkey") => {
            let sign_in = SignIn {
                factor: "webauthn_security_key".into(),
                reason: "user_approved".to_owned(),
                auth_time: call.now(),
                txid: random::uuid(),
            };
            return finish(world, &prompt, sign_in, call.now_ms).into();
        }
        Some("passcode" | "bypass_code") => {
            let factor = kind_of_passcode(world.user(&prompt.request.username), passcode);
            ring(world, &mut prompt, &format!("passcode:{passcode}"), call.now_ms);
            if let Some(mut sign_in) = approved(world, &prompt, call.now()) {
                sign_in.factor = factor.into();
                return finish(world, &prompt, sign_in, call.now_ms).into();
            }
        }
        Some("deny") => {
            let txid = pending(world, &prompt).map(|transaction| transaction.txid.clone());
            if let Some(txid) = txid {
                // It cannot have ended, since the world is locked.
                let _ = world.act(&txid, Action::Deny, None, call.now_ms);
            }
            prompt.note = Some("Login request denied.".to_owned());
        }
        _ => prompt.note = Some("Choose a way to sign in.".to_owned()),
    }
    if let Some(known) = world.universal.prompt_mut(&prompt.sid) {
        *known = prompt;
    }
    Done { reply: again, started }
}

/// Duo's word for a passcode. Call it before the code is removed.
fn kind_of_passcode(user: Option<&User>, passcode: &str) -> &'static str {
    let Some(user) = user else { return "passcode" };
    let has = |codes: &[String]| codes.iter().any(|code| code == passcode);
    if has(&user.bypass_codes) {
        "bypass_code"
    } else if has(&user.sms_codes) {
        "sms_passcode"
    } else if user.devices.iter().all(|device| device.kind == DeviceKind::Token) {
        "hardware_token"
    } else {
        "duo_mobile_passcode"
    }
}

/// Starts a factor: `push`, `phone`, `sms`, or `passcode:` and the code. A refusal becomes the
/// note.
pub(super) fn ring(
    world: &mut World,
    prompt: &mut Prompt,
    factor: &str,
    now_ms: i64,
) -> Option<Transaction> {
    let request = &prompt.request;
    let (factor, passcode) = factor.split_once(':').unwrap_or((factor, ""));
    let txid = if factor == "push" { offer(world, &request.username, now_ms) } else { None };
    let title = request.destination.as_deref().unwrap_or("Universal Prompt");
    let shown = request.display_username.as_deref().unwrap_or(&request.username);
    let mut pairs = vec![
        ("username", request.username.as_str()),
        ("factor", factor),
        ("device", "auto"),
        ("type", title),
        ("display_username", shown),
        ("passcode", passcode),
    ];
    if let Some(txid) = &txid {
        pairs.push(("txid", txid));
    }
    match auth::start(world, &Params::of(&pairs), now_ms) {
        Ok(transaction) => {
            if transaction.factor == Factor::Sms {
                prompt.note = Some(transaction.message.clone());
            }
            prompt.txid = Some(transaction.txid.clone());
            Some(transaction)
        }
        Err(_) => {
            prompt.note = Some("This way is not available for you.".to_owned());
            None
        }
    }
}

/// A verification code, for users who have to type one.
fn offer(world: &mut World, username: &str, now_ms: i64) -> Option<String> {
    let user = world.user(username)?;
    let digits = user.verified_push?;
    let offer = Offer {
        txid: random::uuid(),
        username: user.username.clone(),
        code: random::digits(digits),
        expires_ms: now_ms + OFFER_MS,
    };
    let txid = offer.txid.clone();
    world.offers.push(offer);
    Some(txid)
}

/// The sign-in of an approved push, call or passcode.
fn approved(world: &World, prompt: &Prompt, now: i64) -> Option<SignIn> {
    let transaction = world.transaction(prompt.txid.as_ref()?)?;
    if transaction.status != Status::Allow {
        return None;
    }
    let factor = match transaction.factor {
        Factor::Push if transaction.verification_code.is_some() => "verified_duo_push",
        Factor::Push => "duo_push",
        Factor::Phone => "phone_call",
        Factor::Sms => "sms_passcode",
        Factor::Passcode => "passcode",
    };
    Some(SignIn {
        factor: factor.into(),
        reason: if transaction.factor == Factor::Passcode {
            "valid_passcode"
        } else {
            "user_approved"
        }
        .to_owned(),
        auth_time: transaction.ended_ms.map_or(now, |ended| ended / 1000),
        txid: transaction.txid.clone(),
    })
}

/// Issues a code and redirects the browser to the application with it.
pub(super) fn finish(world: &mut World, prompt: &Prompt, sign_in: SignIn, now_ms: i64) -> Reply {
    let remember = remember(world, prompt, &sign_in);
    let universal = &mut world.universal;
    universal.prompts.retain(|known| known.sid != prompt.sid);
    let code = random::letters_and_digits();
    let to = way_back(prompt, &code);
    if prompt.callback.error.is_none() {
        universal.counts.given += 1;
        let request = prompt.request.clone();
        universal.codes.push(Code { code, request, sign_in, made_ms: now_ms, is_used: false });
    }
    Reply::Redirect { to, remember }
}

/// A token for users whose devices are remembered.
fn remember(world: &mut World, prompt: &Prompt, sign_in: &SignIn) -> Option<String> {
    if sign_in.factor == Value::Null || sign_in.factor == "remembered_device" {
        return None;
    }
    let username = world.user(&prompt.request.username)?.username.clone();
    let token = world.succeeded(&username)?;
    world.universal.remembered_since.insert(token.clone(), sign_in.auth_time);
    Some(token)
}

/// The redirect URI with state and code, appended with `&` if it has a query already.
fn way_back(prompt: &Prompt, code: &str) -> String {
    let request = &prompt.request;
    let Callback { error, error_description, without_state, twice } = &prompt.callback;
    let mut pairs = Vec::new();
    if !without_state {
        pairs.push(("state", request.state.as_str()));
    }
    match error {
        Some(error) => {
            pairs.push(("error", error));
            if let Some(description) = error_description {
                pairs.push(("error_description", description));
            }
        }
        None => pairs.push((request.code_name, code)),
    }
    if *twice {
        pairs.extend(pairs.clone());
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = if request.redirect_uri.contains('?') { '&' } else { '?' };
    format!("{}{separator}{query}", request.redirect_uri)
}
