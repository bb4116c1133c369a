//! A counter of the module's allocations.

use crate::host::in_host;
use crate::host::live::IN_HOST;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Allocations and their bytes. A grown allocation counts as a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
}

thread_local! {
    static COUNT: Cell<Option<Count>> = const { Cell::new(None) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(size: usize) {
    if IN_HOST.get() {
        return;
    }
    COUNT.set(
        COUNT
            .get()
            .map(|count| Count { allocations: count.allocations + 1, bytes: count.bytes + size }),
    );
}

// SAFETY: everything is the work of the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(start, layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: by the caller's contract.
        unsafe { System.realloc(start, layout, size) }
    }
}

/// The allocations of the module on this thread during `work`.
pub(crate) fn counted(work: impl FnOnce()) -> Count {
    COUNT.set(Some(Count::default()));
    in_host(work);
    COUNT.take().unwrap()
}
