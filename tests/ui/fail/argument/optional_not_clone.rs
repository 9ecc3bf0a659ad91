//! `Option<&T>` too.

use offload_runtime::{ThreadPool, blocking};

struct Ticket(u32);

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn show(&self, ticket: Option<&Ticket>) -> u32 {
        ticket.map_or(0, |ticket| ticket.0)
    }
}

fn main() {}
