//! The room of this VM's requests for calls to Duo.

use crate::clock::UnixTime;
use crate::config::Capacity;
use crate::gate::{Crowded, Room, Seat};
use std::cell::Cell;

/// The calls of one configuration's requests that are under way.
#[derive(Default)]
pub(super) struct Places(Cell<Room>);

impl Places {
    /// Takes the room that a call needs; a call of the filter's own needs none. `waiting` requests
    /// wait in this worker.
    pub(super) fn enter(
        &self,
        seat: Option<Seat>,
        capacity: &Capacity,
        waiting: usize,
        now: UnixTime,
    ) -> Result<(), Crowded> {
        let Some(seat) = seat else { return Ok(()) };
        let mut room = self.0.take();
        let entered = room.enter(&seat, capacity, waiting, now);
        self.0.set(room);
        entered
    }

    /// Gives back the room of a call that is over.
    pub(super) fn leave(&self, seat: Option<Seat>) {
        if let Some(seat) = seat {
            let mut room = self.0.take();
            room.leave(&seat);
            self.0.set(room);
        }
    }
}
