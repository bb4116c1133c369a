//! Random conversations of some people and programs with several workers at once. Calls are answered late
//! or never, or cannot be sent; clients leave; sign-ins are cancelled; cookies are stolen and planted; users
//! share names and phones; and another plugin writes the table.
//!
//! The test asserts that Duo has allowed each admitted request, for its path and its user, and that no phone
//! rings too often. `neighbor.rs` lists the promises that hold while another plugin writes the table.

mod duo;
mod flows;
mod judge;
mod neighbor;
mod people;
mod phone;
mod world;

use crate::chance::Chance;
use crate::rig::wrongly_admitted_so_far;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use world::{Tally, World, workers};

/// Events of one conversation.
const LENGTH: usize = 250;
/// `make test` plays a million, with an optimized build.
const EVENTS: usize = 20_000;
/// A thread stops after this many failed conversations.
const MOST_FAILURES: usize = 5;

/// Reads a number from the environment. `CONVERSATION_EVENTS` is the number of events to play,
/// `CONVERSATION_SEED` the seed of the first conversation.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable}={} is no number", text.display())))
}

/// The conversations that one thread has played.
#[derive(Default)]
struct Played {
    conversations: usize,
    failed: usize,
    total: Tally,
}

/// Plays the conversations of these seeds.
fn play(seeds: impl Iterator<Item = u64>) -> Played {
    let mut played = Played::default();
    let mut rigs = workers();
    for seed in seeds {
        let conversation = || {
            let mut world = World::new(&mut rigs, Chance::new(seed));
            (0..LENGTH).for_each(|_| world.play());
            world.ends_well()
        };
        played.conversations += 1;
        match catch_unwind(AssertUnwindSafe(conversation)) {
            Ok(tally) => played.total.add(tally),
            Err(_) => {
                crate::say!("to play it again: CONVERSATION_SEED={seed} CONVERSATION_EVENTS=1");
                played.failed += 1;
                rigs = workers();
            }
        }
        if played.failed == MOST_FAILURES {
            break;
        }
    }
    played
}

#[test]
fn every_admission_has_a_reason() {
    let first = number("CONVERSATION_SEED").unwrap_or(0);
    let events = number("CONVERSATION_EVENTS").map_or(EVENTS, |it| usize::try_from(it).unwrap());
    let conversations = events.div_ceil(LENGTH);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts = thread::scope(|scope| {
        // The first thread plays the first seed, the second thread the second one, and so on.
        let seeds = |part| (first..).take(conversations).skip(part).step_by(threads);
        let parts: Vec<_> =
            (0..threads).map(|part| scope.spawn(move || play(seeds(part)))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect::<Vec<_>>()
    });
    let mut total = Tally::default();
    parts.iter().for_each(|part| total.add(part.total));
    let Tally { requests, admitted, refused, pushes } = total;
    let played: usize = parts.iter().map(|part| part.conversations).sum();
    crate::say!(
        "conversations from seed {first}: wrongly_admitted={} events={} seeds={played} \
         requests={requests} admitted={admitted} refused={refused} pushes={pushes}",
        wrongly_admitted_so_far(),
        played * LENGTH,
    );
    let failed: usize = parts.iter().map(|part| part.failed).sum();
    assert_eq!(failed, 0, "conversations broke a promise");
}
