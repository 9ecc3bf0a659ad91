//! What can be chosen about the service: [`Config`], with defaults that need no set-up.
//!
//! The program fills it from its arguments (`arguments.rs`), tests by hand. Every queue and every buffer has a bound, and all
//! of the bounds are here.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// What can be chosen about the service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 is a free one.
    pub address: SocketAddr,
    /// The directory of the database and of the pictures. Created if it is not there.
    pub data: PathBuf,
    /// Whether to start although the database has no account and there are pictures, which are then moved to `orphaned/`.
    pub accept_empty_database: bool,
    /// Whether all that blocks is called in place, on the threads of the async runtime, as in a service without executors. For
    /// comparison: it collapses under load.
    pub inline: bool,
    /// The executor of the database: as many threads as there are connections.
    pub db: PoolSize,
    /// The executor of what computes: as many threads as there are cores.
    pub cpu: PoolSize,
    /// The executor of the pictures' files.
    pub files: PoolSize,
    /// How long a stop may take, from the signal to the end.
    pub drain: Duration,
    /// How costly a password's hash is.
    pub hashing: argon2::Params,
    /// How long a session lasts.
    pub session: Duration,
    /// What a request may cost.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            data: PathBuf::from("service-data"),
            accept_empty_database: false,
            inline: false,
            db: PoolSize { threads: 4, queue: 256 },
            cpu: PoolSize { threads: cores, queue: 32 * cores },
            files: PoolSize { threads: 8, queue: 256 },
            drain: Duration::from_secs(20),
            hashing: argon2::Params::DEFAULT,
            session: Duration::from_secs(30 * 24 * 3600),
            limits: Limits::default(),
        }
    }
}

/// How many threads an executor has, and how many jobs may wait for them. Beyond that it refuses.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    /// Jobs that run at once.
    pub threads: usize,
    /// Jobs that wait.
    pub queue: usize,
}

/// What a request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. Each takes up a descriptor, and another one while it sends a picture.
    pub connections: usize,
    /// Further connections, on which only `/metrics`, `/healthz` and `/readyz` are answered.
    pub kept_connections: usize,
    /// How long a connection may take for a request's head, and be idle between requests.
    pub silence: Duration,
    /// Bytes of an uploaded picture.
    pub upload: usize,
    /// How long an upload may take to arrive.
    pub upload_time: Duration,
    /// Bytes that all uploads together may hold in memory; beyond that they are refused.
    pub uploads: usize,
    /// Pixels on a side of a picture.
    pub side: u32,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Bytes that decoding may allocate, for each thread of `cpu`.
    pub decode: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 500,
            kept_connections: 16,
            silence: Duration::from_secs(30),
            upload: 8 << 20,
            upload_time: Duration::from_secs(30),
            uploads: 128 << 20,
            side: 16_384,
            pixels: 24_000_000,
            decode: 128 << 20,
        }
    }
}
