//! The service's start, [`serve`], and its graceful stop, [`Running::stop`].
//!
//! A stop has one deadline for all of it: requests in hand are answered, then the executors are drained, in the order in which
//! jobs of one lead to jobs of the next. What is left at the deadline is named.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use offload_runtime::StillRunning;
use tokio::net::TcpListener;
use tokio::task::{self, JoinHandle};
use tokio::time::{self, Instant};

use crate::config::Config;
use crate::error::Error;
use crate::http::{self, InHand};
use crate::state::State;
use crate::watch;

/// For how long no request may be in hand before connections that stay open are left to themselves: time enough to flush the last
/// answer. What is open then has never sent a whole request, as connections that a browser opens in advance do not.
const QUIET: Duration = Duration::from_millis(500);

/// The last part of a stop's time, at most a quarter: for the answers to requests whose jobs are refused then.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A service that answers requests until it is [stopped](Self::stop). Dropped without that, it goes on.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    state: State,
    in_hand: InHand,
    server: JoinHandle<()>,
    drain: Duration,
}

/// Opens the data directory, listens, and serves in the background of the current tokio runtime.
///
/// # Errors
/// If the data directory cannot be used, or the address cannot be listened on.
pub async fn serve(config: Config) -> Result<Running, Error> {
    // Before there is a pool: its first figures need the recorder.
    let prometheus = watch::install()?;
    let state = State::open(&config).await?;
    let listener = TcpListener::bind(config.address).await;
    let listener = listener.map_err(|error| Error::Listen(config.address, error))?;
    let address = listener.local_addr().map_err(|error| Error::Listen(config.address, error))?;
    let in_hand = InHand::new();
    let routes = http::routes(state.clone(), in_hand.clone(), watch::routes(&state, prometheus));
    let server = http::accept(listener, routes, config.limits, state.stopping().clone());
    Ok(Running { address, state, in_hand, server: tokio::spawn(server), drain: config.drain })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers share.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Stops accepting, answers what is in hand, and drains the executors.
    ///
    /// # Errors
    /// [`GaveUp`] when the drain deadline has passed before that: it names what is left. Jobs that were queued have been refused then,
    /// and jobs that run have been asked to end.
    pub async fn stop(mut self) -> Result<(), GaveUp> {
        let end = Instant::now() + self.drain;
        let deadline = end - LAST_ANSWERS.min(self.drain / 4);
        self.state.stopping().cancel();
        // Connections to clients and the live page have handles to the state for longer than this.
        let store = self.state.store.clone();
        let close = async || task::spawn_blocking(move || store.close()).await;
        let stopped = async {
            self.answer_what_is_in_hand().await;
            // Passwords and pictures are hashed and decoded before they are stored; files are removed after their rows.
            for pool in [&self.state.cpu, &self.state.db, &self.state.files] {
                pool.drain().await;
            }
        };
        if time::timeout_at(deadline, stopped).await.is_ok() {
            let _ = close().await;
            return Ok(());
        }
        let pools = self.state.pools();
        let left: Vec<_> = pools.into_iter().filter_map(|(name, pool)| Some((name, pool.give_up()?))).collect();
        // Requests whose jobs never began are answered 503 now. After a process' end their clients would see a reset.
        let running = left.iter().map(|(_, still_running)| still_running.running().len()).sum();
        let answered = async {
            self.in_hand.at_most(running).await;
            time::sleep(QUIET).await;
        };
        // At the end of the drain, what is not answered is counted below.
        let _ = time::timeout_at(end, answered).await;
        let _ = close().await;
        Err(GaveUp { requests: self.in_hand.count(), left })
    }

    /// Resolves when every connection is closed or idle.
    async fn answer_what_is_in_hand(&mut self) {
        loop {
            let quiet = async {
                self.in_hand.at_most(0).await;
                time::timeout(QUIET, self.in_hand.some()).await
            };
            tokio::select! {
                _ = &mut self.server => return,
                quiet = quiet => if quiet.is_err() { return },
            }
        }
    }
}

/// What was left when a stop had to give up.
#[derive(Debug)]
pub struct GaveUp {
    requests: usize,
    left: Vec<(&'static str, StillRunning)>,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.requests {
            1 => f.write_str("1 request is not answered")?,
            n => write!(f, "{n} requests are not answered")?,
        }
        for (name, still_running) in &self.left {
            write!(f, "; {name}: {still_running}")?;
        }
        Ok(())
    }
}

impl std::error::Error for GaveUp {}
