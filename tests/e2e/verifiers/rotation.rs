//! The key that signs assertions is changed under load. A verifier that refreshes the public keys refuses nothing, as long as
//! each key is published before it signs.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::cases::{HASTY, Key, NEW, OLD, REPORTS, key_id};
use super::{Chain, assertion, of_keys};
use crate::http1::Connection;
use crate::sim::eventually;
use crate::tally::Verdict;

const CLIENTS: usize = 4;
/// Requests under each list of keys.
const EACH: usize = 300;

/// The requests so far.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    served: AtomicUsize,
    refused: AtomicUsize,
}

impl Load {
    fn run(&self, to: SocketAddr, approval: &str) {
        let request = REPORTS.request().user("alice").cookie(approval);
        while !self.is_over.load(SeqCst) {
            // A connection from before a change may keep the old keys.
            let reply = Connection::open(to).exchange(&request).expect("an answer");
            let count = if reply.status == 200 { &self.served } else { &self.refused };
            assert!(matches!(reply.status, 200 | 401), "{reply:?} {}", reply.text());
            count.fetch_add(1, SeqCst);
        }
    }

    fn await_more(&self, number: usize) {
        let done = || self.served.load(SeqCst) + self.refused.load(SeqCst);
        let before = done();
        eventually("more requests", || (done() >= before + number).then_some(()));
    }
}

/// Ends the load, even if the test fails.
struct End<'a>(&'a Load);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, SeqCst);
    }
}

#[test]
fn rotation_under_load_refuses_no_request() {
    let mut chain = Chain::start(&[&OLD]);
    let approval = chain.stack.signed_in("alice");
    let steps: [(&[&Key], &Key); 3] = [
        (&[&OLD, &NEW], &OLD),
        // Published before, so every verifier has it by now.
        (&[&NEW, &OLD], &NEW),
        (&[&NEW], &NEW),
    ];
    let rotation = under_load(&mut chain, &approval, &steps);
    crate::say!(
        "rotation: requests={} refused={} lists_of_keys={}",
        rotation.served + rotation.refused,
        rotation.refused,
        steps.len() + 1
    );
    assert_eq!(rotation.refused, 0);
    assert!(rotation.served >= 1_000, "{}", rotation.served);

    // The load notices if a key signs at once.
    let hasty = under_load(&mut chain, &approval, &[(&[&HASTY], &HASTY)]);
    crate::say!(
        "a key that signs at once: requests={} refused={}",
        hasty.served + hasty.refused,
        hasty.refused
    );
    assert!(hasty.refused > 0);
    assert!(hasty.served > 0, "the next fetch brings the key");
}

struct Done {
    served: usize,
    refused: usize,
}

/// Changes the keys, step by step, while clients send requests. A step names the key that signs under it.
fn under_load(chain: &mut Chain, approval: &str, steps: &[(&[&Key], &Key)]) -> Done {
    let load = &Load::default();
    let changes = thread::scope(|scope| {
        let Chain { stack, sidecar } = chain;
        let to = stack.envoy.listener;
        for _ in 0..CLIENTS {
            scope.spawn(move || load.run(to, approval));
        }
        let _end = End(load);
        load.await_more(EACH);
        let mut names = Vec::new();
        for (keys, _) in steps {
            stack.reload(of_keys(keys));
            sidecar.await_keys();
            load.await_more(EACH);
            names.push(key_id(&assertion(&stack.app.last())));
        }
        names
    });
    let signers: Vec<_> = steps.iter().map(|(_, key)| key.id()).collect();
    assert_eq!(changes, signers, "each list was in force");
    let [served, refused] = [&load.served, &load.refused].map(|count| count.load(SeqCst));
    chain.stack.settle(Verdict::Admitted(served), "the rotation");
    Done { served, refused }
}
