//! The remote functions of these tests, and what the tests share. Test binaries and the program `worker` link both.
//!
//! `cargo test` has a `main` of its own, which does not call `process::init`. So the pools of these tests run the program `worker`.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    reason = "these are tests; and what crosses is owned"
)]

pub mod counted;
pub mod functions;
pub mod methods;
pub mod support;
pub mod traces;
