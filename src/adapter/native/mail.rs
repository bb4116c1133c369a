//! The calls of requests that the main thread makes.

use super::answer::Answer;
use super::lock;
use super::timer::Bell;
use crate::gate::{Call, Flow};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// The first token of such a call. Those of the host begin at 1.
pub(super) const FIRST: u64 = 1 << 63;

/// The calls of requests that the main thread makes, by their tokens.
#[derive(Default)]
pub(super) struct Mail {
    count: AtomicU64,
    letters: Mutex<BTreeMap<u64, Letter>>,
}

struct Letter {
    /// The call; `None` once it is sent.
    unsent: Option<Box<Call>>,
    /// The host's id of the call.
    id: Option<u64>,
    /// Where the request is woken.
    bell: Arc<Bell>,
    /// The flow of a request that has ended.
    left: Option<Box<Flow>>,
    /// The end of the call, which the request has not fetched.
    answer: Option<Answer>,
}

impl Mail {
    /// Puts a call in, and returns its token.
    pub(super) fn put(&self, call: &Call, bell: &Arc<Bell>) -> u64 {
        let token = FIRST.wrapping_add(self.count.fetch_add(1, Relaxed));
        let letter = Letter {
            unsent: Some(Box::new(call.clone())),
            id: None,
            bell: Arc::clone(bell),
            left: None,
            answer: None,
        };
        lock(&self.letters).insert(token, letter);
        token
    }

    /// The end of a call, if it has ended.
    pub(super) fn fetch(&self, token: u64) -> Option<Answer> {
        let mut letters = lock(&self.letters);
        let answer = letters.get_mut(&token)?.answer.take()?;
        letters.remove(&token);
        Some(answer)
    }

    /// Leaves the flow of a request that has ended. Gives it back if the call has ended too, or was
    /// not sent.
    pub(super) fn leave(
        &self,
        token: u64,
        flow: Box<Flow>,
    ) -> Result<(), (Box<Flow>, Option<Answer>)> {
        let mut letters = lock(&self.letters);
        match letters.get_mut(&token) {
            Some(letter) if letter.answer.is_none() && letter.unsent.is_none() => {
                letter.left = Some(flow);
                Ok(())
            }
            _ => {
                let letter = letters.remove(&token);
                Err((flow, letter.and_then(|letter| letter.answer)))
            }
        }
    }

    /// Removes and returns the calls that are not sent.
    pub(super) fn unsent(&self) -> Vec<(u64, Box<Call>)> {
        let mut letters = lock(&self.letters);
        let unsent = letters.iter_mut().filter_map(|(token, it)| Some((*token, it.unsent.take()?)));
        unsent.collect()
    }

    pub(super) fn sent(&self, token: u64, id: u64) {
        if let Some(letter) = lock(&self.letters).get_mut(&token) {
            letter.id = Some(id);
        }
    }

    pub(super) fn token_of(&self, id: u64) -> Option<u64> {
        let letters = lock(&self.letters);
        letters.iter().find(|(_, letter)| letter.id == Some(id)).map(|(token, _)| *token)
    }

    /// Stores the end of a call and wakes its request. Gives both back if the request has ended.
    pub(super) fn answer(&self, token: u64, answer: Answer) -> Option<(Box<Flow>, Answer)> {
        let mut letters = lock(&self.letters);
        if let Some(left) = letters.get_mut(&token)?.left.take() {
            letters.remove(&token);
            return Some((left, answer));
        }
        let letter = letters.get_mut(&token)?;
        letter.answer = Some(answer);
        let bell = Arc::clone(&letter.bell);
        drop(letters);
        bell.ring(token);
        None
    }
}
