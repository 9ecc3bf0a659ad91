//! What a job leaves in the trace of its caller, as a layer on the registry of `tracing-subscriber` is told it.

mod nesting;
mod outcomes;
mod slow;
mod spans;
