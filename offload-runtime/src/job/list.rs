//! The list of a queue's jobs: doubly linked through the cells (I5), so that a job can be taken out at any place.

use std::ptr::{self, NonNull};

use super::cell::Header;

/// Its links are the words `a` (next) and `b` (before) of the jobs in it. The last one's `a` is null. The first one's `b` means nothing,
/// but is not null ([`place`]), so that taking the first job does not write to the second.
pub(super) struct List {
    pub(super) first: *mut Header,
    last: *mut Header,
    pub(super) len: usize,
}

// SAFETY: it is a part of what a lock guards; the jobs in it are `Send`.
unsafe impl Send for List {}

impl List {
    pub(super) fn new() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut(), len: 0 }
    }

    /// # Safety
    /// The cell stays while it is in the list, and is in no list now.
    #[inline]
    pub(super) unsafe fn push_back(&mut self, header: NonNull<Header>) {
        // SAFETY: as promised; the links are the list's from now on (I5).
        unsafe { set_next(header, ptr::null_mut()) };
        // SAFETY: as promised.
        unsafe { self.join(header, header) };
        self.len += 1;
    }

    /// Puts a chain of jobs, which are linked with each other already, behind the last one.
    ///
    /// # Safety
    /// As for `push_back`, of `oldest` to `newest`.
    #[inline]
    unsafe fn join(&mut self, oldest: NonNull<Header>, newest: NonNull<Header>) {
        let before = if self.last.is_null() { oldest.as_ptr() } else { self.last };
        // SAFETY: the cell is there.
        unsafe { set_before(oldest, before) };
        match NonNull::new(self.last) {
            // SAFETY: the last job is in the list, so its cell is there.
            Some(last) => unsafe { set_next(last, oldest.as_ptr()) },
            None => self.first = oldest.as_ptr(),
        }
        self.last = newest.as_ptr();
    }

    /// Appends jobs that are linked by their words `a`, from the newest to the oldest.
    ///
    /// # Safety
    /// Their cells stay while they are in the list, and are in no list now.
    pub(super) unsafe fn append_stack(&mut self, newest: NonNull<Header>) {
        let mut newer = ptr::null_mut();
        let mut header = newest;
        loop {
            // SAFETY: the cell is there, and its links are the list's from now on (I5).
            let cell = unsafe { header.as_ref() };
            // SAFETY: as above.
            let older = cell.a.with(|a| unsafe { *a }).cast::<Header>();
            self.len += 1;
            // SAFETY: as above.
            unsafe { set_next(header, newer) };
            newer = header.as_ptr();
            let Some(older) = NonNull::new(older) else { break };
            // SAFETY: as above.
            unsafe { set_before(header, older.as_ptr()) };
            header = older;
        }
        // SAFETY: as promised; the loop has linked them.
        unsafe { self.join(header, newest) };
    }

    /// Takes out a job that its canceller has claimed and has still to unlink.
    ///
    /// # Safety
    /// The job is in this list.
    pub(super) unsafe fn set_aside(&mut self, header: NonNull<Header>) {
        // SAFETY: as promised.
        unsafe { self.remove(header) };
        // SAFETY: it is linked, so its cell is there, and its links are the queue's (I5).
        unsafe { set_before(header, aside()) };
    }

    /// The jobs, first to last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Header> {
        // SAFETY: the first job is in the list, so its cell is there.
        std::iter::successors(unsafe { self.first.as_ref() }, |cell| {
            // SAFETY: the links of a listed job are the list's (I5).
            let next = cell.a.with(|a| unsafe { *a }).cast::<Header>();
            // SAFETY: as for the first.
            unsafe { next.as_ref() }
        })
    }

    /// # Safety
    /// The job is in this list.
    #[inline]
    pub(super) unsafe fn remove(&mut self, header: NonNull<Header>) {
        // SAFETY: it is in the list, so its cell is there, and its links are the list's (I5).
        let cell = unsafe { header.as_ref() };
        // SAFETY: as above.
        let next = cell.a.with(|a| unsafe { *a }).cast::<Header>();
        self.len -= 1;
        if ptr::eq(self.first, header.as_ptr()) {
            self.first = next;
            if next.is_null() {
                self.last = ptr::null_mut();
            }
            return;
        }
        // SAFETY: as above.
        let before = cell.b.with(|b| unsafe { *b }).cast::<Header>();
        // SAFETY: it is not the first, so there is one before it.
        let before = unsafe { NonNull::new_unchecked(before) };
        // SAFETY: a neighbour is in the list.
        unsafe { set_next(before, next) };
        match NonNull::new(next) {
            // SAFETY: a neighbour is in the list.
            Some(next) => unsafe { set_before(next, before.as_ptr()) },
            None => self.last = before.as_ptr(),
        }
    }
}

/// Where a linked job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the inbox, or on its way there.
    Inbox,
    List,
    /// In no list any more, for its canceller to unlink.
    Aside,
}

/// What the word `b` of a job that was set aside points to.
static ASIDE: u8 = 0;

fn aside() -> *mut Header {
    (&raw const ASIDE).cast_mut().cast()
}

/// Where a linked job is. Called under its queue's lock.
///
/// # Safety
/// The cell is there.
pub(super) unsafe fn place(header: NonNull<Header>) -> Place {
    // SAFETY: as promised; `b` is written under the lock (I5), and null before.
    let before = unsafe { header.as_ref() }.b.with(|b| unsafe { *b });
    match before {
        _ if before.is_null() => Place::Inbox,
        _ if ptr::addr_eq(before, aside()) => Place::Aside,
        _ => Place::List,
    }
}

/// # Safety
/// The cell is there, and its links are the caller's list's (I5).
#[inline]
pub(super) unsafe fn set_next(header: NonNull<Header>, next: *mut Header) {
    // SAFETY: as promised.
    unsafe { header.as_ref() }.a.with_mut(|a| unsafe { *a = next.cast() });
}

/// # Safety
/// As for `set_next`.
#[inline]
unsafe fn set_before(header: NonNull<Header>, before: *mut Header) {
    // SAFETY: as promised.
    unsafe { header.as_ref() }.b.with_mut(|b| unsafe { *b = before.cast() });
}
