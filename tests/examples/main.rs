//! The examples as their users see them: each is run as a process, and what it prints is checked.
//!
//! `process.rs` builds and runs them; one file per example, a folder for `web`.

mod background;
mod concurrent_requests;
mod executors;
mod notes;
mod process;
#[cfg(target_os = "linux")]
mod processes;
mod task_runner;
#[cfg(unix)]
mod web;
