//! Connections: how many there may be, and how long one may be silent between requests.
//!
//! This is the loop of `axum::serve`, which bounds neither: a client could take up all descriptors of the process by opening
//! connections, and files and the database need some too. When all connections are in use, a few more are accepted for what
//! operators ask for (`/metrics`, `/healthz`, `/readyz`); anything else on them is answered 503. Beyond these, connections wait in
//! the operating system's backlog, which is bounded as well.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::config::Limits;
use crate::occasionally::Occasionally;

/// How long to wait after an accept that failed for lack of a resource.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a kept connection may be silent: others may wait for it.
const SHORT_SILENCE: Duration = Duration::from_secs(2);

/// Marks the requests of a connection that is kept for operators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept;

/// Accepts connections and answers their requests until `stopping`; resolves when the last connection is closed after that.
pub(crate) async fn accept(listener: TcpListener, routes: Router, limits: Limits, stopping: CancellationToken) {
    let permits = Permits::new(limits);
    let mut usual = http1::Builder::new();
    usual.timer(TokioTimer::new()).header_read_timeout(limits.silence);
    let mut brief = usual.clone();
    brief.keep_alive(false).header_read_timeout(limits.silence.min(SHORT_SILENCE));
    let for_operators = routes.clone().layer(Extension(Kept));
    let open = GracefulShutdown::new();
    while let Some((stream, permit, is_kept)) = stopping.run_until_cancelled(permits.next(&listener)).await {
        let (protocol, routes) = if is_kept { (&brief, &for_operators) } else { (&usual, &routes) };
        let service = TowerToHyperService::new(routes.clone());
        let connection = open.watch(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // An error is the client's: it closed its connection early, or did not speak HTTP.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// How many connections there may be.
struct Permits {
    usual: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    limit: usize,
    warning: Occasionally,
}

impl Permits {
    fn new(limits: Limits) -> Self {
        let [usual, kept] = [limits.connections, limits.kept_connections].map(|most| Arc::new(Semaphore::new(most)));
        Self { usual, kept, limit: limits.connections, warning: Occasionally::new() }
    }

    /// The next connection, its permit, and whether it is one of the reserved ones.
    async fn next(&self, listener: &TcpListener) -> (TcpStream, OwnedSemaphorePermit, bool) {
        // The permit comes second: before, it could be of the wrong kind by the time a client connects.
        let stream = accept_one(listener).await;
        if self.usual.available_permits() == 0 && self.warning.is_due() {
            tracing::warn!("all connections are in use, as --connections {} allows no more", self.limit);
        }
        let (permit, is_kept) = tokio::select! {
            biased;
            permit = Arc::clone(&self.usual).acquire_owned() => (permit, false),
            permit = Arc::clone(&self.kept).acquire_owned() => (permit, true),
        };
        (stream, permit.expect("the semaphores are never closed"), is_kept)
    }
}

async fn accept_one(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are short and are sent at once.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            // The client has closed it already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                time::sleep(PAUSE).await;
            }
        }
    }
}
