//! Callers do not give the state.

use offload_runtime::{StatefulPool, blocking};

struct Connection;

#[derive(Clone)]
struct Notes {
    db: StatefulPool<Connection>,
}

impl Notes {
    #[blocking(executor = db)]
    fn insert(&self, #[state] conn: &mut Connection, text: &str) -> usize {
        let _ = conn;
        text.len()
    }
}

async fn call(notes: &Notes, conn: &mut Connection) -> usize {
    notes.insert(conn, "text").await
}

fn main() {}
