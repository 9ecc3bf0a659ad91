//! Connections: how many there may be, and for how long one may be silent between requests.
//!
//! This is the loop of `axum::serve`, which bounds neither: a client that opens connections and says nothing could take up all
//! descriptors that the process has, and files and the database need some too. Beyond the limit, connections wait where the
//! operating system keeps those that were not accepted, whose number has a bound as well.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::config::Limits;

/// How long to wait after an accept that failed for lack of something.
const PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections and answers their requests until `stopping`; resolves when the last connection is closed after that.
pub(crate) async fn accept(listener: TcpListener, routes: Router, limits: Limits, stopping: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.silence);
    let open = GracefulShutdown::new();
    while let Some((stream, place)) = stopping.run_until_cancelled(next(&listener, &room)).await {
        let service = TowerToHyperService::new(routes.clone());
        let connection = open.watch(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // How a client ends its connection is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// The next connection, and the place that it takes up.
async fn next(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(room).acquire_owned().await.expect("nothing closes it");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are short, and should not wait for more.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            // It went as it came.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                time::sleep(PAUSE).await;
            }
        }
    }
}
