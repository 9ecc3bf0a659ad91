//! `#[blocking]` over libraries that people do offload, one file per library.
//!
//! Each file is a small service as an application would have it: first the code, with the library's own error types,
//! then what it does when awaited. The three ways to meet a refusal are all here: an error enum with a `From`,
//! `anyhow`, and a library's error that knows nothing of executors, where the method panics.

mod compression;
mod files;
mod http;
mod images;
mod passwords;
#[cfg(unix)]
mod processes;
mod sockets;
mod sqlite;
mod support;
