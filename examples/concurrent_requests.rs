//! Four requests at once on a pool of four threads: all four block at the same time, none blocks the event loop.
//!
//! `cargo run --example concurrent_requests`

use std::sync::{Arc, Barrier};

use offload_runtime::{ThreadPool, blocking};

const REQUESTS: usize = 4;

#[allow(clippy::approx_constant, reason = "four digits are what the backend knows")]
const ANSWER: f64 = 3.1415;

/// The backend that the requests ask.
#[derive(Clone)]
struct Backend {
    executor: ThreadPool,
    /// Where a call blocks until all four are here. On fewer than four threads they would wait for each other forever.
    meeting: Arc<Barrier>,
}

impl Backend {
    #[blocking]
    fn ask(&self) -> f64 {
        println!("Starting with blocking...");
        self.meeting.wait();
        println!("Stopping with blocking...");
        ANSWER
    }
}

async fn request(backend: Backend) {
    let answer = backend.ask().await;
    println!("got {answer}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let backend = Backend { executor: ThreadPool::new(REQUESTS), meeting: Arc::new(Barrier::new(REQUESTS)) };
    let requests: Vec<_> = (0..REQUESTS).map(|_| tokio::spawn(request(backend.clone()))).collect();
    println!("spawned!");
    for request in requests {
        request.await.expect("a request does not panic");
    }
    println!("Done.");
}
