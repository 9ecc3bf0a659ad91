//! A borrow of the state that shows in no signature.

use offload_runtime::{StatefulPool, blocking};

struct Connection {
    path: String,
}

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn keep(&self, #[state] conn: &mut Connection) -> Option<&'static str> {
        Some(&conn.path)
    }
}

fn main() {}
