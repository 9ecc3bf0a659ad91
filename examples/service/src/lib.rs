//! A small but complete web service built on `#[blocking]`: accounts, sessions, pictures and their thumbnails.
//!
//! Everything in it that blocks (SQLite, Argon2, image decoding, files) is a plain synchronous method with the attribute on it; handlers
//! await. It can be read in this order:
//!
//! `state.rs` is what handlers share, with the three executors. `accounts/` and `pictures/` are the domains, `store/` the database, and
//! `data.rs` the data directory. `http/` has the routes, the limits of a request, and the errors. `running.rs` is the start and the
//! graceful stop. `watch/` is what is seen of it while it runs, and `config.rs` has all sizes and bounds. `main.rs` makes a program of it.

#![forbid(unsafe_code)]

mod accounts;
mod config;
mod data;
mod error;
mod http;
mod occasionally;
mod pictures;
mod pool;
mod running;
mod state;
mod store;
mod watch;

pub use config::{Config, Limits, PoolSize};
pub use error::Error;
pub use pool::Pool;
pub use running::{GaveUp, Running, serve};
pub use state::State;
