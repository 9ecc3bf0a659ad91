//! What goes wrong: one fault after the other, in an order that is drawn.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::proxy::Proxy;
use crate::support::server::Server;
use crate::support::workers::Process;

/// The SDK waits for up to ten seconds after an outage before it asks for calls again, so faults without end would leave no time for calls.
const ROUNDS: u32 = 4;

/// A server, a connection to it that can be cut, and two worker processes.
pub(crate) struct Chaos {
    server: Server,
    proxy: Proxy,
    task_queue: String,
    workers: Vec<Process>,
}

impl Chaos {
    pub(crate) fn start(task_queue: &str) -> Self {
        let server = Server::start();
        let proxy = Proxy::start(server.address());
        let mut chaos = Self { server, proxy, task_queue: task_queue.to_owned(), workers: Vec::new() };
        chaos.workers = (0..2).map(|_| chaos.worker()).collect();
        chaos
    }

    /// Through the proxy.
    pub(crate) fn url(&self) -> String {
        self.proxy.url()
    }

    pub(crate) fn server_url(&self) -> String {
        self.server.url()
    }

    fn worker(&self) -> Process {
        Process::worker(&self.url(), &self.task_queue, 4)
    }

    /// At most [`ROUNDS`] of faults, until `is_over`; everything is as it should be after that. Returns how often each was.
    pub(crate) fn run(mut self, is_over: &AtomicBool) -> (Self, BTreeMap<&'static str, u32>) {
        let seed = std::env::var("OFFLOAD_FAULT_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
        println!("OFFLOAD_FAULT_SEED={seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mut faults = BTreeMap::new();
        // The order is the random part; each fault comes once before any comes again.
        let (mut left, mut rounds) = (Vec::new(), 0);
        while !is_over.load(Relaxed) {
            sleep(Duration::from_millis(random.u64(500..2500)));
            if left.is_empty() {
                if rounds == ROUNDS {
                    break;
                }
                rounds += 1;
                left = vec![
                    "worker killed",
                    "worker killed",
                    "worker stopped",
                    "server killed",
                    "server stopped",
                    "connection cut",
                ];
                random.shuffle(&mut left);
            }
            let fault = left.pop().expect("it was filled");
            let (index, pause) = (random.usize(..self.workers.len()), Duration::from_millis(random.u64(500..3000)));
            match fault {
                "worker killed" => {
                    self.workers[index].kill();
                    // It cannot start while there is no server, which there is at this point.
                    self.workers[index] = self.worker();
                }
                "worker stopped" => {
                    self.workers[index].signal(Signal::STOP);
                    sleep(pause);
                    self.workers[index].signal(Signal::CONT);
                }
                "server killed" => {
                    self.server.kill();
                    sleep(pause);
                    self.server.restart();
                }
                "server stopped" => {
                    self.server.signal(Signal::STOP);
                    sleep(pause);
                    self.server.signal(Signal::CONT);
                }
                _ => {
                    self.proxy.cut();
                    sleep(pause);
                    self.proxy.mend();
                }
            }
            *faults.entry(fault).or_default() += 1;
        }
        (self, faults)
    }
}
