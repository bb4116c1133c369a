//! The whole state of the simulator: users, transactions, enrollments, messages, faults and the
//! journal. Values in, values out; time comes in as Unix milliseconds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::faults::Faults;
use crate::journal::Journal;
use crate::persona::{User, UserStatus};
use crate::random;
use crate::transaction::{Action, ActionError, Factor, Status, Transaction};
use crate::universal::Universal;

/// The result of preauth for an unknown name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum NewUserPolicy {
    Enroll,
    Allow,
    Deny,
}

/// Rules for all users.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) new_users: NewUserPolicy,
    /// How many consecutive failures lock a user out.
    pub(crate) lockout_threshold: u32,
}

/// A text message that was sent.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) username: String,
    pub(crate) number: String,
    pub(crate) codes: Vec<String>,
    pub(crate) sent_ms: i64,
}

/// A verified push that preauth offered. Its code is valid for one minute and one `/auth`.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) txid: String,
    pub(crate) username: String,
    pub(crate) code: String,
    pub(crate) expires_ms: i64,
}

/// An activation code that was issued.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Enrollment {
    pub(crate) user_id: String,
    pub(crate) username: String,
    /// `duo://...`
    pub(crate) activation_code: String,
    pub(crate) expires_ms: i64,
    pub(crate) is_claimed: bool,
}

/// How often something was sent to a device.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Deliveries {
    pub(crate) pushes: u64,
    pub(crate) calls: u64,
    pub(crate) messages: u64,
}

pub(crate) struct World {
    pub(crate) rules: Rules,
    cast: Vec<User>,
    pub(crate) users: Vec<User>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) offers: Vec<Offer>,
    /// Token of a remembered device -> user name.
    pub(crate) remembered: BTreeMap<String, String>,
    pub(crate) enrollments: Vec<Enrollment>,
    pub(crate) messages: Vec<Message>,
    pub(crate) deliveries: Deliveries,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) universal: Universal,
}

impl World {
    pub(crate) fn new(rules: Rules, cast: Vec<User>) -> Self {
        Self {
            rules,
            users: cast.clone(),
            cast,
            transactions: Vec::new(),
            offers: Vec::new(),
            remembered: BTreeMap::new(),
            enrollments: Vec::new(),
            messages: Vec::new(),
            deliveries: Deliveries::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            universal: Universal::default(),
        }
    }

    /// Restores the state at the start.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.rules, std::mem::take(&mut self.cast));
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.answers_to(name))
    }

    pub(crate) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.answers_to(name))
    }

    /// Adds a user, or replaces the one with the same name.
    pub(crate) fn put_user(&mut self, user: User) {
        self.users.retain(|known| known.username != user.username);
        self.users.push(user.completed());
    }

    pub(crate) fn transaction(&self, txid: &str) -> Option<&Transaction> {
        self.transactions.iter().find(|transaction| transaction.txid == txid)
    }

    pub(crate) fn transaction_mut(&mut self, txid: &str) -> Option<&mut Transaction> {
        self.transactions.iter_mut().find(|transaction| transaction.txid == txid)
    }

    /// The newest transaction of a user that still waits for an answer.
    pub(crate) fn pending(&self, username: &str) -> Option<&Transaction> {
        let user = self.user(username)?;
        self.transactions.iter().rev().find(|transaction| {
            transaction.username == user.username && !transaction.status.is_terminal()
        })
    }

    /// Stores a transaction and drops those that ended too long ago.
    pub(crate) fn keep(&mut self, transaction: Transaction, now_ms: i64) {
        self.transactions.retain(|old| !old.is_forgotten(now_ms));
        match transaction.factor {
            Factor::Push => self.deliveries.pushes += 1,
            Factor::Phone => self.deliveries.calls += 1,
            Factor::Sms => self.deliveries.messages += 1,
            Factor::Passcode => {}
        }
        self.transactions.push(transaction);
    }

    /// Applies an action of the phone's owner, and its consequences for the user.
    pub(crate) fn act(
        &mut self,
        txid: &str,
        action: Action,
        code: Option<&str>,
        now_ms: i64,
    ) -> Result<(), ActionError> {
        let transaction = self.transaction_mut(txid).ok_or(ActionError::Unknown)?;
        transaction.act(action, code, now_ms)?;
        let (username, status) = (transaction.username.clone(), transaction.status);
        match status {
            Status::Allow => {
                let token = self.succeeded(&username);
                if let Some(transaction) = self.transaction_mut(txid) {
                    transaction.trusted_device_token = token;
                }
            }
            Status::Deny | Status::Timeout | Status::Fraud => self.failed(&username),
            Status::Pushed
            | Status::PushFailed
            | Status::Calling
            | Status::Answered
            | Status::Bypass
            | Status::LockedOut
            | Status::Sent => {}
        }
        Ok(())
    }

    /// Records a success. Returns a token for users whose devices are remembered.
    pub(crate) fn succeeded(&mut self, username: &str) -> Option<String> {
        let user = self.user_mut(username)?;
        user.failures = 0;
        if !user.remembered_devices {
            return None;
        }
        let name = user.username.clone();
        let token = random::identifier("TD") + &random::identifier("");
        self.remembered.insert(token.clone(), name);
        Some(token)
    }

    /// Records a failure; at the threshold the user is locked out.
    pub(crate) fn failed(&mut self, username: &str) {
        let threshold = self.rules.lockout_threshold;
        if let Some(user) = self.user_mut(username) {
            user.failures += 1;
            if user.failures >= threshold {
                user.status = UserStatus::LockedOut;
            }
        }
    }
}
