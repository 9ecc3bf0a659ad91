//! The process's allocator, counting when it is told to.
//!
//! The counters are shared by all threads and would disturb what is timed, so they are still (one load of a flag that nobody writes)
//! except in the rows about memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::meter::as_f64;

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, and how often and for how much it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

/// What was allocated, up to now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) allocations: usize,
    pub(crate) bytes: usize,
    freed: usize,
}

impl Count {
    /// Starts counting, from nothing.
    pub(crate) fn start() {
        for counter in [&ALLOCATIONS, &ALLOCATED, &FREED] {
            counter.store(0, Ordering::Relaxed);
        }
        COUNTING.store(true, Ordering::SeqCst);
    }

    pub(crate) fn now() -> Self {
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        Self { allocations: read(&ALLOCATIONS), bytes: read(&ALLOCATED), freed: read(&FREED) }
    }

    pub(crate) fn stop() -> Self {
        COUNTING.store(false, Ordering::SeqCst);
        Self::now()
    }

    /// Bytes asked for and not given back. What was there before the counting and freed during it makes it less, even negative.
    pub(crate) fn live(self) -> f64 {
        as_f64(self.bytes) - as_f64(self.freed)
    }
}

/// The pages of the process that are in memory, in bytes, after what the allocator holds in reserve was given back; zero where
/// there is no telling.
pub(crate) fn resident() -> f64 {
    give_reserves_back();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kb| kb.parse::<f64>().ok());
    kibibytes.unwrap_or(0.0) * 1024.0
}

/// Otherwise memory that one contestant has freed would be there for the next.
fn give_reserves_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "`malloc_trim` is a function of C")]
    // SAFETY: it may be called at any time, from any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

impl Counting {
    #[inline]
    fn allocated(bytes: usize) {
        if COUNTING.load(Ordering::Relaxed) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            ALLOCATED.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    #[inline]
    fn freed(bytes: usize) {
        if COUNTING.load(Ordering::Relaxed) {
            FREED.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

// SAFETY: every call goes to `System` as it came.
#[allow(unsafe_code, reason = "there is no other way to count allocations")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::allocated(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::allocated(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::allocated(new_size);
        Self::freed(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::freed(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}
