//! The READMEs. Each of their snippets is a documentation test of this package, compiled and run by `cargo test`.

#[doc = include_str!("../../README.md")]
pub mod workspace {}

#[doc = include_str!("../../offload-runtime/README.md")]
pub mod runtime {}

#[doc = include_str!("../../offload-macros/README.md")]
pub mod macros {}
