//! The running simulator: the world behind a lock, a signal for each change of it, the real clock,
//! and timers for unanswered calls and automatic answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::persona::AutoAnswer;
use crate::transaction::{Action, ActionError, Factor, Transaction};
use crate::universal::Client;
use crate::verify::{Form, Keys};
use crate::world::World;

pub(crate) struct Settings {
    pub(crate) keys: Keys,
    /// The Web SDK applications.
    pub(crate) clients: Vec<Client>,
    pub(crate) api_host: String,
    /// Address of the phone page.
    pub(crate) phones: SocketAddr,
    /// The only accepted signature version; `None` accepts all.
    pub(crate) accepted: Option<Form>,
    /// How long a push or call waits for an answer.
    pub(crate) push_timeout: Duration,
    /// The longest time that `/auth_status` is held.
    pub(crate) max_hold: Duration,
    pub(crate) verbose: bool,
}

pub(crate) struct Sim {
    pub(crate) settings: Settings,
    world: Mutex<World>,
    changes: watch::Sender<u64>,
}

impl Sim {
    pub(crate) fn new(settings: Settings, world: World) -> Arc<Self> {
        let changes = watch::Sender::new(0);
        Arc::new(Self { settings, world: Mutex::new(world), changes })
    }

    /// The time as Unix milliseconds.
    pub(crate) fn now_ms() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the world and wakes everyone who waits for a change.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let out = work(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.send_modify(|count| *count += 1);
        out
    }

    /// A receiver that gets every change after this call.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `done` returns `true` or `limit` is over.
    pub(crate) async fn wait_until(&self, limit: Duration, done: impl Fn(&World) -> bool) {
        let mut changes = self.changes();
        let waiting = async {
            while !self.read(&done) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        // After a timeout, as after a change, the caller reads the world again.
        let _ = tokio::time::timeout(limit, waiting).await;
    }

    /// Starts the timers of a transaction that waits for its user.
    pub(crate) fn watch_over(self: &Arc<Self>, transaction: &Transaction) {
        if transaction.status.is_terminal() {
            return;
        }
        let txid = &transaction.txid;
        self.act_after(self.settings.push_timeout, txid, Action::Timeout);
        let auto = self.read(|world| world.user(&transaction.username).and_then(|user| user.auto));
        if let Some(AutoAnswer { answer, after_ms }) = auto {
            let after = Duration::from_millis(after_ms);
            if transaction.factor == Factor::Phone && answer != Action::Timeout {
                self.act_after(after / 2, txid, Action::Answer);
            }
            self.act_after(after, txid, answer);
        }
    }

    /// Applies an action to a transaction. An automatic answer takes the code from the transaction.
    pub(crate) fn act(
        &self,
        txid: &str,
        action: Action,
        code: Option<&str>,
    ) -> Result<(), ActionError> {
        self.change(|world| world.act(txid, action, code, Self::now_ms()))
    }

    fn act_after(self: &Arc<Self>, after: Duration, txid: &str, action: Action) {
        let sim = Arc::clone(self);
        let txid = txid.to_owned();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let code = sim.read(|world| {
                world.transaction(&txid).and_then(|known| known.verification_code.clone())
            });
            // It may have ended, or have been dropped, in the meantime.
            let _ = sim.act(&txid, action, code.as_deref());
        });
    }
}
