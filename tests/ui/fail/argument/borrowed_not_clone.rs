//! `&T` needs `T: Clone`.

use offload_runtime::{ThreadPool, blocking};

struct Ticket(u32);

#[derive(Clone)]
struct Service {
    executor: ThreadPool,
}

impl Service {
    #[blocking]
    fn show(&self, ticket: &Ticket) -> u32 {
        ticket.0
    }
}

fn main() {}
