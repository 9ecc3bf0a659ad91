//! The tests of offload, by topic: each `[[test]]` of this package is one folder or file beside this one.

pub mod support;

#[cfg(doctest)]
mod readme;
