//! A state is lent, not given away.

use offload_runtime::{StatefulPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, #[state] conn: Connection) {
        drop(conn);
    }
}

fn main() {}
