//! The random conversations of `tests/core/conversations`, with the input in place of chance: people, programs,
//! workers, a model of Duo, and a judge of each admission.

#[path = "../../core/conversations"]
mod shared {
    mod duo;
    mod flows;
    mod judge;
    mod neighbor;
    mod people;
    mod phone;
    #[allow(dead_code, reason = "the test of the core adds conversations up")]
    mod world;

    use crate::chance::Chance;
    use crate::rig::Rig;
    use std::cell::RefCell;
    use world::{World, workers};

    /// More make an input slow, and no richer.
    const MOST_EVENTS: usize = 60;

    thread_local! {
        static WORKERS: RefCell<[Rig; 3]> = RefCell::new(workers());
    }

    pub(crate) fn target(bytes: &[u8]) {
        WORKERS.with_borrow_mut(|rigs| {
            let mut world = World::new(rigs, Chance::of_bytes(bytes));
            for _ in 0..MOST_EVENTS {
                if world.chance.is_used_up() {
                    break;
                }
                world.play();
            }
            world.ends_well();
        });
    }
}

pub(crate) use shared::target;
