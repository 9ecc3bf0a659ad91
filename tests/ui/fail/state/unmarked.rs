//! Without the mark, it would be the caller's to give.

use offload_runtime::{StatefulPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, conn: &mut Connection, text: &str) -> usize {
        let _ = conn;
        text.len()
    }
}

fn main() {}
