//! Follows how much of a body has arrived, and where the host has it.

use crate::adapter::stage::Arrived;
use std::cell::Cell;

/// The body of one request, while the filter waits for it.
///
/// The host buffers a part after the hook for it. It may put the last part into the buffer before
/// the hook (Envoy 1.40 on HTTP/1), or not (on HTTP/2). The sizes show which.
#[derive(Default)]
pub(super) struct Gathering {
    /// How many bytes have arrived.
    size: Cell<usize>,
    /// Whether the part that has just arrived is not buffered.
    has_more: Cell<bool>,
}

impl Gathering {
    /// A part has arrived; `buffered` and `received` are the host's sizes. `None` if they do not
    /// match what has arrived before.
    pub(super) fn received(
        &self,
        buffered: usize,
        received: usize,
        is_whole: bool,
    ) -> Option<Arrived> {
        let before = self.size.get();
        let size = before.checked_add(received)?;
        let has_more = buffered == before;
        // A part that was moved into the buffer is empty now.
        let size = if is_whole && received == 0 { size.max(buffered) } else { size };
        if !(has_more || is_whole && buffered == size) {
            return None;
        }
        self.has_more.set(has_more);
        self.size.set(size);
        Some(if is_whole { Arrived::Whole(size) } else { Arrived::Part(size) })
    }

    /// Trailers have ended the body.
    pub(super) fn ended(&self, buffered: usize) -> Option<Arrived> {
        self.has_more.set(false);
        (buffered == self.size.get()).then_some(Arrived::Whole(buffered))
    }

    /// Whether the part that has just arrived has to be read beside the buffer.
    pub(super) const fn has_more(&self) -> bool {
        self.has_more.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(parts: &[usize]) -> Gathering {
        let body = Gathering::default();
        let mut buffered: usize = 0;
        for part in parts {
            assert!(matches!(body.received(buffered, *part, false), Some(Arrived::Part(_))));
            assert!(body.has_more());
            buffered = buffered.saturating_add(*part);
        }
        body
    }

    #[test]
    fn last_part_is_read_once_wherever_the_host_has_it() {
        for (buffered, has_more) in [(30, true), (35, false)] {
            let body = after(&[10, 20]);
            assert!(matches!(body.received(buffered, 5, true), Some(Arrived::Whole(_))));
            assert_eq!(body.has_more(), has_more, "{buffered}");
        }
        let moved = after(&[10, 20]);
        assert!(matches!(moved.received(35, 0, true), Some(Arrived::Whole(_))));
        assert!(!moved.has_more());
        let body = after(&[]);
        assert!(matches!(body.received(0, 5, true), Some(Arrived::Whole(_))));
        assert!(body.has_more());
    }

    #[test]
    fn body_that_the_host_does_not_have_whole_is_not_read() {
        assert!(after(&[10, 20]).received(29, 5, true).is_none());
        assert!(after(&[10, 20]).received(35, 5, false).is_none());
        assert!(after(&[10, 20]).ended(29).is_none());
        assert!(matches!(after(&[10, 20]).ended(30), Some(Arrived::Whole(_))));
    }
}
