//! The room in this VM for its requests' calls to Duo.

use crate::clock::UnixTime;
use crate::config::Capacity;
use crate::gate::{Crowded, Room, Seat};
use std::cell::Cell;

/// The calls under way for requests of one configuration.
#[derive(Default)]
pub(super) struct Places(Cell<Room>);

impl Places {
    /// Takes room for a call. Calls of the filter itself need none. `waiting` is the number of
    /// requests that wait in this worker.
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

    /// Returns the room of a call that has ended.
    pub(super) fn leave(&self, seat: Option<Seat>) {
        if let Some(seat) = seat {
            let mut room = self.0.take();
            room.leave(&seat);
            self.0.set(room);
        }
    }
}
