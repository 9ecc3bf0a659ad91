//! A job's site in one word: a generated [`Site`], or the [`Location`] that called `submit`.

use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;

use crate::site::Site;

/// A pointer to a `Site` (lowest bit clear) or to a `Location` (lowest bit set), both `'static`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(NonNull<()>);

const LOCATION: usize = 1;

// Both must leave the lowest bit of their addresses free.
const _: () = assert!(align_of::<Site>() > LOCATION && align_of::<Location<'static>>() > LOCATION);

// SAFETY: it stands for a shared reference to one of two types that are `Sync`, as the assertion below checks.
unsafe impl Send for Origin {}
// SAFETY: as for `Send`.
unsafe impl Sync for Origin {}
const _: fn() = || {
    fn assert_sync<T: Sync>() {}
    assert_sync::<Site>();
    assert_sync::<Location<'static>>();
};

impl Origin {
    #[inline]
    pub(crate) fn of_site(site: &'static Site) -> Self {
        Self(NonNull::from(site).cast())
    }

    /// The caller of a `#[track_caller]` function.
    #[track_caller]
    #[inline]
    pub(crate) fn of_caller() -> Self {
        Self::of_location(Location::caller())
    }

    #[inline]
    pub(crate) fn of_location(location: &'static Location<'static>) -> Self {
        let location: NonNull<()> = NonNull::from(location).cast();
        Self(location.map_addr(|address| address | LOCATION))
    }

    /// A number for a hash table, which sites that lie side by side seldom share.
    pub(crate) fn hash(self) -> usize {
        let address = self.0.addr().get();
        (address >> 3) ^ (address >> 7)
    }

    pub(crate) fn site(self) -> Site {
        if self.0.addr().get() & LOCATION == 0 {
            // SAFETY: without the bit this is the `&'static Site` of `of_site`.
            *unsafe { self.0.cast::<Site>().as_ref() }
        } else {
            let address = self.0.as_ptr().map_addr(|address| address & !LOCATION);
            // SAFETY: with the bit this was the `&'static Location` of `of_caller`; the bit is removed.
            Site::at(unsafe { &*address.cast::<Location<'static>>() })
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.site().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SITE: Site = Site::function("find", "app", "src/app.rs", 3, 5);

    #[test]
    fn an_origin_gives_back_what_it_was_made_of() {
        assert_eq!(Origin::of_site(&SITE).site().name(), Some("find"));
        let (line, here) = (line!(), Origin::of_caller().site());
        assert_eq!((here.name(), here.line(), here.file()), (None, line, file!()));
        assert_eq!(size_of::<Option<Origin>>(), size_of::<usize>());
    }
}
