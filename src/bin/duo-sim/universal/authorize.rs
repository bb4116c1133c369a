//! `GET /oauth/v1/authorize`: the first request of a browser. It redirects back at once, or shows a
//! page.

use super::check;
use super::page;
use super::prompt::{self, REMEMBERED};
use super::refusal::Refusal;
use super::settings::{Answer, Scripted, Start};
use super::state::{Prompt, SignIn};
use super::{Call, Done, Reply};
use crate::faults::{Callback, Fault};
use crate::persona::{Capability, User, UserStatus};
use crate::random;
use crate::world::{NewUserPolicy, World};

pub(super) fn authorize(world: &mut World, call: &Call<'_>) -> Result<Done, Refusal> {
    let prompt = Prompt {
        sid: random::uuid(),
        request: check::request(call)?,
        txid: None,
        note: None,
        callback: callback(call),
    };
    let name = prompt.request.username.clone();
    let scripted = world.universal.settings.answers.get(&name).cloned();
    match scripted {
        Some(Scripted { answer: Answer::Approve, factor, reason, auth_time }) => {
            let sign_in = SignIn {
                factor,
                reason: reason.unwrap_or_else(|| "user_approved".to_owned()),
                auth_time: auth_time.unwrap_or_else(|| call.now()),
                txid: random::uuid(),
            };
            return Ok(prompt::finish(world, &prompt, sign_in, call.now_ms).into());
        }
        Some(Scripted { answer: Answer::Deny, .. }) => {
            return Ok(stays("Login request denied."));
        }
        Some(Scripted { answer: Answer::Ask, .. }) | None => {}
    }
    let Some(user) = world.user(&name).cloned() else {
        return Ok(match world.rules.new_users {
            NewUserPolicy::Allow => without_factor(world, &prompt, "allow_unenrolled_user", call),
            NewUserPolicy::Deny => stays("Access denied to unknown users."),
            NewUserPolicy::Enroll => stays(ENROLL),
        });
    };
    match user.status {
        UserStatus::Bypass => Ok(without_factor(world, &prompt, "bypass_user", call)),
        UserStatus::Denied => Ok(stays("Access is denied by policy.")),
        UserStatus::LockedOut => Ok(stays(crate::preauth::LOCKED_OUT)),
        UserStatus::NotEnrolled => Ok(stays(ENROLL)),
        UserStatus::Active if user.devices.is_empty() => Ok(stays(ENROLL)),
        UserStatus::Active => Ok(active(world, prompt, &user, call)),
    }
}

const ENROLL: &str = "Enroll an authentication device to proceed.";

fn callback(call: &Call<'_>) -> Callback {
    let found = call.sign_in_faults.iter().find_map(|fault| {
        let Fault::Callback(callback) = fault else { return None };
        Some(callback.clone())
    });
    found.unwrap_or_default()
}

/// Keeps the user on Duo's page: there is no redirect to the application.
fn stays(text: &str) -> Done {
    Reply::Page(page::failure(text)).into()
}

fn without_factor(world: &mut World, prompt: &Prompt, reason: &str, call: &Call<'_>) -> Done {
    let sign_in = SignIn {
        factor: serde_json::Value::Null,
        reason: reason.to_owned(),
        auth_time: call.now(),
        txid: random::uuid(),
    };
    prompt::finish(world, prompt, sign_in, call.now_ms).into()
}

fn active(world: &mut World, mut prompt: Prompt, user: &User, call: &Call<'_>) -> Done {
    if let Some(since) = remembered_since(world, user, call)
        && prompt.request.max_age.is_none_or(|max_age| call.now() - since <= max_age)
        && prompt.request.max_age != Some(0)
    {
        let sign_in = SignIn {
            factor: "remembered_device".into(),
            reason: "remembered_device".to_owned(),
            auth_time: since,
            txid: random::uuid(),
        };
        return prompt::finish(world, &prompt, sign_in, call.now_ms).into();
    }
    let mut started = None;
    if world.universal.settings.start == Start::Auto {
        let factor = [(Capability::Push, "push"), (Capability::Phone, "phone")]
            .into_iter()
            .find(|(capability, _)| user.device("auto", *capability).is_some());
        if let Some((_, factor)) = factor {
            started = prompt::ring(world, &mut prompt, factor, call.now_ms);
        }
    }
    let reply = Reply::Redirect { to: prompt::address(&prompt.sid), remember: None };
    world.universal.prompts.push(prompt);
    Done { reply, started }
}

/// When the remembered device in the request's cookie signed in; `None` if it is not this user's.
fn remembered_since(world: &World, user: &User, call: &Call<'_>) -> Option<i64> {
    let token = call
        .cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == REMEMBERED).then_some(value))?;
    let owner = world.remembered.get(token)?;
    if *owner != user.username {
        return None;
    }
    world.universal.remembered_since.get(token).copied()
}
