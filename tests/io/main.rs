//! [`AsyncIo`](offload_runtime::AsyncIo): blocking readers and writers as async ones.
//!
//! `model` random operations against a model · `operations` what each does · `errors` where errors arrive · `cancelled` dropped futures and
//! dropped values. `executors` threads, refusals, panics, nesting · `streams` child processes, pipes, decoders · `peers` what the suites of
//! `blocking`, `async-fs` and tokio's files take for granted, and what their issue trackers report.

mod cancelled;
mod errors;
mod executors;
mod family;
mod model;
mod operations;
mod peers;
mod streams;
mod values;
